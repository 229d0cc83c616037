"""Something of the installation does not work: who hears of it, and how often."""

import json
import time
from base64 import urlsafe_b64encode
from contextlib import suppress
from datetime import timedelta
from typing import Any

import httpx
import pytest

from integrations.errors import OutsideError
from integrations.standins.amocrm_oauth import PATH
from storage import outbox
from storage.tokens import Tokens
from tests.world import MONDAY, PETR, World, _start, configured, merged, settings_from
from worker.app import open_amocrm
from worker.cli.setup import run_checks
from worker.clock import ClockWatch
from worker.flows.act import act

OAUTH = {
    "token": "",
    "client_id": "7f3a1c9e-client",
    "client_secret": "made-up-client-secret",
    "redirect_uri": "https://app.example/cb",
}
BOSS = 222222222


async def look(town: World) -> None:
    """A step as far as it goes, and what is told because of it."""
    with suppress(OutsideError):
        await town.app.step()
    await town.app.watch.look()
    await act(town.app.hands, "trouble")


def skip(town: World, **span: float) -> None:
    """What waits by the monotonic clock waits no more."""
    left, town.app.hands.amocrm._pace.now = timedelta(**span).total_seconds(), lambda: time.monotonic() + left


async def reasons(town: World) -> str:
    return " ".join(await town.app.health.reasons())


def metric(town: World, name: str) -> float | None:
    return town.app.health.registry.get_sample_value(name, {"service": "amocrm"})


async def test_a_refused_token_is_told_once_and_its_end_once(town: World) -> None:
    town.amocrm.token = "another"
    for _ in range(3):
        await look(town)
    assert [text for text in town.to_anna() if "не принимает токен" in text] == town.to_anna()[-1:]
    assert metric(town, "sarafan_token_valid") == 0
    assert "token is refused" in await reasons(town)
    town.amocrm.token = "test-token"
    for _ in range(3):
        await look(town)
    assert town.to_anna()[-1] == "Снова работает: вход в amoCRM."
    assert len([text for text in town.to_anna() if "Снова работает" in text]) == 1
    assert metric(town, "sarafan_token_valid") == 1


async def test_what_was_refused_is_done_as_soon_as_the_token_is_right(town: World) -> None:
    deal = await town.asked()
    town.amocrm.token = "another"
    await town.ivan_writes("9")
    await look(town)
    assert town.amocrm.field_value(deal, "NPS") is None
    town.amocrm.token = "test-token"
    await look(town)
    await town.step()
    assert town.amocrm.field_value(deal, "NPS") == "9", "not ten minutes later"


async def test_a_restart_tells_nothing_again_and_the_end_of_it(town: World) -> None:
    town.amocrm.token = "another"
    await look(town)
    await town.app.close()
    town.app = await _start(town)
    await look(town)
    assert len([text for text in town.to_anna() if "не принимает токен" in text]) == 1
    town.amocrm.token = "test-token"
    await look(town)
    assert town.to_anna()[-1] == "Снова работает: вход в amoCRM."


async def test_a_block_opens_the_circuit_and_one_probe_a_quarter_of_an_hour_tries_it(town: World) -> None:
    town.amocrm.is_blocked = True
    asked = len(town.amocrm.requests)
    for _ in range(5):
        await look(town)
    assert len(town.amocrm.requests) == asked + 1
    assert "(403)" in town.to_anna()[-1]
    assert metric(town, "sarafan_circuit_open") == 1
    assert "requests pause" in await reasons(town)
    skip(town, minutes=16)
    for _ in range(5):
        await look(town)
    assert len(town.amocrm.requests) == asked + 2
    town.amocrm.is_blocked = False
    skip(town, minutes=32)
    await look(town)
    assert metric(town, "sarafan_circuit_open") == 0
    assert len([text for text in town.to_anna() if "(403)" in text]) == 1
    assert town.to_anna()[-1] == "Снова работает: amoCRM."


