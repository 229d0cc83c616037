"""A network that refuses, drips, loses answers or is away: nobody twice, nothing lost, nothing stuck."""

import shutil
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.faults.laws import Laws
from tests.faults.outage import impostor, memory, requests, wire_to
from tests.stories.company import Company, Place, until

OUT = 60.0  # seconds that a whole answer may take; see DEADLINE in integrations/http.py
DEALS = "/api/v4/leads$"
MARK = "Промокод для друзей"
SETTLED = 120.0  # seconds until a lost question is looked for; see SETTLES in storage/surveys.py
LOST: tuple[dict[str, Any], ...] = (
    {"status": 504, "after": True},
    {"drop": True, "after": True},
)
NOT_IN_TIME: dict[str, Any] = {"drop": True, "after": True, "delay": 22.0}
# Everything that a low score makes the worker write.
WRITES = (
    ("amocrm", "/leads$", "POST"),
    ("amocrm", "/leads$", "PATCH"),
    ("amocrm", "/tasks$", "POST"),
    ("amocrm", "/leads/notes$", "POST"),
    ("telegram", "/sendMessage$", "POST"),
)


def every_write_fails_once(laws: Laws, kinds: Sequence[Mapping[str, Any]]) -> None:
    """In each of these ways, for a client each; all is done in the end, and nothing twice but an alert."""
    shop = laws.shop
    cases = [(how, *write) for how in kinds for write in WRITES]
    unhappy = [laws.won_deal() for _ in cases]
    for deal in unhappy:
        laws.wait_for_question(deal)
        until(lambda: shop.value(deal, MARK), "the mark that the client was asked")  # noqa: B023
    shop.wait_until_idle()
    for deal, (how, service, path, method) in zip(unhappy, cases, strict=True):
        place: Place = getattr(shop, service)
        before = harmed(place, path, method, how)
        place.breaks(path, method=method, **how)
        laws.replies(deal, 3)
        until(lambda: harmed(place, path, method, how) > before, f"{method} {path} gone wrong")  # noqa: B023
    until(lambda: len(shop.complaints()) == len(unhappy), "a complaint for each", OUT)
    until(lambda: shop.outbox_rows("waiting") + shop.outbox_rows("doing") == 0, "an empty outbox", OUT * 2)
    laws.hold(kills=len(kinds))
    for deal in unhappy:
        words = laws.clients[deal].words
        [complaint] = laws.complaints_of(laws.clients[deal])
        assert len(shop.tasks(complaint)) == 1
        assert len([note for note in shop.notes(complaint) if words in note]) == 1
        assert len([note for note in shop.notes(deal) if words in note]) == 1
        assert len(laws.to_client(deal)) <= 2, "thanked once, or not at all"


def harmed(place: Place, path: str, method: str, how: Mapping[str, Any]) -> int:
    return sum(call.status == how.get("status", 0) for call in place.calls(path, method))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_what_cannot_be_reached_is_waited_for_and_no_stranger_is_trusted(new_shop: Company) -> None:
    """Refused, a name that nobody knows, a certificate that nobody has vouched for: one service each."""
    with impostor(new_shop.folder) as stranger, wire_to(new_shop.amocrm.url) as (wire, amocrm):
        wire.cut()
        new_shop.start(
            amocrm={"base_url": amocrm},
            telegram={"api_url": "http://telegram.invalid"},
            whatsapp={"base_url": stranger.url},
        )
        for service in ("amocrm", "telegram", "whatsapp"):
            until(lambda: f"{service} cannot be reached" in new_shop.log, f"a line about {service}")  # noqa: B023
        deal = new_shop.won_deal()
        answer = new_shop.web("/healthz")
        assert answer is not None
        assert answer.status_code == 200, "it waits, and lives"
        assert not new_shop.is_ready()
        until(lambda: stranger.visits > 1, "another try")
        wire.mend()
        until(lambda: requests(new_shop.amocrm, "/api/v4/leads"), "a pull, once amoCRM can be reached")
        assert stranger.told == [], "nothing is said to whom nobody knows"
        assert new_shop.stop() == 0
        new_shop.start(
            telegram={"api_url": new_shop.telegram.url}, whatsapp={"base_url": new_shop.whatsapp.url}
        )
        until(lambda: new_shop.value(deal, MARK), "the mark that the client was asked")
        assert len(new_shop.questions()) == 1


def test_a_write_that_may_have_happened_is_lost_nowhere_and_done_once(new_laws: Laws) -> None:
    """Its answer is lost after the work, or it fails before the work: nobody can tell which."""
    shop = new_laws.shop
    shop.start()
    shop.wait_until_ready()
    for how in LOST:
        shop.whatsapp.breaks("/sendPoll/", method="POST", **how)
        deal = new_laws.won_deal()
        # The gateway's own word of the message settles what its answer did not.
        until(lambda: shop.value(deal, MARK), "the mark that the client was asked")  # noqa: B023
        new_laws.replies(deal, 9)
    every_write_fails_once(new_laws, [*LOST, {"status": 500}])


