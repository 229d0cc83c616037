"""Made-up reports for the tests of their faces: everything there is, next to nothing, and nothing."""

import tomllib
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.metrics.made import (
    CES,
    CSAT,
    NOW,
    NPS,
    QUARTER,
    SEED5,
    SPRING,
    SUMMER,
    WORDS,
    ZONE,
    codes,
    complaint,
    sales,
    scored,
    spread,
    survey,
)
from worker.metrics.base import (
    Asked,
    ChatFact,
    CodeCount,
    Correspondence,
    Facts,
    History,
    Programme,
    ReviewFact,
    SaleCount,
    ScoreCount,
    SellerFact,
)
from worker.metrics.registry import METRICS
from worker.metrics.trends import codes_over, scores_over
from worker.reports.build import Report, ReportScope
from worker.rules.calendar import Calendar, parse_days, parse_hours
from worker.rules.scorecards import USUAL, usual
from worker.rules.wording import Texts, load_texts

CREW = Asked(key="csat_crew", metric="csat", title="Оценка бригады", scale=SEED5, subject="field")
WORDED = Asked(key="ces_words", metric="ces", title="Лёгкость: словами/[1]", scale=WORDS)
SURVEYS = (NPS, CSAT, CREW, CES, WORDED)
TOLD_BY = frozenset({"whatsapp"})

# Who is called so on purpose is harmless in every face.
EVIL = "<b>Олег</b> & =1+1"


def texts(language: str = "ru") -> Texts:
    pack = Path(__file__).parents[2] / "worker" / "texts" / f"{language}.toml"
    return load_texts(tomllib.loads(pack.read_text(encoding="utf-8")), language=language)


def report(rows: Iterable[Any] = (), *, asked: tuple[Asked, ...] = SURVEYS, **of: Any) -> Report:
    facts = Facts(
        now=of.pop("now", NOW),
        asked=asked,
        surveys=tuple(rows),
        delivery_told_by=TOLD_BY,
        reading_told_by=TOLD_BY,
        **of,
    )
    scope = ReportScope(surveys=asked, company="ВладАвтоматика")
    results = {metric.key: metric.compute(facts, QUARTER) for metric in METRICS}
    return Report(period=QUARTER, now=facts.now, scope=scope, results=results)


def full() -> Report:
    """All tables and pictures; scores of an earlier scale; a name that is no good."""
    told: dict[str, Any] = {"channel": "whatsapp", "was_delivered": True, "was_read": True}
    rows = [
        *spread(NPS, {10: 20, 9: 5, 7: 4, 2: 3}, manager_id=1, manager="Ирина Ким", **told),
        *spread(NPS, {10: 6, 8: 8, 6: 5, 0: 6}, manager_id=2, manager=EVIL, channel="telegram"),
        *spread(NPS, {10: 2, 3: 1}, manager_id=3, manager="Пётр", channel="telegram"),
        *[survey(NPS, refusal="unreachable", failed_on=("whatsapp",))] * 5,
        *[survey(NPS, refusal="of_a_later_version")] * 2,
        *scored(NPS, [10, 9, 7, 6, 2], scale="0-10 low=6 high=9", channel="max"),
        *[survey(NPS, refusal="stop_tag", is_stopped_by_hand=True, manager_id=2, manager=EVIL)] * 30,
        *[survey(CSAT, manager_id=1, manager="Ирина Ким", pipeline_id=1, channel="telegram")] * 2,
        *scored(CSAT, [5], pipeline_id=1, channel="max"),
        *[survey(NPS, is_open=True, is_uncertain=True, **{**told, "was_delivered": False})] * 3,
        *scored(NPS, [9] * 16 + [7] * 16 + [3] * 8, settled_at=SPRING),
        *scored(CSAT, [5, 5, 5, 4, 4, 3, 2, 5, 4, 1], channel="telegram"),
        *scored(CREW, [5] * 6, subject="Бригада 1"),
        *scored(CREW, [5, 1] * 4, subject="Бригада 2"),
        *scored(CES, [5, 5, 4, 1]),  # too few
        *scored(WORDED, [5, 5, 3, 2, 5]),
    ]
    return report(
        rows,
        complaints=(
            *(complaint(days) for days in (1, 2, 2, 3, 4, 5, 30)),
            *(complaint(opened=NOW - timedelta(days=days)) for days in (10, 20, 40)),
            complaint(3, opened=SPRING),
        ),
        sales=(
            *sales(12, 200_000.55, is_referral=True, referrer_id=7, is_unmarked=False),
            *sales(1, 12_000_000 / 68, deal_id=41, problem="self", is_unmarked=True),
            *sales(67, 12_000_000 / 68),
            *sales(75, 1, at=SPRING),
        ),
        sellers=(SellerFact(closed_at=SUMMER, manager_id=2),),
        codes=codes(9, is_redeemed=True) + codes(111),
        history=past(),
        programme=Programme(invited=60, interested=6, friends_won=12, friends_lost=2),
        discount=5.0,
        pipelines={1: "Продажи"},
        people={1: "Ирина Ким", 2: EVIL, 3: "Пётр"},
        correspondence=chats(),
        reviews=reviews(),
    )


