"""The worker is asked to stop while it works, is started twice, or has the ground taken from under it."""

import shutil
import time
from pathlib import Path

import pytest

from tests.faults import points
from tests.faults.laws import Laws
from tests.stories.company import HELD, free_port, until

pytestmark = pytest.mark.timeout(900)  # many starts, perhaps on a busy machine

# Asked to stop


def test_asked_to_stop_under_load_it_ends_in_time_and_leaves_nothing_uncertain(laws: Laws) -> None:
    shop = laws.shop
    shop.start()
    shop.wait_until_ready()
    deals = [laws.won_deal() for _ in range(12)]
    for deal in deals[:3]:
        laws.wait_for_question(deal)
        laws.replies(deal, 3)
    begun_at = time.monotonic()
    assert shop.stop(within=10) == 0
    assert time.monotonic() - begun_at < 10
    shop.start()
    for deal in deals:
        laws.wait_for_question(deal)
    laws.hold(uncertain=0)


def test_asked_to_stop_while_nobody_answers_it_ends_in_time(laws: Laws) -> None:
    shop = laws.shop
    shop.start()
    shop.wait_until_ready()
    first = laws.asked()
    shop.wait_until_idle()
    shop.amocrm.breaks("", times=0, delay=HELD, after=True)
    shop.telegram.breaks("", times=0, delay=HELD, after=True)
    laws.replies(first, 3)
    until(lambda: points.COMPLAINT.times(shop), "a complaint that is never answered")
    begun_at = time.monotonic()
    assert shop.stop(within=10) == 0
    assert time.monotonic() - begun_at < 10
    shop.mended()
    shop.start()
    laws.hold(kills=1)


# Started twice


def test_a_second_one_on_the_same_file_refuses_and_the_first_goes_on(new_laws: Laws) -> None:
    shop = new_laws.shop
    shop.start()
    shop.wait_until_ready()
    shop.settle(http={"listen": f"127.0.0.1:{free_port()}"})
    second = shop.sarafan("run")
    assert second.returncode == 1
    assert second.stderr.startswith("С этой базой уже работает другой sarafan")
    deal = new_laws.won_deal()
    new_laws.wait_for_question(deal)
    new_laws.replies(deal, 3)
    shop.stop()
    shop.start()
    new_laws.hold(uncertain=0)


# The ground


def test_a_backup_that_is_restored_asks_nobody_again(new_laws: Laws) -> None:
    """What was asked since is told by the mark in the deal."""
    shop, laws = new_laws.shop, new_laws
    file, copy = shop.folder / "sarafan.db", shop.folder / "old.db"
    shop.start()
    shop.wait_until_ready()
    before = laws.asked()
    shop.wait_until_idle()
    assert shop.sarafan("backup", copy).returncode == 0
    since = laws.asked()
    until(lambda: shop.value(since, "Промокод для друзей"), "the mark")
    shop.wait_until_idle()
    shop.kill()
    _put(copy, file)
    shop.start()
    shop.wait_until_ready()
    later = laws.asked()
    until(lambda: shop.metric("sarafan_surveys", 'state="skipped"') == 1, "a deal that was asked already")
    for deal in (before, later):
        laws.replies(deal, 3)
    laws.hold(uncertain=0)
    assert [len(laws.questions_to(deal)) for deal in (before, since, later)] == [1, 1, 1]


def test_a_volume_that_is_lost_is_announced_and_nobody_is_asked_anew(new_laws: Laws) -> None:
    shop, laws = new_laws.shop, new_laws
    announcement = "первый запуск или потерян том"
    shop.start(amocrm={"surveys_since": "now"})
    shop.wait_until_ready()
    asked = laws.asked()
    until(lambda: shop.value(asked, "Промокод для друзей"), "the mark")
    shop.wait_until_idle()
    shop.kill()
    open_deal = laws.deal()
    closed_meanwhile = laws.won_deal()
    for file in shop.folder.glob("sarafan.db*"):
        file.unlink()
    announced = shop.log.count(announcement)
    time.sleep(1.1)  # amoCRM's times have whole seconds
    shop.start()
    shop.wait_until_ready()
    assert shop.log.count(announcement) == announced + 1
    shop.amocrm.do("close_lead", lead_id=open_deal)
    laws.wait_for_question(open_deal)
    shop.wait_until_idle()
    laws.replies(open_deal, 10)
    laws.hold(uncertain=0)
    assert len(laws.questions_to(asked)) == 1
    assert laws.questions_to(closed_meanwhile) == []


def test_a_damaged_file_stops_the_start(new_laws: Laws) -> None:
    shop = new_laws.shop
    file = shop.folder / "sarafan.db"
    shop.start()
    shop.wait_until_ready()
    deal = new_laws.asked()
    shop.wait_until_idle()
    shop.stop()
    whole = file.read_bytes()
    torn = bytearray(whole)
    torn[len(torn) // 2 : len(torn) // 2 + 20_000] = b"\xff" * 20_000
    file.write_bytes(bytes(torn))
    done = shop.sarafan("run")
    assert done.returncode == 1
    assert str(file) in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, "a sentence"
    file.write_bytes(whole)
    shop.start()
    new_laws.replies(deal, 9)
    new_laws.hold(uncertain=0)


@pytest.mark.long
def test_killed_while_it_makes_its_tables_it_makes_them_at_the_next_start(new_laws: Laws) -> None:
    """As soon as there is a file, and later and later after that."""
    shop = new_laws.shop
    file = shop.folder / "sarafan.db"
    for delay in (0.0, 0.05, 0.2, 0.4, 0.8):
        shop.start()
        until(file.exists, "the file of the database")
        time.sleep(delay)
        shop.kill()
    shop.start()
    deal = new_laws.asked()
    new_laws.replies(deal, 3)
    new_laws.hold(uncertain=0)
    assert shop.sarafan("export", "--json").returncode == 0


def _put(copy: Path, file: Path) -> None:
    for old in file.parent.glob(f"{file.name}*"):
        if old.suffix != ".lock":
            old.unlink()
    shutil.copy(copy, file)
