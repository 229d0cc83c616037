"""The company of each fault, as in the stories: whatever happened in it, its log tells nothing private."""

import pytest

from tests.faults.laws import Laws
from tests.stories.company import Company
from tests.stories.conftest import new_shop, pytest_runtest_makereport, shop

__all__ = ["new_shop", "pytest_runtest_makereport", "shop"]


@pytest.fixture
def laws(shop: Company) -> Laws:
    """On every database."""
    return Laws(shop)


@pytest.fixture
def new_laws(new_shop: Company) -> Laws:
    """On SQLite, in a file that nobody has made yet."""
    return Laws(new_shop)
