"""Word of mouth: won deals that a friend brought, their money, and the codes that were used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker.metrics.base import (
    Facts,
    Metric,
    Programme,
    SaleCount,
    SaleFact,
    amount,
    is_running,
    number_of,
    same_days_before,
    share,
)
from worker.metrics.codes import Codes, by_age, codes_of, counted_codes, ends_json
from worker.metrics.stats import percent
from worker.rules.calendar import Period
from worker.rules.shares import Interval, share_difference, wilson

TOP = 10  # referrers that are named
PROBLEMS = ("self", "unknown", "ambiguous")


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """Won deals and their money."""

    deals: int
    money: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sales(Volume):
    priced: int  # deals: a price of 0 is one that nobody wrote down

    @property
    def average_check(self) -> float | None:
        return self.money / self.priced if self.priced else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Referrer:
    """A client who recommended the company; by the id, for a name is not everybody's to see."""

    client_id: int
    deals: int
    money: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    period: Period
    won: Volume
    referral: Volume
    is_running: bool

    @property
    def share(self) -> float | None:
        return percent(self.referral.deals, self.won.deals)

    @property
    def share_amount(self) -> float | None:
        return percent(self.referral.money, self.won.money)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralResult:
    won: Sales
    referral: Sales
    other: Sales
    won_before: int  # in as many days of the period before
    referral_before: int
    codes: Codes  # first sent in the period
    discount_cost: float | None  # given to friends; None: the discount is not in percent
    first_clients: int  # of the referral deals: who had bought nothing before
    repeat_clients: int  # … and who had: friends, but no new customers
    problems: Mapping[str, Sequence[int]]  # what is written is no recommendation -> won deals
    unmarked: int | None  # won deals whose referral field is empty; None: there is no such field
    programme: Programme
    top: Sequence[Referrer]  # who brought most, first
    old_codes: Codes | None  # all that are half a year old
    by_age: Sequence[tuple[Period, Codes]]  # by the month of the code
    over_time: Sequence[Stretch]  # the last ones of `referral.period`

    @property
    def codes_issued(self) -> int:
        return self.codes.issued

    @property
    def codes_redeemed(self) -> int:
        """Of those issued in the period, named by a friend's closed deal so far."""
        return self.codes.redeemed

    @property
    def redemption_rate(self) -> float | None:
        return self.codes.redemption_rate

    @property
    def share(self) -> float | None:
        return percent(self.referral.deals, self.won.deals)

    @property
    def interval(self) -> Interval | None:
        """Of the share, in percent."""
        return wilson(self.referral.deals, self.won.deals).times(100) if self.won.deals else None

    @property
    def share_amount(self) -> float | None:
        return percent(self.referral.money, self.won.money)

    @property
    def conversion(self) -> float | None:
        """Of the deals with a friend's code that were decided in the period, those won."""
        return percent(self.programme.friends_won, self.programme.friends_won + self.programme.friends_lost)

    @property
    def participation(self) -> float | None:
        """Of the people who were asked something, those who asked for the code themselves."""
        return percent(self.programme.interested, self.programme.invited)

    @property
    def difference(self) -> Interval | None:
        """Of the share from the one before, in points."""
        if not (self.won.deals and self.won_before):
            return None
        before, now = (self.referral_before, self.won_before), (self.referral.deals, self.won.deals)
        return share_difference(before, now).times(100)

    def as_json(self) -> dict[str, Any]:
        difference = self.difference
        return {
            "won_deals": self.won.deals,
            "referral_deals": self.referral.deals,
            "share": share(self.share),
            "won_amount": amount(self.won.money),
            "referral_amount": amount(self.referral.money),
            "share_amount": share(self.share_amount),
            "average_check": amount(self.won.average_check),
            "referral_average_check": amount(self.referral.average_check),
            "other_average_check": amount(self.other.average_check),
            "codes_issued": self.codes_issued,
            "codes_redeemed": self.codes_redeemed,
            "redemption_rate": share(self.redemption_rate),
            "share_ci95": ends_json(self.interval),
            "previous": {
                "won_deals": self.won_before,
                "referral_deals": self.referral_before,
                "share": share(percent(self.referral_before, self.won_before)),
            },
            "significant": None if difference is None else difference.excludes_zero,
            "discount_cost": amount(self.discount_cost),
            "first_clients": self.first_clients,
            "repeat_clients": self.repeat_clients,
            "problems": {problem: list(deals) for problem, deals in self.problems.items()},
            "unmarked": self.unmarked,
            "invited": self.programme.invited,
            "interested": self.programme.interested,
            "participation": share(self.participation),
            "friends_won": self.programme.friends_won,
            "friends_lost": self.programme.friends_lost,
            "conversion": share(self.conversion),
            "top_referrers": [
                {"client_id": one.client_id, "deals": one.deals, "amount": amount(one.money)}
                for one in self.top
            ],
            "k_proxy": None if self.old_codes is None else self.old_codes.as_json(),
            "codes_by_month": [{"period": period.label, **codes.as_json()} for period, codes in self.by_age],
            "over_time": [_stretch_json(stretch) for stretch in self.over_time],
        }