async def test_a_storm_of_too_fast_is_told_when_the_circuit_opens(town: World) -> None:
    town.amocrm.faults.add("/api/", status=429, times=0)
    asked = len(town.amocrm.requests)
    for number in range(10):
        await look(town)
        skip(town, seconds=4 * number)
    assert len(town.amocrm.requests) - asked <= 5
    assert len([text for text in town.to_anna() if "(429)" in text]) == 1
    assert metric(town, "sarafan_circuit_open") == 1


async def test_an_unpaid_account_keeps_what_has_to_be_written(town: World) -> None:
    """Reads go on, one write in a quarter of an hour tries again, and nothing is given up in a week."""
    town.amocrm.is_unpaid = True
    async with town.db.transaction() as tx:
        payload = {"deal_id": town.deal(), "text_key": "deal.note_optout"}
        await outbox.add_once(tx, "note", "note:1", payload, town.clock.now(), town.clock.now())
    for _ in range(40):
        town.clock.advance(timedelta(hours=4))
        await look(town)
    writes = [one for one in town.amocrm.requests if one.method != "GET" and one.status == 402]
    assert 1 <= len(writes) <= 2
    assert len([text for text in town.to_anna() if "закончилась подписка" in text]) == 1
    assert "subscription is over" in await reasons(town)
    town.amocrm.is_unpaid = False
    skip(town, minutes=16)
    town.clock.advance(timedelta(hours=1))
    await look(town)
    await look(town)
    assert any(one.method == "POST" and one.status == 200 for one in town.amocrm.requests)
    assert "Снова работает: запись в amoCRM." in town.to_anna()


async def test_a_circuit_that_opens_is_no_try_of_what_waits(town: World) -> None:
    town.amocrm.is_blocked = True
    async with town.db.transaction() as tx:
        payload = {"deal_id": town.deal(), "text_key": "deal.note_optout"}
        await outbox.add_once(tx, "note", "note:1", payload, town.clock.now(), town.clock.now())
    for _ in range(30):
        await act(town.app.hands, "crm")
        town.clock.advance(timedelta(hours=5))
    async with town.db.reading() as tx:
        assert await outbox.is_open(tx, "note:1")


@configured({"alerts": {"quiet_hours": "21:00-08:00"}})
async def test_what_was_over_in_the_night_is_not_told_in_the_morning(town: World) -> None:
    town.clock.set(MONDAY.replace(hour=23))
    told = len(town.to_anna())
    town.amocrm.token = "another"
    await look(town)
    town.amocrm.token = "test-token"
    await look(town)
    town.clock.advance(timedelta(hours=10))
    await look(town)
    assert not [text for text in town.to_anna()[told:] if "amoCRM" in text]


@configured({"staff": [{"telegram_id": BOSS, "name": "Олег", "role": "admin"}]})
async def test_an_administrator_hears_of_it_where_there_is_one(town: World) -> None:
    town.telegram.start(town.telegram.person("Олег", user_id=BOSS))
    town.amocrm.token = "another"
    await look(town)
    assert "не принимает токен" in town.in_telegram("Олег")[-1]
    assert not [text for text in town.to_anna() if "не принимает токен" in text]


def _ending_in(days: int) -> Any:
    ends = int((MONDAY + timedelta(days=days, minutes=1)).timestamp())
    body = urlsafe_b64encode(json.dumps({"exp": ends}).encode()).decode().rstrip("=")
    return f"eyJ0eXAiOiJKV1QifQ.{body}.c2ln"


def _takes_any_token(amocrm: Any) -> None:
    amocrm.token = _ending_in(40)


@configured({"amocrm": {"token": _ending_in(40)}}, before=_takes_any_token)
async def test_the_end_of_a_token_is_told_thirty_seven_and_one_day_ahead(town: World) -> None:
    for _ in range(40):
        await look(town)
        town.clock.advance(timedelta(days=1))
    told = [text for text in town.to_anna() if "действует ещё" in text]
    assert [text.partition("ещё ")[2].partition(".")[0] for text in told] == ["30 дней", "7 дней", "1 день"]


# OAuth


