"""Odd deals, odd answers, odd replies and odd callers: one is put aside, the others are served."""

import json
from typing import Any

import httpx
import pytest

from tests.faults.laws import Laws, client_number
from tests.faults.outage import requests
from tests.stories.company import IVAN, Company, until

DEALS = "/api/v4/leads$"


def card(shop: Company, deal: int) -> Any:
    return shop.value(deal, "Опрос")


def pages(shop: Company) -> int:
    return requests(shop.amocrm, DEALS, "GET")


def wait_for_pulls(shop: Company, number: int) -> None:
    before = pages(shop)
    until(lambda: pages(shop) >= before + number, "the next looks at the deals")


def surveys(shop: Company, state: str) -> float:
    return shop.metric("sarafan_surveys", f'state="{state}"')


# Deals


def test_who_cannot_be_asked_is_skipped_with_a_reason_and_the_page_goes_on(new_laws: Laws) -> None:
    shop = new_laws.shop
    nobody = int(shop.amocrm.do("add_lead", name="Без контакта"))
    without_phone = int(
        shop.amocrm.do("add_lead", name="Без телефона", contacts=[shop.amocrm.do("add_contact", name="Пётр")])
    )
    scribble = shop.amocrm.do("add_contact", name="Пётр", phones=["спросить у Маши", "+7 (000) 12"])
    garbage = int(shop.amocrm.do("add_lead", name="Телефон не разобрать", contacts=[scribble]))
    for deal in (nobody, without_phone, garbage):
        shop.amocrm.do("close_lead", lead_id=deal)
    good = new_laws.won_deal()
    shop.start()
    new_laws.wait_for_question(good)
    until(lambda: card(shop, nobody) == "Не спросили: в сделке нет контакта", "the reason in the card")
    for deal in (without_phone, garbage):
        until(lambda: card(shop, deal) == "Не спросили: нет телефона", "the reason in the card")  # noqa: B023
    new_laws.replies(good, 9)
    new_laws.hold()


@pytest.mark.long
def test_deals_gone_or_open_again_before_their_question_are_not_asked_about(new_laws: Laws) -> None:
    shop = new_laws.shop
    shop.start(survey=[{"key": "nps", "metric": "nps", "delay": "6s"}])
    shop.wait_until_ready()
    deleted, reopened, kept = (new_laws.won_deal() for _ in range(3))
    until(lambda: surveys(shop, "planned") == 3, "three questions planned")
    shop.amocrm.do("delete_lead", lead_id=deleted)
    shop.amocrm.do("move_lead", lead_id=reopened, status="Монтаж")
    new_laws.wait_for_question(kept)
    until(lambda: card(shop, reopened) == "Не спросили: сделку открыли снова", "the reason in the card")
    until(lambda: surveys(shop, "skipped") == 2, "two that were skipped")
    assert new_laws.to_client(deleted) == new_laws.to_client(reopened) == []
    new_laws.replies(kept, 9)
    new_laws.hold()


@pytest.mark.long
def test_a_deal_merged_into_another_before_its_question_is_skipped_and_the_other_asked_about(
    laws: Laws,
) -> None:
    shop = laws.shop
    shop.start(survey=[{"key": "nps", "metric": "nps", "delay": "6s"}])
    shop.wait_until_ready()
    gone, kept = laws.won_deal(), laws.won_deal()
    until(lambda: surveys(shop, "planned") == 2, "two questions planned")
    shop.amocrm.do("merge_leads", lead_id=gone, into=kept)
    laws.wait_for_question(kept)
    until(lambda: surveys(shop, "skipped") == 1, "the one that was skipped")
    assert laws.to_client(gone) == []
    laws.replies(kept, 9)
    laws.hold(uncertain=0)
    report = laws.report()
    assert (report["sent"], report["not_sent"]) == (1, {"deleted": 1})


