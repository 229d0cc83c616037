"""How the worker is: what the flows report, told to people and machines by /healthz, /readyz and /metrics."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from storage.counts import RowCounts
from storage.errors import StorageError

TICK_LIMIT = timedelta(seconds=30)  # The scheduler wakes flows every few seconds.
DATABASE_LIMIT = timedelta(seconds=5)


class Health:
    """Flows and clients report here; it decides nothing and calls nobody outside.

    `limits` says how long ago a flow's last success may be; its keys are the flows that readiness asks for.
    `ping` and `count` read the database; what they raise is a StorageError.
    """

    def __init__(
        self,
        *,
        limits: Mapping[str, timedelta],
        ping: Callable[[], Awaitable[object]],
        count: Callable[[], Awaitable[RowCounts]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._ping = ping
        self._count = count
        self._monotonic = monotonic
        self._ticked: float | None = None
        self._succeeded: dict[str, float] = {}
        self._open_circuits: set[str] = set()
        self._bad_tokens: set[str] = set()
        self._errors: dict[str, str] = {}
        self._troubles: dict[str, str] = {}
        self._pinging: asyncio.Future[object] | None = None

        # A registry of our own: the library's global one would survive a second worker in the same process.
        self.registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=self.registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(name, text, labels, registry=self.registry)

        self._messages = counter("sarafan_messages_total", "Messages", "channel", "direction", "outcome")
        self._requests = counter("sarafan_requests_total", "Requests to services", "service", "status")
        self._rejected = counter(
            "sarafan_webhooks_rejected_total", "Webhooks that changed nothing", "channel", "reason"
        )
        self._circuits = gauge("sarafan_circuit_open", "1 = requests to it pause", "service")
        self._tokens = gauge("sarafan_token_valid", "0 = refused", "service")
        self._last_success = gauge(
            "sarafan_last_success_timestamp_seconds", "When a run of the flow last succeeded", "flow"
        )
        self._surveys = gauge("sarafan_surveys", "Surveys by state", "survey", "state")
        self._inbox = gauge("sarafan_inbox_rows", "What came in, by state", "state")
        self._outbox = gauge("sarafan_outbox_rows", "What has to be done outside, by state", "kind", "state")
        self._oldest = gauge("sarafan_oldest_seconds", "How long the oldest row of a queue waits", "queue")

    # What is reported

    def tick(self) -> None:
        """The scheduler is alive."""
        self._ticked = self._monotonic()

    def mark(self, flow: str, now: datetime) -> None:
        """A run of this flow succeeded."""
        self._succeeded[flow] = self._monotonic()
        self._last_success.labels(flow).set(now.timestamp())

    def stand_by(self, flow: str) -> None:
        """Another worker runs this flow: we are as ready as it is."""
        self._succeeded[flow] = self._monotonic()

    def count_message(self, channel: str, direction: str, outcome: str) -> None:
        self._messages.labels(channel, direction, outcome).inc()

    def count_request(self, service: str, status: int | str) -> None:
        """A request to a service ended: with a status, or with a word such as «timeout»."""
        self._requests.labels(service, str(status)).inc()
        if isinstance(status, int) and status < 400:
            self._errors.pop(service, None)

    def count_rejected(self, channel: str, reason: str) -> None:
        self._rejected.labels(channel, reason).inc()

    def set_circuit(self, service: str, *, is_open: bool) -> None:
        (self._open_circuits.add if is_open else self._open_circuits.discard)(service)
        self._circuits.labels(service).set(is_open)

    def set_token(self, service: str, *, is_valid: bool) -> None:
        (self._bad_tokens.discard if is_valid else self._bad_tokens.add)(service)
        self._tokens.labels(service).set(is_valid)

    def set_error(self, service: str, detail: str) -> None:
        """The last error of a service, free of secrets; a later success of a request takes it back."""
        self._errors[service] = detail

    def set_trouble(self, about: str, sentence: str) -> None:
        """What else keeps the worker from its work, such as a full disk; an empty sentence takes it back."""
        if sentence:
            self._troubles[about] = sentence
        else:
            self._troubles.pop(about, None)

    # What is told

    def is_alive(self) -> bool:
        return self._ticked is None or self._monotonic() - self._ticked <= TICK_LIMIT.total_seconds()

    async def reasons(self) -> list[str]:
        """Why the worker does not do its work now; empty when it does."""
        found = [await self._trouble_of_the_database()]
        found += [self._trouble_of_the_flow(flow, limit) for flow, limit in self._limits.items()]
        found += [f"{service}: the token is refused" for service in sorted(self._bad_tokens)]
        found += [f"{service}: too many failures, requests pause" for service in sorted(self._open_circuits)]
        found += [f"{about}: {sentence}" for about, sentence in sorted(self._troubles.items())]
        reasons = [reason for reason in found if reason]
        # An error alone is no reason, the next try may pass; beside a reason it says where to look.
        return reasons and [*reasons, *(f"{name}: last error: {said}" for name, said in self._errors.items())]

    async def exposition(self) -> bytes:
        """Everything in the text format of Prometheus; without rows while the database does not answer."""
        try:
            rows = await self._count()
        except StorageError:
            rows = RowCounts()
        for gauge, numbers in (
            (self._surveys, rows.surveys),
            (self._inbox, rows.inbox),
            (self._outbox, rows.outbox),
            (self._oldest, rows.oldest),
        ):
            gauge.clear()  # A state that has no rows any more has no series.
            for labels, number in numbers.items():
                gauge.labels(*labels).set(number)
        return generate_latest(self.registry)

    async def _trouble_of_the_database(self) -> str:
        # A ping that hangs is left alone and asked about again, so that probes never pile up behind it.
        if self._pinging is None:
            self._pinging = asyncio.ensure_future(self._ping())
        pinging = self._pinging
        done, _ = await asyncio.wait([pinging], timeout=DATABASE_LIMIT.total_seconds())
        if not done:
            return f"database: does not answer within {_span(DATABASE_LIMIT.total_seconds())}"
        self._pinging = None
        try:
            pinging.result()
        except StorageError as error:
            return f"database: {error}"
        return ""

    def _trouble_of_the_flow(self, flow: str, limit: timedelta) -> str:
        succeeded = self._succeeded.get(flow)
        if succeeded is None:
            return f"{flow}: has not succeeded yet"
        age = self._monotonic() - succeeded
        if age <= limit.total_seconds():
            return ""
        return f"{flow}: last success {_span(age)} ago (limit {_span(limit.total_seconds())})"


def health_routes(health: Health) -> list[Route]:
    async def healthz(_: Request) -> Response:
        if health.is_alive():
            return PlainTextResponse("ok\n")
        return PlainTextResponse("the scheduler stands still\n", status_code=503)

    async def readyz(_: Request) -> Response:
        reasons = await health.reasons()
        return JSONResponse(reasons, status_code=503 if reasons else 200)

    async def metrics(_: Request) -> Response:
        return Response(await health.exposition(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]


def _span(seconds: float) -> str:
    """About how long: `45 s`, `12 min`, `3 h`."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{round(seconds / length)} {unit}"
    return f"{round(seconds)} s"
