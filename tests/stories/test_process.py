"""`sarafan run` as those meet it who start it, stop it and watch it."""

import json
import time
from typing import Any

import pytest

from tests.stories.company import ANNA, HELD, ON_SQLITE, Company, free_port, until

AMOCRM_IS: dict[str, dict[str, Any]] = {
    "down": {"drop": True},
    "locked": {"status": 401, "json": {"title": "Unauthorized", "status": 401, "detail": "Wrong token"}},
}


def reasons(shop: Company) -> list[str]:
    """Why it is not ready; empty while nobody listens, too."""
    answer = shop.web("/readyz")
    found: list[str] = answer.json() if answer is not None and answer.status_code == 503 else []
    return found


def has_taken_in(shop: Company, replies: int) -> bool:
    return len(shop.whatsapp.calls("/deleteNotification/")) >= replies


# How it stops


def test_asked_to_stop_it_ends_at_once(new_shop: Company) -> None:
    new_shop.start()
    new_shop.wait_until_ready()
    assert new_shop.stop() == 0


@pytest.mark.long  # it waits for that long
def test_asked_to_stop_while_everything_hangs_it_ends_within_ten_seconds(new_shop: Company) -> None:
    new_shop.start()
    new_shop.whatsapp.breaks("/sendPoll/", delay=HELD, drop=True, after=True)
    deal = new_shop.won_deal()
    until(lambda: new_shop.whatsapp.calls("/sendPoll/"), "a question that hangs")
    new_shop.amocrm.breaks("/leads$", method="GET", times=0, delay=HELD)
    before = len(new_shop.amocrm.calls("/leads$"))
    until(lambda: len(new_shop.amocrm.calls("/leads$")) > before, "a pull that hangs")
    assert new_shop.stop(within=10) == 0
    # The question may have arrived, so it is not repeated; and whoever answers is heard.
    new_shop.mended()
    new_shop.start()
    until(lambda: new_shop.value(deal, "Промокод для друзей"), "the mark that the client was asked")
    new_shop.ivan_writes("9")
    until(lambda: new_shop.score(deal) == 9)
    assert len(new_shop.questions()) == 1


# How it refuses


@pytest.mark.long  # by day tests/storage tells it
def test_a_second_one_on_the_same_file_refuses(new_shop: Company) -> None:
    new_shop.start()
    new_shop.wait_until_ready()
    new_shop.settle(http={"listen": f"127.0.0.1:{free_port()}"})
    second = new_shop.sarafan("run")
    assert second.returncode == 1
    assert second.stderr.startswith("С этой базой уже работает другой sarafan")
    assert "Traceback" not in second.stderr


def test_a_wrong_config_is_told_line_by_line(new_shop: Company) -> None:
    new_shop.settle(amocrm={"poll_intervall": "1s"}, delivery={"send_window": "20:00-20:00"})
    done = new_shop.sarafan("run")
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"{new_shop.config_file}:") for line in lines)
    assert "amocrm.poll_intervall" in done.stderr
    assert "amocrm.poll_interval," in done.stderr or "amocrm.poll_interval." in done.stderr
    assert new_shop.config["telegram"]["token"] not in done.stderr


@pytest.mark.long  # by day tests/test_account.py tells it
def test_a_name_that_the_account_lacks_stops_the_start(new_shop: Company) -> None:
    new_shop.settle(amocrm={"fields": {"nps": "NSP"}}, complaints={"pipeline": "Рекламация"})
    done = new_shop.sarafan("run")
    assert done.returncode == 2
    assert "amocrm.fields.nps" in done.stderr
    assert "NPS" in done.stderr
    assert "complaints.pipeline" in done.stderr
    assert "Рекламации" in done.stderr
    assert "Traceback" not in done.stderr


# What does not stop it


@pytest.mark.parametrize("how", ["down", pytest.param("locked", marks=pytest.mark.long)])
def test_without_amocrm_it_takes_replies_and_goes_on_when_it_is_back(new_shop: Company, how: str) -> None:
    new_shop.amocrm.breaks("/api/v4/", times=0, **AMOCRM_IS[how])
    new_shop.start()
    until(lambda: [reason for reason in reasons(new_shop) if "amocrm" in reason], "a reason")
    new_shop.wait_until_heard()
    new_shop.ivan_writes("Здравствуйте, когда приедет замерщик?")
    until(lambda: has_taken_in(new_shop, 1), "the reply taken in")
    answer = new_shop.web("/healthz")
    assert answer is not None
    assert answer.status_code == 200
    assert any(reason.startswith("pull:") for reason in reasons(new_shop))
    assert new_shop.to_ivan() == []

    new_shop.amocrm.mended()
    new_shop.won_deal()
    new_shop.wait_until_ready()
    until(lambda: [one for one in new_shop.bot_wrote() if "замерщик" in one["text"]], "the words at the head")


