"""The made-up company for tests of flows."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from integrations.standins.amocrm import AmoCrmStandIn
from storage.database import Database
from tests.world import World, nothing, world


@pytest.fixture
def config() -> dict[str, Any]:
    """What a test's config says beyond the ordinary: see `configured`."""
    return {}


@pytest.fixture
def before() -> Callable[[AmoCrmStandIn], None]:
    """What amoCRM has before the worker starts for the first time: see `configured`."""
    return nothing


@pytest.fixture
async def town(
    db: Database, tmp_path: Path, config: dict[str, Any], before: Callable[[AmoCrmStandIn], None]
) -> AsyncIterator[World]:
    async with world(db, tmp_path, before=before, **config) as made:
        yield made
