"""The report for people: plain lines that read as well on a phone as in a terminal."""

from collections import Counter
from collections.abc import Iterator, Mapping

from worker.metrics.base import Result, is_running, same_days_before
from worker.metrics.channels import ChannelResults
from worker.metrics.complaints import ComplaintResult
from worker.metrics.headlines import Figures
from worker.metrics.referrals import ReferralResult
from worker.metrics.registry import METRICS
from worker.metrics.surveys import Funnel, SurveyResult, SurveyResults
from worker.reports.build import Report
from worker.reports.words import Words
from worker.rules.channels import channel_titles
from worker.rules.moments import moment_text
from worker.rules.shares import Interval
from worker.rules.wording import Texts

ENOUGH = 30  # answers, from which a score needs no warning: a judgement, as vendors make it


def as_text(report: Report, texts: Texts) -> str:
    """In the language of `texts`, which hold the reasons, verdicts and dates; no line break at the end."""
    words = Words(texts, report.scope.currency)
    blocks = [[*_title(report, words)]]
    units = [words.say("units")]
    for metric in METRICS:
        title = metric.title[words.language]
        if drawn := _blocks(report.results[metric.key], title, report, words):
            blocks += drawn
            units.append(f"{title}: {metric.unit[words.language]}.")
    blocks.append(units)
    return "\n\n".join("\n".join(block) for block in blocks)


def _title(report: Report, words: Words) -> Iterator[str]:
    yield words.say("title", company=report.scope.company, period=words.period(report.period))
    if is_running(report.period, report.now):
        moment = moment_text(words.texts, report.now, report.period.zone)
        yield words.say("running", when=moment)


def _blocks(result: Result, title: str, report: Report, words: Words) -> list[list[str]]:
    match result:
        case SurveyResults(by_key):
            titles = Counter(of.asked.title for of in by_key.values())
            return [[*_survey(of, _told_apart(of, titles), report, words)] for of in by_key.values()]
        case ComplaintResult():
            return [[title, *_complaints(result, report, words)]]
        case ReferralResult():
            return [[title, *_referrals(result, report, words)]]
        case ChannelResults():
            return [[title, *_channels(result, words)]] if result.is_worth_telling else []
        case _:
            raise TypeError(f"the text report does not know how to draw {type(result).__name__}")


def _told_apart(result: SurveyResult, titles: Mapping[str, int]) -> str:
    """Two surveys may share a title; their keys differ."""
    asked = result.asked
    return f"{asked.title} ({asked.key})" if titles[asked.title] > 1 else asked.title


# Surveys


def _survey(result: SurveyResult, title: str, report: Report, words: Words) -> Iterator[str]:
    yield from _scores(result, title, words)
    yield from _before(result, report, words)
    yield from _funnel(result.funnel, words)
    for key, people in (("managers", result.by_manager), ("subjects", result.by_subject)):
        if len(people) > 1:
            yield words.say(key)
            yield from _people(people, result.asked.metric, words)


def _scores(result: SurveyResult, title: str, words: Words) -> Iterator[str]:
    metric, now = result.asked.metric, result.current
    high, neutral, low = now.bands
    if not now.answered:
        yield words.say("none", survey=title)
    elif now.value is None or now.interval is None or now.mean is None:
        yield words.say("few", survey=title, n=words.count(now.answered))
        yield words.say("few.bands", high=high, neutral=neutral, low=low)
    else:
        yield words.say(
            metric,
            survey=title,
            **_headline(now.value, now.interval, metric, words),
            mark=words.say("mark.small") if now.answered < ENOUGH else "",
        )
        yield words.say(
            f"bands.{metric}",
            high=words.share(100 * high / now.answered),
            neutral=words.share(100 * neutral / now.answered),
            low=words.share(100 * low / now.answered),
            n=words.count(now.answered),
        )
        scale = result.asked.scale
        ends = now.mean_interval
        yield words.say(
            f"mean.{metric}",
            mean=words.decimal(now.mean),
            last=scale.last,
            # A few answers near an end of the scale would reach beyond it.
            low=words.decimal(max(ends.low, scale.first)) if ends else "",
            high=words.decimal(min(ends.high, scale.last)) if ends else "",
        )


def _headline(value: float, interval: Interval, metric: str, words: Words) -> dict[str, str]:
    """The score with its interval, in points or percent."""
    if metric == "nps":
        return {
            "value": words.points(value),
            "low": words.points(interval.low),
            "high": words.points(interval.high),
        }
    return {
        "value": words.share(value),
        "low": words.bare(interval.low),
        "high": words.share(interval.high),
    }


def _before(result: SurveyResult, report: Report, words: Words) -> Iterator[str]:
    before, metric = result.previous, result.asked.metric
    period = words.period(report.period.previous())
    if not before.answered or result.current.value is None:
        return
    if before.value is None:
        yield words.say("before.few", period=period, n=words.count(before.answered))
        return
    change = result.current.value - before.value
    yield words.say(
        "before",
        period=period,
        value=words.points(before.value) if metric == "nps" else words.share(before.value),
        n=words.count(before.answered),
        verdict=words.verdict(change, is_significant=result.significant is True),
    )


