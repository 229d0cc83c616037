"""The one way out: an even pace, short retries of reads, deadlines, and errors that say what to do."""

import asyncio
import json as json_text
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from random import SystemRandom
from typing import Any, Protocol

import httpx
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential

from integrations.errors import AccessDenied, OutsideError, Permanent, Temporary, Uncertain
from integrations.tls import trusted

Params = Mapping[str, str | int]
OnResult = Callable[[str, str], None]  # service; a status such as «200», or «timeout», «refused» …

READ_TIMEOUT = 20.0  # seconds
TIMEOUTS = httpx.Timeout(connect=5, read=READ_TIMEOUT, write=20, pool=5)
DEADLINE = timedelta(seconds=60)  # of one whole answer, however slowly it drips
LARGEST_ANSWER = 20 * 1024 * 1024  # bytes
TRIES = 3  # of a read
PATIENCE = timedelta(seconds=5)  # a longer pause is the caller's to wait for, not ours
LONGEST_BACKOFF = 60.0  # seconds
BUSY_BEFORE_CIRCUIT = 3  # answers «too fast» in a row
CIRCUIT = timedelta(minutes=5)
LONG_PAUSE = timedelta(minutes=1)  # that long, and the circuit counts as open
SPARE = 4  # places of a pace that requests take one by one, spread over the time that a request may hang
SLOWER_FOR = 180.0  # seconds at half the rate after a «too fast»


@dataclass(slots=True, eq=False)
class Passage:
    """One request that left. `arrived_at` is when we knew that it had arrived, None while we do not."""

    over: asyncio.Event = field(default_factory=asyncio.Event)
    arrived_at: float | None = None


class Paused(Exception):
    """The service is left alone for longer than a request cares to wait."""

    def __init__(self, left: timedelta) -> None:
        super().__init__(f"paused for {left.total_seconds():.0f} s")
        self.left = left


class LeftAlone(Temporary):
    """Nothing was even tried: the service is left alone for a while."""


