"""Services that refuse: too fast, banned, unpaid, a dead login, people who cannot be written to."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.faults.laws import Laws
from tests.faults.outage import requests
from tests.stories.company import ANNA, IVAN, Call, Company, Place, until

BORIS, BORIS_ID = "Борис", 222_222_222
PETR = "+79146660002"
MARK = "Промокод для друзей"
OPEN_CIRCUIT = "amocrm: too many failures, requests pause"


def told(shop: Company, beginning: str) -> int:
    """How often the administrator was told of this trouble."""
    return sum(message["text"].startswith(beginning) for message in shop.bot_wrote())


def reasons(shop: Company) -> list[str]:
    answer = shop.web("/readyz")
    return [] if answer is None or answer.status_code == 200 else list(answer.json())


def refused(place: Place, path: str, status: int) -> list[Call]:
    return [call for call in place.calls(path) if call.status == status]


def next_after(place: Place, path: str, call: Call) -> Call:
    """The first request to this path that came later."""
    return until(
        lambda: [one for one in place.calls(path) if one.seconds > call.seconds], "the next request"
    )[0]


# amoCRM


def test_too_fast_is_obeyed_with_a_header_and_without(new_shop: Company) -> None:
    new_shop.start()
    new_shop.wait_until_ready()
    pages = "/api/v4/leads$"
    new_shop.amocrm.breaks(pages, method="GET", status=429, headers={"Retry-After": "4"})
    [first] = until(lambda: refused(new_shop.amocrm, pages, 429), "«too fast», in a page of HTML")
    assert next_after(new_shop.amocrm, "/api/v4/", first).seconds - first.seconds >= 4
    new_shop.amocrm.breaks(pages, method="GET", times=2, status=429)
    _, second, third = until(
        lambda: calls if len(calls := refused(new_shop.amocrm, pages, 429)) == 3 else [], "two more"
    )
    assert third.seconds - second.seconds >= 1
    assert next_after(new_shop.amocrm, "/api/v4/", third).seconds - third.seconds >= 2
    deal = new_shop.won_deal()
    until(lambda: new_shop.value(deal, MARK), "the mark that the client was asked")
    assert len(new_shop.questions()) == 1


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_storm_of_five_minutes_costs_few_calls_and_loses_nothing(new_shop: Company) -> None:
    new_shop.start()
    new_shop.wait_until_ready()
    before = requests(new_shop.amocrm)
    new_shop.amocrm.breaks("/api/v4/", times=0, status=429)
    deal = new_shop.won_deal()
    time.sleep(300)
    assert requests(new_shop.amocrm) - before <= 30
    assert told(new_shop, "amoCRM просит не спешить") == 1
    new_shop.mended()
    until(lambda: new_shop.value(deal, MARK), "the mark that the client was asked", 330)
    assert len(new_shop.questions()) == 1


def test_a_ban_opens_the_circuit_once_and_replies_are_taken(new_shop: Company) -> None:
    """The probe after a quarter of an hour is tried in test_moved_time.py."""
    new_shop.start()
    deal = new_shop.won_deal()
    new_shop.wait_for_question()
    until(lambda: new_shop.value(deal, MARK), "the mark that the client was asked")
    new_shop.wait_until_idle()
    new_shop.amocrm.breaks("/api/v4/", times=0, status=403, body="<html>403 Forbidden</html>")
    until(lambda: OPEN_CIRCUIT in reasons(new_shop), "an open circuit in /readyz")
    until(lambda: told(new_shop, "amoCRM закрыла доступ"), "the alert with the remedy")
    assert new_shop.metric("sarafan_circuit_open", 'service="amocrm"') == 1
    calls = requests(new_shop.amocrm)
    new_shop.ivan_writes("2, всё сломалось")
    until(lambda: len(new_shop.to_ivan()) > 1, "thanks: the reply was taken")
    time.sleep(4)
    assert requests(new_shop.amocrm) == calls, "nobody knocks at a closed door"
    assert told(new_shop, "amoCRM закрыла доступ") == 1
    [reply] = new_shop.exported()
    assert (reply["deal_id"], reply["score"]) == (deal, 2)
    assert new_shop.outbox_rows("waiting") > 0, "what has to be written waits"
    new_shop.restart()
    until(lambda: told(new_shop, "Снова работает: amoCRM"), "that it works again")
    assert told(new_shop, "amoCRM закрыла доступ") == 1


@pytest.mark.long
def test_without_a_subscription_writes_wait_and_the_rest_goes_on(new_shop: Company) -> None:
    new_shop.start()
    new_shop.wait_until_ready()
    for method in ("POST", "PATCH"):
        new_shop.amocrm.breaks("/api/v4/", method=method, times=0, status=402, json={"status": 402})
    deal = new_shop.won_deal()
    new_shop.wait_for_question()
    new_shop.ivan_writes("9")
    until(lambda: told(new_shop, "У amoCRM закончилась подписка"), "the alert with the remedy")
    until(lambda: len(new_shop.to_ivan()) > 1, "thanks: the reply was taken")
    paid = "/api/v4/"
    writes = requests(new_shop.amocrm, paid, "PATCH") + requests(new_shop.amocrm, paid, "POST")
    time.sleep(4)
    assert requests(new_shop.amocrm, paid, "PATCH") + requests(new_shop.amocrm, paid, "POST") == writes
    assert told(new_shop, "У amoCRM закончилась подписка") == 1
    assert any("402" in reason for reason in reasons(new_shop))
    [reply] = new_shop.exported()
    assert reply["score"] == 9
    assert new_shop.score(deal) is None


def live_on_a_pair(shop: Company) -> None:
    """The worker's access to amoCRM is by OAuth."""
    shop.config["amocrm"].pop("token")
    shop.private |= {"made-up-client-secret", "eyJ0made", "def50"}
    shop.settle(
        amocrm={
            "client_id": "7f3a1c9e-client",
            "client_secret": "made-up-client-secret",
            "redirect_uri": "https://app.example/cb",
        }
    )
    granted = shop.sarafan("auth", shop.amocrm.do("issue_code"))
    assert granted.returncode == 0, granted.stderr


