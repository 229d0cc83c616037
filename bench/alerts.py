"""From a client's low score to the sales head's alert: worker and messengers are processes."""

import time
from functools import partial

from bench.figures import Figure, at_most
from bench.measure import MS, Run, percentile
from bench.shops import shop
from tests.stories.company import PATIENCE, Company, until

LOOK_EVERY = 0.005  # seconds; so much later than it came an alert may be seen


def measure(run: Run) -> list[Figure]:
    count = run.size(50, 3)
    with shop(run.folder / "alerts") as made:
        made.start(log={"level": "info"})
        made.wait_until_ready()
        phones = [f"+7914{7_000_000 + number}" for number in range(count)]
        for number, phone in enumerate(run.track(phones, "deals are closed")):
            made.won_deal(phone=phone, client=f"Клиент {number}")
        for phone in run.track(phones, "clients are asked"):
            until(partial(made.whatsapp.do, "messages", who=phone), "a question", within=PATIENCE * 5)
        times = []
        for place, phone in enumerate(run.track(phones, "low scores")):
            made.wait_until_idle()
            times.append(_until_alert(made, phone, place + 1))
    return [
        Figure(
            what="low score to alert, p50",
            value=percentile(times, 50) * MS,
            unit="ms",
            note=f"{count} clients one by one, over loopback; seen up to {LOOK_EVERY * MS:.0f} ms late",
        ),
        Figure(
            what="low score to alert, p95",
            value=percentile(times, 95) * MS,
            unit="ms",
            goal=at_most(1000),
        ),
    ]


def _until_alert(made: Company, phone: str, number: int) -> float:
    began = time.perf_counter()
    made.whatsapp.do("says", who=phone, text="2")
    while len(made.alerts()) < number:
        if time.perf_counter() - began > PATIENCE:
            raise RuntimeError(f"no alert within {PATIENCE:g} seconds")
        time.sleep(LOOK_EVERY)
    return time.perf_counter() - began
