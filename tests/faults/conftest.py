"""The company of each fault, as in the stories: whatever happened in it, its log tells nothing private."""

from tests.stories.conftest import new_shop, pytest_runtest_makereport, shop

__all__ = ["new_shop", "pytest_runtest_makereport", "shop"]
