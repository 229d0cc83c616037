"""A database that is full, held, slow, cut off or forgetful: no send without a claim, no reply lost."""

import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.faults.laws import Laws
from tests.faults.outage import Wire
from tests.faults.shims import compiled
from tests.stories.company import Company, company, until

SMALL = "2m"  # a disk
SLOW_DISK = Path(__file__).parents[2] / "bench" / "slow_disk.c"
SLOW_BY = 200  # milliseconds
BACK_WITHIN = 10.0  # seconds


def taken(shop: Company) -> int:
    return len(shop.whatsapp.calls("/deleteNotification/"))


def polls(shop: Company) -> int:
    return len(shop.whatsapp.calls("/receiveNotification/"))


@contextmanager
def small_disk(where: Path) -> Iterator[Path]:
    where.mkdir()
    mounted = subprocess.run(  # noqa: S603
        ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(where)],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield where
    finally:
        subprocess.run(["umount", "-l", str(where)], check=True)  # noqa: S603, S607


def fill(disk: Path) -> Path:
    """Not a byte is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            return filler


def test_a_full_disk_stops_what_goes_out_and_what_is_acknowledged(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk, company(tmp_path, f"sqlite:///{disk}/sarafan.db") as shop:
        laws = Laws(shop)
        shop.start()
        asked = laws.asked()
        shop.wait_until_idle()
        shop.wait_until_heard()
        filler = fill(disk)
        before = taken(shop)
        laws.replies(asked, 9)
        unasked = laws.won_deal()
        until(lambda: not shop.is_ready(), "a worker that is not ready")
        seen = polls(shop)
        until(lambda: polls(shop) > seen + 1, "another try to take the reply")
        assert taken(shop) == before, "what is not on disk is not acknowledged"
        assert laws.questions_to(unasked) == [], "no question without its claim on disk"
        answer = shop.web("/healthz")
        assert answer is not None
        assert answer.status_code == 200
        filler.unlink()
        laws.wait_for_question(unasked)
        until(lambda: shop.score(asked) == 9, "the reply, once there is room")
        laws.hold()


@pytest.mark.long
def test_a_database_that_a_stranger_holds_is_waited_for(new_laws: Laws) -> None:
    """Longer than SQLite itself waits, which is five seconds."""
    shop = new_laws.shop
    shop.start()
    asked = new_laws.asked()
    shop.wait_until_idle()
    shop.wait_until_heard()
    with closing(sqlite3.connect(shop.folder / "sarafan.db", isolation_level=None)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")
        before = taken(shop)
        new_laws.replies(asked, 9)
        unasked = new_laws.won_deal()
        time.sleep(8)
        assert taken(shop) == before
        assert new_laws.questions_to(unasked) == []
        stranger.execute("ROLLBACK")
    new_laws.wait_for_question(unasked)
    until(lambda: shop.score(asked) == 9, "the reply")
    new_laws.hold()


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_disk_that_takes_its_time_makes_it_slow_and_nothing_else(
    new_laws: Laws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fifth of a second for every fsync, as on a cheap server under load."""
    monkeypatch.setenv("LD_PRELOAD", str(compiled(SLOW_DISK, tmp_path)))
    monkeypatch.setenv("SLOW_DISK_MS", str(SLOW_BY))
    shop = new_laws.shop
    shop.start()
    shop.wait_until_ready()
    deals = [new_laws.won_deal() for _ in range(10)]
    for deal in deals:
        new_laws.wait_for_question(deal)
    shop.wait_until_idle()
    shop.wait_until_heard()
    before, said_at = taken(shop), time.monotonic()
    for deal, score in zip(deals, range(1, 11), strict=True):
        new_laws.replies(deal, score)
    until(lambda: taken(shop) > before, "the first reply acknowledged")
    first = shop.whatsapp.calls("/deleteNotification/")[before]
    assert first.seconds - said_at > SLOW_BY / 1000, "on disk before it is acknowledged"
    until(shop.is_ready, "a worker that is ready while it works")
    new_laws.hold(uncertain=0)
    assert shop.is_ready()
    assert shop.stop() == 0


@contextmanager
def behind_a_wire(folder: Path, database: str) -> Iterator[tuple[Wire, Company]]:
    url = make_url(database)
    wire = Wire(url.host or "127.0.0.1", url.port or 5432)
    through = url.set(host="127.0.0.1", port=wire.port).update_query_dict({"sslmode": "disable"})
    with company(folder, through.render_as_string(hide_password=False)) as shop:
        yield wire, shop
        shop.kill()
        wire.cut()


def test_a_postgresql_that_goes_away_comes_back_and_nothing_is_lost_or_doubled(
    db_url: str, tmp_path: Path
) -> None:
    """As by a restart of the server: all connections break, nobody is let in for a while."""
    if db_url.startswith("sqlite"):
        pytest.skip("SQLite is a file")
    with behind_a_wire(tmp_path, db_url) as (wire, shop):
        laws = Laws(shop)
        shop.start()
        asked = laws.asked()
        shop.wait_until_idle()
        shop.wait_until_heard()
        wire.cut()
        laws.replies(asked, 3)
        unasked = laws.won_deal()
        until(lambda: not shop.is_ready(), "a worker that is not ready")
        assert laws.questions_to(unasked) == []
        before = taken(shop)
        wire.mend()
        until(lambda: taken(shop) > before, "the reply on disk", BACK_WITHIN)
        until(lambda: shop.score(asked) == 3, "the score")
        laws.wait_for_question(unasked)
        for _ in range(3):  # A commit of whatever the worker does next seems to fail, and did not.
            wire.swallows = b"COMMIT"
            until(lambda: not wire.swallows, "an answer to COMMIT that is lost")
        laws.replies(unasked, 2)
        until(lambda: shop.score(unasked) == 2, "the score")
        laws.hold(kills=3)
        assert wire.lost == 3
