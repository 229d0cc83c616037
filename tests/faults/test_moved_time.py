"""What takes minutes and hours: standstill, no network, a ban and its probes, a night in which clocks change.

The time of all processes is moved, of amoCRM's and the messengers' stand-ins as well as of the worker; that
of a server of PostgreSQL is not.
"""

import signal
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.faults import points
from tests.faults.clock import MovedClocks
from tests.faults.laws import Laws
from tests.faults.outage import requests, wire_to
from tests.stories.company import ON_SQLITE, Company, until
from tests.stories.conftest import _watched

pytestmark = pytest.mark.timeout(900)

MARK = "Промокод для друзей"
BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = 60  # seconds
BANNED = "amoCRM закрыла доступ"


@pytest.fixture
def shop(clocks: MovedClocks, tmp_path: Path, db_url: str) -> Iterator[Company]:
    """A company that lives by these clocks as a whole."""
    yield from _watched(tmp_path, db_url)


def told(shop: Company, beginning: str) -> int:
    return sum(message["text"].startswith(beginning) for message in shop.bot_wrote())


@ON_SQLITE
def test_a_ban_is_probed_once_a_quarter_of_an_hour_and_its_end_is_found(
    laws: Laws, clocks: MovedClocks
) -> None:
    """On PostgreSQL the server measures the pause, for all workers: see tests/storage/test_pace.py."""
    shop = laws.shop
    shop.start()
    deal = laws.asked()
    until(lambda: shop.value(deal, MARK), "the mark that the client was asked")
    shop.wait_until_idle()
    shop.amocrm.breaks("/api/v4/", times=0, status=403, body="<html>403 Forbidden</html>")
    until(lambda: shop.metric("sarafan_circuit_open", 'service="amocrm"') == 1, "an open circuit")
    laws.replies(deal, 3)
    until(lambda: len(laws.to_client(deal)) > 1, "thanks: the reply was taken")
    knocked = requests(shop.amocrm)
    for _ in range(3):
        clocks.pass_by(14 * MINUTE)
        time.sleep(4)  # Pulls, scores and complaints would like to go on.
        assert requests(shop.amocrm) == knocked, "nobody knocks before the pause is over"
        clocks.pass_by(MINUTE)
        until(lambda: requests(shop.amocrm) > knocked, "the probe")  # noqa: B023
        time.sleep(4)
        assert requests(shop.amocrm) == knocked + 1, "one probe"
        knocked += 1
    assert told(shop, BANNED) == 1
    shop.mended()
    clocks.pass_by(15 * MINUTE)
    until(lambda: told(shop, "Снова работает: amoCRM"), "that it works again")
    clocks.pass_by(15 * MINUTE)  # What waits is tried again when its own pause is over.
    until(lambda: shop.score(deal) == 3, "the score")
    laws.hold(uncertain=0)
    assert told(shop, BANNED) == 1


@pytest.mark.parametrize(
    ("evening", "opening"),
    [
        pytest.param(
            datetime(2027, 3, 27, 21, tzinfo=BERLIN), datetime(2027, 3, 28, 10, tzinfo=BERLIN), id="spring"
        ),
        pytest.param(
            datetime(2027, 10, 30, 21, tzinfo=BERLIN), datetime(2027, 10, 31, 10, tzinfo=BERLIN), id="autumn"
        ),
    ],
)
def test_after_the_night_in_which_the_clocks_change_the_question_waits_for_the_window_as_people_see_it(
    laws: Laws, clocks: MovedClocks, evening: datetime, opening: datetime
) -> None:
    """An hour shorter or longer than any other night; the window opens at ten by the clock on the wall."""
    shop = laws.shop
    clocks.pass_until(evening)
    shop.start(
        company={"timezone": "Europe/Berlin"},
        delivery={"send_window": "10:00-20:00", "send_days": "mon-sun"},
    )
    shop.wait_until_ready()
    deals = [laws.won_deal(), laws.won_deal()]
    until(lambda: shop.metric("sarafan_surveys", 'state="planned"') == 2, "two questions planned")
    shop.wait_until_idle()
    for before in (timedelta(hours=5), timedelta(minutes=61), timedelta(minutes=59), timedelta(minutes=3)):
        clocks.pass_until(opening - before)
        pulled = points.PAGE.times(shop)
        until(lambda: points.PAGE.times(shop) > pulled + 3, "pulls that go on")  # noqa: B023
        time.sleep(6)  # Whatever is due is looked for every five seconds.
        assert [laws.to_client(deal) for deal in deals] == [[], []], "nothing early"
    clocks.pass_until(opening)
    for deal in deals:
        laws.wait_for_question(deal)
    assert clocks.now() - opening < timedelta(minutes=3)
    for deal in deals:
        laws.replies(deal, 9)
    laws.hold(uncertain=0)


def test_a_process_that_stood_still_for_ten_minutes_goes_on_where_it_was(
    laws: Laws, clocks: MovedClocks
) -> None:
    """With a question in the air, whose answer is lost meanwhile."""
    shop = laws.shop
    shop.start()
    shop.wait_until_ready()
    assert shop.worker is not None
    points.QUESTION.kills(shop, "answered", signal="SIGSTOP")
    deal = laws.won_deal()
    laws.wait_for_question(deal)
    clocks.pass_by(10 * MINUTE)
    shop.worker.send_signal(signal.SIGCONT)
    shop.wait_until_ready()
    shop.wait_until_idle()
    laws.replies(deal, 3)
    later = laws.asked()
    laws.replies(later, 9)
    laws.hold(kills=1)


def test_after_half_an_hour_without_network_the_backlog_leaves_and_what_is_too_late_does_not(
    laws: Laws, clocks: MovedClocks
) -> None:
    shop = laws.shop
    with (
        wire_to(shop.amocrm.url) as (to_amocrm, amocrm),
        wire_to(shop.telegram.url) as (to_telegram, telegram),
        wire_to(shop.whatsapp.url) as (to_whatsapp, whatsapp),
    ):
        wires = (to_amocrm, to_telegram, to_whatsapp)
        shop.start(
            amocrm={"base_url": amocrm},
            telegram={"api_url": telegram},
            whatsapp={"base_url": whatsapp},
            delivery={"expires_after": "20m"},
            survey=[{"key": "nps", "metric": "nps", "delay": "4s"}],
        )
        shop.wait_until_ready()
        late = laws.won_deal()
        until(lambda: shop.metric("sarafan_surveys", 'state="planned"') == 1, "a question planned")
        for wire in wires:
            wire.cut()
        clocks.pass_by(15 * MINUTE)
        backlog = [laws.won_deal() for _ in range(10)]
        clocks.pass_by(15 * MINUTE)
        for wire in wires:
            wire.mend()
        for deal in backlog:
            laws.wait_for_question(deal)
        until(lambda: shop.metric("sarafan_surveys", 'state="skipped"') == 1, "the one that is too late")
        laws.hold()
        assert laws.to_client(late) == []
        assert shop.stop() == 0
