"""The walk through changed leads: by key where filters work, backwards in time where they do not."""

import itertools
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from integrations.amocrm.answers import SERVICE, FiltersIgnored, Unsorted
from integrations.amocrm.models import BrokenRow, Lead, LeadPage

# At most 250 leads a page: https://www.amocrm.ru/developers/content/crm_platform/leads-api
PAGE_SIZE = 250
SECOND = timedelta(seconds=1)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rows:
    """One answer with leads: its rows as they came and amoCRM's clock."""

    rows: Sequence[Any]
    server_time: datetime | None


Fetch = Callable[[str, int], Coroutine[Any, Any, Rows]]  # the query without page and limit; the page


@dataclass(slots=True)
class _Page:
    leads: list[Lead] = field(default_factory=list)
    broken: list[BrokenRow] = field(default_factory=list)


@dataclass(slots=True)
class _Seen:
    """What this walk has already handed over, and how far it has come."""

    rows: set[tuple[int, datetime]] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    newest: datetime | None = None

    def page(self, page: _Page, server_time: datetime | None) -> LeadPage:
        leads = tuple(lead for lead in page.leads if (lead.id, lead.updated_at) not in self.rows)
        broken = tuple(row for row in page.broken if row.raw not in self.broken)
        self.rows.update((lead.id, lead.updated_at) for lead in leads)
        self.broken.update(row.raw for row in broken)
        for lead in leads:
            # Clients may write any `updated_at`: a watermark in the future would lose what comes before it.
            moment = min(lead.updated_at, server_time or lead.updated_at)
            self.newest = max(moment, self.newest or moment)
        return LeadPage(leads=leads, broken=broken, newest=self.newest)


async def changed(fetch: Fetch, since: datetime, *, filtered: bool) -> AsyncIterator[LeadPage]:
    """Leads changed at `since` or later, each once; goes backwards by itself when the filter is ignored."""
    seen = _Seen()
    since = since.replace(microsecond=0)
    if filtered:
        try:
            async for page in _forwards(fetch, since, seen):
                yield page
        except FiltersIgnored as error:
            log.warning("%s. %s", error, error.remedy)
        else:
            return
    async for page in _backwards(fetch, since, seen):
        yield page


async def _forwards(fetch: Fetch, since: datetime, seen: _Seen) -> AsyncIterator[LeadPage]:
    """Oldest first, by the filter.

    A keyset walk: each request starts one second before the newest row so far, so rows that change meanwhile
    move to the end and none is skipped, even if the bound turns out to be exclusive. Where a whole page lies
    within two seconds the walk turns its pages, and then turns them back: rows that change leave the crowd
    and the rest move up to earlier pages, where only a backward walk is sure to meet them.
    """
    start = since
    while True:
        for number in itertools.count(1):
            answer = await fetch(_asc(start), number)
            page = read_rows(answer.rows)
            _check_ascending(page.leads, start)
            yield seen.page(page, answer.server_time)
            last = max((lead.updated_at for lead in page.leads), default=start)
            is_full = len(answer.rows) >= PAGE_SIZE
            if not is_full or last - SECOND > start:
                break
        for earlier in range(number - 1, 0, -1):
            answer = await fetch(_asc(start), earlier)
            yield seen.page(read_rows(answer.rows), answer.server_time)
        if not is_full:
            return
        start = last - SECOND


async def _backwards(fetch: Fetch, since: datetime, seen: _Seen) -> AsyncIterator[LeadPage]:
    """Newest first, without a filter, until a whole page is older than `since`.

    Rows that change meanwhile push others back: those come twice and are handed over once. What changed while
    we walked is newer than the first page's newest, which becomes the watermark, and is met the next time.
    """
    newest: datetime | None = None
    for number in itertools.count(1):
        answer = await fetch("order[updated_at]=desc", number)
        page = read_rows(answer.rows)
        _check_descending(page.leads)
        in_time = [lead for lead in page.leads if lead.updated_at >= since]
        is_last = len(answer.rows) < PAGE_SIZE or (bool(page.leads) and not in_time)
        found = seen.page(_Page(in_time, page.broken), answer.server_time)
        newest = found.newest if number == 1 else newest
        yield replace(found, newest=newest if is_last else None, is_filtered=False)
        if is_last:
            return


def closed_within(answer: Rows, low: int, high: int) -> LeadPage:
    """Rows that were asked for by when they were closed, in Unix seconds."""
    page = read_rows(answer.rows)
    if any(lead.closed_at is None or not low <= lead.closed_at.timestamp() <= high for lead in page.leads):
        raise FiltersIgnored(
            SERVICE,
            "ignores filters: a deal came that was not asked for",
            remedy="The past is read without filters now, which takes more requests.",
        )
    return _as_it_came(page, answer)


def by_change(answer: Rows) -> LeadPage:
    """Rows of the whole list, the latest change first."""
    page = read_rows(answer.rows)
    _check_descending(page.leads)
    return _as_it_came(page, answer)


def _as_it_came(page: _Page, answer: Rows) -> LeadPage:
    return LeadPage(leads=tuple(page.leads), broken=tuple(page.broken), is_full=len(answer.rows) >= PAGE_SIZE)


def read_rows(rows: Sequence[Any]) -> _Page:
    """Each row by itself: one that cannot be understood is set aside."""
    page = _Page()
    for row in rows:
        try:
            page.leads.append(Lead.model_validate(row))
        except ValidationError as error:
            page.broken.append(BrokenRow.of(row, error))
    return page


def _asc(start: datetime) -> str:
    return f"filter[updated_at][from]={int(start.timestamp())}&order[updated_at]=asc"


def _check_ascending(leads: Sequence[Lead], start: datetime) -> None:
    times = [lead.updated_at for lead in leads]
    if times != sorted(times) or (times and times[0] < start):
        raise FiltersIgnored(
            SERVICE,
            "ignores filters: a deal came that was not asked for",
            remedy="The pull reads without filters now, which takes more requests.",
        )


def _check_descending(leads: Sequence[Lead]) -> None:
    times = [lead.updated_at for lead in leads]
    if times != sorted(times, reverse=True):
        raise Unsorted(
            SERVICE,
            "does not list deals by the time of their change",
            remedy="Ask amoCRM's support to switch on the list filters of the API.",
        )