@pytest.mark.long
def test_many_requests_refused_at_once_renew_the_token_once(laws: Laws) -> None:
    """Of the worker, and of four `sarafan check` beside it; tests/integrations has twenty of one client."""
    shop, tokens = laws.shop, "/oauth2/access_token"
    live_on_a_pair(shop)
    shop.start(amocrm={"requests_per_second": 3})  # each check makes one a second, and seven are allowed
    shop.wait_until_ready()
    asked = [laws.won_deal() for _ in range(4)]
    for deal in asked:
        laws.wait_for_question(deal)
        until(lambda: shop.value(deal, MARK), "the mark that the client was asked")  # noqa: B023
    shop.wait_until_idle()
    renewed = requests(shop.amocrm, tokens)
    shop.amocrm.breaks("/api/v4/", times=0, delay=12)  # so long that all have left before one is refused
    shop.amocrm.do("expire_access")
    for deal in asked:
        laws.replies(deal, 3)
    with ThreadPoolExecutor() as beside:
        checks = [beside.submit(shop.sarafan, "check", "--json") for _ in range(4)]
        until(lambda: refused(shop.amocrm, "/api/v4/", 401), "the first that is refused")
        shop.mended()
        for check in checks:
            rows = json.loads(check.result().stdout)["checks"]
            assert [row for row in rows if row["name"] == "amocrm" and not row["ok"]] == []
    for deal in asked:
        until(lambda: shop.score(deal) == 3, "the score")  # noqa: B023
    laws.hold(uncertain=0)
    assert len(refused(shop.amocrm, "/api/v4/", 401)) >= 5, "several at once"
    assert requests(shop.amocrm, tokens) == renewed + 1
    assert told(shop, "amoCRM не принимает вход") == 0


@pytest.mark.long
def test_oauth_renews_once_for_a_401_and_stops_once_when_revoked(new_shop: Company) -> None:
    live_on_a_pair(new_shop)
    new_shop.start()
    new_shop.wait_until_ready()
    tokens = "/oauth2/access_token"
    first = requests(new_shop.amocrm, tokens)
    new_shop.amocrm.breaks("/api/v4/leads$", status=401, json={"status": 401})
    until(lambda: requests(new_shop.amocrm, tokens) > first, "a refresh")
    deal = new_shop.won_deal()
    new_shop.wait_for_question()
    until(lambda: new_shop.value(deal, MARK), "the mark that the client was asked")
    assert requests(new_shop.amocrm, tokens) == first + 1

    new_shop.amocrm.do("revoke")
    until(lambda: told(new_shop, "amoCRM не принимает вход по OAuth"), "the alert with the remedy")
    time.sleep(1)
    calls = requests(new_shop.amocrm, "")
    new_shop.ivan_writes("9")
    until(lambda: len(new_shop.to_ivan()) > 1, "thanks: the reply was taken")
    time.sleep(4)
    assert requests(new_shop.amocrm, tokens) <= first + 3
    assert requests(new_shop.amocrm, "") - calls <= 1, "no loop"
    assert told(new_shop, "amoCRM не принимает вход по OAuth") == 1
    again = new_shop.sarafan("auth", new_shop.amocrm.do("issue_code"))
    assert again.returncode == 0, again.stderr
    assert new_shop.stop() == 0
    new_shop.start()
    new_shop.won_deal(phone=PETR, client="Пётр Синицын")
    until(lambda: new_shop.whatsapp.do("messages", who=PETR), "a question, once the way in is open again")
    [reply] = new_shop.exported()
    assert (reply["deal_id"], reply["score"]) == (deal, 9)


