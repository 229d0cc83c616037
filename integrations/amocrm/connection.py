"""One account behind amoCRM's API: how it is asked, how answers are read, and how we stand with it."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx
from pydantic import ValidationError

from integrations.amocrm import walk
from integrations.amocrm.answers import SERVICE, Blocked, Gone, Unpaid, explain, unpaid
from integrations.amocrm.auth import Login, LoginState, OAuth
from integrations.amocrm.models import BrokenRow, Row, Written
from integrations.errors import OutsideError, Permanent, Rejected, Temporary, Uncertain
from integrations.http import Answer, Http, OnResult, failed
from integrations.pace import Pace

API = "/api/v4"
PAGE_SIZE = walk.PAGE_SIZE
CONTACTS_AT_ONCE = 200  # 4.4 KB of address with plain brackets
MOST_PAGES = 4000  # a million rows; beyond that the far side repeats itself
MOST_WRITES = 50  # https://www.amocrm.ru/developers/content/api/recommendations
FILTERS_PAUSE = timedelta(days=1)  # until a filter that was ignored is tried again
UNPAID_PAUSE = timedelta(minutes=15)  # until a write tries again whether the subscription is paid

AnyRow = TypeVar("AnyRow", bound=Row)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How we stand with an account. None: nothing has been heard about it yet."""

    login: LoginState | None = None  # of OAuth
    is_refused: bool | None = None  # the token
    is_blocked: bool | None = None  # 403 for everything
    is_busy: bool = False  # a storm of «too fast»: we pause
    is_unpaid: bool | None = None  # writes are refused, and wait


