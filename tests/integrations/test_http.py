"""The one way out: how fast, how patient, and what is said when it goes wrong."""

import asyncio
import heapq
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.errors import AccessDenied, OutsideError, Permanent, Temporary, Uncertain
from integrations.http import LARGEST_ANSWER, Answer, Http
from integrations.pace import Pace, Paused

SECRET = "1234567:AAsecretSECRET"  # as in the path of a bot's address
BASE = f"https://api.example.org/bot{SECRET}"


class Clock:
    """Time that only passes when somebody sleeps or works."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.time += seconds

    def pace(self, rate: float | None = None) -> Pace:
        return Pace(rate, now=self.now, sleep=self.sleep)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def http(clock: Clock) -> AsyncIterator[Http]:
    http = Http("bot", BASE, pace=clock.pace())
    yield http
    await http.close()


@pytest.fixture
def far_side() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=BASE) as router:
        yield router


# The pace


@settings(max_examples=100)
@given(
    rate=st.sampled_from([0.5, 1, 2, 5, 7.5]),
    works=st.lists(st.tuples(st.floats(0, 3), st.floats(0, 1)), min_size=1, max_size=25),
)
async def test_no_second_ever_holds_more_arrivals_than_the_rate(
    rate: float, works: list[tuple[float, float]]
) -> None:
    """Each request works for a while and arrives somewhere within it: the network bunches as it likes."""
    clock = Clock()
    pace = clock.pace(rate)
    arrivals = []
    for lasts, share in works:
        async with pace.turn():
            arrivals.append(clock.now() + lasts * share)
            clock.time += lasts
    for first in arrivals:
        assert sum(first <= arrival < first + 1 for arrival in arrivals) <= max(1, rate)


class Course:
    """Time that moves on to the next sleeper whenever nobody has anything to do."""

    def __init__(self) -> None:
        self.time = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        rung = asyncio.Event()
        heapq.heappush(self._sleepers, (self.time + seconds, id(rung), rung))
        await rung.wait()

    async def run(self, tasks: list[asyncio.Task[None]]) -> None:
        while not all(task.done() for task in tasks):
            for _ in range(20):  # as many steps as anything here takes
                await asyncio.sleep(0)
            if self._sleepers:
                self.time, _, rung = heapq.heappop(self._sleepers)
                rung.set()


@settings(max_examples=50, deadline=None)
@given(
    rate=st.sampled_from([1, 2, 5, 7.5]),
    works=st.lists(st.tuples(st.floats(0, 8), st.floats(0, 22), st.floats(0, 1)), min_size=1, max_size=25),
)
async def test_nor_does_it_when_many_ask_at_once_and_some_hang(
    rate: float, works: list[tuple[float, float, float]]
) -> None:
    """Each is asked for at some time, is worked on for a while, and arrives somewhere within that."""
    course = Course()
    pace = Pace(rate, now=course.now, sleep=course.sleep)
    arrivals: list[float] = []

    async def ask(at: float, lasts: float, share: float) -> None:
        await course.sleep(at)
        async with pace.turn():
            arrivals.append(course.now() + lasts * share)
            await course.sleep(lasts)

    await course.run([asyncio.create_task(ask(*work)) for work in works])
    assert len(arrivals) == len(works)
    for first in arrivals:
        assert sum(first <= arrival < first + 1 for arrival in arrivals) <= max(1, rate)


@pytest.mark.parametrize("rate", [5, 7])
@pytest.mark.parametrize("healed_at", [1, 3, 12, 20.5, 21.5, 50, 100, 299])
async def test_after_a_silence_the_next_request_leaves_within_five_seconds(
    rate: float, healed_at: float
) -> None:
    """Twenty are asked for at once and never answered: each is given up after twenty seconds."""
    course = Course()
    pace = Pace(rate, now=course.now, sleep=course.sleep)
    left: list[float] = []

    async def ask() -> None:
        for _ in range(5):
            async with pace.turn():
                left.append(course.now())
                await course.sleep(20 if course.now() < healed_at else 0.1)

    tasks = [asyncio.create_task(ask()) for _ in range(20)]
    await course.run(tasks)
    assert min(moment for moment in left if moment >= healed_at) - healed_at <= 5


async def test_one_that_hangs_holds_nobody_up(clock: Clock) -> None:
    pace = clock.pace(7)
    async with pace.turn():
        for _ in range(20):
            await _take(pace)
    assert clock.now() < 1005


async def test_a_request_has_arrived_when_its_answer_begins(clock: Clock) -> None:
    """However long the answer drips."""
    pace = clock.pace(1)
    async with pace.turn() as passage:
        pace.arrived(passage)
        await _take(pace)
    assert clock.now() == 1001


async def test_turns_are_spaced_evenly_and_idle_time_is_no_credit(clock: Clock) -> None:
    pace = clock.pace(5)
    clock.time += 60
    left = []
    for _ in range(4):
        async with pace.turn():
            left.append(clock.now() - 1060)
    assert left == pytest.approx([0, 0.2, 0.4, 0.6])


async def test_who_comes_first_is_served_first(clock: Clock) -> None:
    pace = clock.pace(5)
    served = []

    async def ask(number: int) -> None:
        async with pace.turn():
            served.append(number)

    await asyncio.gather(*(ask(number) for number in range(12)))
    assert served == list(range(12))


async def test_twenty_at_once_never_pass_the_rate_in_real_time() -> None:
    pace, arrivals = Pace(20), []
    loop = asyncio.get_running_loop()

    async def ask(number: int) -> None:
        async with pace.turn():
            await asyncio.sleep(0.01 * (number % 7))
            arrivals.append(loop.time())

    await asyncio.gather(*(ask(number) for number in range(30)))
    arrivals.sort()
    assert all(later - first >= 1 for first, later in zip(arrivals, arrivals[20:], strict=False))


async def test_a_cancelled_waiter_gives_its_place_to_the_next(clock: Clock) -> None:
    pace = clock.pace(1)
    async with pace.turn():
        waiter = asyncio.create_task(_take(pace))
        await asyncio.sleep(0)
        waiter.cancel()
    async with pace.turn():
        assert clock.now() >= 1001
    with pytest.raises(asyncio.CancelledError):
        await waiter


async def _take(pace: Pace) -> None:
    async with pace.turn():
        pass


async def test_a_short_pause_is_waited_for_and_a_long_one_is_refused(clock: Clock) -> None:
    pace = clock.pace()
    pace.park(timedelta(seconds=3))
    await _take(pace)
    assert clock.now() == pytest.approx(1003)
    pace.park(timedelta(minutes=15))
    with pytest.raises(Paused) as pause:
        await _take(pace)
    assert pause.value.left == timedelta(minutes=15)
    clock.time += 900
    await _take(pace)


async def test_after_a_pause_one_request_tries_the_ground(clock: Clock) -> None:
    """The others wait for its answer, and when it is refused again they do not even try."""
    pace = clock.pace()
    pace.park(timedelta(seconds=1))
    tries = []

    async def ask() -> None:
        async with pace.turn():
            tries.append(clock.now())
            await asyncio.sleep(0)
            pace.park(timedelta(minutes=15))

    results = await asyncio.gather(*(ask() for _ in range(10)), return_exceptions=True)
    assert len(tries) == 1
    assert sum(isinstance(result, Paused) for result in results) == 9


async def test_too_fast_backs_off_longer_each_time_then_opens_the_circuit(clock: Clock) -> None:
    pace = clock.pace(5)
    for shortest, longest in ((1, 1.25), (2, 2.5)):
        pause = pace.too_fast(None)
        assert shortest <= pause.total_seconds() <= longest
        assert not pace.is_open
        await clock.sleep(pause.total_seconds())
    assert pace.too_fast(None) == timedelta(minutes=5)
    assert pace.parked_for == timedelta(minutes=5)
    assert pace.is_open
    await clock.sleep(300)
    assert pace.is_open  # until a request has been let through
    pace.went_through()
    assert not pace.is_open
    assert pace.too_fast(timedelta(seconds=7)) == timedelta(seconds=7)  # they said when


async def test_what_was_out_together_is_refused_once(clock: Clock) -> None:
    """Five at once are no storm; and a good answer from before the pause does not end it."""
    pace = clock.pace(5)
    for _ in range(5):
        pace.too_fast(None)
    assert pace.parked_for < timedelta(seconds=2)
    pace.park(timedelta(minutes=15))
    pace.went_through()
    assert pace.is_open


async def test_after_too_fast_the_rate_is_halved_for_a_while(clock: Clock) -> None:
    pace = clock.pace(5)
    pace.too_fast(timedelta(seconds=1))
    left = []
    for _ in range(3):
        async with pace.turn():
            left.append(clock.now())
    assert left == pytest.approx([1001, 1001.4, 1001.8])


# What an answer means


@pytest.mark.parametrize(
    ("status", "read", "written"),
    [
        (301, Permanent, Permanent),
        (400, Permanent, Permanent),
        (401, AccessDenied, AccessDenied),
        (403, AccessDenied, AccessDenied),
        (404, Permanent, Permanent),
        (408, Temporary, Uncertain),
        (429, Temporary, Temporary),  # it was not even looked at
        (500, Temporary, Uncertain),
        (502, Temporary, Uncertain),  # a gateway may fail after it has passed a write on
        (504, Temporary, Uncertain),
    ],
)
async def test_a_refusal_becomes_the_error_that_says_what_to_do(
    http: Http, far_side: respx.MockRouter, status: int, read: type[OutsideError], written: type[OutsideError]
) -> None:
    far_side.route(path__regex=".*").respond(status, html="<html>no</html>")
    for method, kind in (("POST", written), ("GET", read)):
        with pytest.raises(OutsideError) as error:
            await http.send(method, "/things", json={} if method == "POST" else None)
        assert type(error.value) is kind
        assert error.value.status == status


def _raise(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    def side_effect(request: httpx.Request) -> httpx.Response:
        raise error

    return side_effect


@pytest.mark.parametrize(
    ("trouble", "written"),
    [
        (httpx.ConnectError("refused"), Temporary),
        (httpx.ConnectTimeout("slow"), Temporary),
        (httpx.PoolTimeout("full"), Temporary),
        (httpx.ReadTimeout("slow"), Uncertain),
        (httpx.WriteTimeout("slow"), Uncertain),
        (httpx.RemoteProtocolError("closed"), Uncertain),
        (httpx.ReadError("reset"), Uncertain),
        (httpx.DecodingError("gzip"), Uncertain),
    ],
)
async def test_a_broken_connection_is_temporary_for_reads_and_maybe_done_for_writes(
    http: Http, far_side: respx.MockRouter, trouble: Exception, written: type[OutsideError]
) -> None:
    far_side.route(path__regex=".*").mock(side_effect=_raise(trouble))
    with pytest.raises(Temporary):
        await http.get_json("/things")
    with pytest.raises(OutsideError) as error:
        await http.send_json("POST", "/things", {})
    assert type(error.value) is written


async def test_reads_are_tried_three_times_and_writes_once(http: Http, far_side: respx.MockRouter) -> None:
    read = far_side.get("/things").respond(502)
    write = far_side.post("/things").respond(502)
    with pytest.raises(Temporary):
        await http.get_json("/things")
    with pytest.raises(Uncertain):
        await http.send_json("POST", "/things", {})
    assert (read.call_count, write.call_count) == (3, 1)


async def test_a_read_recovers_by_itself(http: Http, far_side: respx.MockRouter) -> None:
    far_side.get("/things").mock(
        side_effect=[httpx.Response(502), httpx.ReadTimeout, httpx.Response(200, json=[1])]
    )
    assert await http.get_json("/things") == [1]


async def test_a_write_that_is_harmless_to_repeat_is_a_read(http: Http, far_side: respx.MockRouter) -> None:
    far_side.delete("/n/1").mock(
        side_effect=[httpx.Response(502), httpx.Response(200, json={"result": True})]
    )
    assert await http.send_json("DELETE", "/n/1", None, is_read=True) == {"result": True}


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("90", 90), ("Mon, 16 Mar 2026 10:02:00 GMT", 120), ("Mon, 16 Mar 2026 09:00:00 GMT", 0), ("0", 0)],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: int) -> None:
    headers = {"retry-after": header, "date": "Mon, 16 Mar 2026 10:00:00 GMT"}
    answer = Answer(429, httpx.Headers(headers), b"", is_read=True)
    assert answer.retry_after == timedelta(seconds=seconds)


@pytest.mark.parametrize("header", ["", "soon", "-5", "9" * 30, "Mon, 99 Foo 2026", "٣"])
def test_a_senseless_retry_after_says_nothing(header: str) -> None:
    answer = Answer(429, httpx.Headers([(b"retry-after", header.encode())]), b"", is_read=True)
    assert answer.retry_after is None


def test_the_servers_clock_is_the_date_nearest_to_it() -> None:
    """A server in front may add a date of its own."""
    headers = httpx.Headers(
        [("date", "Mon, 16 Mar 2026 10:00:00 GMT"), ("date", "Tue, 17 Mar 2026 10:00:00 GMT")]
    )
    assert Answer(200, headers, b"", is_read=True).server_time == datetime(2026, 3, 17, 10, tzinfo=UTC)
    assert Answer(200, httpx.Headers({"date": "today"}), b"", is_read=True).server_time is None


async def test_too_many_requests_says_when_to_come_back(http: Http, far_side: respx.MockRouter) -> None:
    route = far_side.post("/send").respond(429, headers={"retry-after": "90"})
    with pytest.raises(Temporary) as error:
        await http.send_json("POST", "/send", {})
    assert error.value.retry_after == timedelta(seconds=90)
    with pytest.raises(Temporary, match="left alone"):  # all traffic to the service waits
        await http.get_json("/other")
    assert route.call_count == 1


async def test_a_storm_of_429_costs_few_requests(
    http: Http, far_side: respx.MockRouter, clock: Clock
) -> None:
    """Five minutes of «too fast», asked all the time."""
    route = far_side.get("/things").respond(429, html="<html>429</html>")
    while clock.now() < 1300:
        with pytest.raises(Temporary):
            await http.get_json("/things")
        clock.time += 1
    assert route.call_count <= 6


async def test_what_is_no_json_is_a_failed_read_or_an_uncertain_write(
    http: Http, far_side: respx.MockRouter
) -> None:
    far_side.route(path__regex=".*").respond(200, html="<html>hello</html>")
    with pytest.raises(Temporary, match="not JSON"):
        await http.get_json("/things")
    with pytest.raises(Uncertain, match="not JSON"):
        await http.send_json("POST", "/things", {})


async def test_json_nested_without_end_is_a_failed_read(http: Http, far_side: respx.MockRouter) -> None:
    far_side.get("/things").respond(200, content=b"[" * 200_000)
    with pytest.raises(Temporary, match="not JSON"):
        await http.get_json("/things")


async def test_nothing_is_none(http: Http, far_side: respx.MockRouter) -> None:
    far_side.get("/things").respond(204, headers={"content-type": "text/html; charset=UTF-8"})
    assert await http.get_json("/things") is None


async def test_more_than_we_are_ready_to_read_is_not_read(http: Http, far_side: respx.MockRouter) -> None:
    read = 0

    async def flood() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(100):
            read += 1
            yield b" " * 1024 * 1024

    far_side.get("/things").mock(side_effect=lambda request: httpx.Response(200, content=flood()))
    with pytest.raises(Temporary, match="more than"):
        await http.get_json("/things")
    assert read <= 3 * (LARGEST_ANSWER // 1024 // 1024 + 1)


async def test_a_dripping_answer_ends_at_the_deadline(clock: Clock, far_side: respx.MockRouter) -> None:
    async def drip() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b" "
            await asyncio.sleep(0.01)

    far_side.post("/things").mock(side_effect=lambda request: httpx.Response(200, content=drip()))
    http = Http("bot", BASE, pace=clock.pace(), deadline=timedelta(seconds=0.1))
    with pytest.raises(Uncertain, match="in time"):
        await http.send_json("POST", "/things", {})
    await http.close()


async def test_after_a_full_pool_there_is_a_new_client(http: Http, far_side: respx.MockRouter) -> None:
    far_side.post("/things").mock(
        side_effect=[httpx.PoolTimeout, httpx.PoolTimeout, httpx.Response(200, json=1)]
    )
    for _ in range(2):
        with pytest.raises(Temporary, match="no free connection"):
            await http.send_json("POST", "/things", {})
    assert await http.send_json("POST", "/things", {}) == 1


async def test_cookies_are_not_kept(http: Http, far_side: respx.MockRouter) -> None:
    route = far_side.get("/things").respond(200, json=1, headers={"set-cookie": "session=1"})
    await http.get_json("/things")
    await http.get_json("/things")
    assert "cookie" not in route.calls.last.request.headers


async def test_every_outcome_is_counted(clock: Clock, far_side: respx.MockRouter) -> None:
    far_side.get("/things").mock(
        side_effect=[httpx.Response(502), httpx.ReadTimeout, httpx.Response(200, json=1)]
    )
    seen: list[tuple[str, str]] = []
    http = Http(
        "bot", BASE, pace=clock.pace(), on_result=lambda service, result: seen.append((service, result))
    )
    await http.get_json("/things")
    await http.close()
    assert seen == [("bot", "502"), ("bot", "timeout"), ("bot", "200")]


TROUBLES: list[httpx.Response | Exception] = [
    httpx.Response(200, text=SECRET),
    httpx.Response(301, headers={"location": f"https://www.example.org/{SECRET}"}),
    httpx.Response(401, text=SECRET),
    httpx.Response(404, json={"detail": SECRET}),
    httpx.Response(429, text=SECRET),
    httpx.Response(500, text=SECRET),
    httpx.ConnectError("refused"),
    httpx.ReadTimeout("slow"),
    httpx.LocalProtocolError(f"Illegal header value b'Bearer {SECRET}'"),
    httpx.UnsupportedProtocol(f"for {BASE}"),
    httpx.InvalidURL(f"for {BASE}"),
]


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_no_error_holds_the_secret_of_a_path(
    http: Http,
    far_side: respx.MockRouter,
    trouble: httpx.Response | Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nor does its traceback, and nor do we log it."""
    mocked = {"return_value": trouble} if isinstance(trouble, httpx.Response) else {"side_effect": trouble}
    far_side.route(path__regex=".*").mock(**mocked)
    with caplog.at_level(logging.DEBUG, logger="integrations"), pytest.raises(OutsideError) as error:
        await http.send_json("POST", "/send", {"text": SECRET}, what="send")
    said = "".join(str(link) + repr(link) for link in _chain(error.value)) + error.value.remedy
    assert SECRET not in said
    assert "send" in str(error.value)
    assert SECRET not in "".join(r.getMessage() for r in caplog.records if r.name.startswith("integrations"))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