def test_one_deal_out_of_shape_is_put_aside_and_the_others_are_asked_about(new_laws: Laws) -> None:
    """Beside pages that are none: 204, another object, a list, an error of PHP."""
    shop = new_laws.shop
    good = [new_laws.won_deal() for _ in range(4)]
    bad = new_laws.won_deal()
    page = page_of_deals(shop)
    for row in page["_embedded"]["leads"]:
        row["an_unknown_field"] = {"deep": [None]}
        if row["id"] == bad:
            row.update(status_id="сто сорок два", updated_at=row["updated_at"], closed_at=[], name=None)
            row["custom_fields_values"] = "none"
        else:
            row.update(price=None, custom_fields_values=None)
    odd: tuple[dict[str, Any], ...] = (
        {"status": 204, "body": ""},
        {"status": 200, "json": {"an": "object of another kind"}},
        {"status": 200, "json": []},
        {"status": 200, "json": {"_embedded": None}},
        {"status": 200, "body": "<br />\n<b>Fatal error</b>: Allowed memory size exhausted"},
    )
    for place, how in enumerate(odd, start=1):
        shop.amocrm.breaks(DEALS, method="GET", nth=place, **how)
    shop.amocrm.breaks(DEALS, method="GET", nth=len(odd) + 1, times=0, status=200, json=page)
    shop.start()
    for deal in good:
        new_laws.wait_for_question(deal)
    assert new_laws.to_client(bad) == []
    assert f"deal {bad} could not be read and was put aside" in shop.log
    for deal in good:
        new_laws.replies(deal, 9)
    new_laws.hold()


def page_of_deals(shop: Company) -> dict[str, Any]:
    """As the worker would get it."""
    token = shop.config["amocrm"]["token"]
    answer = httpx.get(
        f"{shop.amocrm.url}/api/v4/leads",
        params={"with": "contacts", "limit": 250},
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
    )
    found: dict[str, Any] = answer.raise_for_status().json()
    found["_links"].pop("next", None)
    return found


@pytest.mark.long
@pytest.mark.timeout(900)  # ten thousand deals are made one by one
def test_a_new_database_asks_nobody_about_what_was_closed_before(new_laws: Laws) -> None:
    shop = new_laws.shop
    shop.config["amocrm"].pop("surveys_since")
    for _ in range(10_000):
        new_laws.won_deal()
    shop.start()
    shop.wait_until_ready()
    new = new_laws.asked()
    wait_for_pulls(shop, 2)
    asked = {message["chat_id"] for message in shop.whatsapp.do("messages")}
    assert asked == {f"{new_laws.clients[new].phone[1:]}@c.us"}
    new_laws.replies(new, 9)
    new_laws.hold()


# Replies and callers


def test_whatever_a_client_sends_is_kept_as_it_came(shop: Company) -> None:
    shop.start()
    deal = shop.won_deal()
    shop.wait_for_question()
    long = "плохо " * 1_700
    sent = [
        shop.whatsapp.do("says", who=IVAN, text="\N{THUMBS UP SIGN}\N{FAMILY}"),
        shop.whatsapp.do("says", who=IVAN, text="до\x00сле"),
        shop.whatsapp.do("says", who=IVAN, text=long),
        shop.whatsapp.do("sends", who=IVAN, media="audio"),
        shop.whatsapp.do("sends", who=IVAN, media="sticker"),
        shop.whatsapp.do("says", who=IVAN, text="8"),
    ]
    until(lambda: shop.score(deal) == 8, "the score")
    shop.whatsapp.do("edits", who=IVAN, text="7", id_message=sent[-1])
    until(lambda: shop.score(deal) == 7, "the corrected score")
    rows = {row["external_id"]: row for row in shop.exported()}
    by_message = {key.partition(":")[0]: row for key, row in rows.items()}
    assert set(sent) <= set(by_message)
    assert len(rows) == len(sent) + 1, "the edit is kept beside what it corrects"
    texts = [str(row["text"]) for row in rows.values()]
    assert "\N{THUMBS UP SIGN}\N{FAMILY}" in texts
    assert any("до" in text and "сле" in text for text in texts)
    assert any(text.strip() == long.strip() for text in texts), "all of its 10,000 letters"
    assert shop.metric("sarafan_inbox_rows", 'state="quarantined"') == 0


