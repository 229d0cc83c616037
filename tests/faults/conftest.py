"""The company of each fault, as in the stories: whatever happened in it, its log tells nothing private.

Each scenario does something wrong to `sarafan run`, a real process, and then asks whether the laws of laws.py
held. What goes wrong, and where:

    killed at any call that it makes, on a page of deals, at a webhook      test_killed.py
    killed at a tap in Telegram, at a reminder                              test_killed_in_talk.py
    killed at what staff do, at answers to clients, at a recommendation     test_killed_in_staff_work.py
    killed at digests, mornings, cards of calls, what it follows and ages    test_killed_by_the_calendar.py
    killed over a webhook; posted ten times at once, forged, unreadable     test_webhooks.py
    killed while it renews its tokens                                       test_tokens.py
    killed at random while answers get lost                                 test_storm.py
    two workers killed in turn; one that stood still                        test_two_workers.py
    stopped under load or while everything hangs; started twice             test_stopped.py
    an old backup, a lost volume, a damaged file, tables half made          test_stopped.py
    doubles, disorder, reopened deals, deals that change under the reader   test_disorder.py
    a process or a clock out of step, days of standstill                    test_disorder.py
    hours of a ban, the night in which the clocks are changed               test_moved_time.py
    no connection, no answer, a late one, half a one                        test_network.py
    too fast, banned, unpaid, revoked; people who cannot be reached         test_refusals.py
    deals and messages out of shape, forged webhooks, refusals, secrets     test_odd_data.py
    a disk that is full or slow, a locked file, a database that goes away   test_database.py

Some take minutes, and all together take too long for every day: `make faults` runs them all, `make test` only
those of DAILY.
"""

from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.faults.laws")  # a law that is broken says how

from tests.faults.clock import MovedClocks  # noqa: E402
from tests.faults.laws import Laws  # noqa: E402
from tests.stories.company import Company  # noqa: E402
from tests.stories.conftest import new_shop, pytest_runtest_makereport, shop  # noqa: E402

__all__ = ["new_shop", "pytest_runtest_makereport", "shop"]


DAILY = "test_killed_at_a_question_it_asks_nobody_twice_and_hears_who_answers[sqlite-once"


@pytest.hookimpl(tryfirst=True)  # before the long ones are left out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents and not item.name.startswith(DAILY):
            item.add_marker(pytest.mark.long)


@pytest.fixture
def clocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MovedClocks:
    """Of all processes that are started from now on; ask for them before the company."""
    clocks = MovedClocks(tmp_path)
    clocks.install(monkeypatch)
    return clocks


@pytest.fixture
def laws(shop: Company) -> Laws:
    """On every database."""
    return Laws(shop)


@pytest.fixture
def new_laws(new_shop: Company) -> Laws:
    """On SQLite, in a file that nobody has made yet."""
    return Laws(new_shop)
