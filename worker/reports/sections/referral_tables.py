"""The tables of referrals beside their summary, and the picture over time."""

from collections.abc import Iterator, Sequence
from itertools import dropwhile

from worker.metrics.codes import Codes
from worker.metrics.referrals import ReferralResult, Stretch
from worker.reports.document import Cell, Chart, Column, Kind, Stack, Table
from worker.reports.sections.base import columns
from worker.reports.words import Words
from worker.rules.shares import share_difference


def tables(result: ReferralResult, key: str, title: str, words: Words) -> Iterator[Table]:
    if any(stretch.won.deals for stretch in result.over_time):
        yield _over_time(result.over_time, key, title, words)
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
    stretches = [*dropwhile(lambda stretch: not stretch.won.deals, result.over_time)]
    if not any(stretch.won.money for stretch in stretches):
        return
    yield Stack(
        key=f"{key}.over_time",
        title=_changed(result.over_time, words),
        kind=Kind.MONEY,
        labels=tuple(words.period(stretch.period) for stretch in stretches),
        whole=tuple(stretch.won.money for stretch in stretches),
        part=tuple(stretch.referral.money for stretch in stretches),
        whole_title=words.column("won_amount"),
        part_title=words.column("referral_amount"),
    )


def _changed(stretches: Sequence[Stretch], words: Words) -> str:
    """By the number of deals: of a share of money nobody knows how sure it is."""
    before, now = stretches[-2:]
    told = {"value": words.share(now.share, 1)}
    if now.share is None or before.share is None:
        return words.finding("friends.first", value=told["value"] or words.cell(None, Kind.PERCENT))
    told["before"] = words.share(before.share, 1)
    difference = share_difference(
        (before.referral.deals, before.won.deals), (now.referral.deals, now.won.deals)
    )
    if not difference.excludes_zero:
        return words.finding("friends.same", **told)
    return words.finding("friends.up" if now.share > before.share else "friends.down", **told)


def _over_time(stretches: Sequence[Stretch], key: str, title: str, words: Words) -> Table:
    return Table(
        key=f"{key}.over_time",
        title=words.table("over_time", survey=title),
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
                words.period(stretch.period),
                stretch.won.deals,
                stretch.referral.deals,
                stretch.share,
                stretch.won.money,
                stretch.referral.money,
                stretch.share_amount,
                words.yes(stretch.is_running),
            )
            for stretch in stretches
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
