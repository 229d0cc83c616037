"""Referrals: won deals that a friend brought, their money, and the codes for friends."""

from collections.abc import Iterator

from worker.metrics.base import Metric, same_days_before
from worker.metrics.referrals import ReferralResult
from worker.reports.build import Report
from worker.reports.document import Kind, Section, Table, Tile
from worker.reports.sections.base import columns, result_of
from worker.reports.sections.referral_tables import charts, tables
from worker.reports.words import Words


def sections(metric: Metric, report: Report, words: Words) -> Iterator[Section]:
    result = result_of(report, metric, ReferralResult)
    title = metric.title[words.language]
    yield Section(
        key=metric.key,
        title=title,
        group=title,
        lines=(*_lines(result, report, words),),
        unit=metric.unit[words.language],
        source=metric.source,
        tables=(_summary(result, metric, title, words), *tables(result, metric.key, title, words)),
        charts=(*charts(result, metric.key, words),),
        tile=_tile(result, words),
    )


def _tile(result: ReferralResult, words: Words) -> Tile | None:
    if result.share is None:
        return None
    about = words.tile("referrals", n=words.count(result.referral.deals), m=result.won.deals)
    return Tile(figure=words.share(result.share, 1), about=about)


def _lines(result: ReferralResult, report: Report, words: Words) -> Iterator[str]:
    interval = result.interval
    if interval is None:
        yield words.say("referrals.none")
    else:
        yield words.say(
            "referrals.deals",
            n=words.count(result.referral.deals),
            m=result.won.deals,
            share=words.share(result.share, 1),
            low=words.bare(interval.low),
            high=words.share(interval.high),
        )
        yield from _before(result, report, words)
        if result.won.money:
            yield from _money(result, words)
    if result.codes_issued:
        yield words.say(
            "codes",
            n=words.count(result.codes_issued),
            m=words.count(result.codes_redeemed),
            share=words.share(result.redemption_rate, 1),
        )
    else:
        yield words.say("codes.none")
    yield from _to_do(result, words)


def _to_do(result: ReferralResult, words: Words) -> Iterator[str]:
    # Where hardly anybody fills the field in, that is how the company works, and no news.
    if result.unmarked and 2 * result.unmarked <= result.won.deals:
        yield words.say("referrals.unmarked", n=result.unmarked, m=words.count(result.won.deals))
    found = [
        f"{words.say(f'problem.{problem}')} — {words.count(len(deals))}"
        for problem, deals in result.problems.items()
        if deals
    ]
    if found:
        yield words.say("referrals.problems", reason=", ".join(found))


def _money(result: ReferralResult, words: Words) -> Iterator[str]:
    if result.referral.deals:
        yield words.say(
            "referrals.money",
            value=words.money(result.referral.money),
            amount=words.money(result.won.money),
            share=words.share(result.share_amount, 1),
        )
    if result.referral.deals and result.other.deals:
        yield words.say(
            "referrals.check",
            high=words.money(result.referral.average_check),
            low=words.money(result.other.average_check),
        )


def _before(result: ReferralResult, report: Report, words: Words) -> Iterator[str]:
    period = words.period(same_days_before(report.period, report.now))
    if result.difference is None:
        yield words.say("referrals.before.none", period=period)
        return
    yield words.say(
        "referrals.before",
        period=period,
        n=words.count(result.referral_before),
        m=words.count(result.won_before),
        verdict=_verdict(result, words),
    )


def _verdict(result: ReferralResult, words: Words) -> str | None:
    difference, share = result.difference, result.share
    if difference is None or share is None:
        return None
    change = share - 100 * result.referral_before / result.won_before
    return words.verdict(change, is_significant=difference.excludes_zero)


def _summary(result: ReferralResult, metric: Metric, title: str, words: Words) -> Table:
    interval = result.interval
    return Table(
        key=f"{metric.key}.summary",
        title=words.table("summary", survey=title),
        is_summary=True,
        note=metric.reading[words.language],
        columns=columns(
            words,
            won_deals=Kind.COUNT,
            referral_deals=Kind.COUNT,
            share=Kind.PERCENT,
            share_low=Kind.PERCENT,
            share_high=Kind.PERCENT,
            won_amount=Kind.MONEY,
            referral_amount=Kind.MONEY,
            share_amount=Kind.PERCENT,
            average_check=Kind.MONEY,
            referral_average_check=Kind.MONEY,
            other_average_check=Kind.MONEY,
            codes_issued=Kind.COUNT,
            codes_redeemed=Kind.COUNT,
            redemption_rate=Kind.PERCENT,
            won_before=Kind.COUNT,
            referral_before=Kind.COUNT,
            significant=Kind.TEXT,
            discount_cost=Kind.MONEY,
            first_clients=Kind.COUNT,
            repeat_clients=Kind.COUNT,
            unmarked=Kind.COUNT,
            invited=Kind.COUNT,
            interested=Kind.COUNT,
            participation=Kind.PERCENT,
            friends_won=Kind.COUNT,
            friends_lost=Kind.COUNT,
            conversion=Kind.PERCENT,
        ),
        rows=(
            (
                result.won.deals,
                result.referral.deals,
                result.share,
                interval.low if interval else None,
                interval.high if interval else None,
                result.won.money,
                result.referral.money,
                result.share_amount,
                result.won.average_check,
                result.referral.average_check,
                result.other.average_check,
                result.codes_issued,
                result.codes_redeemed,
                result.redemption_rate,
                result.won_before,
                result.referral_before,
                _verdict(result, words),
                result.discount_cost,
                result.first_clients,
                result.repeat_clients,
                result.unmarked,
                result.programme.invited,
                result.programme.interested,
                result.participation,
                result.programme.friends_won,
                result.programme.friends_lost,
                result.conversion,
            ),
        ),
    )
