"""The worker is killed before, in and after everything that it does outside, and started again."""

import pytest

from tests.faults import points
from tests.faults.laws import Laws
from tests.faults.points import ANSWERED, ARRIVED, MOMENTS, PROCESSED, TAKEN, Moment, Point, When, has_died
from tests.stories.company import until

pytestmark = pytest.mark.timeout(900)  # many starts, perhaps on a busy machine

# Whoever is killed there has not begun yet, or has committed what was done.
BEFORE_AND_AFTER_A_QUESTION: list[tuple[Point, Moment]] = [
    (points.DEAL, ARRIVED),
    (points.DEAL, ANSWERED),
    (points.MARK, ARRIVED),
    (points.MARK, PROCESSED),
]
WITH_A_REPLY_IN_HAND: list[tuple[Point, Moment]] = [
    (points.POLL, ANSWERED),
    (points.CONFIRM, ARRIVED),
    (points.CONFIRM, PROCESSED),
    (points.CONFIRM, ANSWERED),
]
OF_A_COMPLAINT = [points.COMPLAINT, points.TASK, points.NOTE]


@pytest.fixture(autouse=True)
def started(laws: Laws) -> None:
    laws.shop.start()
    laws.shop.wait_until_ready()


def restarted(laws: Laws) -> None:
    """It has been killed; nothing goes wrong outside any more, and it is back."""
    has_died(laws.shop)
    laws.shop.start()
    laws.shop.wait_until_ready()


def mark(laws: Laws, deal: int) -> object:
    return laws.shop.value(deal, "Промокод для друзей")


def asked(laws: Laws) -> int:
    """A deal whose client has been asked, with nothing else to do or to hear."""
    deal = laws.asked()
    until(lambda: mark(laws, deal), "the mark of a deal that was asked")
    laws.shop.wait_until_idle()
    laws.shop.wait_until_heard()
    return deal


def test_killed_before_a_question_or_after_it_was_noted_it_asks_once(laws: Laws) -> None:
    deals = []
    for point, (when, delay) in BEFORE_AND_AFTER_A_QUESTION:
        point.kills(laws.shop, when, delay=delay)
        deals.append(laws.won_deal())
        restarted(laws)
        laws.wait_for_question(deals[-1])
        until(lambda: mark(laws, deals[-1]), "the mark of a deal that was asked")
        laws.shop.wait_until_idle()
    for deal in deals:
        laws.replies(deal, 9)
    laws.hold(kills=len(deals), uncertain=0)
    assert all(laws.questions_to(deal) for deal in deals)


@pytest.mark.parametrize(
    "moments", [[PROCESSED], [ARRIVED, PROCESSED, ANSWERED, TAKEN]], ids=["once", "often"]
)
def test_killed_at_a_question_it_asks_nobody_twice_and_hears_who_answers(
    laws: Laws, moments: list[Moment]
) -> None:
    deals = []
    for when, delay in moments:
        points.QUESTION.kills(laws.shop, when, delay=delay)
        deals.append(laws.won_deal())
        restarted(laws)
        laws.shop.wait_until_idle()
    laws.hold(kills=len(deals))
    for moment, deal in zip(moments, deals, strict=True):
        # Only what had not arrived may never have been sent.
        assert len(laws.questions_to(deal)) in ((0, 1) if moment is ARRIVED else (1,))
    for deal in deals:
        laws.replies(deal, 9)
    laws.hold(uncertain=len(deals))


@MOMENTS
def test_killed_at_a_complaint_it_opens_one(laws: Laws, moment: Moment) -> None:
    when, delay = moment
    for point in OF_A_COMPLAINT:
        deal = asked(laws)
        point.kills(laws.shop, when, delay=delay)
        laws.replies(deal, 3)
        restarted(laws)
    laws.hold(kills=len(OF_A_COMPLAINT))
    for client in set(laws.clients.values()):
        [complaint] = laws.complaints_of(client)
        assert len(laws.shop.tasks(complaint)) == 1
        assert sum(client.words in note for note in laws.shop.notes(complaint)) == 1


@MOMENTS
def test_killed_at_an_alert_or_a_score_that_is_written_it_goes_on(laws: Laws, moment: Moment) -> None:
    when, delay = moment
    for point, score in ((points.ALERT, 2), (points.SCORE, 4), (points.THANKS, 10)):
        deal = asked(laws)
        point.kills(laws.shop, when, delay=delay)
        laws.replies(deal, score)
        restarted(laws)
    laws.hold(kills=3)
    for deal in laws.clients:
        assert len(laws.to_client(deal)) <= 2, "asked once, thanked once or not at all"
        assert sum("NPS: " in note for note in laws.shop.notes(deal)) == 1


def test_killed_with_a_reply_in_hand_it_reads_it_again(laws: Laws) -> None:
    for point, (when, _) in WITH_A_REPLY_IN_HAND:
        deal = asked(laws)
        point.kills(laws.shop, when)
        if point is points.POLL:  # The poll that waits there already is not the one that is counted.
            before = point.times(laws.shop)
            laws.shop.whatsapp.do("reads", who=laws.clients[deal].phone)
            until(lambda: point.times(laws.shop) > before, "another poll")  # noqa: B023
        laws.replies(deal, 3)
        restarted(laws)
    laws.hold(kills=4)


def test_killed_when_amocrm_calls_it_misses_no_deal(laws: Laws) -> None:
    """Its word only wakes the pull; the first pull of the next start reads what was told."""
    shop = laws.shop
    shop.stop()
    shop.start(amocrm={"poll_interval": "1h"}, http={"webhook_secret": "quiet-path"})
    shop.private.add("quiet-path")
    shop.wait_until_ready()
    points.PAGE.kills(shop, "arrived")
    deal = laws.won_deal()
    answer = shop.web("/webhooks/amocrm/quiet-path", "POST")
    assert answer is not None
    assert answer.status_code == 200
    restarted(laws)
    laws.wait_for_question(deal)
    laws.hold(uncertain=0)


@pytest.mark.parametrize("page", [1, pytest.param(2, marks=pytest.mark.long)])
@pytest.mark.parametrize("when", [pytest.param("arrived", marks=pytest.mark.long), "answered"])
def test_killed_on_a_page_of_deals_it_plans_each_once(laws: Laws, page: int, when: When) -> None:
    shop, many = laws.shop, 600
    shop.stop()
    for _ in range(many):
        laws.won_deal()
    later = [{"key": "nps", "metric": "nps", "delay": "1d"}]
    shop.start(survey=later, amocrm={"poll_interval": "1m"})
    points.PAGE.kills(shop, when, nth=page + 1)
    restarted(laws)
    until(lambda: shop.metric("sarafan_surveys") >= many, f"{many} planned surveys")
    until(lambda: points.PAGE.times(shop) >= page + 1 + -(-many // 250), "the last page")
    assert shop.metric("sarafan_surveys", 'state="planned"') == shop.metric("sarafan_surveys") == many
    assert laws.report()["uncertain"] == 0
    laws.nobody_was_asked_twice()
    laws.the_pace_was_kept()
    laws.nothing_private_was_told()
