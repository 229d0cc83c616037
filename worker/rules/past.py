"""How far the past has been read, and what to ask for next: back in time, in stretches or in pages."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

FIRST_SPAN = timedelta(days=7)
SHORTEST_SPAN = timedelta(seconds=1)  # amoCRM's times have whole seconds
LONGEST_SPAN = timedelta(days=366)
FEW = 100  # rows of an answer that could hold 250: the next stretch may be twice as long


@dataclass(frozen=True, slots=True, kw_only=True)
class PastWalk:
    """Every deal that was closed between `upto` and `until` has been read; over when `upto` is `since`."""

    since: datetime
    until: datetime
    upto: datetime
    is_filtered: bool  # asked by the day of closing; else through the whole list, newest change first
    span: timedelta = FIRST_SPAN  # of the next stretch
    page: int = 1  # the next one: of the stretch, or of the whole list
    requests: int = 0
    kept: int = 0  # deals

    @property
    def is_over(self) -> bool:
        return self.upto <= self.since

    @property
    def stretch(self) -> tuple[datetime, datetime]:
        """Where the next request by the filter looks, both ends included."""
        return max(self.since, self.upto - self.span), self.upto

    @property
    def requests_left(self) -> int | None:
        """About so many: time passed by is taken for a measure. None while nothing has been read."""
        if self.is_over:
            return 0
        done = self.until - self.upto
        return round(self.requests * ((self.upto - self.since) / done)) if done else None

    def reaching(self, since: datetime) -> Self:
        """The same walk where the settings name another day: what was read stays read."""
        return replace(self, since=since)

    def without_filter(self) -> Self:
        """From the beginning of the whole list: the filter was ignored."""
        return replace(self, is_filtered=False, page=1)

    def after(self, *, oldest: datetime | None, rows: int, is_full: bool, kept: int) -> Self:
        """One answer later. `oldest`: the earliest change among its rows, None without rows."""
        walk = replace(self, requests=self.requests + 1, kept=self.kept + kept)
        if self.is_filtered:
            return walk._after_stretch(rows, is_full=is_full)
        # Nothing is closed after it was last changed: behind this page nothing was closed in time.
        is_last = not is_full or (oldest is not None and oldest < self.since)
        upto = self.since if is_last else min(self.upto, oldest or self.upto)
        return replace(walk, upto=upto, page=self.page + 1)

    def _after_stretch(self, rows: int, *, is_full: bool) -> Self:
        if is_full and self.page == 1 and self.span > SHORTEST_SPAN:
            # Asked again in halves: pages of one stretch would skip deals while some of it change.
            return replace(self, span=max(SHORTEST_SPAN, (self.span / 2)))
        if is_full:  # So many were closed within a second: an import.
            return replace(self, page=self.page + 1)
        span = min(LONGEST_SPAN, self.span * 2) if rows < FEW else self.span
        return replace(self, upto=self.stretch[0], page=1, span=span)

    def as_json(self) -> dict[str, Any]:
        return {
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "upto": self.upto.isoformat(),
            "is_filtered": self.is_filtered,
            "span": self.span.total_seconds(),
            "page": self.page,
            "requests": self.requests,
            "kept": self.kept,
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        """As `as_json` told it."""
        return cls(
            since=datetime.fromisoformat(kept["since"]),
            until=datetime.fromisoformat(kept["until"]),
            upto=datetime.fromisoformat(kept["upto"]),
            is_filtered=kept["is_filtered"],
            span=timedelta(seconds=kept["span"]),
            page=kept["page"],
            requests=kept["requests"],
            kept=kept["kept"],
        )
