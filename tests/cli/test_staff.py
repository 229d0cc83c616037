"""`staff`: who is there, links that invite once, and who is removed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import select

from integrations.standins.amocrm import AmoCrmStandIn
from integrations.standins.max import MaxStandIn
from integrations.standins.telegram import TelegramStandIn
from storage import staff
from storage.database import Database
from storage.tables.people import InvitedStaff
from tests.cli.conftest import Sarafan
from tests.cli.test_data import keep as keep_rows
from tests.integrations.amocrm_setup import client_of
from tests.world import BASE, MAX_BOT, merged, settings_from
from worker.account.dictionaries import refresh
from worker.actions.staffing import free_name
from worker.cli.inviting import Refused, Wanted, make_invitation
from worker.cli.staff import joined_by_link, remove_invited
from worker.config.settings import Settings

NOW = datetime(2026, 9, 7, 1, tzinfo=UTC)


def invited(name: str = "Вера", **more: Any) -> InvitedStaff:
    now = datetime.now(UTC)
    row: dict[str, Any] = {
        "token_hash": staff.hashed(name), "role": "head", "name": name, "created_at": now,
        "expires_at": now + timedelta(days=7),
    }  # fmt: skip
    return InvitedStaff(**{**row, **more})


async def keep(db: Database, *rows: InvitedStaff) -> None:
    async with db.transaction() as tx:
        tx.add_all(rows)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_from(merged(BASE, MAX_BOT), tmp_path)


async def invite(settings: Settings, db: Database, **wanted: Any) -> dict[str, str]:
    transports = {
        "telegram": httpx.ASGITransport(app=TelegramStandIn(lambda: NOW).app),
        "max": httpx.ASGITransport(app=MaxStandIn(lambda: NOW).app),
    }
    made = await make_invitation(settings, db, Wanted(**{"role": "head", **wanted}), transports=transports)
    return dict(made.links)


async def test_a_link_for_each_bot_is_made_and_only_its_hash_is_kept(
    db: Database, settings: Settings
) -> None:
    links = await invite(settings, db, name=" Вера ")
    assert links["telegram"].startswith("https://t.me/sarafan_demo_bot?start=")
    token = links["telegram"].partition("start=")[2]
    assert links["max"].endswith(f"start={token}")
    async with db.reading() as tx:
        (row,) = (await tx.exec(select(InvitedStaff))).all()
    assert (row.token_hash, row.role, row.joined_at) == (staff.hashed(token), "head", None)
    assert row.expires_at - row.created_at == timedelta(days=7)
    assert token not in str(row.model_dump())


async def test_a_link_works_once_and_in_time(db: Database) -> None:
    row = invited()
    await keep(db, row, invited("Поздняя", expires_at=datetime.now(UTC)))
    now = datetime.now(UTC)
    async with db.transaction() as tx:
        assert await staff.join(tx, "Поздняя", "telegram", "5", now) is None
        joined = await staff.join(tx, "Вера", "max", "7", now)
        assert joined is not None
        assert (joined.name, joined.channel, joined.chat_id) == ("Вера", "max", "7")
        assert await staff.join(tx, "Вера", "telegram", "8", now) is None
        assert await staff.join(tx, "made up", "telegram", "8", now) is None
    async with db.reading() as tx:
        assert [one.chat_id for one in await staff.joined(tx)] == ["7"]


async def test_a_name_that_somebody_has_is_refused(db: Database, settings: Settings) -> None:
    await keep(db, invited())
    for name in ("анна", "ВЕРА"):
        with pytest.raises(Refused, match="уже занято"):
            await invite(settings, db, name=name)


async def test_a_manager_is_named_in_amocrm(db: Database, settings: Settings) -> None:
    with pytest.raises(Refused, match="--amocrm-user"):
        await invite(settings, db, role="manager")
    with pytest.raises(Refused, match="ещё не прочитаны"):
        await invite(settings, db, role="manager", amocrm_user="Олег Смирнов")
    await refresh(client_of(AmoCrmStandIn(lambda: NOW, rate_limit=None)), db)
    with pytest.raises(Refused, match="Олег Смирнов"):
        await invite(settings, db, role="manager", amocrm_user="Олег Смирно")
    await invite(settings, db, role="manager", amocrm_user="олег смирнов")
    async with db.reading() as tx:
        (row,) = (await tx.exec(select(InvitedStaff))).all()
    assert row.amocrm_user


async def test_the_pipelines_and_managers_that_a_head_follows_are_named_as_in_amocrm(
    db: Database, settings: Settings
) -> None:
    with pytest.raises(Refused, match="Воронки amoCRM ещё не прочитаны"):
        await invite(settings, db, pipelines=("Продажи",))
    town = AmoCrmStandIn(lambda: NOW, rate_limit=None)
    await refresh(client_of(town), db)
    with pytest.raises(Refused, match=r"Воронка.*Продажи"):
        await invite(settings, db, pipelines=("Продажа",))
    with pytest.raises(Refused, match=r"Пользователь.*Мария Ким"):
        await invite(settings, db, managers=("Мария Кем",))
    await invite(settings, db, pipelines=("продажи",), managers=("Мария Ким", "Олег Смирнов"))
    async with db.reading() as tx:
        (row,) = (await tx.exec(select(InvitedStaff))).all()
    assert row.pipelines == [next(one for one, pipe in town.pipelines.items() if pipe.name == "Продажи")]
    assert row.managers == [town.user_id("Мария Ким"), town.user_id("Олег Смирнов")]


async def test_who_was_invited_is_removed_and_the_config_names_its_own(
    db: Database, settings: Settings
) -> None:
    await keep(db, invited(), invited("", token_hash="x", id=7))
    assert await remove_invited(settings, db, " вера ") == "Вера"
    assert await remove_invited(settings, db, "№ 7") == "№ 7"
    with pytest.raises(Refused, match="в файле настроек"):
        await remove_invited(settings, db, "Анна")
    with pytest.raises(Refused, match="Приглашённых с именем «Вера» нет"):
        await remove_invited(settings, db, "Вера")


async def test_who_joined_by_a_link_is_somebody_to_hear_of_a_low_score(
    db: Database, db_url: str, tmp_path: Path
) -> None:
    settings = settings_from(merged(BASE, {"storage": {"url": db_url}, "staff": []}), tmp_path)
    await keep(db, invited(), invited("Лев", joined_at=NOW, channel="max", chat_id="77"))
    assert [one.name for one in await joined_by_link(settings)] == ["Лев"]


@pytest.mark.parametrize(
    ("wanted", "name"), [("Анна", "Анна 3"), (" Вера \n Павловна", "Вера Павловна"), ("​", "")]
)
def test_a_name_tells_people_apart(wanted: str, name: str) -> None:
    assert free_name(wanted, ["анна", "Анна 2"]) == name


def test_the_list_tells_who_is_met_where(db_url: str, sarafan: Sarafan) -> None:
    keep_rows(
        db_url,
        invited(joined_at=NOW, channel="max", chat_id="77", role="manager", amocrm_user=5),
        invited("", token_hash="y", id=9),
    )
    told = sarafan("staff")
    assert told.exit_code == 0, told.output
    lines = [" ".join(line.split()) for line in told.output.splitlines()]
    assert lines[:2] == ["Анна руководитель Telegram 1 все воронки", "Вера менеджер MAX 77 все воронки"]
    assert lines[2].startswith("№ 9 руководитель приглашение до ")
    rows = json.loads(sarafan("staff", "--json").output)
    assert [(row["name"], row["from"], row["max_id"]) for row in rows] == [
        ("Анна", "config", None), ("Вера", "link", 77), ("№ 9", "invitation", None),
    ]  # fmt: skip
    gone = sarafan("staff", "remove", "Вера")
    assert (gone.exit_code, gone.output) == (0, "Вера: больше не сотрудник.\n")
    assert sarafan("staff", "remove", "Вера").exit_code == 1
    assert sarafan("staff", "invite", "--role", "boss").exit_code == 2
    assert sarafan("staff", "invite", "--role", "head", "--name", "Анна").exit_code == 2
