"""What `sarafan run` takes on SQLite: the time until it is ready, memory, and the processor while idle."""

import time

from bench.figures import Figure, at_most
from bench.measure import Run, Spent, cpu_seconds, memory, percentile
from bench.shops import PLAIN, pid, seconds_until_ready, shop
from tests.stories.company import Company, until

ASKED = 50  # clients who are asked under load: amoCRM's rate lets two a second pass
SECRET = "bench"  # noqa: S105 - made up


def measure(run: Run) -> list[Figure]:
    with shop(run.folder / "running") as made:
        first = _start(made)
        idle = _idle(run, made)
        again = []
        for _ in run.track(range(run.size(5, 1)), "starts"):
            made.stop()
            again.append(_start(made))
        loaded = _loaded(run, made)
    return [
        Figure(
            what="cold start until /readyz says yes, first start",
            value=first.wall,
            unit="s",
            goal=at_most(2.5),
            note=f"new tables, all names read at five requests a second; {first.cpu:.1f} s of processor time",
        ),
        Figure(
            what="start again, p50",
            value=percentile([start.wall for start in again], 50),
            unit="s",
            goal=at_most(2.5),
            note=f"{percentile([start.cpu for start in again], 50):.1f} s of processor time",
        ),
        *idle,
        *loaded,
    ]


def _start(made: Company) -> Spent:
    began = time.perf_counter()
    made.start(**PLAIN, http={"webhook_secret": SECRET})
    return Spent(wall=seconds_until_ready(made, began), cpu=cpu_seconds(pid(made)))


def _idle(run: Run, made: Company) -> list[Figure]:
    time.sleep(run.size(10, 1))  # What the start leaves behind is over.
    span = run.size(60, 3)
    began, cpu = time.perf_counter(), cpu_seconds(pid(made))
    for _ in run.track(range(span), "idle"):
        time.sleep(1)
    share = (cpu_seconds(pid(made)) - cpu) / (time.perf_counter() - began) * 100
    return [
        Figure(what="idle memory (RSS)", value=memory(pid(made)), unit="MB", goal=at_most(110)),
        Figure(
            what="processor while idle", value=share, unit="%", goal=at_most(1), note=f"of one, over {span} s"
        ),
    ]


def _loaded(run: Run, made: Company) -> list[Figure]:
    count, asked = run.size(2000, 20), run.size(ASKED, 5)
    for number in run.track(range(count), "deals are closed"):
        made.won_deal(phone=f"+7914{7_000_000 + number}", client=f"Клиент {number}")
    began, cpu = time.perf_counter(), cpu_seconds(pid(made))
    made.web(f"/webhooks/amocrm/{SECRET}", "POST")
    until(lambda: made.metric("sarafan_surveys", 'state="planned"') + _asked(made) >= count, within=300)
    until(lambda: _asked(made) >= asked, "questions", within=300)
    wall, cpu = time.perf_counter() - began, cpu_seconds(pid(made)) - cpu
    return [
        Figure(
            what=f"loaded memory (RSS), the most until {count:,} deals are pulled and {asked} clients asked",
            value=memory(pid(made), "VmHWM"),
            unit="MB",
            note=f"{cpu:.0f} s of processor time in {wall:.0f} s",
        )
    ]


def _asked(made: Company) -> float:
    return made.metric("sarafan_surveys", 'state="sent"')