class Connection:
    """What every part of the API is asked through. Raises only the errors of `integrations.errors`."""

    def __init__(
        self,
        base_url: str,
        token: str | Login,
        *,
        requests_per_second: float = 5,
        transport: httpx.AsyncBaseTransport | None = None,
        on_result: OnResult | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._contacts_at_once = CONTACTS_AT_ONCE
        self._pace = pace or Pace(requests_per_second)
        self.oauth = (
            OAuth(token, self.base_url, pace=self._pace, transport=transport, on_result=on_result)
            if isinstance(token, Login)
            else None
        )
        self._http = Http(
            SERVICE,
            self.base_url,
            headers={"Authorization": f"Bearer {token}"} if isinstance(token, str) else None,
            tokens=self.oauth,
            pace=self._pace,
            transport=transport,
            on_result=on_result,
            explain=explain,
            observe=self._observe,
        )
        self._is_refused: bool | None = None
        self._is_blocked: bool | None = None
        self._is_unpaid: bool | None = None
        self._writes_wait_until = float("-inf")
        self._filters_wait_until = float("-inf")
        # Its clock in the latest answer, and what `time.monotonic` showed then.
        self.heard: tuple[datetime, float] | None = None

    @property
    def paused_for(self) -> timedelta:
        """How long amoCRM is left alone after a block or «too fast»."""
        return self._pace.parked_for

    @property
    def is_circuit_open(self) -> bool:
        """Does everything pause, after a block or a storm of «too fast»? Until a request is let through."""
        return self._pace.is_open

    @property
    def heeds_filters(self) -> bool:
        """False for a day after a filter was ignored, whatever the account says that it has bought."""
        return self._pace.now() >= self._filters_wait_until

    def _ignores_filters(self) -> None:
        self._filters_wait_until = self._pace.now() + FILTERS_PAUSE.total_seconds()

    @property
    def condition(self) -> Condition:
        login = self.oauth.state if self.oauth is not None else None
        is_refused = self._is_refused if self.oauth is None else self.oauth.is_stuck or self._is_refused
        return Condition(
            login=login,
            is_refused=is_refused,
            is_blocked=self._is_blocked,
            is_busy=self._pace.is_open and not self._is_blocked,
            is_unpaid=self._is_unpaid,
        )

    async def close(self) -> None:
        await self._http.close()
        if self.oauth is not None:
            await self.oauth.close()

    def _observe(self, answer: Answer, error: OutsideError | None) -> None:
        """Learn from every answer how we stand with this account, and what time it is there."""
        if said := answer.server_time:
            self.heard = (said, time.monotonic())
        if answer.status != 401:
            self._is_refused = False
            if self.oauth is not None:
                self.oauth.is_stuck = False
        elif self.oauth is None:
            self._is_refused = True
        if answer.status != 429:
            self._is_blocked = isinstance(error, Blocked)
        if isinstance(error, Unpaid):
            self._is_unpaid = True
            self._writes_wait_until = self._pace.now() + UNPAID_PAUSE.total_seconds()
        elif error is None and not answer.is_read:
            self._is_unpaid = False

    # For the files beside this one that have rows of their own

    async def listed(self, model: type[AnyRow], path: str, key: str) -> tuple[AnyRow, ...]:
        """A whole list of these rows."""
        return await self._all(model, path, key)

    async def first_of(self, model: type[AnyRow], path: str, key: str) -> tuple[AnyRow, ...]:
        """The rows of one answer: of a list in which only the beginning matters."""
        return tuple(self._readable(model, self._rows(await self._get(f"{API}/{path}", key), key)))

    async def made(self, model: type[AnyRow], path: str, key: str, element: Mapping[str, object]) -> AnyRow:
        """One more row of a list, as it is afterwards. Uncertain when the answer was lost or says nothing."""
        answer = await self._write("POST", path, [given(element)], f"new {path}")
        rows = self._readable(model, self._rows(answer, key))
        if len(rows) != 1:
            raise Uncertain(SERVICE, f"did not tell what it created: new {path}")
        return rows[0]

    async def posted(self, model: type[AnyRow], path: str, body: Mapping[str, object]) -> AnyRow:
        """What comes of an object that is no element of a list."""
        answer = await self._write("POST", path, body, f"new {path}")
        return self._one(model, self._http.parse(answer), answer)

    # How it is asked

    async def _get(self, path: str, what: str) -> Answer:
        return await self._http.send("GET", path, what=what)

    async def _write(self, method: str, path: str, body: object, what: str) -> Answer:
        """While the subscription is over, writes are refused here; reads go on."""
        if self._pace.now() < self._writes_wait_until:
            raise unpaid(what)
        return await self._http.send(method, f"{API}/{path}", json=body, what=what)

    async def _find(self, model: type[AnyRow], path: str, what: str) -> AnyRow | None:
        """One entity by its id; what does not exist is 204 in most lists and a JSON 404 in some."""
        try:
            answer = await self._get(f"{API}/{path}", what)
        except Gone:
            return None
        return None if answer.status == 204 else self._one(model, self._http.parse(answer), answer)

    async def _all(self, model: type[AnyRow], path: str, key: str) -> tuple[AnyRow, ...]:
        """A whole list, page by page.

        `next` may stand on the last page, and a page may hold fewer rows than asked for with more to come,
        so the end is an empty page, no `next`, or a page that brings nothing new.
        """
        found: dict[int, AnyRow] = {}
        joint = "&" if "?" in path else "?"
        for page in range(1, MOST_PAGES):
            answer = await self._get(
                f"{API}/{path}{joint}limit={PAGE_SIZE}&page={page}", path.partition("?")[0]
            )
            rows, has_next = self._page(answer, key)
            before = len(found)
            found |= {row.id: row for row in self._readable(model, rows)}
            if not has_next or len(found) == before:
                break
        return tuple(found.values())

    async def _by_ids(
        self, model: type[AnyRow], entity: str, with_: str, ids: Iterable[int], filtered: bool
    ) -> tuple[AnyRow, ...]:
        left = list(dict.fromkeys(ids))
        filtered = filtered and self.heeds_filters
        found: dict[int, AnyRow] = {}
        asked = left
        while left and filtered:
            batch = left[: self._contacts_at_once]
            try:
                rows = await self._batch(model, entity, with_, batch)
            except Permanent as error:
                if error.status not in (400, 414) or len(batch) == 1:
                    raise
                self._contacts_at_once = max(1, len(batch) // 2)  # The address was too long for them.
                continue
            if any(row.id not in batch for row in rows):
                # More than were asked for are simply all. One in the place of another may be what that was
                # merged into: no reason to read everything without filters for a day.
                if len(rows) > len(batch):
                    log.warning("%s ignores filters: %s are read one by one", SERVICE, entity)
                    self._ignores_filters()
                filtered = False
                continue
            found |= {row.id: row for row in rows}
            left = left[len(batch) :]
        for row_id in left:
            row = await self._find(model, f"{entity}/{row_id}?{with_}".rstrip("?"), entity)
            if row:
                found[row_id] = row
        return tuple(found[row_id] for row_id in asked if row_id in found)

    async def _batch(self, model: type[AnyRow], entity: str, with_: str, ids: Sequence[int]) -> list[AnyRow]:
        # Plain brackets: encoded ones make the address three times as long.
        query = "&".join(f"filter[id][]={row_id}" for row_id in ids)
        path = f"{API}/{entity}?{query}&limit={PAGE_SIZE}&page=1" + (f"&{with_}" if with_ else "")
        return self._readable(model, self._rows(await self._get(path, entity), entity))

    async def _create(self, path: str, key: str, element: Mapping[str, object], request_id: str) -> int:
        """Create one entity and give its id. A lost or unreadable answer is Uncertain: it may exist."""
        answer = await self._write("POST", path, [given(element)], f"new {path}")
        written = self._readable(Written, self._rows(answer, key))
        ids = [row.id for row in written if row.request_id == request_id] or [row.id for row in written]
        if len(ids) != 1:
            raise Uncertain(SERVICE, f"did not tell the id of what it created: new {path}")
        return ids[0]

    async def _write_many(
        self, method: str, path: str, elements: Sequence[Mapping[str, object]], lead_ids: Sequence[int]
    ) -> None:
        if len(elements) > MOST_WRITES:
            raise ValueError(f"at most {MOST_WRITES} elements a request, not {len(elements)}")
        if not elements:
            return
        try:
            self._http.parse(await self._write(method, path, elements, f"{method} {path}"))
        except Rejected as error:
            # Elements are named by their place in the list, or by the deal itself.
            places = {str(place): str(lead_id) for place, lead_id in enumerate(lead_ids)}
            named = {places.get(key, key): text for key, text in error.elements.items()}
            raise Rejected(SERVICE, error.detail, named, status=error.status) from error

    # How it is read

    def _rows(self, answer: Answer, key: str) -> list[Any]:
        return self._page(answer, key)[0]

    def _page(self, answer: Answer, key: str) -> tuple[list[Any], bool]:
        """The list in an answer, and whether another page is announced.

        A different shape is a failed read, for nothing can be concluded from it.
        """
        if answer.status == 204:
            return [], False
        body = self._http.parse(answer)
        page = body if isinstance(body, Mapping) else {}
        embedded, links = page.get("_embedded"), page.get("_links")
        rows = embedded.get(key) if isinstance(embedded, Mapping) else None
        if not isinstance(rows, list):
            raise failed(SERVICE, answer, f"answered without a list of {key}")
        return rows, isinstance(links, Mapping) and "next" in links

    def _one(self, model: type[AnyRow], body: object, answer: Answer) -> AnyRow:
        try:
            return model.model_validate(body)
        except ValidationError as error:
            problem = BrokenRow.of(body, error).error
            raise Temporary(SERVICE, f"gave an unreadable {answer.what}: {problem}") from None

    def _readable(self, model: type[AnyRow], rows: Iterable[object]) -> list[AnyRow]:
        """The rows that can be understood; each of the others leaves a line in the log."""
        readable = []
        for row in rows:
            try:
                readable.append(model.model_validate(row))
            except ValidationError as error:
                broken = BrokenRow.of(row, error)
                log.warning("%s %s is unreadable: %s", model.__name__, broken.id, broken.error)
        return readable


def given(element: Mapping[str, object]) -> dict[str, object]:
    """Only what was given: keys that are read back into a write refuse the whole list."""
    return {key: value for key, value in element.items() if value not in (None, {}, [])}
