"""A newcomer with an empty account: init, setup, check, and the first question goes out; no id is typed."""

import asyncio
import io
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from integrations.standins.amocrm import AmoCrmStandIn
from integrations.standins.amocrm_model import LEADS
from integrations.standins.telegram import TOKEN as BOT_TOKEN
from integrations.standins.telegram import TelegramStandIn
from integrations.standins.whatsapp import INSTANCE, GreenApiStandIn
from integrations.standins.whatsapp import TOKEN as GATEWAY_TOKEN
from storage import rollout
from storage.database import Database
from tests.cli.test_init import number_of
from tests.world import IVAN
from worker.app import App
from worker.cli.create import set_up
from worker.cli.dialog import Dialog
from worker.cli.init import write_config
from worker.cli.setup import run_checks
from worker.clock import ManualClock
from worker.config.load import load

TUESDAY = datetime(2026, 9, 8, 11, tzinfo=ZoneInfo("Asia/Vladivostok"))
KEYS = f"https://7103.api.greenapi.com\n{INSTANCE}\n{GATEWAY_TOKEN}"

# Address, token; name, zone, phone and domain as offered; both messengers with their keys; a new pipeline for
# complaints; won; fields to be made; the code for who asks, 5%; Мария is the head, and has pressed Start.
BOTH = f"1,{number_of('whatsapp', 'greenapi')}"
TYPED = f"1\nexample\ntest-token\n\n\n\n\n{BOTH}\n{BOT_TOKEN}\n{KEYS}\n\n1\n1\n3\n\n2\n\n1\n1\n"


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The storage of the written file is under the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "config.toml"


def test_from_an_empty_account_to_the_first_question(in_folder: Path) -> None:
    clock = ManualClock(TUESDAY)
    amocrm = AmoCrmStandIn(clock.now, rate_limit=None)
    telegram = TelegramStandIn(clock.now)
    whatsapp = GreenApiStandIn(clock.now, longest_wait=0)
    amocrm.custom_fields[LEADS].clear()
    del amocrm.pipelines[amocrm.pipeline("Рекламации").id]
    telegram.start("Мария")
    transports = {
        "amocrm": httpx.ASGITransport(app=amocrm.app),
        "telegram": httpx.ASGITransport(app=telegram.app),
        "whatsapp": httpx.ASGITransport(app=whatsapp.app),
    }

    keyboard = io.StringIO(TYPED)
    write_config(Dialog("ru", stdin=keyboard), in_folder, {}, transports, requests_per_second=1000)
    assert keyboard.read() == ""
    settings = load(in_folder, {})

    async def go_on() -> None:
        before = await run_checks(settings, transports=transports, now=TUESDAY, requests_per_second=1000)
        assert {row.name for row in before if not row.ok} == {"complaints.pipeline"}

        lacking, outcomes = await set_up(
            settings, may_create=lambda _: True, tell=lambda _: None, transports=transports,
            requests_per_second=1000,
        )  # fmt: skip
        assert lacking.problems == ()
        assert {outcome.state for outcome in outcomes} == {"created"}

        after = await run_checks(settings, transports=transports, now=TUESDAY, requests_per_second=1000)
        assert [row for row in after if not row.ok] == []
        assert not [row for row in after if "не записываем" in row.remedy]

        (in_folder.parent / "data").mkdir(exist_ok=True)
        db = await Database.open(settings.storage.url)
        app = await App.build(settings, db=db, clock=clock, transports=transports, is_paced=False)
        try:
            await app.recover()
            await app.step()
            deal = amocrm.add_lead(contacts=[amocrm.add_contact("Иван Петров", [IVAN])])
            amocrm.close_lead(deal)
            await app.step()
            clock.advance(timedelta(days=1))
            await app.step()
            assert whatsapp.messages(IVAN) == [], "nobody is asked before a head has seen the first list"
            async with db.transaction() as tx:
                await rollout.agree(tx, "Анна", clock.now())
            await app.step()
        finally:
            await app.close()
            await db.close()
        [question] = whatsapp.messages(IVAN)
        assert "порекомендуете" in question.text
        assert "ДРУГ" not in question.text, "the code is for who asks"
        assert amocrm.field_value(deal, "Ссылка на Telegram-бота").startswith("https://t.me/")
        assert "WhatsApp" in amocrm.field_value(deal, "Опрос")

    asyncio.run(go_on())