async def test_a_lost_pair_is_told_with_its_remedy_and_a_new_code_needs_no_restart(
    town: World,
) -> None:
    integration = town.amocrm.integration
    town.config = {**town.config, "amocrm": {**town.config["amocrm"], **OAUTH}}
    await town.app.close()
    town.app = await _start(town)
    await look(town)
    assert "sarafan auth" in town.to_anna()[-1]
    assert metric(town, "sarafan_token_valid") == 0
    oauth = town.app.hands.amocrm.oauth
    assert oauth is not None
    await oauth.authorize(integration.issue_code())
    await look(town)
    assert town.to_anna()[-1] == "Снова работает: вход в amoCRM."
    value, _ = await Tokens(town.db, "amocrm").load()
    assert value is not None
    assert value["pair"]["access_token"] == integration.granted[0]

    town.clock.advance(timedelta(hours=13))
    town.amocrm.faults.add(PATH, status=504, after=True)
    await look(town)
    assert "потерялся" in town.to_anna()[-1]
    assert metric(town, "sarafan_token_valid") == 1
    told = len(town.to_anna())
    town.clock.advance(timedelta(minutes=6))
    for _ in range(3):
        await look(town)
    assert len([text for text in town.to_anna()[told:] if "amoCRM" in text]) == 0  # the same case: told once
    assert metric(town, "sarafan_token_valid") == 0
    posts = sum(one.path == PATH for one in town.amocrm.requests)
    assert posts == 3


@pytest.mark.own_database
@pytest.mark.parametrize("kind", ["missing", "dead"])
async def test_check_tells_a_pair_that_is_missing_or_dead(town: World, db_url: str, kind: str) -> None:
    tables = merged(town.config, {"amocrm": OAUTH, "storage": {"url": db_url}})
    settings = settings_from(tables, town.folder)
    transports: dict[str, httpx.AsyncBaseTransport] = {
        "amocrm": httpx.ASGITransport(app=town.amocrm.app),
        "telegram": httpx.ASGITransport(app=town.telegram.app),
        "whatsapp": httpx.ASGITransport(app=town.whatsapp.app),
    }
    if kind == "dead":
        store = Tokens(town.db, "amocrm")
        amocrm = open_amocrm(settings, store, requests_per_second=1000, transport=transports["amocrm"])
        assert amocrm.oauth is not None
        await amocrm.oauth.authorize(town.amocrm.integration.issue_code())
        await amocrm.close()
        town.amocrm.integration.revoke()
    rows = await run_checks(settings, transports=transports, now=town.clock.now(), requests_per_second=1000)
    row = {row.name: row for row in rows}["amocrm"]
    assert not row.ok
    assert "sarafan auth" in row.remedy


async def test_a_clock_that_amocrm_does_not_agree_with_stops_what_goes_to_clients(town: World) -> None:
    shown, heard = {"wall": 1_000_000.0}, (MONDAY, 600.0)
    watch = ClockWatch(lambda: heard, wall=lambda: shown["wall"], stopwatch=lambda: 500.0)
    town.app.hands.clock_watch = watch
    asked = await town.asked()
    unasked = await town.closed_deal([town.contact("Пётр Синицын", PETR)])
    shown["wall"] = MONDAY.timestamp() - 100.0 + 3600  # amoCRM's clock will have shown MONDAY in 100 seconds
    town.clock.advance(timedelta(days=1))
    for _ in range(3):
        await look(town)
    await town.ivan_writes("2")
    assert [text for text in town.to_anna() if "Часы сервера" in text] == [
        "Часы сервера расходятся с amoCRM на 3\xa0600 секунд. Отправка остановлена до исправления."
    ]
    assert "clock" in await reasons(town)
    assert (await town.survey(asked)).score == 2, "replies are taken"
    assert len(town.complaints()) == 1, "and acted upon"
    assert len(town.to_ivan()) == 1, "but nothing is said"
    assert (await town.survey(unasked)).sent_at is None

    shown["wall"] -= 3600
    heard = (MONDAY, 600.0)
    for _ in range(2):
        await look(town)
    assert len(town.to_ivan()) == 2
    assert (await town.survey(unasked)).sent_at is not None
    assert [text for text in town.to_anna() if text.startswith("Снова работает: часы сервера")]
    assert "clock" not in await reasons(town)