@pytest.mark.long
def test_a_write_that_is_not_answered_in_time_is_lost_nowhere_and_done_once(new_laws: Laws) -> None:
    shop = new_laws.shop
    shop.start()
    shop.whatsapp.breaks("/sendPoll/", method="POST", **NOT_IN_TIME)
    deal = new_laws.won_deal()
    until(lambda: shop.value(deal, MARK), "the mark that the client was asked")
    new_laws.replies(deal, 9)
    every_write_fails_once(new_laws, [NOT_IN_TIME])


@pytest.mark.long
def test_a_question_that_the_gateway_refused_with_500_is_asked_when_that_is_sure(new_laws: Laws) -> None:
    shop = new_laws.shop
    shop.start()
    shop.wait_until_ready()
    shop.whatsapp.breaks("/sendPoll/", method="POST", status=500)
    deal = new_laws.won_deal()
    [refused] = until(lambda: shop.whatsapp.calls("/sendPoll/"), "the question that fails")
    until(lambda: new_laws.questions_to(deal), "the question that arrives", SETTLED + OUT)
    first, second = shop.whatsapp.calls("/sendPoll/")
    assert first.seconds == refused.seconds
    assert second.seconds - first.seconds >= SETTLED
    new_laws.replies(deal, 3)
    new_laws.hold()


def test_an_answer_that_is_none_is_a_failed_read(new_laws: Laws) -> None:
    """Truncated, compressed by halves, HTML, too large, too deep: the watermark stays, the memory too."""
    shop = new_laws.shop
    shop.start()
    new_laws.replies(new_laws.asked(), 9)
    new_laws.settle()
    before = memory(shop, "VmHWM")
    odd: tuple[dict[str, Any], ...] = (
        {"drop": True},
        {"status": 200, "body": "{}", "headers": {"content-encoding": "gzip"}},
        {"status": 200},  # a page of HTML
        {"status": 200, "body": "{}", "pad": 50_000_000},
        {"status": 200, "body": "[" * 200_000},
        {"status": 200, "body": "[1, 2"},
    )
    for place, how in enumerate(odd, start=1):
        shop.amocrm.breaks(DEALS, method="GET", nth=place, **how)
    seen = requests(shop.amocrm, DEALS, "GET")
    deal = new_laws.won_deal()
    until(lambda: requests(shop.amocrm, DEALS, "GET") >= seen + len(odd), "a read of each kind")
    new_laws.wait_for_question(deal)
    assert memory(shop, "VmHWM") - before < 30
    new_laws.replies(deal, 9)
    new_laws.hold()


@pytest.mark.long
def test_an_answer_byte_by_byte_ends_at_the_deadline_and_stops_nobody_else(new_laws: Laws) -> None:
    shop = new_laws.shop
    shop.start()
    deal = new_laws.asked()
    shop.wait_until_idle()
    shop.amocrm.breaks(DEALS, method="GET", status=200, body="{}" + " " * 1000, drip=1.0)
    seen = requests(shop.amocrm, DEALS, "GET")
    until(lambda: requests(shop.amocrm, DEALS, "GET") > seen, "a pull that drips")
    began = time.monotonic()
    new_laws.replies(deal, 9)
    until(lambda: shop.score(deal) == 9, "the score, while the pull drips")
    assert time.monotonic() - began < OUT / 2
    until(lambda: requests(shop.amocrm, DEALS, "GET") > seen + 1, "the next pull", OUT + 30)
    assert time.monotonic() - began > OUT - 5, "it was read for as long as it may be"
    new_laws.hold()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_after_five_minutes_without_an_answer_the_next_request_passes_at_once(new_laws: Laws) -> None:
    shop = new_laws.shop
    shop.start()
    deal = new_laws.asked()
    shop.wait_until_idle()
    places = (shop.amocrm, shop.whatsapp, shop.telegram)
    for place in places:
        place.breaks("", times=0, delay=400.0, drop=True)
    time.sleep(300)
    assert sum(call.status == 0 for place in places for call in place.calls("")) >= 20
    shop.mended()
    before = requests(shop.amocrm, "/api/v4/", "PATCH")
    new_laws.replies(deal, 9)
    until(lambda: requests(shop.amocrm, "/api/v4/", "PATCH") > before, "the score on its way")
    written = shop.amocrm.calls("/api/v4/", "PATCH")[-1]
    taken = shop.whatsapp.calls("/deleteNotification/")[-1]
    assert written.seconds - taken.seconds < 5
    until(lambda: shop.score(deal) == 9, "the score")
    new_laws.hold()