class Pace:
    """Takes turns to one service: first come, first served, evenly spaced, no credit for idle time.

    Spacing alone does not keep a promise about any one second at the far side, since the network bunches
    requests. So a request leaves only while fewer than `rate` others are out that may still arrive within a
    second before it or later: those that nobody has answered, and those answered less than a second ago.
    Proof that no second holds more than `rate` arrivals: take the last of them to leave. It left before that
    second ended, so every other one of them arrived less than a second before it left, or later, and was
    answered later still or not at all: all of them were out, and there were fewer than `rate`.

    One that hangs keeps its place until it is given up, which may last READ_TIMEOUT. So the last places are
    taken one by one, spread over that time: whatever hangs, the next request leaves within five seconds (at
    five a second and more). A long poll hangs on purpose: it belongs to a pace of its own with `rate=None`.
    """

    def __init__(
        self,
        rate: float | None,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.sleep = sleep
        self.now = now
        self._gap = 1 / rate if rate else 0.0
        self._places = max(1, int(rate)) if rate else 0
        self._at_once = max(1, self._places - SPARE)  # may be unanswered without holding others back
        self._spread = (READ_TIMEOUT + 1) / (max(self._places, 1) - self._at_once + 1)
        self._out: list[Passage] = []  # may still arrive in the same second as the next
        self._news = asyncio.Event()  # one of them arrived
        self._line = asyncio.Lock()  # wakes its waiters in the order in which they came
        self._left_at = float("-inf")
        self._free_at = float("-inf")
        self._parked_until = float("-inf")
        self._slow_until = float("-inf")
        self._needs_probe = False
        self._probe: Passage | None = None
        self._busy_in_a_row = 0
        self._is_open = False

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Passage]:
        """Wait for the turn; leaving the block means that the answer is here (or will not come).

        Raises Paused when the pause is longer than PATIENCE.
        """
        async with self._line:
            await self._wait()
            passage = Passage()
            if self._places:
                self._out.append(passage)
            self._left_at = self.now()
            slower = 2 if self._left_at < self._slow_until else 1
            self._free_at = self._left_at + self._gap * slower
            if self._needs_probe:  # After a pause one request tries the ground, the others wait for it.
                self._needs_probe, self._probe = False, passage
        try:
            yield passage
        finally:
            self.arrived(passage)
            passage.over.set()

    def arrived(self, passage: Passage) -> None:
        """The far side has begun to answer, or we have given up and closed the connection."""
        if passage.arrived_at is None:
            passage.arrived_at = self.now()
            self._news.set()

    def park(self, pause: timedelta) -> None:
        """Let nothing through for this long; then one request goes ahead of all others."""
        self._parked_until = max(self._parked_until, self.now() + pause.total_seconds())
        self._needs_probe = True
        self._is_open |= pause >= LONG_PAUSE

    @property
    def parked_for(self) -> timedelta:
        """How long the pause still lasts, zero without one."""
        return timedelta(seconds=max(0.0, self._parked_until - self.now()))

    @property
    def is_open(self) -> bool:
        """Is the circuit open: a pause of a minute or more, until a request after it was let through."""
        return self._is_open

    def too_fast(self, retry_after: timedelta | None) -> timedelta:
        """Note an answer «too many requests»: park and give the pause. They say how long, or 1, 2, 4 … s.

        The third in a row opens the circuit for five minutes; the rate is halved for a while. Requests that
        were out together are refused together: that counts as once.
        """
        if not self.parked_for:
            self._busy_in_a_row += 1
        backoff = min(LONGEST_BACKOFF, 2.0 ** (self._busy_in_a_row - 1)) * SystemRandom().uniform(1, 1.25)
        pause = timedelta(seconds=backoff) if retry_after is None else retry_after
        if self._busy_in_a_row >= BUSY_BEFORE_CIRCUIT:
            pause = max(pause, CIRCUIT)
        self.park(pause)
        self._slow_until = self.now() + pause.total_seconds() + SLOWER_FOR
        return pause

    def went_through(self) -> None:
        """Note an answer other than «too many requests»."""
        if not self.parked_for:  # What left before the pause says nothing about its end.
            self._busy_in_a_row = 0
            self._is_open = False

    async def _wait(self) -> None:
        if self._probe is not None:
            await self._probe.over.wait()
            self._probe = None
        # A pause may begin while we sleep, and a sleep may end a little early.
        while (left := self._still_to_wait()) > 0:
            if self.parked_for > PATIENCE:
                raise Paused(self.parked_for)
            await self._sleep(left)

    def _still_to_wait(self) -> float:
        """Seconds until the next may leave, as far as can be said before another answer comes."""
        now = self.now()
        not_before = max(self._free_at, self._parked_until)
        self._out = [one for one in self._out if one.arrived_at is None or one.arrived_at + 1 > now]
        if self._places and len(self._out) >= self._places:
            ends = [one.arrived_at + 1 for one in self._out if one.arrived_at is not None]
            not_before = max(not_before, min(ends, default=float("inf")))
        if sum(one.arrived_at is None for one in self._out) >= self._at_once:
            not_before = max(not_before, self._left_at + self._spread)
        return not_before - now

    async def _sleep(self, seconds: float) -> None:
        """For this long, or until one of those that are out has arrived."""
        if all(one.arrived_at is not None for one in self._out):
            await self.sleep(seconds)
            return
        self._news.clear()
        waiting: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._news.wait())]
        if seconds < float("inf"):
            waiting.append(asyncio.ensure_future(self.sleep(seconds)))
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, read to its end. `what` names the request without addresses or secrets."""

    status: int
    headers: httpx.Headers
    content: bytes
    is_read: bool
    what: str = ""

    @property
    def is_json(self) -> bool:
        """By the header: `application/json`, `application/hal+json`, `application/problem+json`."""
        return "json" in self.headers.get("content-type", "").lower()

    @property
    def server_time(self) -> datetime | None:
        """The far side's clock, by the `Date` header."""
        dates = self.headers.get_list("date")  # a server in front of it may have added another
        return _http_date(dates[-1]) if dates else None

    @property
    def retry_after(self) -> timedelta | None:
        """When to come back, if they say it, in seconds or as a date."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit() and len(text) < 7:
            return timedelta(seconds=int(text))
        until, now = _http_date(text), self.server_time or datetime.now(UTC)
        return max(until - now, timedelta(0)) if until else None

    def json(self) -> object:
        """The body as JSON. Raises ValueError, also for a body that is nested too deeply."""
        try:
            value: object = json_text.loads(self.content)
        except RecursionError:
            raise ValueError("nested too deeply") from None
        return value


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# A service's own reading of its refusals; None: the common one.
Explain = Callable[[Answer], OutsideError | None]
Observe = Callable[[Answer, OutsideError | None], None]


class TokenSource(Protocol):
    """What gives the token for each request."""

    async def token(self) -> str: ...

    async def after_refusal(self, refused: str) -> str | None:
        """Another token in place of one that was answered with 401; None when there is no other."""


def failed(service: str, answer: Answer, detail: str) -> Temporary | Uncertain:
    """The error for an answer that tells nothing: a read did nothing, a write may have happened."""
    kind = Temporary if answer.is_read else Uncertain
    return kind(service, _about(detail, answer.what), status=answer.status)


def error_for(service: str, answer: Answer) -> OutsideError | None:
    """Turn an HTTP answer into one of our errors, None for a success. Bodies never get into the text."""
    status, wait = answer.status, answer.retry_after
    if status < 300:
        return None
    if status == 429 or (status == 503 and wait is not None):
        return Temporary(service, _about(f"is busy ({status})", answer.what), retry_after=wait, status=status)
    if status >= 500 or status == 408:  # A gateway may fail after it has passed a write on.
        return failed(service, answer, f"failed ({status})")
    if status in (401, 403):
        return AccessDenied(
            service,
            _about(f"refused access ({status})", answer.what),
            remedy=f"Check the token of {service} and its rights.",
            status=status,
        )
    if status < 400:
        return Permanent(
            service,
            _about(f"answered with a redirect ({status})", answer.what),
            remedy="Check the address in the configuration.",
            status=status,
        )
    return Permanent(service, _about(f"refused the request ({status})", answer.what), status=status)


def _about(detail: str, what: str) -> str:
    return f"{detail}: {what}" if what else detail


def _is_brief(error: BaseException) -> bool:
    return isinstance(error, Temporary) and (error.retry_after is None or error.retry_after <= PATIENCE)


class Http:
    """One service over HTTP. Reads are tried three times within seconds, writes once.

    `explain` reads the service's own refusals before the common rules do; `observe` sees every answer and
    what it was taken for; `on_result` is told every outcome. `tokens` gives each request's bearer token.
    `verify` trusts other certificates than the common ones.
    A path may hold a token: neither it nor the query ever stands in an error, `what` does.
    """

    def __init__(
        self,
        service: str,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        tokens: TokenSource | None = None,
        pace: Pace | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        on_result: OnResult | None = None,
        explain: Explain | None = None,
        observe: Observe | None = None,
        deadline: timedelta = DEADLINE,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        self.service = service
        self.pace = pace or Pace(None)
        self._base_url = base_url
        self._headers = {"User-Agent": "sarafan/1", **(headers or {})}
        self._tokens = tokens
        self._transport = transport
        self._on_result = on_result
        self._explain = explain
        self._observe = observe
        self._deadline = deadline
        self._verify = verify
        self._client = self._new_client()
        self._retired: httpx.AsyncClient | None = None

    async def get_json(
        self,
        path: str,
        params: Params | None = None,
        *,
        what: str = "",
        read_timeout: timedelta | None = None,
    ) -> object:
        """GET and parse; None for 204. What is not JSON is a failed read."""
        answer = await self.send("GET", path, params=params, what=what, read_timeout=read_timeout)
        return self.parse(answer)

    async def send_json(
        self, method: str, path: str, json: object, *, is_read: bool = False, what: str = ""
    ) -> object:
        """Send JSON, parse the answer; None for 204. An answer to a write that is not JSON is Uncertain."""
        return self.parse(await self.send(method, path, json=json, is_read=is_read, what=what))

    def parse(self, answer: Answer) -> object:
        """The body of a success as JSON; None for 204."""
        if answer.status == 204:
            return None
        try:
            return answer.json()
        except ValueError:
            # From None: the parser's error carries the whole body.
            raise failed(self.service, answer, "answered with something that is not JSON") from None

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: object = None,
        is_read: bool | None = None,
        what: str = "",
        read_timeout: timedelta | None = None,
    ) -> Answer:
        """Send and give the whole answer if it is a success.

        `path` is relative to `base_url` and may carry a ready query; `is_read` marks a request that is
        harmless to repeat (default: GET). Raises only the errors of `integrations.errors`.
        """
        is_read = method == "GET" if is_read is None else is_read
        attempts = AsyncRetrying(
            stop=stop_after_attempt(TRIES if is_read else 1),
            wait=wait_exponential(multiplier=0.5, max=PATIENCE.total_seconds()),
            retry=retry_if_exception(_is_brief),
            sleep=self.pace.sleep,
            reraise=True,
        )
        timeouts = TIMEOUTS
        if read_timeout is not None:
            timeouts = httpx.Timeout(**{**TIMEOUTS.as_dict(), "read": read_timeout.total_seconds()})
        ask = _Ask(method, path, params, json, is_read, what, timeouts)
        async for attempt in attempts:
            with attempt:
                return await self._authorized(ask)
        raise AssertionError("tenacity leaves its loop by a result or an error")

    async def close(self) -> None:
        await self._client.aclose()
        if self._retired:
            await self._retired.aclose()

    async def _authorized(self, ask: "_Ask") -> Answer:
        if self._tokens is None:
            return await self._once(ask, {})
        token = await self._tokens.token()
        try:
            return await self._once(ask, _bearer(token))
        except AccessDenied as error:
            # Refused for the token alone, nothing happened: a write may be repeated. 403 is about rights.
            if error.status != 401 or (fresh := await self._tokens.after_refusal(token)) is None:
                raise
        return await self._once(ask, _bearer(fresh))

    async def _once(self, ask: "_Ask", headers: Mapping[str, str]) -> Answer:
        try:
            async with self.pace.turn() as passage:
                answer = await self._exchange(ask, headers, passage)
                self._note(str(answer.status))
                error = self._error_for(answer)
                if self._observe:
                    self._observe(answer, error)
                if error:
                    raise error
                return answer
        except Paused as pause:
            raise LeftAlone(
                self.service, _about("is left alone for a while", ask.what), retry_after=pause.left
            ) from None

    def _error_for(self, answer: Answer) -> OutsideError | None:
        if answer.status != 429:
            self.pace.went_through()
        own = self._explain(answer) if self._explain else None
        error = own or error_for(self.service, answer)
        if isinstance(error, Temporary):
            if answer.status == 429:
                error.retry_after = self.pace.too_fast(error.retry_after)
            elif error.retry_after is not None:
                self.pace.park(error.retry_after)
        return error

    async def _exchange(self, ask: "_Ask", headers: Mapping[str, str], passage: Passage) -> Answer:
        lost = Temporary if ask.is_read else Uncertain
        service, what = self.service, ask.what
        ends_at = time.monotonic() + self._deadline.total_seconds()
        try:
            request = self._client.build_request(
                ask.method, ask.path, params=ask.params, json=ask.json, headers=headers, timeout=ask.timeouts
            )
            response = await self._client.send(request, stream=True)
            if response.is_success:  # A refusal has to be read first: it may be a reason to hold others back.
                self.pace.arrived(passage)
            try:
                content = await self._read(response, ends_at)
            finally:
                await response.aclose()
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError):
            # From None: httpx quotes the address or the header, and there the token is.
            self._note("unsendable")
            raise Permanent(
                service,
                _about("cannot be asked: the request is malformed", what),
                remedy="Check address and token in the configuration for stray characters.",
            ) from None
        except httpx.PoolTimeout as error:
            self._note("pool")
            await self._renew()  # Connections that never come back would starve it for ever.
            raise Temporary(service, _about("could not be asked: no free connection", what)) from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            self._note("refused")
            raise Temporary(service, _about(f"cannot be reached ({type(error).__name__})", what)) from error
        except (httpx.TimeoutException, _TooSlow) as error:
            self._note("timeout")
            raise lost(service, _about("did not answer in time", what)) from error
        except _TooLarge:
            self._note("too large")
            raise lost(service, _about("answered with more than we are ready to read", what)) from None
        except httpx.HTTPError as error:  # broken off, or encoded in a way that cannot be read
            self._note("broken")
            raise lost(service, _about(f"broke off ({type(error).__name__})", what)) from error
        return Answer(response.status_code, response.headers, content, ask.is_read, what)

    async def _read(self, response: httpx.Response, ends_at: float) -> bytes:
        """The body, within the deadline and the size.

        The clock is looked at between pieces: a cancelled request never gives its connection back.
        """
        length = response.headers.get("content-length", "")
        if length.isascii() and length.isdigit() and int(length) > LARGEST_ANSWER:
            raise _TooLarge
        pieces, size = [], 0
        async for piece in response.aiter_bytes():
            pieces.append(piece)
            size += len(piece)
            if size > LARGEST_ANSWER:
                raise _TooLarge
            if time.monotonic() > ends_at:
                raise _TooSlow
        return b"".join(pieces)

    def _note(self, result: str) -> None:
        if self._on_result:
            self._on_result(self.service, result)

    async def _renew(self) -> None:
        retired, self._retired, self._client = self._retired, self._client, self._new_client()
        if retired:
            await retired.aclose()

    def _new_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self._base_url,
            headers=self._headers,
            timeout=TIMEOUTS,
            transport=self._transport,
            verify=self._verify or trusted(),
            # amoCRM refuses some requests that carry its cookies, and nobody else needs theirs back.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
        )


def _bearer(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}


@dataclass(frozen=True, slots=True)
class _Ask:
    """A request as it was asked for, however often it is sent."""

    method: str
    path: str
    params: Params | None
    json: object
    is_read: bool
    what: str
    timeouts: httpx.Timeout


class _TooLarge(Exception):
    """More than LARGEST_ANSWER."""


class _TooSlow(Exception):
    """Past the deadline."""
