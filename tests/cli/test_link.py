"""`link`: the deal's own address of the bot, and a picture of it that a camera reads."""

import json
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import select

from integrations.standins.amocrm import AmoCrmStandIn
from integrations.standins.telegram import TelegramStandIn
from storage import deals, state
from storage.database import Database
from storage.tables.deals import Deal
from storage.tables.queues import Outbox
from tests.cli.conftest import CONFIG, Sarafan
from tests.cli.test_data import keep
from tests.integrations.amocrm_setup import client_of
from tests.world import BASE, merged, settings_from
from worker.account.dictionaries import KEY, dump, read
from worker.cli.link import Link, NoLink, make_links, print_code
from worker.config.settings import Settings

NOW = datetime(2026, 9, 7, 1, tzinfo=UTC)
TOKEN = "Xb7-own_token_of_501"


def deal_row(deal_id: int = 501, token: str | None = TOKEN, **more: Any) -> Deal:
    return Deal(
        deal_id=deal_id, name="Ворота", pipeline_id=9001, status_id=90011, manager_id=77, created_at=NOW,
        updated_at=NOW, seen_at=NOW, entered_at=NOW, link_token=token, **more,
    )  # fmt: skip


class Outside:
    """amoCRM and Telegram, and the links that are made with them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.amocrm = AmoCrmStandIn(lambda: NOW, rate_limit=None)
        self.telegram = TelegramStandIn(lambda: NOW)

    def settings(self, **config: Any) -> Settings:
        return settings_from(merged(BASE, config), self.folder)

    async def link(self, db: Database, deal_id: int, **config: Any) -> dict[str, str]:
        transports = {
            "amocrm": httpx.ASGITransport(app=self.amocrm.app),
            "telegram": httpx.ASGITransport(app=self.telegram.app),
        }
        links = await make_links(self.settings(**config), db, deal_id, transports=transports)
        assert links.silent == ()
        return {one.channel: one.url for one in links.found}


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    return Outside(tmp_path)


async def save(db: Database, deal: Deal) -> None:
    async with db.transaction() as tx:
        tx.add(deal)


# The link


async def test_a_deal_keeps_the_link_that_stands_in_its_card(db: Database, outside: Outside) -> None:
    await save(db, deal_row())
    assert await outside.link(db, 501) == {"telegram": f"https://t.me/sarafan_demo_bot?start={TOKEN}"}
    assert outside.amocrm.requests == [], "amoCRM is not asked about a deal that we know"


async def test_a_deal_without_a_token_gets_one_for_good_and_its_card_is_written(
    db: Database, outside: Outside
) -> None:
    await save(db, deal_row(token=None))
    first = await outside.link(db, 501)
    assert await outside.link(db, 501) == first
    async with db.reading() as tx:
        known = await deals.deal(tx, 501)
        acts = (await tx.exec(select(Outbox))).all()
    assert known is not None
    assert known.link_token
    assert first["telegram"].endswith(f"?start={known.link_token}")
    assert [(act.kind, act.payload) for act in acts] == [("sync_deal", {"deal_id": 501})]


async def test_a_deal_that_the_worker_has_not_read_is_read_now(db: Database, outside: Outside) -> None:
    deal = outside.amocrm.add_lead("Шлагбаум", [outside.amocrm.add_contact("Иван", ["+79140000001"])])
    url = (await outside.link(db, deal))["telegram"]
    async with db.reading() as tx:
        known = await deals.deal(tx, deal)
        found = await deals.by_token(tx, url.partition("start=")[2])
    assert known is not None
    assert known.name == "Шлагбаум"
    assert found is not None
    assert found.deal_id == deal


async def test_a_deal_that_nobody_knows_is_told_with_where_to_look(db: Database, outside: Outside) -> None:
    with pytest.raises(NoLink, match=r"Сделки 777 в amoCRM нет.*example\.amocrm\.ru/leads/detail"):
        await outside.link(db, 777)
    async with db.reading() as tx:
        assert await deals.deal(tx, 777) is None


async def test_a_deleted_deal_is_told_like_one_that_never_was(db: Database, outside: Outside) -> None:
    await save(db, deal_row(is_deleted=True))
    with pytest.raises(NoLink, match="Сделки 501 в amoCRM нет"):
        await outside.link(db, 501)


async def test_a_complaint_has_no_link_of_its_own(db: Database, outside: Outside) -> None:
    complaint = outside.amocrm.add_lead("Рекламация", pipeline="Рекламации")
    known = await read(client_of(outside.amocrm))
    async with db.transaction() as tx:
        await state.remember(tx, KEY, dump(known))
    with pytest.raises(NoLink, match="рекламация"):
        await outside.link(db, complaint)


@pytest.mark.parametrize("language", ["ru", "en"])
async def test_without_a_bot_the_keys_to_fill_in_are_named(
    db: Database, outside: Outside, language: str
) -> None:
    await save(db, deal_row())
    with pytest.raises(NoLink, match=r"telegram\.token.*max\.token.*delivery\.channels") as problem:
        await outside.link(db, 501, company={"language": language}, delivery={"channels": ["whatsapp"]})
    assert problem.value.exit_code == 2


async def test_a_bot_that_is_down_is_told_and_takes_no_other_link_away(
    db: Database, outside: Outside
) -> None:
    await save(db, deal_row())
    outside.telegram.faults.add(path="getMe", status=502, times=10)
    transports = {"telegram": httpx.ASGITransport(app=outside.telegram.app)}
    links = await make_links(outside.settings(), db, 501, transports=transports)
    assert links.found == ()
    assert [error.service for error in links.silent] == ["telegram"]


# The command. The bot's name stands in the file, so nobody is asked for it.


@pytest.fixture
def with_name(config: Path, db_url: str) -> None:
    text = CONFIG.format(url=db_url)
    named = '[telegram]\ndeep_link = "https://t.me/our_bot?start={token}"\n'
    config.write_text(text.replace("[telegram]\n", named), encoding="utf-8")
    keep(db_url, deal_row())


@pytest.mark.usefixtures("with_name")
@pytest.mark.parametrize("deal", ["501", " 501 ", "#501", "https://example.amocrm.ru/leads/detail/501?x=1"])
def test_a_deal_is_named_by_its_id_or_by_its_cards_address(sarafan: Sarafan, deal: str) -> None:
    told = sarafan("link", deal)
    assert told.exit_code == 0
    assert f"Telegram: https://t.me/our_bot?start={TOKEN}" in told.stdout
    assert f"Здесь можно написать нам по вашему заказу: https://t.me/our_bot?start={TOKEN}" in told.stdout
    assert "█" not in told.stdout, "a pipe wants the address only"


@pytest.mark.parametrize("deal", ["ворота", "-1", "0", "", "5.5", "9" * 30])
def test_what_is_no_deal_is_wrong_use(sarafan: Sarafan, deal: str) -> None:
    told = sarafan("link", "--", deal)
    assert told.exit_code == 2
    assert "не сделка; нужен её номер" in told.stderr


def test_both_bots_have_a_link_to_the_same_deal(sarafan: Sarafan, config: Path, db_url: str) -> None:
    bots = """\
