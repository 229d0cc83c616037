"""The company of each story. Its log tells nothing private, and what it asks of Telegram is well formed."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.integrations.telegram_schema import assert_calls_fit
from tests.stories.company import Company, company


@pytest.fixture
def shop(tmp_path: Path, db_url: str) -> Iterator[Company]:
    """On every database. The test starts the worker, after it has chosen the config."""
    yield from _watched(tmp_path, db_url)


@pytest.fixture
def new_shop(tmp_path: Path) -> Iterator[Company]:
    """On SQLite, in a file that nobody has made yet."""
    yield from _watched(tmp_path, f"sqlite:///{tmp_path / 'sarafan.db'}")


def _watched(folder: Path, database: str) -> Iterator[Company]:
    with company(folder, database) as made:
        yield made
        told = [word for word in made.private if word in made.log]
        assert not told, "the log tells what it must not"
        assert_calls_fit(made.telegram.logged())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A story that fails shows what the worker said."""
    report = yield
    if report.failed:
        for made in getattr(item, "funcargs", {}).values():
            if isinstance(made, Company):
                report.sections.append(("log of the worker", made.log[-20_000:]))
    return report
