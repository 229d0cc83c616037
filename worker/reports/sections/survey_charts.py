"""The pictures of a survey: over time, its distribution, and people with their intervals."""

from collections.abc import Iterator, Mapping
from itertools import takewhile

from worker.metrics.headlines import Figures
from worker.metrics.surveys import SurveyResult
from worker.reports.document import Bar, Bars, Chart, Dots, Kind, Point, Trend
from worker.reports.sections.survey_tables import headline_kind
from worker.reports.words import Words
from worker.rules.scale import Scale


def charts(result: SurveyResult, key: str, title: str, words: Words) -> Iterator[Chart]:
    # One period is no trend.
    if sum(point.figures.value is not None for point in result.trend.points) > 1:
        yield _trend(result, key, title, words)
    if not result.current.answered:
        return
    yield _distribution(result, key, title, words)
    for who, people in (("manager", result.by_manager), ("subject", result.by_subject)):
        # One person is compared with nobody, and who has too few answers is in the table.
        if sum(of.interval is not None for of in people.values()) > 1:
            yield _people(result, people, f"{key}.by_{who}", title, words)


def _trend(result: SurveyResult, key: str, title: str, words: Words) -> Trend:
    # Before the first answer there was nothing to see; a gap later on is seen.
    earlier = len([*takewhile(lambda point: not point.figures.answered, result.trend.points)])
    return Trend(
        key=f"{key}.trend",
        title=_changed(result, title, words),
        kind=headline_kind(result.asked.metric),
        points=tuple(
            Point(
                label=words.period(point.period),
                value=of.value,
                low=of.interval.low if of.interval else None,
                high=of.interval.high if of.interval else None,
                answers=of.answered,
            )
            for point in result.trend.points[earlier:]
            for of in (point.figures,)
        ),
        breaks=tuple(index - earlier for index in result.trend.breaks),
    )


def _changed(result: SurveyResult, title: str, words: Words) -> str:
    """The last period against the one before it: a change within the margin of error is not called one."""
    *earlier, last = result.trend.points
    now = last.figures.value
    if now is None:
        return words.finding("trend.few", survey=title)
    kind = headline_kind(result.asked.metric)
    told = {"survey": title, "value": words.points(now) if kind is Kind.POINTS else words.share(now)}
    before = next((point for point in reversed(earlier) if point.period != last.period), None)
    if before is None or before.figures.value is None:
        return words.finding("trend.first", **told)
    if before.scale != last.scale:
        return words.finding("trend.scale", **told)
    was = before.figures.value
    told["before"] = words.points(was) if kind is Kind.POINTS else words.share(was)
    if words.points(was) == words.points(now):
        return words.finding("trend.even", survey=title, value=told["value"])
    direction = "up" if now > was else "down"
    difference = result.headline.difference(before.figures.bands, last.figures.bands)
    return words.finding(f"trend.{direction}{'' if difference.excludes_zero else '.same'}", **told)


def _distribution(result: SurveyResult, key: str, title: str, words: Words) -> Bars:
    scale = result.asked.scale
    labels = {option.value: option.label for option in scale.options}
    return Bars(
        key=f"{key}.distribution",
        title=_told(result, title, words),
        kind=Kind.COUNT,
        bars=tuple(
            Bar(label=labels.get(value, str(value)), value=number, tone=_tone(value, scale))
            for value, number in result.distribution.items()
        ),
    )


def _tone(value: int, scale: Scale) -> str:
    """Of an answer on an earlier scale nothing is said."""
    return scale.band(value).value if value in scale.values else ""


def _told(result: SurveyResult, title: str, words: Words) -> str:
    now, metric = result.current, result.asked.metric
    if now.value is None:
        return words.finding("distribution.few", survey=title, n=words.count(now.answered))
    return words.finding(
        f"distribution.{metric}",
        survey=title,
        value=words.points(now.value) if metric == "nps" else words.share(now.value),
        high=words.share(100 * now.bands.high / now.answered),
        low=words.share(100 * now.bands.low / now.answered),
    )


def _people(result: SurveyResult, people: Mapping[str, Figures], key: str, title: str, words: Words) -> Dots:
    return Dots(
        key=key,
        title=_compared(result, people, title, words),
        kind=headline_kind(result.asked.metric),
        points=tuple(
            Point(
                label=name,
                value=of.value,
                low=of.interval.low,
                high=of.interval.high,
                answers=of.answered,
            )
            for name, of in people.items()
            if of.interval is not None
        ),
        average=result.current.value,
    )


def _compared(result: SurveyResult, people: Mapping[str, Figures], title: str, words: Words) -> str:
    """Only who differs from the average beyond chance is named."""
    average = result.current.value
    known = {name: of.interval for name, of in people.items() if of.interval is not None}
    high = [name for name, of in known.items() if average is not None and of.low > average]
    low = [name for name, of in known.items() if average is not None and of.high < average]
    key = {(True, True): "both", (True, False): "high", (False, True): "low"}.get(
        (bool(high), bool(low)), "same"
    )
    return words.finding(f"people.{key}", survey=title, high=", ".join(high), low=", ".join(low))
