"""`backup`: a copy that can be used in place of the database."""

import asyncio
from pathlib import Path

from sqlmodel import select

from storage.database import Database
from storage.tables import Client
from tests.cli.conftest import Sarafan
from tests.cli.test_data import AUGUST, keep


def test_a_backup_is_a_whole_database(sarafan: Sarafan, db_url: str, tmp_path: Path) -> None:
    if not db_url.startswith("sqlite"):
        told = sarafan("backup", str(tmp_path / "copy.db"))
        assert (told.exit_code, "pg_dump" in told.stderr) == (1, True)
        return
    keep(db_url, Client(client_id=1, key="phone:+79140000001", name="Мария", created_at=AUGUST))
    copy = tmp_path / "copies" / "copy.db"
    told = sarafan("backup", str(copy))
    assert told.exit_code == 0
    assert told.stdout.startswith(f"Скопировано: {copy}, ")

    async def names() -> list[str]:
        db = await Database.open(f"sqlite:///{copy}", must_exist=True)
        async with db.reading() as tx:
            found = list((await tx.exec(select(Client.name))).all())
        await db.close()
        return found

    assert asyncio.run(names()) == ["Мария"]