def compute(facts: Facts, period: Period) -> ReferralResult:
    before = same_days_before(period, facts.now)
    won = [row for row in facts.sales if period.contains(row.closed_at)]
    won_before = [row for row in facts.sales if before.contains(row.closed_at)]
    referral = [row for row in won if row.is_referral]
    marks = [row for row in won if row.is_unmarked is not None]
    history = facts.history
    return ReferralResult(
        won=_sales(won),
        referral=_sales(referral),
        other=_sales([row for row in won if not row.is_referral]),
        won_before=number_of(won_before),
        referral_before=number_of(row for row in won_before if row.is_referral),
        codes=codes_of([row for row in facts.codes if period.contains(row.first_sent_at)]),
        discount_cost=discount_cost(referral, facts.discount),
        first_clients=number_of(row for row in referral if row.is_first),
        repeat_clients=number_of(row for row in referral if not row.is_first),
        problems={problem: [row.deal_id for row in won if row.problem == problem] for problem in PROBLEMS},
        unmarked=number_of(row for row in marks if row.is_unmarked) if marks else None,
        programme=facts.programme,
        top=_top(referral),
        old_codes=counted_codes(history.old_codes) if history.old_codes else None,
        by_age=by_age(history.months, history.codes),
        over_time=_over_time(facts),
    )


def discount_cost(referral: Sequence[SaleFact], discount: float | None) -> float | None:
    """What the friends paid less: the price of a deal is what is left after their discount.

    With 5 percent, 171 000 were 180 000 before, so 9 000 were given.
    """
    if discount is None:
        return None
    return _money(referral) * discount / (100 - discount)


def _top(referral: Sequence[SaleFact]) -> list[Referrer]:
    brought: dict[int, list[SaleFact]] = {}
    for row in referral:
        if row.referrer_id is not None:
            brought.setdefault(row.referrer_id, []).append(row)
    everybody = (
        Referrer(client_id=client, deals=number_of(rows), money=_money(rows))
        for client, rows in brought.items()
    )
    return sorted(everybody, key=lambda one: (-one.deals, -one.money, one.client_id))[:TOP]


def _over_time(facts: Facts) -> list[Stretch]:
    counted = {row.place: row for row in facts.history.sales}
    nothing = SaleCount(place=0, deals=0, money=0, referral_deals=0, referral_money=0)
    return [
        Stretch(
            period=period,
            won=Volume(deals=row.deals, money=row.money),
            referral=Volume(deals=row.referral_deals, money=row.referral_money),
            is_running=is_running(period, facts.now),
        )
        for place, period in enumerate(facts.history.stretches)
        for row in (counted.get(place, nothing),)
    ]


def _sales(rows: Sequence[SaleFact]) -> Sales:
    return Sales(
        deals=number_of(rows), money=_money(rows), priced=number_of(row for row in rows if row.amount > 0)
    )


def _money(rows: Sequence[SaleFact]) -> float:
    return sum(row.amount * row.count for row in rows)


def _stretch_json(stretch: Stretch) -> dict[str, Any]:
    return {
        "period": stretch.period.label,
        "won_deals": stretch.won.deals,
        "referral_deals": stretch.referral.deals,
        "share": share(stretch.share),
        "won_amount": amount(stretch.won.money),
        "referral_amount": amount(stretch.referral.money),
        "share_amount": share(stretch.share_amount),
        "running": stretch.is_running,
    }


METRIC = Metric(
    key="referrals",
    title={"ru": "Рекомендации", "en": "Referrals"},
    unit={
        "ru": "выигранные сделки, по дню закрытия; коды — по дню первой отправки",
        "en": "won deals, by the day of closing; codes by the day when they were first sent",
    },
    source="Share of won deals that a friend brought (ReferralCandy's referral rate); R. Newcombe 1998; "
    "K proxy: friends who bought per code that is half a year old (A. Croll, B. Yoskovitz, Lean Analytics)",
    compute=compute,
    reading={
        "ru": "Хорошо, если сделок по рекомендации становится больше или хотя бы не меньше. "
        "Сумма сделки — уже со скидкой, поэтому скидка 5 % от 180 000 — это 9 000 при сумме 171 000. "
        "Отдачу кода видно через полгода: раньше друг мог ещё не купить.",
        "en": "Good if the number of referral deals grows or at least does not fall. The price of a deal is "
        "what is left after the discount, so 5 % of 180,000 are 9,000 where 171,000 were paid. What a code "
        "brings is seen after half a year: before that a friend may not have bought yet.",
    },
    minimum=1,
)
