"""Two workers on one PostgreSQL, killed in turn or standing still: nothing twice, nothing lost."""

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults import points
from tests.faults.laws import Laws
from tests.faults.points import KILLED, Point, When
from tests.postgres import POSTGRES_URL
from tests.stories.company import Company, free_port, until

pytestmark = pytest.mark.timeout(900)  # many starts, perhaps on a busy machine

TAKEN_OVER = 120.0  # seconds: who stands still for a minute has lost what it held
POINTS: list[tuple[Point, When, int]] = [
    (points.DEAL, "answered", 9),
    (points.QUESTION, "processed", 9),
    (points.CONFIRM, "arrived", 3),
    (points.COMPLAINT, "processed", 3),
    (points.TASK, "answered", 3),
    (points.ALERT, "processed", 3),
    (points.SCORE, "processed", 3),
]
ASKING = (points.DEAL, points.QUESTION)


@pytest.fixture
def shop(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Company]:
    """On PostgreSQL alone: SQLite admits one worker."""
    if not POSTGRES_URL:
        pytest.skip("SARAFAN_TEST_POSTGRES_URL is not set")
    from tests.conftest import EMPTY
    from tests.stories.conftest import _watched

    connection, address = request.getfixturevalue("postgres_schema")
    connection.execute(EMPTY)
    yield from _watched(tmp_path, address)


@pytest.fixture
def other(shop: Company) -> Iterator[Company]:
    """A second worker of the same company, with a log of its own."""
    folder = shop.folder / "other"
    folder.mkdir()
    beside = replace(shop, folder=folder, worker=None)
    beside.settle(http={"listen": f"127.0.0.1:{free_port()}"})
    yield beside
    if beside.worker is not None:
        beside.kill()
    assert not [word for word in shop.private if word in beside.log], "the log tells what it must not"


@pytest.fixture
def workers(shop: Company, other: Company) -> list[Company]:
    for each in (shop, other):
        each.start()
        each.wait_until_ready()
    return [shop, other]


def the_dead(workers: list[Company]) -> Company:
    """The one that was killed, as soon as one was."""

    def dead() -> list[Company]:
        return [each for each in workers if each.worker is not None and each.worker.poll() is not None]

    [one] = until(dead, "a worker that is killed")
    assert one.exit_code() == KILLED
    one.mended()
    return one


def test_killed_in_turn_they_do_each_thing_once(laws: Laws, workers: list[Company]) -> None:
    shop, other = workers
    for point, when, score in POINTS:
        if point in ASKING:
            point.kills(shop, when, others=[other])
            deal = laws.won_deal()
            dead = the_dead(workers)
        else:
            deal = laws.asked()
            until(lambda: shop.value(deal, "Промокод для друзей"), "the mark")  # noqa: B023
            shop.wait_until_idle()
            point.kills(shop, when, others=[other])
            laws.replies(deal, score)
            dead = the_dead(workers)
        dead.start()
        dead.wait_until_ready()
        shop.wait_until_idle()
    for deal in laws.clients:
        if deal not in dict(laws.said.values()):
            laws.replies(deal, 9)
    laws.hold(kills=len(POINTS))


@pytest.mark.long
def test_one_that_stood_still_while_the_other_took_over_asks_nobody_again(
    laws: Laws, workers: list[Company]
) -> None:
    shop, other = workers
    points.DEAL.kills(shop, "answered", others=[other], signal="SIGSTOP")
    deal = laws.won_deal()
    until(lambda: points.DEAL.times(shop), "the last look at the deal")
    laws.shop.mended()
    until(lambda: laws.questions_to(deal), "a question by the other", TAKEN_OVER)
    for each in workers:
        assert each.worker is not None
        each.worker.send_signal(signal.SIGCONT)
    for each in workers:
        each.wait_until_ready()
    laws.replies(deal, 3)
    later = laws.asked()
    laws.replies(later, 9)
    laws.hold(kills=1)
