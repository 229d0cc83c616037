"""Links between metrics: do two figures of one deal go together?"""

from collections.abc import Iterator, Mapping

from worker.metrics.base import Metric
from worker.metrics.links import ENOUGH, REACTION, TIME, Link, LinkResult, counted
from worker.reports.build import Report
from worker.reports.document import Chart, Column, Kind, Section, Spots, Table
from worker.reports.sections.base import columns, result_of
from worker.reports.words import Words


def sections(metric: Metric, report: Report, words: Words) -> Iterator[Section]:
    result = result_of(report, metric, LinkResult)
    if not any(link.pairs for link in result.links):
        return
    title = metric.title[words.language]
    names = {asked.key: asked.title for asked in report.scope.surveys}
    names |= {TIME: words.say("link.time"), REACTION: words.say("link.frt")}
    yield Section(
        key=metric.key,
        title=title,
        group=title,
        lines=(*_lines(result, names, words),),
        unit=metric.unit[words.language],
        source=metric.source,
        tables=(*_tables(result, metric, title, names, words),),
        charts=(*_charts(result, metric.key, names, words),),
    )


def _lines(result: LinkResult, names: Mapping[str, str], words: Words) -> Iterator[str]:
    for link in (one for one in result.links if one.pairs):
        key = "link.few" if len(link.pairs) < ENOUGH else "link.flat" if link.rho is None else "link"
        yield words.say(
            key,
            survey=names[link.first],
            name=names[link.second],
            n=words.count(len(link.pairs)),
            m=_of(link, words),
            value=words.cell(link.rho, Kind.SCORE),
            verdict=_verdict(link, words),
        )
    if any(link.rho is not None for link in result.links):
        yield words.say("link.note")


def _verdict(link: Link, words: Words) -> str:
    if link.rho is None or not link.is_clear:
        return words.say("link.same")
    of = {TIME: "time", REACTION: "frt"}.get(link.second, "ease")
    return words.say(f"link.{of}.{'up' if link.rho > 0 else 'down'}")


def _of(link: Link, words: Words) -> str:
    """What a pair is of."""
    return words.say("link.months" if link.second == REACTION else "link.deals")


def _tables(
    result: LinkResult, metric: Metric, title: str, names: Mapping[str, str], words: Words
) -> Iterator[Table]:
    yield Table(
        key=f"{metric.key}.pairs",
        title=words.table("pairs", survey=title),
        columns=columns(
            words,
            first=Kind.TEXT,
            second=Kind.TEXT,
            linked=Kind.TEXT,
            number=Kind.COUNT,
            rho=Kind.SCORE,
            significant=Kind.TEXT,
        ),
        rows=tuple(
            (
                names[link.first],
                names[link.second],
                _of(link, words),
                len(link.pairs),
                link.rho,
                None if link.is_clear is None else _verdict(link, words),
            )
            for link in result.links
        ),
        note=metric.reading[words.language],
    )
    for link in result.links:
        if link.pairs:
            yield _points(link, f"{metric.key}.{link.key}", names, words)


def _charts(result: LinkResult, key: str, names: Mapping[str, str], words: Words) -> Iterator[Chart]:
    for link in (one for one in result.links if one.rho is not None):
        told = {"n": words.count(len(link.pairs)), "m": _of(link, words)}
        seen = words.say("link.seen", value=words.cell(link.rho, Kind.SCORE), **told)
        verdict = _verdict(link, words).removesuffix(".")
        yield Spots(
            key=f"{key}.{link.key}.spots",
            title=words.finding(
                "link",
                survey=names[link.first],
                name=names[link.second],
                verdict=f"{verdict[:1].lower()}{verdict[1:]}",
            ),
            kind=Kind.POINTS if link.second == REACTION else Kind.SCORE,
            spots={(second, first): number for (first, second), number in counted(link.pairs).items()},
            across_title=names[link.second],
            across_kind=_kind_of_second(link),
            up_title=names[link.first],
            note=f"{seen[:1].upper()}{seen[1:]} {words.say('link.note')}",
        )


def _kind_of_second(link: Link) -> Kind:
    return {TIME: Kind.SECONDS, REACTION: Kind.WORKING}.get(link.second, Kind.SCORE)


def _points(link: Link, key: str, names: Mapping[str, str], words: Words) -> Table:
    """What a scatter shows."""
    return Table(
        key=key,
        title=words.table("points", survey=names[link.first], name=names[link.second]),
        columns=(
            Column(key="first_value", title=names[link.first], kind=Kind.SCORE),
            Column(key="second_value", title=names[link.second], kind=_kind_of_second(link)),
            *columns(words, number=Kind.COUNT),
        ),
        rows=tuple((*pair, number) for pair, number in counted(link.pairs).items()),
    )
