"""Codes for friends: how many were handed out, how many were used, and what they brought."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from worker.metrics.base import CodeCount, CodeFact, number_of, share
from worker.metrics.stats import percent
from worker.rules.calendar import Period
from worker.rules.shares import Interval, wilson


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """Codes of one time by the day of the first sending, and what friends have done with them so far."""

    issued: int
    redeemed: int
    uses: int  # closed deals that name them
    won_clients: int  # friends who have bought

    @property
    def redemption_rate(self) -> float | None:
        return percent(self.redeemed, self.issued)

    @property
    def interval(self) -> Interval | None:
        """Of the redemption rate, in percent."""
        return wilson(self.redeemed, self.issued).times(100) if self.issued else None

    @property
    def uses_per_code(self) -> float | None:
        """Of those that were used at all."""
        return self.uses / self.redeemed if self.redeemed else None

    @property
    def per_code(self) -> float | None:
        """Friends who bought, per code handed out: what can be seen of the K-factor."""
        return self.won_clients / self.issued if self.issued else None

    def as_json(self) -> dict[str, Any]:
        return {
            "issued": self.issued,
            "redeemed": self.redeemed,
            "redemption_rate": share(self.redemption_rate),
            "ci95": ends_json(self.interval),
            "uses": self.uses,
            "uses_per_code": share(self.uses_per_code),
            "won_clients": self.won_clients,
            "per_code": share(self.per_code),
        }


def by_age(months: Sequence[Period], counts: Sequence[CodeCount]) -> list[tuple[Period, Codes]]:
    """Months in which no code was handed out say nothing."""
    counted = {row.place: counted_codes(row) for row in counts}
    return [(month, counted[place]) for place, month in enumerate(months) if place in counted]


def counted_codes(row: CodeCount) -> Codes:
    return Codes(issued=row.issued, redeemed=row.redeemed, uses=row.uses, won_clients=row.won_clients)


def codes_of(rows: Sequence[CodeFact]) -> Codes:
    return Codes(
        issued=number_of(rows),
        redeemed=number_of(row for row in rows if row.is_redeemed),
        uses=sum(row.uses * row.count for row in rows),
        won_clients=sum(row.won_clients * row.count for row in rows),
    )


def ends_json(interval: Interval | None) -> list[float | None] | None:
    return None if interval is None else [share(end) for end in interval]