def _funnel(funnel: Funnel, words: Words) -> Iterator[str]:
    if not funnel.eligible:
        yield words.say("nobody")
    if funnel.sent:
        yield words.say(
            "asked",
            n=words.count(funnel.sent),
            m=words.count(funnel.eligible) if funnel.not_sent else "",
            value=words.count(funnel.answered),
            share=words.share(funnel.response_rate),
            mark=words.say("mark.collecting") if funnel.is_collecting else "",
        )
        if funnel.delivered < funnel.sent or funnel.read is not None:
            yield words.say(
                "arrived",
                n=words.count(funnel.delivered),
                m=None if funnel.read is None else words.count(funnel.read),
                share=words.share(funnel.response_of_delivered) if funnel.delivered < funnel.sent else "",
            )
        if funnel.uncertain:
            yield words.say("uncertain", n=words.count(funnel.uncertain))
    if funnel.not_sent:
        reasons = (f"{words.reason(code)} — {words.count(n)}" for code, n in funnel.not_sent.items())
        yield words.say("not_sent", n=words.count(sum(funnel.not_sent.values())), reason=", ".join(reasons))


def _people(people: Mapping[str, Figures], metric: str, words: Words) -> Iterator[str]:
    """Nobody is shown without the interval, or ranked by a handful of answers."""
    few: list[str] = []
    for name, of in people.items():
        if of.value is None or of.interval is None:
            few.append(f"{name} ({words.count(of.answered)})")
        else:
            headline = _headline(of.value, of.interval, metric, words)
            yield words.say("person", name=name, **headline, n=words.count(of.answered))
    if few:
        yield words.say("person.few", name=", ".join(few))


# Complaints


def _complaints(result: ComplaintResult, report: Report, words: Words) -> Iterator[str]:
    before = words.period(same_days_before(report.period, report.now))
    if not (result.opened or result.closed or result.open_now):
        yield words.say("complaints.none")
    else:
        yield words.say(
            "complaints.flow",
            n=words.count(result.opened),
            m=words.count(result.closed),
            open=words.count(result.open_now),
        )
    if result.opened_before or result.closed_before:
        yield words.say(
            "complaints.before",
            period=before,
            n=words.count(result.opened_before),
            m=words.count(result.closed_before),
        )
    yield from _resolution(result, words)
    if result.oldest_open is not None:
        yield words.say("complaints.oldest", age=words.lasting(result.oldest_open))


def _resolution(result: ComplaintResult, words: Words) -> Iterator[str]:
    mean, median, p90 = result.resolution_mean, result.resolution_median, result.resolution_p90
    if mean is None or median is None or p90 is None:
        return
    if result.closed == 1:
        yield words.say("complaints.one", mean=words.lasting(mean))
    else:
        yield words.say(
            "complaints.time",
            mean=words.lasting(mean),
            low=words.lasting(median),
            high=words.lasting(p90),
        )
    # The mean of what is closed hides what is not: said only where that makes a difference.
    if result.open_now and result.typical is not None and result.typical != median:
        yield words.say("complaints.typical", age=words.lasting(result.typical))


# Referrals


def _referrals(result: ReferralResult, report: Report, words: Words) -> Iterator[str]:
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
        yield from _referrals_before(result, report, words)
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


def _money(result: ReferralResult, words: Words) -> Iterator[str]:
    if result.referral.deals:
        yield words.say(
            "referrals.money",
            value=words.money(result.referral.money),
            amount=words.money(result.won.money),
            share=words.share(result.share_amount, 1),
        )
    has_both = bool(result.referral.deals and result.other.deals)
    yield words.say(
        "referrals.check",
        value=words.money(result.won.average_check),
        high=words.money(result.referral.average_check) if has_both else "",
        low=words.money(result.other.average_check) if has_both else "",
    )


def _referrals_before(result: ReferralResult, report: Report, words: Words) -> Iterator[str]:
    period = words.period(same_days_before(report.period, report.now))
    difference, share = result.difference, result.share
    if difference is None or share is None:
        yield words.say("referrals.before.none", period=period)
        return
    yield words.say(
        "referrals.before",
        period=period,
        n=words.count(result.referral_before),
        m=words.count(result.won_before),
        verdict=words.verdict(
            share - 100 * result.referral_before / result.won_before,
            is_significant=difference.excludes_zero,
        ),
    )


# Channels


def _channels(result: ChannelResults, words: Words) -> Iterator[str]:
    titles = channel_titles(words.texts, result.by_name)
    for name, of in result.by_name.items():
        yield words.say(
            "channel",
            name=titles[name],
            n=words.count(of.sent),
            m=None if of.delivered is None or not of.sent else words.count(of.delivered),
            value=words.count(of.answered) if of.sent else None,
            closed=words.count(of.failed) if of.failed else None,
        )
