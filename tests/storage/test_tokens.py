"""Tokens that change: only who has read the newest version may replace it."""

import asyncio

from storage.database import Database
from storage.tokens import NoTokens, Tokens


async def test_what_is_kept_is_found_with_its_version(db: Database) -> None:
    tokens = Tokens(db, "amocrm")
    assert await tokens.load() == (None, 0)
    assert await tokens.swap({"pair": 1}, 0)
    assert await tokens.load() == ({"pair": 1}, 1)
    assert await tokens.swap({"pair": 2}, 1)
    assert await Tokens(db, "amocrm").load() == ({"pair": 2}, 2)
    assert await Tokens(db, "another").load() == (None, 0)


async def test_an_older_version_replaces_nothing(db: Database) -> None:
    tokens = Tokens(db, "amocrm")
    assert await tokens.swap({"pair": 1}, 0)
    assert not await tokens.swap({"pair": 2}, 0)
    assert await tokens.swap({"pair": 3}, 1)
    assert not await tokens.swap({"pair": 4}, 1)
    assert await tokens.load() == ({"pair": 3}, 2)


async def test_of_many_at_once_one_wins(db: Database) -> None:
    tokens = Tokens(db, "amocrm")
    for version in range(3):
        won = await asyncio.gather(*(tokens.swap({"by": number}, version) for number in range(8)))
        assert sum(won) == 1
        assert await tokens.load() == ({"by": won.index(True)}, version + 1)


async def test_without_a_storage_nothing_can_be_kept() -> None:
    assert await NoTokens().load() == (None, 0)
    assert not await NoTokens().swap({}, 0)
