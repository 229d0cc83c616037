"""`auth CODE`: the first pair of tokens, or a sentence that says what to do."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer

from integrations.standins.amocrm import AmoCrmStandIn
from integrations.standins.amocrm_oauth import PATH
from storage.database import Database
from storage.tokens import Tokens
from tests.cli.conftest import Sarafan
from tests.world import BASE, merged, settings_from
from worker.cli.auth import exchange
from worker.config.settings import Settings


class Desk:
    """A person at the card of the integration."""

    def __init__(self, folder: Path, url: str) -> None:
        self.now = datetime(2026, 9, 7, 1, tzinfo=UTC)
        self.server = AmoCrmStandIn(lambda: self.now, rate_limit=None)
        self.folder = folder
        self.url = url

    def settings(self, **amocrm: Any) -> Settings:
        integration = self.server.integration
        keys = {
            "token": "",
            "client_id": integration.client_id,
            "client_secret": integration.client_secret,
            "redirect_uri": integration.redirect_uri,
        }
        given = {"storage": {"url": self.url}, "amocrm": {**keys, **amocrm}}
        return settings_from(merged(BASE, given), self.folder)

    async def exchange(self, code: str, **amocrm: Any) -> None:
        await exchange(self.settings(**amocrm), code, transport=httpx.ASGITransport(app=self.server.app))

    async def kept(self) -> Any:
        db = await Database.open(self.url)
        try:
            value, _ = await Tokens(db, "amocrm").load()
        finally:
            await db.close()
        return (value or {}).get("pair")


@pytest.fixture
def desk(tmp_path: Path, db_url: str) -> Desk:
    return Desk(tmp_path, db_url)


async def test_a_code_brings_a_pair_into_the_storage(desk: Desk) -> None:
    await desk.exchange(desk.server.integration.issue_code())
    assert (await desk.kept())["access_token"] == desk.server.integration.granted[0]


async def test_before_the_first_start_the_storage_is_made(desk: Desk, tmp_path: Path) -> None:
    desk.url = f"sqlite:///{tmp_path}/new/sarafan.db"
    await desk.exchange(desk.server.integration.issue_code())
    assert await desk.kept()


async def _sentence(desk: Desk, code: str, capsys: pytest.CaptureFixture[str], **amocrm: Any) -> str:
    with pytest.raises(typer.Exit) as end:
        await desk.exchange(code, **amocrm)
    assert end.value.exit_code == 1
    assert await desk.kept() is None
    said = capsys.readouterr().err
    assert code not in said
    assert desk.server.integration.client_secret not in said
    return said


async def test_an_old_code_is_told(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    code = desk.server.integration.issue_code()
    desk.now += timedelta(minutes=21)
    assert "живёт 20 минут" in await _sentence(desk, code, capsys)


async def test_wrong_keys_are_told(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    code = desk.server.integration.issue_code()
    assert "Сверьте client_id" in await _sentence(desk, code, capsys, client_id="another")


async def test_a_lost_answer_is_told(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.server.faults.add(PATH, status=502, after=True)
    assert "Ответ amoCRM потерялся, код мог сгореть." in await _sentence(
        desk, desk.server.integration.issue_code(), capsys
    )


async def test_a_service_that_is_busy_leaves_the_code_whole(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.server.faults.add(PATH, status=429)
    code = desk.server.integration.issue_code()
    assert "amoCRM сейчас не отвечает. Код ещё цел:" in await _sentence(desk, code, capsys)
    await desk.exchange(code)
    assert await desk.kept()


def test_with_a_long_lived_token_a_code_is_wrong_use(sarafan: Sarafan) -> None:
    result = sarafan("auth", "def50code")
    assert result.exit_code == 2
    assert "долгосрочному токену" in result.stderr


def test_a_code_is_one_word(sarafan: Sarafan, config: Path) -> None:
    text = config.read_text(encoding="utf-8")
    keys = 'client_id = "a"\nclient_secret = "b-secret"\nredirect_uri = "https://c.example"'
    config.write_text(text.replace('token = "test-token"', keys), encoding="utf-8")
    assert sarafan("auth", "two words").exit_code == 2
    assert sarafan("auth").exit_code == 2