@pytest.mark.long  # by day tests/flows tells it
def test_without_telegram_the_rest_goes_on(new_shop: Company) -> None:
    """A wrong token of the bot: alerts wait, the complaint deal and its task are the alert."""
    new_shop.private.add("110201543:wrong-token-of-the-bot")
    new_shop.start(telegram={"token": "110201543:wrong-token-of-the-bot"})
    new_shop.won_deal()
    new_shop.wait_for_question()
    new_shop.ivan_writes("2, всё сломалось")
    [complaint] = until(new_shop.complaints, "a complaint deal")
    until(lambda: new_shop.tasks(complaint["id"]), "its task")
    assert any(reason.startswith("telegram:") for reason in reasons(new_shop))
    assert new_shop.stop() == 0
    new_shop.start(telegram={"token": new_shop.bot_token})
    until(new_shop.alerts, "the alert, once the token is right")


# What wakes it


@pytest.mark.long  # by day tests/web tells it
def test_a_word_from_amocrm_wakes_the_pull(new_shop: Company) -> None:
    new_shop.start(amocrm={"poll_interval": "1h"}, http={"webhook_secret": "quiet-path"})
    new_shop.private.add("quiet-path")
    new_shop.wait_until_ready()
    new_shop.won_deal()
    pulls = len(new_shop.amocrm.calls("/leads$", "GET"))
    for path in ("/webhooks/amocrm/wrong", "/webhooks/amocrm/", "/webhooks/wrong/quiet-path"):
        answer = new_shop.web(path, "POST")
        assert answer is not None
        assert answer.status_code == 404
    answer = new_shop.web("/webhooks/amocrm/quiet-path", "POST")
    assert answer is not None
    assert answer.status_code == 200
    woken_at = time.monotonic()
    new_shop.wait_for_question()
    assert time.monotonic() - woken_at < 30
    assert len(new_shop.amocrm.calls("/leads$", "GET")) == pulls + 1


@pytest.mark.long  # by day tests/web tells it
def test_it_counts_what_it_does(new_shop: Company) -> None:
    new_shop.start()
    new_shop.won_deal()
    new_shop.wait_for_question()
    until(lambda: new_shop.metric("sarafan_surveys", 'survey="nps"', 'state="sent"') == 1)
    for series, labels in {
        "sarafan_inbox_rows": ['state="read"'],
        "sarafan_messages_total": ['channel="whatsapp"', 'direction="out"', 'outcome="sent"'],
        "sarafan_requests_total": ['service="amocrm"', 'status="200"'],
        "sarafan_token_valid": ['service="amocrm"'],
        "sarafan_last_success_timestamp_seconds": ['flow="pull"'],
    }.items():
        until(lambda: new_shop.metric(series, *labels) > 0, f"{series} {json.dumps(labels)}")  # noqa: B023


@pytest.mark.long  # by day tests/flows tells it
@ON_SQLITE
def test_the_head_opens_the_dashboard_by_the_link_from_the_bot(shop: Company) -> None:
    shop.start(http={"public_url": "https://sarafan.example.com"})
    shop.wait_until_ready()
    shop.telegram.do("says", who=ANNA, text="/dashboard")
    [link] = until(lambda: [row for row in shop.bot_wrote() if "Всё на одной странице" in row["text"]])
    [[button]] = link["markup"]["inline_keyboard"]
    address = button["url"].removeprefix("https://sarafan.example.com")
    shop.private.add(address.partition("token=")[2].partition("&")[0])
    page = shop.web(address)
    assert page is not None
    assert (page.status_code, "Этот квартал" in page.text) == (200, True)
    nobodys = shop.web("/dashboard?token=x")
    assert nobodys is not None
    assert (nobodys.status_code, "Ссылка устарела" in nobodys.text) == (403, True)
