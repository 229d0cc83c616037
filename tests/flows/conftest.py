"""The made-up company for tests of flows."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from storage.database import Database
from tests.world import World, world


@pytest.fixture
def config() -> dict[str, Any]:
    """What a test's config says beyond the ordinary; parametrize it by `indirect` or override the fixture."""
    return {}


@pytest.fixture
async def town(db: Database, tmp_path: Path, config: dict[str, Any]) -> AsyncIterator[World]:
    async with world(db, tmp_path, **config) as made:
        yield made
