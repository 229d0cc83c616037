"""The one way out: an even pace, short retries of reads, deadlines, and errors that say what to do."""

import json as json_text
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Protocol

import httpx
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential

from integrations.errors import AccessDenied, OutsideError, Permanent, Temporary, Uncertain
from integrations.pace import PATIENCE, READ_TIMEOUT, Pace, Passage, Paused
from integrations.tls import trusted

Params = Mapping[str, str | int]
Files = Mapping[str, tuple[str, bytes, str]]  # field → its name, what it holds, and its kind
OnResult = Callable[[str, str], None]  # service; a status such as «200», or «timeout», «refused» …

TIMEOUTS = httpx.Timeout(connect=5, read=READ_TIMEOUT, write=20, pool=5)
DEADLINE = timedelta(seconds=60)  # of one whole answer, however slowly it drips
LARGEST_ANSWER = 20 * 1024 * 1024  # bytes
TRIES = 3  # of a read


class LeftAlone(Temporary):
    """Nothing was even tried: the service is left alone for a while."""


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
        files: Files | None = None,
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
        ask = _Ask(method, path, params, json, files, is_read, what, timeouts)
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
                ask.method,
                ask.path,
                params=ask.params,
                json=ask.json,
                files=ask.files,
                headers=headers,
                timeout=ask.timeouts,
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
    files: Files | None
    is_read: bool
    what: str
    timeouts: httpx.Timeout


class _TooLarge(Exception):
    """More than LARGEST_ANSWER."""


class _TooSlow(Exception):
    """Past the deadline."""