[max]
token = "made-up-token-of-max"
deep_link = "https://max.ru/our_bot?start={token}"

[telegram]
deep_link = "https://t.me/our_bot?start={token}"
"""
    config.write_text(CONFIG.format(url=db_url).replace("[telegram]\n", bots), encoding="utf-8")
    keep(db_url, deal_row())
    told = json.loads(sarafan("link", "501", "--json").stdout)
    assert [(one["channel"], one["url"]) for one in told["links"]] == [
        ("telegram", f"https://t.me/our_bot?start={TOKEN}"),
        ("max", f"https://max.ru/our_bot?start={TOKEN}"),
    ]


@pytest.mark.usefixtures("with_name")
def test_pictures_are_put_into_a_folder_that_is_made(sarafan: Sarafan, tmp_path: Path) -> None:
    folder = tmp_path / "акты" / "сентябрь"
    told = sarafan("link", "501", "--out", str(folder), "--json")
    assert told.exit_code == 0
    png, svg = folder / "deal-501-telegram.png", folder / "deal-501-telegram.svg"
    assert json.loads(told.stdout) == {
        "deal_id": 501,
        "links": [
            {
                "channel": "telegram",
                "url": f"https://t.me/our_bot?start={TOKEN}",
                "files": [str(png), str(svg)],
            }
        ],
    }
    assert sorted(folder.iterdir()) == [png, svg]
    head = png.read_bytes()[:24]
    width, height = struct.unpack(">II", head[16:24])
    assert (head[:8], width) == (b"\x89PNG\r\n\x1a\n", height)
    assert width >= 300, "large enough for print"
    assert TOKEN in svg.read_text(encoding="utf-8")


@pytest.mark.usefixtures("with_name")
def test_a_folder_that_cannot_be_made_is_told(sarafan: Sarafan, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    told = sarafan("link", "501", "--out", str(tmp_path / "file"))
    assert told.exit_code == 1
    assert "file не записать" in told.stderr


def test_before_the_first_start_it_says_what_to_do(sarafan: Sarafan, config: Path, tmp_path: Path) -> None:
    config.write_text(CONFIG.format(url=f"sqlite:///{tmp_path}/none.db"), encoding="utf-8")
    told = sarafan("link", "501")
    assert (told.exit_code, "sarafan run" in told.stderr) == (1, True)
    assert not (tmp_path / "none.db").exists()


class Terminal:
    """A screen in this encoding, and what came onto it."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


def shown(monkeypatch: pytest.MonkeyPatch, outside: Outside, encoding: str) -> str:
    screen = Terminal(encoding)
    monkeypatch.setattr("sys.stdout", screen)
    print_code(outside.settings(), Link("telegram", "Telegram", f"https://t.me/our_bot?start={TOKEN}"))
    return screen.text


def test_a_terminal_gets_the_code_in_blocks(monkeypatch: pytest.MonkeyPatch, outside: Outside) -> None:
    lines = shown(monkeypatch, outside, "utf-8").splitlines()
    widths = {len(line) for line in lines}
    assert len(widths) == 1
    assert 2 * len(lines) - 1 == widths.pop(), "two rows of squares in a line: the picture is square"
    assert set("".join(lines)) <= set(" █▀▄")


def test_a_terminal_without_blocks_is_sent_to_the_files(
    monkeypatch: pytest.MonkeyPatch, outside: Outside
) -> None:
    assert "--out" in shown(monkeypatch, outside, "ascii")