def test_a_forged_webhook_changes_nothing_and_an_unreadable_notification_is_put_aside(
    new_laws: Laws,
) -> None:
    shop = new_laws.shop
    shop.private |= {"silent-path", "надёжный"}
    shop.start(amocrm={"poll_interval": "1h"}, http={"webhook_secret": "silent-path"})
    shop.wait_until_ready()
    before = pages(shop)
    for path in ("/webhooks/amocrm/silent-pat", "/webhooks/amocrm/", "/webhooks/whatsapp/silent-path"):
        answer = shop.web(path, "POST")
        assert answer is not None
        assert answer.status_code in (403, 404)
    assert shop.metric("sarafan_webhooks_rejected_total") == 3
    assert pages(shop) == before, "nothing was woken"

    shop.wait_until_heard()
    odd = {"receiptId": 987, "body": {"неизвестно": "надёжный"}}
    shop.whatsapp.breaks("/receiveNotification/", status=200, json=odd)
    shop.whatsapp.do("says", who=IVAN, text="Здравствуйте")  # ends the poll that waits
    until(lambda: shop.metric("sarafan_inbox_rows", 'state="quarantined"') == 1, "it was put aside")
    assert shop.whatsapp.calls("/deleteNotification/.*/987$"), "and stands in nobody's way"
    listed = json.loads(shop.sarafan("inbox", "--json").stdout)
    assert [row["channel"] for row in listed] == ["whatsapp"]
    answer = shop.web("/webhooks/amocrm/silent-path", "POST")
    assert answer is not None
    assert answer.status_code == 200
    until(lambda: pages(shop) > before, "the pull that the true one wakes")


# Wishes


def test_who_wants_nothing_gets_nothing(new_laws: Laws) -> None:
    """«Стоп», `sarafan forget`, and a consent that was never given."""
    shop = new_laws.shop
    consent = "Согласие на сообщения"
    stopped, forgotten, silent = (client_number(number) for number in (901, 902, 903))
    shop.start()
    first = new_laws.asked(stopped)
    other = new_laws.asked(forgotten)
    shop.whatsapp.do("says", who=stopped.phone, text="стоп")
    new_laws.replies(other, 9)
    until(lambda: len(new_laws.to_client(first)) == 2, "the one confirmation")
    until(lambda: shop.score(other) == 9, "the score")
    shop.wait_until_idle()
    done = shop.sarafan("forget", forgotten.phone)
    assert done.returncode == 0, done.stderr
    assert all(row["text"] == "" for row in shop.exported() if row["deal_id"] == other)

    had = {client: messages_to(shop, client.phone) for client in (stopped, forgotten)}
    again = [new_laws.won_deal(stopped), new_laws.won_deal(forgotten)]
    until(lambda: card(shop, again[0]) == "Не спросили: попросили не писать", "the reason in the card")
    until(lambda: str(card(shop, again[1])).startswith("Не спросили"), "a reason in the card")
    assert {client: messages_to(shop, client.phone) for client in (stopped, forgotten)} == had
    new_laws.nobody_was_asked_twice()

    shop.amocrm.do("add_field", name=consent, type="checkbox", kind="contacts")
    assert shop.stop() == 0
    shop.start(amocrm={"consent_field": consent})
    unasked = new_laws.won_deal(silent)
    until(lambda: card(shop, unasked) == "Не спросили: нет согласия", "the reason in the card")
    assert new_laws.to_client(unasked) == []


def messages_to(shop: Company, phone: str) -> list[str]:
    return [str(message["text"]) for message in shop.whatsapp.do("messages", who=phone)]


# What nobody may read


def test_the_log_of_a_day_full_of_trouble_tells_no_secret(new_laws: Laws) -> None:
    """Errors whose texts and tracebacks would like to quote what the request or the answer held."""
    shop = new_laws.shop
    client = client_number(904)
    shop.private |= {client.phone[1:], client.name, "секретное-слово"}
    secrets = {"phone": client.phone, "name": client.name, "token": shop.bot_token, "text": "секретное-слово"}
    leak = json.dumps(secrets, ensure_ascii=False)
    shop.start()
    deal = new_laws.asked(client)
    quoting: tuple[dict[str, Any], ...] = (
        {"status": 500, "body": leak},
        {"status": 400, "json": {"title": "Bad Request", "detail": f"of {client.phone}"}},
        {"status": 200, "body": leak[:-3]},
        {"drop": True},
    )
    for place in (shop.amocrm, shop.whatsapp, shop.telegram):
        for number, how in enumerate(quoting, start=1):
            place.breaks("", nth=number, **how)
    new_laws.replies(deal, 2)
    shop.whatsapp.do("says", who=client.phone, text="секретное-слово")
    for place in (shop.amocrm, shop.whatsapp, shop.telegram):
        until(lambda: any(call.status == 500 for call in place.calls("")), "a 500")  # noqa: B023
    until(lambda: any(call.status == 400 for call in shop.amocrm.calls("")), "a 400 of amoCRM")
    shop.mended()
    until(lambda: shop.score(deal) == 2, "the score", 90)
    until(lambda: shop.exported(), "the reply")
    new_laws.nothing_private_was_told()
