"""Things come twice, in the wrong order, all at once or days late: each still counts once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.faults import points
from tests.faults.clock import MovedClocks
from tests.faults.laws import Laws, client_number
from tests.stories.company import until

pytestmark = pytest.mark.timeout(900)  # many starts, perhaps on a busy machine

WORKING = "Монтаж"  # a status that a closed deal goes back to
HOUR = 3600  # seconds
DEAF = {"status": 502, "times": 0}


@pytest.fixture(autouse=True)
def started(laws: Laws) -> None:
    laws.shop.start()
    laws.shop.wait_until_ready()


def test_one_notification_ten_times_is_one_answer(laws: Laws) -> None:
    shop = laws.shop
    deal = laws.asked()
    shop.whatsapp.breaks(points.POLL.path, **DEAF)
    laws.replies(deal, 3)
    shop.whatsapp.do("repeat", times=9)
    shop.mended()
    laws.hold()
    deleted = points.CONFIRM.times(shop)
    shop.whatsapp.do("repeat", times=1)
    until(lambda: points.CONFIRM.times(shop) > deleted, "the repeat taken in")
    laws.hold()
    assert len(laws.to_client(deal)) == 2, "asked once, thanked once"
    [complaint] = laws.complaints_of(laws.clients[deal])
    assert len(shop.tasks(complaint)) == 1
    assert sum(laws.clients[deal].words in note for note in shop.notes(deal)) == 1


def test_a_reply_before_the_gateway_has_answered_us_is_matched(laws: Laws) -> None:
    shop = laws.shop
    shop.whatsapp.breaks(points.QUESTION.path, delay=5, after=True)
    deal = laws.won_deal()
    laws.wait_for_question(deal)
    shop.whatsapp.do("reads", who=laws.clients[deal].phone)
    laws.replies(deal, 3)
    until(lambda: shop.whatsapp.calls(points.QUESTION.path)[-1].status == 200, "the late answer")
    laws.hold(uncertain=0)
    report = laws.report()
    assert (report["sent"], report["delivered"], report["read"]) == (1, 1, 1)


def test_statuses_in_disorder_never_go_back(laws: Laws) -> None:
    """Read, then delivered, then sent: of a message that we know, and of one whose id we have not got yet."""
    shop = laws.shop
    shop.whatsapp.do("keep_statuses")
    known = laws.asked()
    shop.wait_until_idle()
    backwards(laws, known)
    shop.whatsapp.breaks(points.QUESTION.path, delay=5, after=True)
    unknown = laws.won_deal()
    laws.wait_for_question(unknown)
    backwards(laws, unknown)
    assert shop.whatsapp.calls(points.QUESTION.path)[-1].status == 0, "our own send has no answer yet"
    until(lambda: shop.whatsapp.calls(points.QUESTION.path)[-1].status == 200, "the late answer")
    until(lambda: shop.metric("sarafan_inbox_rows", 'state="new"') == 0, "statuses that found their message")
    report = laws.report()
    assert (report["sent"], report["delivered"], report["read"]) == (2, 2, 2)
    for deal in (known, unknown):
        laws.replies(deal, 9)
    laws.hold(uncertain=0)


def backwards(laws: Laws, deal: int) -> None:
    """What happened to the question about this deal is told from its end to its beginning."""
    whatsapp = laws.shop.whatsapp
    [question] = whatsapp.do("messages", who=laws.clients[deal].phone)
    for status in ("read", "delivered", "sent"):
        confirmed = points.CONFIRM.times(laws.shop)
        which = {"id_message": question["id_message"], "chat_id": question["chat_id"]}
        whatsapp.do("tells_status", **which, status=status)
        until(lambda: points.CONFIRM.times(laws.shop) > confirmed, f"«{status}» taken in")  # noqa: B023
    laws.shop.wait_until_heard()


def test_closed_reopened_and_closed_again_a_deal_is_asked_about_once(laws: Laws) -> None:
    shop = laws.shop
    deal = laws.asked()
    shop.wait_until_idle()
    for _ in range(2):
        shop.amocrm.do("move_lead", lead_id=deal, status=WORKING)
        pulled = points.PAGE.times(shop)
        until(lambda: points.PAGE.times(shop) > pulled + 1, "two more pulls")  # noqa: B023
        shop.amocrm.do("close_lead", lead_id=deal)
        pulled = points.PAGE.times(shop)
        until(lambda: points.PAGE.times(shop) > pulled + 1, "two more pulls")  # noqa: B023
    laws.replies(deal, 10)
    laws.hold(uncertain=0)


def test_three_deals_of_one_client_are_one_question(laws: Laws) -> None:
    shop, client = laws.shop, client_number(900)
    first = laws.asked(client)
    # The same person, by another contact with the same number.
    for _ in range(2):
        laws.won_deal(client)
    until(lambda: shop.metric("sarafan_surveys") == 3, "three surveys")
    pulled = points.PAGE.times(shop)
    until(lambda: points.PAGE.times(shop) > pulled + 3, "more pulls")
    laws.replies(first, 9)
    laws.hold(uncertain=0)
    assert len(laws.questions_to(first)) == 1


@pytest.mark.long
def test_deals_that_change_while_they_are_paged_through_are_each_planned_once(laws: Laws) -> None:
    shop, many = laws.shop, 400
    shop.stop()
    deals = [laws.won_deal() for _ in range(many)]
    shop.amocrm.breaks(points.PAGE.path, method="GET", delay=3, after=True)
    shop.start(survey=[{"key": "nps", "metric": "nps", "delay": "1d"}], amocrm={"poll_interval": "1m"})
    pulled = points.PAGE.times(shop)
    until(lambda: points.PAGE.times(shop) > pulled, "the first page")
    for deal in deals[200:300]:  # of this page and of the next
        shop.amocrm.do("edit_lead", lead_id=deal, price=1000)
    until(lambda: shop.metric("sarafan_surveys") >= many, "a survey of each")
    assert shop.metric("sarafan_surveys", 'state="planned"') == shop.metric("sarafan_surveys") == many
    laws.nobody_was_asked_twice()
    laws.the_pace_was_kept()


@pytest.mark.long
def test_a_thousand_deals_of_one_second_are_each_seen(laws: Laws) -> None:
    shop, many = laws.shop, 1000
    shop.stop()
    moment = datetime.now(UTC).replace(microsecond=0).isoformat()
    deals = [laws.deal(created_at=moment) for _ in range(many)]
    shop.start(amocrm={"poll_interval": "1m"})
    shop.wait_until_ready()
    until(lambda: shop.value(deals[-1], "Ссылка на Telegram-бота"), "a link in the last card", 240)
    until(lambda: shop.outbox_rows("waiting|doing") == 0, "an empty outbox", 240)
    links = {shop.value(deal, "Ссылка на Telegram-бота") for deal in deals}
    assert None not in links
    assert len(links) == many, "each has its own"
    laws.the_pace_was_kept()


def test_a_long_queue_of_questions_is_no_standstill(laws: Laws) -> None:
    shop = laws.shop
    shop.stop()
    deals = [laws.won_deal() for _ in range(12)]
    shop.whatsapp.breaks(points.QUESTION.path, delay=2, after=True, times=0)
    shop.start()
    shop.wait_until_ready()
    assert shop.metric("sarafan_surveys", 'state="planned"') > 0, "ready while it asks"
    shop.mended()
    for deal in deals:
        laws.wait_for_question(deal)
    laws.hold(uncertain=0)


def test_after_days_of_standstill_it_catches_up_and_lets_go_what_is_too_late(laws: Laws) -> None:
    shop = laws.shop
    shop.stop()
    now = datetime.now(UTC)
    recent, old = laws.deal(), laws.deal()
    for deal, days in ((recent, 3), (old, 9)):
        shop.amocrm.do("close_lead", lead_id=deal, at=(now - timedelta(days=days)).isoformat())
    shop.start()
    laws.wait_for_question(recent)
    until(lambda: shop.metric("sarafan_surveys", 'state="skipped"') == 1, "the one that is too late")
    laws.replies(recent, 2)
    laws.hold(uncertain=0)
    assert laws.questions_to(old) == []
    assert laws.report()["not_sent"] == {"too_late": 1}


@pytest.mark.long
def test_a_clock_that_jumps_asks_nobody_early_or_twice(
    laws: Laws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, clock = laws.shop, MovedClocks(tmp_path)
    shop.stop()
    clock.install(monkeypatch)
    shop.start()
    shop.wait_until_ready()
    laws.asked()
    shop.wait_until_idle()
    clock.is_off_by(HOUR)
    until(lambda: "Часы сервера расходятся" in str(shop.bot_wrote()), "the word that the clock is wrong")
    during = laws.won_deal()
    pulled = points.PAGE.times(shop)
    until(lambda: points.PAGE.times(shop) > pulled + 2, "pulls that go on")
    assert laws.questions_to(during) == []
    clock.is_off_by(0)
    laws.wait_for_question(during)
    shop.wait_until_idle()
    clock.is_off_by(-HOUR)
    early = laws.won_deal()
    pulled = points.PAGE.times(shop)
    until(lambda: points.PAGE.times(shop) > pulled + 5, "pulls that go on")
    answer = shop.web("/healthz")
    assert answer is not None
    assert answer.status_code == 200
    assert laws.questions_to(early) == [], "by its own clock the deal is not closed yet"
    clock.is_off_by(0)
    laws.wait_for_question(early)
    for deal, score in zip(laws.clients, (3, 9, 10), strict=True):
        laws.replies(deal, score)
    laws.hold(uncertain=0)
