"""The tables of referrals beside their summary, and the picture of the quarters."""

from collections.abc import Iterator, Sequence
from itertools import dropwhile

from worker.metrics.codes import Codes
from worker.metrics.referrals import Quarter, ReferralResult
from worker.reports.document import Cell, Chart, Column, Kind, Stack, Table
from worker.reports.sections.base import columns
from worker.reports.words import Words
from worker.rules.shares import share_difference


def tables(result: ReferralResult, key: str, title: str, words: Words) -> Iterator[Table]:
    if any(quarter.won.deals for quarter in result.quarters):
        yield _quarters(result.quarters, key, title, words)
    if result.by_age:
        yield Table(
            key=f"{key}.codes_by_month",
            title=words.table("codes_by_month", survey=title),
            columns=(*columns(words, period=Kind.TEXT), *_of_codes(words)),
            rows=tuple((words.period(month), *_codes(codes)) for month, codes in result.by_age),
        )
    if result.old_codes is not None:
        yield Table(
            key=f"{key}.k_proxy",
            title=words.table("k_proxy", survey=title),
            is_summary=True,
            columns=_of_codes(words),
            rows=(_codes(result.old_codes),),
        )
    if result.top:
        yield Table(
            key=f"{key}.top_referrers",
            title=words.table("top_referrers", survey=title),
            columns=columns(words, client_id=Kind.COUNT, deals=Kind.COUNT, amount=Kind.MONEY),
            rows=tuple((one.client_id, one.deals, one.money) for one in result.top),
        )
    if any(result.problems.values()):
        yield Table(
            key=f"{key}.problems",
            title=words.table("problems", survey=title),
            columns=columns(words, problem=Kind.TEXT, deal=Kind.COUNT, code=Kind.TEXT),
            rows=tuple(
                (words.say(f"problem.{problem}"), deal, problem)
                for problem, deals in result.problems.items()
                for deal in deals
            ),
        )


def charts(result: ReferralResult, key: str, words: Words) -> Iterator[Chart]:
    # Before the first sale there was nothing to see.
    quarters = [*dropwhile(lambda quarter: not quarter.won.deals, result.quarters)]
    if not any(quarter.won.money for quarter in quarters):
        return
    yield Stack(
        key=f"{key}.quarters",
        title=_changed(result.quarters, words),
        kind=Kind.MONEY,
        labels=tuple(words.period(quarter.period) for quarter in quarters),
        whole=tuple(quarter.won.money for quarter in quarters),
        part=tuple(quarter.referral.money for quarter in quarters),
        whole_title=words.column("won_amount"),
        part_title=words.column("referral_amount"),
    )


def _changed(quarters: Sequence[Quarter], words: Words) -> str:
    """By the number of deals: of a share of money nobody knows how sure it is."""
    before, now = quarters[-2:]
    told = {"value": words.share(now.share, 1)}
    if now.share is None or before.share is None:
        return words.finding("quarters.first", value=told["value"] or words.cell(None, Kind.PERCENT))
    told["before"] = words.share(before.share, 1)
    difference = share_difference(
        (before.referral.deals, before.won.deals), (now.referral.deals, now.won.deals)
    )
    if not difference.excludes_zero:
        return words.finding("quarters.same", **told)
    return words.finding("quarters.up" if now.share > before.share else "quarters.down", **told)


def _quarters(quarters: Sequence[Quarter], key: str, title: str, words: Words) -> Table:
    return Table(
        key=f"{key}.quarters",
        title=words.table("quarters", survey=title),
        columns=columns(
            words,
            period=Kind.TEXT,
            won_deals=Kind.COUNT,
            referral_deals=Kind.COUNT,
            share=Kind.PERCENT,
            won_amount=Kind.MONEY,
            referral_amount=Kind.MONEY,
            share_amount=Kind.PERCENT,
            running=Kind.TEXT,
        ),
        rows=tuple(
            (
                words.period(quarter.period),
                quarter.won.deals,
                quarter.referral.deals,
                quarter.share,
                quarter.won.money,
                quarter.referral.money,
                quarter.share_amount,
                words.yes(quarter.is_running),
            )
            for quarter in quarters
        ),
    )


def _of_codes(words: Words) -> tuple[Column, ...]:
    return columns(
        words,
        issued=Kind.COUNT,
        redeemed=Kind.COUNT,
        redemption_rate=Kind.PERCENT,
        share_low=Kind.PERCENT,
        share_high=Kind.PERCENT,
        uses=Kind.COUNT,
        uses_per_code=Kind.SCORE,
        won_clients=Kind.COUNT,
        per_code=Kind.SCORE,
    )


def _codes(codes: Codes) -> tuple[Cell, ...]:
    low, high = codes.interval or (None, None)
    return (
        codes.issued,
        codes.redeemed,
        codes.redemption_rate,
        low,
        high,
        codes.uses,
        codes.uses_per_code,
        codes.won_clients,
        codes.per_code,
    )