# People


@pytest.mark.long
def test_telegram_in_a_hurry_and_a_head_who_blocked_the_bot(new_shop: Company) -> None:
    """The next head hears of it, else the complaint's task is the alert."""
    new_shop.telegram.do("person", who=BORIS, user_id=BORIS_ID)
    new_shop.telegram.do("start", who=BORIS)
    staff: list[dict[str, Any]] = [
        *new_shop.config["staff"],
        {"telegram_id": BORIS_ID, "name": BORIS, "role": "head", "amocrm_user": "Олег Смирнов"},
    ]
    new_shop.start(staff=staff)
    new_shop.won_deal()
    new_shop.wait_for_question()
    new_shop.telegram.do("throttle", seconds=6)
    new_shop.ivan_writes("1, всё сломалось")
    until(lambda: alerts_to(new_shop, ANNA) or alerts_to(new_shop, BORIS), "the alert, after the pause")
    first = until(lambda: refused(new_shop.telegram, "/sendMessage", 429), "an alert that comes too fast")[0]
    chat = first.body.partition("&")[0]  # Another head's is tried meanwhile.
    sent = [call for call in new_shop.telegram.calls("/sendMessage") if call.body.partition("&")[0] == chat]
    assert [call for call in sent if 0 < call.seconds - first.seconds < 3] == []
    assert len(alerts_to(new_shop, ANNA)) <= 1

    heard = len(alerts_to(new_shop, BORIS))
    new_shop.telegram.do("block", who=ANNA)
    second_deal(new_shop, PETR)
    until(lambda: len(alerts_to(new_shop, BORIS)) > heard, "the next head")
    new_shop.telegram.do("block", who=BORIS)
    second_deal(new_shop, "+79146660003")
    until(lambda: len(new_shop.complaints()) == 3, "a complaint for each")
    for complaint in new_shop.complaints():
        until(lambda: new_shop.tasks(complaint["id"]), "its task")  # noqa: B023


def alerts_to(shop: Company, who: str) -> list[dict[str, Any]]:
    return [message for message in shop.bot_wrote(who) if message["text"].startswith("Низкая оценка")]


def second_deal(shop: Company, phone: str) -> None:
    """Another client is asked, and is not content."""
    shop.won_deal(phone=phone, client="Пётр Синицын")
    until(lambda: shop.whatsapp.do("messages", who=phone), "a question")
    shop.whatsapp.do("says", who=phone, text="2, не приехали")


def test_who_cannot_be_written_to_is_named_and_the_gateways_own_limit_is_waited_for(
    new_shop: Company,
) -> None:
    new_shop.start()
    new_shop.wait_until_ready()
    nobody = "+79146660009"
    new_shop.whatsapp.do("has_no_account", who=nobody)
    unreachable = new_shop.won_deal(phone=nobody, client="Пётр Синицын")
    until(
        lambda: new_shop.value(unreachable, "Опрос") == "Не спросили: не удалось отправить",
        "the reason in the card",
    )
    assert new_shop.metric("sarafan_surveys", 'state="failed"') == 1

    new_shop.whatsapp.breaks("/sendPoll/", status=429, headers={"Retry-After": "3"})
    new_shop.won_deal()
    new_shop.wait_for_question()
    [first] = refused(new_shop.whatsapp, "/sendPoll/", 429)
    assert next_after(new_shop.whatsapp, "/sendPoll/", first).seconds - first.seconds >= 3
    assert len(new_shop.to_ivan()) == 1
    assert len(new_shop.whatsapp.do("messages", who=IVAN)) == 1
