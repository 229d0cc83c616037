"""`plan`: who would be asked what and when, and nothing is changed by looking."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from integrations.standins.amocrm import AmoCrmStandIn
from integrations.standins.telegram import TelegramStandIn
from integrations.standins.whatsapp import GreenApiStandIn
from storage.errors import StorageError
from tests.cli.conftest import Sarafan
from tests.world import BASE, IVAN, MONDAY, merged, settings_from
from worker.cli.plan import Line, make_plan
from worker.clock import ManualClock
from worker.config.settings import Settings

LONG_AGO = datetime(2026, 1, 1, tzinfo=MONDAY.tzinfo)


class Outside:
    """The services, with one deal of Ivan's that is won on Monday."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock(MONDAY)
        self.amocrm = AmoCrmStandIn(self.clock.now, rate_limit=None)
        self.telegram = TelegramStandIn(self.clock.now)
        self.whatsapp = GreenApiStandIn(self.clock.now)

    def won_deal(self) -> int:
        contact = self.amocrm.add_contact("Иван Петров", [IVAN])
        deal = self.amocrm.add_lead("Ворота", [contact], responsible="Олег Смирнов")
        self.amocrm.close_lead(deal)
        return deal

    def settings(self, **config: Any) -> Settings:
        url = f"sqlite:///{self.folder}/sarafan.db"
        return settings_from(merged({**BASE, "storage": {"url": url}}, config), self.folder)

    async def plan(self, settings: Settings, *, since: datetime | None = LONG_AGO) -> list[Line]:
        transports = {
            "amocrm": httpx.ASGITransport(app=self.amocrm.app),
            "telegram": httpx.ASGITransport(app=self.telegram.app),
            "whatsapp": httpx.ASGITransport(app=self.whatsapp.app),
        }
        return await make_plan(
            settings, since=since, clock=self.clock, transports=transports, requests_per_second=1000
        )


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    return Outside(tmp_path)


async def test_a_deal_has_a_line_with_all_that_the_contract_names(outside: Outside) -> None:
    deal = outside.won_deal()
    [line] = await outside.plan(outside.settings())
    told = asdict(line)
    assert list(told) == [
        "survey", "deal_id", "contact", "channel", "due_at", "decision", "reason", "text",
    ]  # fmt: skip
    assert (told["survey"], told["deal_id"], told["channel"]) == ("nps", deal, "whatsapp")
    assert (told["decision"], told["due_at"]) == ("wait", "2026-09-08T11:00:00+10:00")
    assert told["contact"] == "И +7***0001"
    assert "порекомендуете" in told["text"]


async def test_what_is_due_would_be_sent_and_is_not(outside: Outside) -> None:
    outside.won_deal()
    outside.clock.advance(timedelta(days=1))
    [line] = await outside.plan(outside.settings())
    assert line.decision == "send"
    assert outside.whatsapp.messages(IVAN) == []
    assert not (outside.folder / "sarafan.db").exists()


async def test_deals_closed_before_the_first_start_are_told_and_skipped(outside: Outside) -> None:
    outside.won_deal()
    outside.clock.advance(timedelta(hours=1))
    [line] = await outside.plan(outside.settings(), since=None)
    assert (line.decision, line.reason, line.text) == ("skip", "old_deal", "")


@pytest.mark.parametrize("since", [None, LONG_AGO])
async def test_before_the_first_start_nobody_is_frightened_by_an_empty_database(
    outside: Outside, caplog: pytest.LogCaptureFixture, since: datetime | None
) -> None:
    await outside.plan(outside.settings(), since=since)
    assert "База пустая" not in caplog.text


async def test_a_damaged_database_is_told_and_not_taken_for_none(outside: Outside) -> None:
    (outside.folder / "sarafan.db").write_bytes(b"no database " * 500)
    with pytest.raises(StorageError, match="is damaged or is no database"):
        await outside.plan(outside.settings())


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What the plan comes to, for the tests of how it is told."""

    def put(**more: Any) -> None:
        line = Line(
            survey="nps", deal_id=501, contact="И +7***0001", channel="whatsapp",
            due_at="2026-09-08T11:00:00+10:00", decision="wait", reason="", text="",
        )  # fmt: skip

        async def make(*_: Any, **__: Any) -> list[Line]:
            return [Line(**{**asdict(line), **more})]

        monkeypatch.setattr("worker.cli.plan.make_plan", make)

    return put


def test_a_person_reads_words_and_the_question_as_it_is(
    sarafan: Sarafan, planned: Callable[..., None]
) -> None:
    planned(reason="window", text="Оцените нас [good] 1-10")
    told = sarafan("plan")
    assert told.exit_code == 0
    assert "window" not in told.stdout
    assert "[good]" in told.stdout


def test_a_person_reads_the_channel_by_its_name_and_the_day_in_one_piece(
    sarafan: Sarafan, planned: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    planned(
        survey="csat_manager", channel="max_account", decision="skip", reason="asked_before", text="Вопрос"
    )
    told = sarafan("plan").stdout
    assert "max_account" not in told
    assert "csat_manager, MAX" in told
    assert "08.09.2026" in told


def test_before_a_head_agreed_it_says_that_nothing_goes_out(
    sarafan: Sarafan, planned: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(decision="wait", reason="held")
    assert "Пока никому не пишем" not in sarafan("plan").stdout
    monkeypatch.setenv("SARAFAN_DELIVERY__PREVIEW", "true")
    assert "Пока никому не пишем" in sarafan("plan").stdout


def test_a_program_reads_codes(sarafan: Sarafan, planned: Callable[..., None]) -> None:
    planned(reason="window")
    [line] = json.loads(sarafan("plan", "--json").stdout)
    assert (line["decision"], line["reason"]) == ("wait", "window")


def test_a_service_that_refuses_is_told_with_the_remedy(
    sarafan: Sarafan, monkeypatch: pytest.MonkeyPatch
) -> None:
    from integrations.errors import AccessDenied

    async def refuse(*_: Any, **__: Any) -> list[Line]:
        raise AccessDenied("amocrm", "does not accept the token (401): account", status=401)

    monkeypatch.setattr("worker.cli.plan.make_plan", refuse)
    told = sarafan("plan")
    assert (told.exit_code, "Создайте новый токен" in told.stderr) == (1, True)