def reviews() -> tuple[ReviewFact, ...]:
    """Calls of three people: well done, badly, and too few; two of them scored by two people."""
    criteria = usual(texts())
    given: dict[int, tuple[tuple[float | None, ...], ...]] = {
        1: ((1, 1, 1, 1), (1, 1, 0.5, 1), (1, None, 1, 1), (1, 1, 1, 0.5), (1, 1, 1, 1), (1, 1, 1, 1)),
        2: ((0.5, 0, 0, 1), (0, 0, 0, 0.5), (1, 0, 0, 0), (0.5, 0.5, 0, 0), (0, 0, 0, 1), (0.5, 0, 0, 1)),
        3: ((1, 0, 1, 1),),
    }
    return tuple(
        ReviewFact(
            call_id=10 * user + max(number, 1),  # the first two are one call
            scored_at=SUMMER + timedelta(days=number),
            manager_id=user,
            criteria=criteria,
            marks=dict(zip(USUAL, marks, strict=True)),
            comment="перебивает <b>клиента</b>" if user == 2 and number == 0 else "",
        )
        for user, cards in given.items()
        for number, marks in enumerate(cards)
    )


def chats() -> Correspondence:
    """Three people who answer clients: soon, late and hardly ever."""
    took = {1: (3, 4, 5, 8, 12, 15, 20), 2: (45, 90, 60, 120, 240, 50, 75), 3: (10, None, None, None)}
    messages = []
    for user, minutes in took.items():
        for number, after in enumerate(minutes):
            talk = f"talk:{user}{number}"
            messages.append(ChatFact(at=SUMMER, kind="in", talk=talk, manager_id=user))
            if after is not None:
                answered_at = SUMMER + timedelta(minutes=after)
                messages.append(ChatFact(at=answered_at, kind="out", talk=talk, user_id=user))
    calendar = Calendar(
        zone=ZONE, work_days=parse_days("mon-fri"), work_hours=parse_hours("09:00-18:00"), country="RU"
    )
    return Correspondence(
        calendar=calendar,
        target=timedelta(minutes=15),
        messages=tuple(messages),
        since=SUMMER - timedelta(days=1),
        until=NOW,
    )


def past() -> History:
    """Two years: the scale was another one until spring, and friends bring more."""
    periods = scores_over(QUARTER, NOW)
    old, new = "0-10 low=6 high=9", NPS.scale.id
    answers = {0: (old, 9, 8, 3), 4: (old, 12, 7, 5), 6: (new, 16, 16, 8), 7: (new, 33, 17, 10)}
    return History(
        periods=periods,
        scores=tuple(
            ScoreCount(
                survey="nps", metric="nps", place=place, scale=scale, score=score, band=band, answers=n
            )
            for place, (scale, *numbers) in answers.items()
            for (score, band), n in zip(((9, "high"), (7, "neutral"), (2, "low")), numbers, strict=True)
        ),
        stretches=periods,
        sales=tuple(
            SaleCount(
                place=place,
                deals=40 + place,
                money=180_000.0 * (40 + place),
                referral_deals=place,
                referral_money=171_000.0 * place,
            )
            for place in range(1, 8)
        ),
        months=codes_over(QUARTER),
        codes=tuple(
            CodeCount(place=place, issued=20, redeemed=9 - place, uses=10 - place, won_clients=9 - place)
            for place in range(9)
        ),
        old_codes=CodeCount(place=0, issued=200, redeemed=18, uses=25, won_clients=21),
    )


def one_answer() -> Report:
    return report(scored(NPS, [9], manager_id=1, manager="Олег"), asked=(NPS,))


def nothing() -> Report:
    return report()


ALL = {"everything": full, "one answer": one_answer, "nothing": nothing}
