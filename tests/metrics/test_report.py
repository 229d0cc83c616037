"""From rows in the database to what a person and a script read."""

import json
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import pytest
from sqlmodel import SQLModel

from storage.database import Database
from storage.survey_rows import survey_rows
from storage.tables.complaints import Complaint
from storage.tables.deals import Deal, Referral
from storage.tables.people import PromoCode
from storage.tables.surveys import Survey
from tests.metrics.made import (
    CES,
    CSAT,
    NOW,
    NPS,
    QUARTER,
    SEED5,
    SPRING,
    SUMMER,
    codes,
    complaint,
    sales,
    scored,
    spread,
    survey,
)
from worker.metrics.base import Asked, Facts, SaleFact, SellerFact
from worker.metrics.registry import METRICS, SALES_HEALTH
from worker.reports.build import (
    Report,
    ReportScope,
    as_json,
    build_report,
    read_facts,
    survey_fact,
)
from worker.reports.sentences import SENTENCES
from worker.reports.text import as_text
from worker.reports.window import window_of
from worker.reports.words import Words
from worker.rules.calendar import Period, parse_period, so_far
from worker.rules.eligibility import Reason
from worker.rules.wording import Texts, check_template, load_texts, placeholders_of

CREW = Asked(key="csat_crew", metric="csat", title="Оценка бригады", scale=SEED5, subject="field")
SCOPE = ReportScope(surveys=(NPS, CSAT, CREW, CES), complaints_pipeline=9, company="ВладАвтоматика")
NO_BREAK = "\u00a0"


def texts(language: str = "ru") -> Texts:
    pack = Path(__file__).parents[2] / "worker" / "texts" / f"{language}.toml"
    return load_texts(tomllib.loads(pack.read_text(encoding="utf-8")), language=language)


# Rows in the storage


async def keep(db: Database, *rows: SQLModel) -> None:
    async with db.transaction() as tx:
        tx.add_all(rows)


def asked(deal_id: int, asked: Asked = NPS, **known: Any) -> Survey:
    moment = known.get("settled_at") or known.get("answered_at") or SUMMER
    given: dict[str, Any] = {
        "survey_key": asked.key,
        "metric": asked.metric,
        "trigger": "deal_won",
        "root_deal_id": deal_id,
        "triggered_at": moment,
        "planned_at": moment,
        "due_at": moment,
        "next_at": moment,
        "settled_at": moment,
        "state": "sent",
        "channel": "telegram",
    }
    return Survey(deal_id=deal_id, **{**given, **known})


def answered(deal_id: int, score: int, of: Asked = NPS, **known: Any) -> Survey:
    moment = known.pop("answered_at", SUMMER)
    return asked(
        deal_id, of, state="answered", score=score, band=of.scale.band(score), answered_at=moment, **known
    )


def won(deal_id: int, price: float, **known: Any) -> Deal:
    given: dict[str, Any] = {
        "status_id": 142,
        "pipeline_id": 1,
        "created_at": SPRING,
        "updated_at": SUMMER,
        "closed_at": SUMMER,
        "seen_at": SUMMER,
    }
    return Deal(deal_id=deal_id, price=price, **{**given, **known})


async def figures(
    db: Database, period: Period = QUARTER, scope: ReportScope = SCOPE, now: datetime = NOW
) -> dict[str, Any]:
    return as_json(await build_report(db, period, scope, now))


# The JSON

COUNT = {"type": "integer", "minimum": 0}
SHARE = {"type": ["number", "null"]}
ENDS = {"type": ["array", "null"], "items": {"type": "number"}, "minItems": 2, "maxItems": 2}


def person(headline: str) -> dict[str, Any]:
    return strict({"answered": COUNT, headline: SHARE, "mean": SHARE, "ci95": ENDS})


def strict(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def survey_schema(metric: str, headline: str, **own: Any) -> dict[str, Any]:
    people = {"type": "object", "additionalProperties": person(headline)}
    return strict(
        {
            "metric": {"const": metric},
            "sent": COUNT,
            "answered": COUNT,
            "response_rate": SHARE,
            headline: SHARE,
            "mean": SHARE,
            "ci95": ENDS,
            "previous": strict({headline: SHARE, "answered": COUNT}),
            "significant": {"type": ["boolean", "null"]},
            "distribution": {"type": "object", "additionalProperties": COUNT},
            "eligible": COUNT,
            "not_sent": {"type": "object", "additionalProperties": COUNT},
            "uncertain": COUNT,
            "delivered": COUNT,
            "read": {"type": ["integer", "null"]},
            "by_manager": people,
            "net": SHARE,
            "response_of_delivered": SHARE,
            "coverage": SHARE,
            "declined": COUNT,
            "commented": COUNT,
            "comment_rate": SHARE,
            "collecting": {"type": "boolean"},
            "by_pipeline": people,
            "by_channel": people,
            "scale": {"type": "string"},
            "other_scales": people,
            "trend": {
                "type": "array",
                "items": strict(
                    {
                        "period": {"type": "string"},
                        "scale": {"type": "string"},
                        "answered": COUNT,
                        headline: SHARE,
                        "ci95": ENDS,
                        "running": {"type": "boolean"},
                    }
                ),
            },
            **{key: people if value == "people" else value for key, value in own.items()},
        }
    )


CODES = {
    "issued": COUNT,
    "redeemed": COUNT,
    "redemption_rate": SHARE,
    "ci95": ENDS,
    "uses": COUNT,
    "uses_per_code": SHARE,
    "won_clients": COUNT,
    "per_code": SHARE,
}
PROMISE = {
    "anyOf": [
        {"type": "null"},
        strict(
            {
                "due": COUNT,
                "within": COUNT,
                "share": SHARE,
                "ci95": ENDS,
                "business_median": SHARE,
                "business_p90": SHARE,
            }
        ),
    ]
}
QUALITY = {"reviews": COUNT, "score": SHARE, "ci95": ENDS, "critical": COUNT}
REACTION = (
    "answered", "business_median", "business_p90", "business_mean", "median", "within", "within_share",
    "off_hours", "ended", "unanswered", "overdue", "longest_waiting",
)  # fmt: skip
DAY = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"}
CONTRACT = strict(
    {
        "period": strict({"from": DAY, "to": DAY, "timezone": {"type": "string"}}),
        "surveys": strict(
            {
                "nps": survey_schema("nps", "score", promoters=COUNT, passives=COUNT, detractors=COUNT),
                "csat": survey_schema("csat", "satisfied_share"),
                "csat_crew": survey_schema("csat", "satisfied_share", by_subject="people"),
                "ces": survey_schema("ces", "easy_share"),
            }
        ),
        "complaints": strict(
            {
                "opened": COUNT,
                "closed": COUNT,
                "open_now": COUNT,
                "resolution_mean": SHARE,
                "resolution_median": SHARE,
                "resolution_p90": SHARE,
                "oldest_open": SHARE,
                "resolved": COUNT,
                "rejected": COUNT,
                "resolution_median_with_open": SHARE,
                "resolution_business_median": SHARE,
                "per_100_won": SHARE,
                "per_100_won_ci95": ENDS,
                "open_by_age": strict(dict.fromkeys(("0-1", "1-3", "3-7", "7-30", "30+"), COUNT)),
                "open_median": SHARE,
                "reopened": COUNT,
                "reopened_share": SHARE,
                "by_score": COUNT,
                "by_hand": COUNT,
                "by_topic": {"type": "object", "additionalProperties": COUNT},
                "by_manager": {
                    "type": "object",
                    "additionalProperties": strict(
                        dict.fromkeys(("opened", "closed", "open_now", "reopened", "closed_by_own"), COUNT)
                    ),
                },
                "topic_filled": COUNT,
                "topic_filled_share": SHARE,
                "closed_by_own": COUNT,
                "closed_by_known": COUNT,
                "take": PROMISE,
                "contact": PROMISE,
                "solved_csat": strict(
                    {"answered": COUNT, "mean": SHARE, "satisfied_share": SHARE, "ci95": ENDS}
                ),
                "rerated": COUNT,
                "recovered": COUNT,
                "recovered_share": SHARE,
            }
        ),
        "referrals": strict(
            {
                "won_deals": COUNT,
                "referral_deals": COUNT,
                "share": SHARE,
                "won_amount": {"type": "number"},
                "referral_amount": {"type": "number"},
                "share_amount": SHARE,
                "average_check": SHARE,
                "referral_average_check": SHARE,
                "other_average_check": SHARE,
                "codes_issued": COUNT,
                "codes_redeemed": COUNT,
                "redemption_rate": SHARE,
                "share_ci95": ENDS,
                "previous": strict({"won_deals": COUNT, "referral_deals": COUNT, "share": SHARE}),
                "significant": {"type": ["boolean", "null"]},
                "discount_cost": SHARE,
                "first_clients": COUNT,
                "repeat_clients": COUNT,
                "problems": strict(
                    {
                        problem: {"type": "array", "items": {"type": "integer"}}
                        for problem in ("self", "unknown", "ambiguous")
                    }
                ),
                "unmarked": {"type": ["integer", "null"]},
                "invited": COUNT,
                "interested": COUNT,
                "participation": SHARE,
                "friends_won": COUNT,
                "friends_lost": COUNT,
                "conversion": SHARE,
                "top_referrers": {
                    "type": "array",
                    "items": strict({"client_id": {"type": "integer"}, "deals": COUNT, "amount": SHARE}),
                },
                "k_proxy": {"anyOf": [{"type": "null"}, strict(CODES)]},
                "codes_by_month": {"type": "array", "items": strict({"period": {"type": "string"}, **CODES})},
                "over_time": {
                    "type": "array",
                    "items": strict(
                        {
                            "period": {"type": "string"},
                            "won_deals": COUNT,
                            "referral_deals": COUNT,
                            "share": SHARE,
                            "won_amount": SHARE,
                            "referral_amount": SHARE,
                            "share_amount": SHARE,
                            "running": {"type": "boolean"},
                        }
                    ),
                },
            }
        ),
        "average_check": strict(
            {
                "won_deals": COUNT,
                "priced_deals": COUNT,
                "won_amount": SHARE,
                "average": SHARE,
                "ci95": ENDS,
                "median": SHARE,
                "previous": strict(
                    {"won_deals": COUNT, "won_amount": SHARE, "average": SHARE, "median": SHARE}
                ),
                "growth": SHARE,
                "median_growth": SHARE,
                "won_deals_growth": SHARE,
                "won_amount_growth": SHARE,
                "significant": {"type": ["boolean", "null"]},
            }
        ),
        "requests": strict({"asked": COUNT, "answered": COUNT}),
        "iqs": strict(
            {
                **QUALITY,
                "calls": COUNT,
                "previous": strict({"score": SHARE, "reviews": COUNT}),
                "significant": {"type": ["boolean", "null"]},
                "by_criterion": {
                    "type": "object",
                    "additionalProperties": strict(
                        {
                            "name": {"type": "string"},
                            "reviews": COUNT,
                            "not_applicable": COUNT,
                            "share": SHARE,
                        }
                    ),
                },
                "by_manager": {"type": "object", "additionalProperties": strict(QUALITY)},
                "agreement": strict(
                    {"calls": COUNT, "criteria": COUNT, "equal": COUNT, "share": SHARE, "ci95": ENDS}
                ),
            }
        ),
        "frt": strict(
            {
                "problem": {"enum": ["nothing", "no_incoming", "no_answers", None]},
                "incoming": COUNT,
                "outgoing": COUNT,
                "without_author": COUNT,
                "since": {"type": ["string", "null"]},
                "target": SHARE,
                **dict.fromkeys(REACTION, SHARE),
                "business_median_ci95": ENDS,
                "ci95": ENDS,
                "previous": {
                    "anyOf": [
                        {"type": "null"},
                        strict({"answered": COUNT, "business_median": SHARE, "within_share": SHARE}),
                    ]
                },
                "significant": {"type": ["boolean", "null"]},
                "of_nobody": COUNT,
                "by_manager": {
                    "type": "object",
                    "additionalProperties": strict(
                        {**dict.fromkeys(REACTION, SHARE), "business_median_ci95": ENDS, "ci95": ENDS}
                    ),
                },
            }
        ),
        "fairness": strict(
            {
                "by_manager": {
                    "type": "object",
                    "additionalProperties": strict(
                        {
                            "won": COUNT,
                            "asked": COUNT,
                            "not_asked": {"type": "object", "additionalProperties": COUNT},
                            "asked_share": SHARE,
                            "ci95": ENDS,
                            "apart": {"type": ["boolean", "null"]},
                            "stopped_by_hand": COUNT,
                            "answered": COUNT,
                            "low": COUNT,
                            "reassigned": COUNT,
                            "raised": COUNT,
                            "closed_by_own": COUNT,
                        }
                    ),
                }
            }
        ),
        "channels": {
            "type": "object",
            "additionalProperties": strict(
                {
                    "sent": COUNT,
                    "delivered": {"type": ["integer", "null"]},
                    "read": {"type": ["integer", "null"]},
                    "answered": COUNT,
                    "failed": COUNT,
                    "uncertain": COUNT,
                }
            ),
        },
    }
)


async def test_every_configured_survey_is_there_even_with_nothing(db: Database) -> None:
    written = await figures(db)
    jsonschema.validate(written, CONTRACT)
    assert list(written["surveys"]) == ["nps", "csat", "csat_crew", "ces"]
    nothing = written["surveys"]["csat"]
    assert (nothing["sent"], nothing["eligible"], nothing["not_sent"], nothing["read"]) == (0, 0, {}, None)
    assert nothing["satisfied_share"] is None
    assert nothing["distribution"] == {"1": 0, "2": 0, "3": 0, "4": 0, "5": 0}


async def test_a_survey_that_is_no_longer_configured_is_not_there(db: Database) -> None:
    await keep(db, answered(1, 9, Asked(key="old", metric="nps", title="", scale=SEED5)))
    assert "old" not in (await figures(db))["surveys"]


async def test_the_period_is_told_by_its_days_and_zone(db: Database) -> None:
    assert (await figures(db))["period"] == {
        "from": "2026-07-01",
        "to": "2026-10-01",
        "timezone": "Asia/Vladivostok",
    }


async def test_a_full_database_gives_the_numbers_of_the_contract(db: Database) -> None:
    scores = [10] * 20 + [9] * 11 + [8] * 8 + [7] * 7 + [6] * 5 + [5, 4, 4] + [3] * 6 + [2]
    told: dict[str, Any] = {"channel": "whatsapp", "delivered_at": SUMMER, "read_at": SUMMER}
    await keep(
        db,
        *(answered(n, score, manager_id=1, manager="Олег", **told) for n, score in enumerate(scores, 1)),
        *(asked(100 + n, **told) for n in range(29)),
        *(asked(200 + n, channel="whatsapp", delivered_at=SUMMER) for n in range(25)),
        *(asked(300 + n, channel="whatsapp") for n in range(4)),
        asked(350, channel="whatsapp", state="uncertain", uncertain=True),
        *(asked(400 + n, state="skipped", reason="unreachable", channel="") for n in range(5)),
        *(asked(410 + n, state="skipped", reason="opted_out", channel="") for n in range(2)),
        *(
            answered(500 + n, score, settled_at=SPRING, answered_at=SPRING)
            for n, score in enumerate([9] * 16 + [7] * 16 + [3] * 8)
        ),
        *(won(600 + n, 200_000) for n in range(12)),
        *(won(620 + n, 12_000_000 / 68) for n in range(68)),
        *(Referral(deal_id=600 + n, is_referral=True, by_field=True) for n in range(12)),
        *(
            PromoCode(code=f"Д-{n}", digits=str(n), client_id=n, created_at=SUMMER, first_sent_at=SUMMER)
            for n in range(1, 121)
        ),
        *(won(800 + n, 1, closed_at=NOW, client_id=1000) for n in range(1, 10)),
        *(Referral(deal_id=800 + n, code=f"Д-{n}", is_referral=True) for n in range(1, 10)),
        *(
            Complaint(
                lead_id=n,
                opened_at=SUMMER,
                closed_at=SUMMER + timedelta(seconds=seconds),
                is_solved=True,
            )
            for n, seconds in enumerate([60_000, 70_000, 80_000, 90_000, 100_000, 400_000, 409_600], 1)
        ),
        Complaint(lead_id=91, opened_at=NOW - timedelta(seconds=700_000)),
        Complaint(lead_id=92, opened_at=NOW - timedelta(seconds=1)),
    )
    written = await figures(db)
    jsonschema.validate(written, CONTRACT)
    nps = written["surveys"]["nps"]
    assert {key: nps[key] for key in ("sent", "answered", "response_rate", "eligible", "not_sent")} == {
        "sent": 120,
        "answered": 61,
        "response_rate": 50.83,
        "eligible": 127,
        "not_sent": {"unreachable": 5, "opted_out": 2},
    }
    assert (nps["delivered"], nps["read"], nps["uncertain"]) == (115, 90, 1)
    assert (nps["promoters"], nps["passives"], nps["detractors"]) == (31, 20, 10)
    assert (nps["score"], nps["ci95"]) == (34.43, [14.54, 51.09])
    assert (nps["previous"], nps["significant"]) == ({"score": 20.0, "answered": 40}, False)
    assert nps["by_manager"] == {
        "Олег": {"answered": 61, "score": 34.43, "mean": nps["mean"], "ci95": [14.54, 51.09]}
    }
    complaints = {
        "opened": 8,
        "closed": 7,
        "open_now": 2,
        "resolution_mean": 172800,
        "resolution_median": 90000,
        "resolution_p90": 409600,
        "oldest_open": 700000,
    }
    assert {key: written["complaints"][key] for key in complaints} == complaints
    assert (written["complaints"]["per_100_won"], written["complaints"]["open_by_age"]["7-30"]) == (10.0, 1)
    of_contract = {
        "won_deals": 80,
        "referral_deals": 12,
        "share": 15.0,
        "won_amount": 14400000,
        "referral_amount": 2400000,
        "share_amount": 16.67,
        "average_check": 180000,
        "referral_average_check": 200000,
        "other_average_check": 176470.59,
        "codes_issued": 120,
        "codes_redeemed": 9,
        "redemption_rate": 7.5,
    }
    assert {key: written["referrals"][key] for key in of_contract} == of_contract
    assert written["channels"] == {
        "whatsapp": {
            "sent": 120,
            "delivered": 115,
            "read": 90,
            "answered": 61,
            "failed": 0,
            "uncertain": 1,
        }
    }


@pytest.mark.parametrize(
    ("row", "counted"),
    [
        (asked(1), {"sent": 1, "delivered": 1, "read": None, "uncertain": 0}),  # Telegram tells nothing
        (asked(1, channel="whatsapp"), {"sent": 1, "delivered": 0, "read": 0, "uncertain": 0}),
        (asked(1, channel="whatsapp", delivered_at=SUMMER), {"sent": 1, "delivered": 1, "read": 0}),
        # Some gateways leave out the step in between.
        (asked(1, channel="whatsapp", read_at=SUMMER), {"sent": 1, "delivered": 1, "read": 1}),
        (answered(1, 9, channel="whatsapp"), {"sent": 1, "delivered": 1, "read": 0, "response_rate": 100.0}),
        (asked(1, state="expired"), {"sent": 1, "response_rate": 0.0}),
        (asked(1, state="uncertain", uncertain=True), {"sent": 1, "uncertain": 1}),
        (asked(1, state="expired", uncertain=True), {"sent": 1, "uncertain": 1}),
        (
            asked(1, state="sent", uncertain=True, channel="whatsapp", delivered_at=SUMMER),
            {"sent": 1, "uncertain": 0},
        ),
        (answered(1, 9, uncertain=True), {"sent": 1, "uncertain": 0}),
        # The answer came before the sending was written down.
        (answered(1, 9, settled_at=None), {"sent": 1, "answered": 1}),
        (asked(1, state="failed", reason="gateway"), {"sent": 0, "not_sent": {"failed": 1}, "eligible": 1}),
        (asked(1, state="skipped", reason="staff"), {"sent": 0, "not_sent": {"staff": 1}, "eligible": 1}),
        (asked(1, state="planned"), {"sent": 0, "not_sent": {}, "eligible": 0}),
        (asked(1, state="sending"), {"sent": 0, "not_sent": {}, "eligible": 0}),
    ],
)
async def test_where_a_survey_is_counted(db: Database, row: Survey, counted: dict[str, Any]) -> None:
    await keep(db, Survey(**row.model_dump()))
    nps = (await figures(db))["surveys"]["nps"]
    assert {key: nps[key] for key in counted} == counted


async def test_a_late_answer_counts_for_those_who_were_asked_then(db: Database) -> None:
    """Sent in June, answered in July: the answer is July's, the response June's."""
    await keep(db, answered(1, 9, settled_at=SPRING, late=True))
    nps = (await figures(db))["surveys"]["nps"]
    assert (nps["answered"], nps["sent"], nps["response_rate"]) == (1, 0, None)
    spring = (await figures(db, QUARTER.previous()))["surveys"]["nps"]
    assert (spring["answered"], spring["sent"], spring["response_rate"]) == (0, 1, 100.0)


def busy_months() -> tuple[list[SQLModel], tuple[SaleFact, ...], tuple[SellerFact, ...]]:
    """Rows, and the facts of their sales: one for each deal."""
    days = [datetime(2026, 4, 2, tzinfo=UTC) + timedelta(days=n * 3) for n in range(70)]
    rows: list[SQLModel] = []
    sold: list[SaleFact] = []
    clients: set[int] = set()
    for n, day in enumerate(days):
        by: dict[str, Any] = {"manager_id": 1 + n % 3, "manager": f"Олег {n % 2}", "pipeline_id": 1 + n % 2}
        told: dict[str, Any] = {"channel": ("telegram", "whatsapp")[n % 2], "settled_at": day, "sent_at": day}
        moment = day + timedelta(days=n % 9)
        if n % 4:
            known: dict[str, Any] = {"revision": 1 + n % 2, "call_asked_at": day if n % 8 == 1 else None}
            rows.append(answered(n + 1, 1 + n * 7 % 10, answered_at=moment, **told, **by, **known))
        else:
            refused: dict[str, Any] = (
                {"state": "skipped", "reason": Reason.OPTED_OUT} if n % 8 else {"tried": ["max_account"]}
            )
            rows.append(asked(n + 1, **{**told, **by, **refused}))
        if n % 5 == 0:  # Another question about the same deal, which was settled earlier or later.
            other: dict[str, Any] = {**told, "settled_at": day + timedelta(hours=n - 30)}
            rows.append(answered(n + 1, 1 + n % 5, CSAT, answered_at=moment, **other, **by))
            rows.append(answered(n + 1, 1 + n % 3, CES, answered_at=moment, **other, **by))
        if n % 3 == 0:
            rows.append(
                Complaint(
                    source_deal_id=n + 1, opened_at=day, closed_at=day + timedelta(hours=n), by_hand=True
                )
            )
        price = 1000.0 * (n % 4)
        rows.append(won(n + 1, price, closed_at=day, client_id=1 + n % 30, manager_id=1 + n % 4))
        problem = "unknown" if n % 13 == 0 else ""
        rows.append(
            Referral(
                deal_id=n + 1, is_referral=n % 3 == 0, code="ДРУГ-1" if n % 6 == 0 else "", problem=problem,
                referrer_id=100 + n % 5 if n % 6 == 0 else None,
            )
        )  # fmt: skip
        sold.append(
            SaleFact(
                closed_at=day, amount=price, is_referral=n % 3 == 0, deal_id=n + 1, has_code=n % 6 == 0,
                referrer_id=100 + n % 5 if n % 6 == 0 else None, problem=problem,
                is_first=n % 3 > 0 or 1 + n % 30 not in clients,
            )
        )  # fmt: skip
        clients.add(1 + n % 30)
    # Of every deal somebody was asked, who need not lead it now.
    sellers = [SellerFact(closed_at=day, manager_id=1 + n % 3) for n, day in enumerate(days)]
    return rows, tuple(sold), tuple(sellers)


async def test_what_is_alike_is_read_once_and_counted_and_every_figure_is_that_of_each_by_itself(
    db: Database,
) -> None:
    rows, sold, sellers = busy_months()
    await keep(db, *rows)
    begins = QUARTER.previous().begins
    async with db.reading() as tx:
        surveys = await survey_rows(tx, begins, QUARTER.ends)
    for now in (NOW, datetime(2026, 8, 30, tzinfo=UTC)):
        counted = await read_facts(db, QUARTER, replace(SCOPE, sales_health=True), now)
        alone = replace(
            counted, surveys=tuple(survey_fact(row, SCOPE) for row in surveys), sales=sold, sellers=sellers
        )
        assert len(counted.surveys) < len(alone.surveys)
        assert len(counted.sales) < len(alone.sales)
        for metric in (*METRICS, *SALES_HEALTH):
            told = metric.compute(counted, QUARTER).as_json()
            assert told == metric.compute(alone, QUARTER).as_json()
    written = await figures(db, scope=replace(SCOPE, sales_health=True))
    assert written["surveys"]["nps"]["answered"] > 15
    assert [pair["number"] > 3 for pair in written["links"]["pairs"]] == [True, True]


async def test_complaints_pipeline_is_no_sale_unless_it_is_named(db: Database) -> None:
    await keep(db, won(1, 100), won(2, 10, pipeline_id=9), won(3, 1, pipeline_id=2))
    assert (await figures(db))["referrals"]["won_amount"] == 101
    named = replace(SCOPE, sales_pipelines=frozenset({2}))
    assert (await figures(db, scope=named))["referrals"]["won_amount"] == 1


async def test_the_same_quarter_so_far_is_compared_with_as_many_days(db: Database) -> None:
    now = datetime(2026, 7, 20, 3, tzinfo=UTC)
    period = so_far(QUARTER, now)
    late_june, april = datetime(2026, 6, 20, tzinfo=UTC), datetime(2026, 4, 5, tzinfo=UTC)
    await keep(
        db,
        *(answered(n, 9, settled_at=late_june, answered_at=late_june) for n in range(5)),
        *(answered(10 + n, 1, settled_at=april, answered_at=april) for n in range(5)),
    )
    written = await figures(db, period, now=now)
    assert written["period"]["to"] == "2026-07-21"
    assert written["surveys"]["nps"]["previous"] == {"score": 100.0, "answered": 5}


@pytest.mark.parametrize("period", ["2026Q1", "2026-W13", "2026", "2026-W01", "2027-01"])
async def test_new_year_clock_change_two_scales_and_people_who_are_gone_mislead_nobody(
    db: Database, period: str
) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    night = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # half past one; at two the clock goes on to three
    new_year = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)  # already 2026 in Berlin
    old = "0-10 low=6 high=9"
    await keep(
        db,
        answered(1, 9, answered_at=night, settled_at=night, manager_id=7, manager="Ирина Петрова"),
        answered(2, 6, answered_at=night, settled_at=night, manager_id=7, manager="Ирина Ким", scale=old),
        answered(3, 2, answered_at=new_year, settled_at=new_year, manager_id=8),
        answered(4, 9, answered_at=new_year, settled_at=new_year, scale="of a later version"),
        won(5, 0, closed_at=night, manager_id=99),
        won(6, 90_000, closed_at=new_year, manager_id=7),
    )
    of = parse_period(period, berlin)
    written = await figures(db, of, now=datetime(2026, 4, 7, tzinfo=UTC))
    jsonschema.validate(written, CONTRACT)
    nps = written["surveys"]["nps"]
    inside = [of.contains(night), of.contains(new_year)]
    assert nps["answered"] == inside[0] + inside[1]
    assert {scale: one["answered"] for scale, one in nps["other_scales"].items()} == {
        scale: 1 for scale, is_in in ((old, inside[0]), ("of a later version", inside[1])) if is_in
    }
    assert (nps["score"], nps["ci95"], nps["significant"]) == (None, None, None)  # too few to say
    assert nps["sent"] == 2 * inside[0] + 2 * inside[1]
    assert sum(point["answered"] for point in nps["trend"] if point["period"] == of.label) == nps["sent"]
    assert written["average_check"]["average"] == (90_000 if inside[1] else None)
    assert written["average_check"]["growth"] is None
    assert written["referrals"]["won_deals"] == sum(inside)


async def test_the_window_is_chosen_by_the_answers_in_the_storage(db: Database) -> None:
    days = [1, 2, 8, 20, 29, 29, 200]
    await keep(
        db,
        *(answered(n, 9, answered_at=NOW - timedelta(days=ago)) for n, ago in enumerate(days)),
        *(answered(20 + n, 9, answered_at=NOW, scale="0-10 low=6 high=9") for n in range(9)),
        *(answered(40 + n, 5, CSAT, answered_at=NOW) for n in range(9)),
    )
    week: dict[str, Any] = {"wanted": timedelta(days=7), "now": NOW, "zone": QUARTER.zone}
    told = await window_of(db, NPS, enough=5, **week)
    assert (told.days, told.answers, told.is_longer) == (30, 6, True)
    assert (await window_of(db, NPS, enough=2, **week)).days == 7
    assert (await window_of(db, NPS, enough=7, **week)).days == 365
    assert (await window_of(db, CSAT, enough=9, **week)).days == 7


async def test_the_report_is_json(db: Database) -> None:
    await keep(db, answered(1, 9, manager_id=1, manager="Олег"), won(1, 0.1), won(2, 0.2))
    written = await figures(db)
    assert json.loads(json.dumps(written, allow_nan=False)) == written
    assert written["referrals"]["won_amount"] == 0.3


async def test_a_channel_that_failed_is_told_beside_the_one_that_took_the_question_then(db: Database) -> None:
    await keep(
        db,
        answered(1, 9, channel="whatsapp", tried=["max", "telegram"], delivered_at=SUMMER),
        asked(2, state="failed", reason="failed", channel="whatsapp", tried=["whatsapp"]),
        asked(3, state="skipped", reason="unreachable", channel="telegram", tried=["telegram"]),
        asked(4, state="planned", channel="telegram", tried=["telegram"]),  # Nobody knows yet how it ends.
        asked(5, channel="whatsapp", settled_at=SPRING, tried=["max"]),
    )
    written = await figures(db)
    jsonschema.validate(written, CONTRACT)
    nothing = {"sent": 0, "read": None, "answered": 0, "uncertain": 0}
    assert written["channels"] == {
        "whatsapp": {"sent": 1, "delivered": 1, "read": 0, "answered": 1, "failed": 1, "uncertain": 0},
        "telegram": {**nothing, "delivered": None, "failed": 2},
        "max": {**nothing, "delivered": None, "failed": 1},
    }


async def test_a_question_that_one_channel_refused_twice_failed_once(db: Database) -> None:
    await keep(db, asked(1, channel="whatsapp", tried=["telegram", "telegram"]))
    assert (await figures(db))["channels"]["telegram"]["failed"] == 1


# The text


def told(
    rows: Iterable[Any] = (),
    *,
    surveys: tuple[Asked, ...] = (NPS,),
    period: Period = QUARTER,
    now: datetime = NOW,
    language: str = "ru",
    min_answers: int = 5,
    currency: str = "RUB",
    **of: Any,
) -> list[str]:
    """The lines of the report, with plain spaces so that they can be read here."""
    facts = Facts(now=now, asked=surveys, min_answers=min_answers, surveys=tuple(rows), **of)
    scope = ReportScope(surveys=surveys, company="ВладАвтоматика", currency=currency)
    results = {metric.key: metric.compute(facts, period) for metric in METRICS}
    report = Report(period=period, now=now, scope=scope, results=results)
    return as_text(report, texts(language)).replace(NO_BREAK, " ").split("\n")


CONTRACT_SCORES = {10: 20, 9: 11, 8: 8, 7: 7, 6: 5, 5: 1, 4: 2, 3: 6, 2: 1}


def test_an_nps_is_told_with_its_interval_its_shares_and_the_one_before() -> None:
    rows = [
        *spread(NPS, CONTRACT_SCORES, was_delivered=True, was_read=True),
        *[survey(NPS, was_delivered=True, was_read=False, is_open=True)] * 54,
        *[survey(NPS, was_delivered=False, was_read=False, is_uncertain=True)] * 5,
        *[survey(NPS, refusal="unreachable")] * 5,
        *[survey(NPS, refusal="opted_out")] * 2,
        *scored(NPS, [9] * 16 + [7] * 16 + [3] * 8, settled_at=SPRING),
    ]
    assert told(rows)[:9] == [
        "ВладАвтоматика: III квартал 2026",
        "",
        "NPS +34 (от +15 до +51)",
        "Промоутеры 51 %, нейтралы 33 %, критики 16 %. Ответов: 61.",
        "Средняя оценка 7,8 из 10.",
        "II квартал 2026: +20, ответов 40. Разница в пределах погрешности.",
        "Спросили 120 из 127, ответили 61 (51 %), ещё собираем.",
        "Доставлено 115 (из них ответили 53 %), прочитано 61.",
        "Дошло ли, неизвестно: 5.",
    ]
    assert "Не спросили 7: нет в подключённых мессенджерах — 5, попросили не писать — 2." in told(rows)


def test_a_negative_score_has_a_true_minus_and_nought_no_sign() -> None:
    assert told(spread(NPS, {1: 30, 10: 10}))[2] == "NPS −50 (от −72 до −21)"
    assert told(spread(NPS, {1: 20, 10: 20}))[2] == "NPS 0 (от −29 до +29)"


def test_a_few_answers_are_marked() -> None:
    assert told(spread(NPS, {10: 12, 7: 5, 1: 3}))[2] == "NPS +45 (от +8 до +70), мало данных"


def test_too_few_answers_are_counted_and_not_scored() -> None:
    lines = told([*scored(NPS, [10, 10, 7, 1]), *scored(NPS, [10] * 9, settled_at=SPRING)])
    assert lines[2:4] == ["NPS: мало ответов (4), оценку не считаем", "Высоких 2, средних 1, низких 1."]
    assert not any("II квартал 2026: +100" in line for line in lines)


def test_too_few_answers_before_are_not_compared() -> None:
    lines = told([*scored(NPS, [10] * 9), *scored(NPS, [1] * 4, settled_at=SPRING)])
    assert "II квартал 2026: мало ответов (4), не сравниваем." in lines


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ([1] * 40, [10] * 40, "Рост больше погрешности."),
        ([10] * 40, [1] * 40, "Снижение больше погрешности."),
        ([10, 1] * 20, [10, 10, 1] * 20, "Разница в пределах погрешности."),
    ],
)
def test_a_change_is_told_only_beyond_chance(before: list[int], after: list[int], verdict: str) -> None:
    lines = told([*scored(NPS, before, settled_at=SPRING), *scored(NPS, after)])
    (line,) = [line for line in lines if line.startswith("II квартал 2026: ") and "ответов" in line]
    assert line.endswith(verdict)


def test_satisfaction_is_a_share_and_ease_says_of_what() -> None:
    rows = [*scored(CSAT, [5, 5, 5, 4, 4, 3, 2, 5, 4, 1]), *scored(CES, [5, 5, 4, 4, 3, 2, 1, 5])]
    lines = told(rows, surveys=(CSAT, CES))
    assert lines[2:5] == [
        "Оценка менеджера: довольны 70 % (от 40 до 89 %), мало данных",
        "Высоких 40 %, средних 30 %, низких 30 %. Ответов: 10.",
        "Средняя оценка 3,8 из 5 (от 2,8 до 4,8).",
    ]
    assert lines[7:10] == [
        "Лёгкость: было легко 63 % (от 31 до 86 %), мало данных",
        "Средних 13 %, было сложно 25 %. Ответов: 8.",
        "Лёгкость 3,6 из 5 (от 2,4 до 4,9).",
    ]


def test_the_interval_of_a_mean_stays_on_the_scale() -> None:
    lines = told(scored(CSAT, [5, 5, 5, 5, 4]), surveys=(CSAT,))
    assert "Средняя оценка 4,8 из 5 (от 4,2 до 5,0)." in lines


def test_people_are_compared_only_with_their_interval() -> None:
    rows = [
        *spread(NPS, {10: 12, 7: 4, 2: 4}, manager_id=1, manager="Олег"),
        *spread(NPS, {10: 30, 7: 4, 2: 6}, manager_id=2, manager="Ирина"),
        *scored(NPS, [10, 10], manager_id=3, manager="Пётр"),
    ]
    lines = told(rows)
    start = lines.index("По менеджерам:")
    assert lines[start + 1 : start + 4] == [
        "• Ирина: +60 (от +33 до +78), ответов 40",
        "• Олег: +40 (от +2 до +67), ответов 20",
        "• Мало ответов: Пётр (2)",
    ]


def test_one_person_is_not_compared_with_anybody() -> None:
    assert "По менеджерам:" not in told(scored(NPS, [10] * 9, manager_id=1, manager="Олег"))


def test_crews_are_told_apart() -> None:
    rows = [*scored(CREW, [5] * 6, subject="Бригада 1"), *scored(CREW, [5, 1] * 4, subject="Бригада 2")]
    lines = told(rows, surveys=(CREW,))
    assert "• Бригада 1: 100 % (от 61 до 100 %), ответов 6" in lines
    assert "По исполнителям:" in lines


def test_nobody_asked_is_said_in_words() -> None:
    assert told()[2:4] == ["NPS: ответов нет", "Пока никого не спросили."]
    refused = told([survey(NPS, refusal="no_phone")])
    assert refused[2:4] == ["NPS: ответов нет", "Не спросили 1: нет телефона — 1."]


def test_two_surveys_of_one_title_are_told_apart() -> None:
    second = replace(NPS, key="nps_later")
    lines = told(scored(NPS, [10] * 40), surveys=(NPS, second))
    assert lines[2].startswith("NPS (nps) +100")
    assert "NPS (nps_later): ответов нет" in lines


def test_complaints_are_told_with_those_that_wait() -> None:
    rows = (
        *(complaint(days) for days in (1, 2, 2, 3, 4, 5, 30)),
        *(complaint(opened=NOW - timedelta(days=days)) for days in (10, 20, 40)),
        complaint(3, opened=SPRING),
    )
    lines = told(complaints=rows)
    start = lines.index("Рекламации")
    assert lines[start + 1 : start + 6] == [
        "Поступило 10, закрыто 7, открыто сейчас 3.",
        "II квартал 2026: поступило 1, закрыто 1.",
        "Решали в среднем 6 дней 17 часов; половину — за 3 дня, 9 из 10 — за 30 дней.",
        "С учётом открытых половина решается за 4 дня.",
        "Самая старая открыта 40 дней.",
    ]


def test_no_complaints_are_one_line() -> None:
    lines = told()
    start = lines.index("Рекламации")
    assert lines[start + 1 : start + 3] == ["Рекламаций не было, открытых нет.", ""]


def test_referrals_are_told_in_deals_and_money() -> None:
    won_deals = (
        *sales(12, 200_000, is_referral=True),
        *sales(68, 12_000_000 / 68),
        *sales(9, 1, is_referral=True, at=SPRING),
        *sales(66, 1, at=SPRING),
    )
    lines = told(sales=won_deals, codes=codes(9, is_redeemed=True) + codes(111))
    start = lines.index("Рекомендации")
    assert lines[start + 1 : start + 6] == [
        "По рекомендации 12 из 80 выигранных сделок: 15 % (от 9 до 24 %).",
        "II квартал 2026: 9 из 75. Разница в пределах погрешности.",
        "На 2 400 000 ₽ из 14 400 000 ₽: 16,7 %.",
        "Средний чек по рекомендации 200 000 ₽, у остальных 176 471 ₽.",
        "Кодов для друзей выдано 120, сработало 9 (7,5 %).",
    ]


def test_money_is_that_of_the_account() -> None:
    assert any("Средний чек 500 ₸" in line for line in told(sales=sales(1, 500), currency="KZT"))
    assert any("Средний чек 500 GEL" in line for line in told(sales=sales(1, 500), currency="GEL"))


def test_deals_without_sums_say_nothing_of_money() -> None:
    lines = told(sales=sales(3, 0, is_referral=True))
    assert "По рекомендации 3 из 3 выигранных сделок: 100 % (от 44 до 100 %)." in lines
    assert not any("₽" in line for line in lines)


def test_one_deal_is_declined_as_one() -> None:
    assert "По рекомендации 1 из 1 выигранной сделки: 100 % (от 21 до 100 %)." in told(
        sales=sales(1, 5, is_referral=True)
    )


def test_a_running_period_says_so_and_counts_are_compared_with_as_many_days() -> None:
    now = datetime(2026, 7, 16, 4, 5, tzinfo=UTC)
    lines = told(
        now=now, sales=sales(1, 5) + sales(2, 5, at=datetime(2026, 4, 10, tzinfo=UTC)), complaints=()
    )
    assert lines[:2] == [
        "ВладАвтоматика: III квартал 2026",
        "Период ещё идёт, данные на 16 июля в 14:05.",
    ]
    assert "1–16 апреля 2026: 0 из 2. Разница в пределах погрешности." in lines


def test_how_it_is_counted_stands_below() -> None:
    assert told()[-4:] == [
        "Как считаем",
        "Оценки: ответы, по дню первой оценки; отправка — по дню вопроса.",
        "Рекламации: сделки, по дню поступления и по дню закрытия; открытые — на сейчас.",
        "Рекомендации: выигранные сделки, по дню закрытия; коды — по дню первой отправки.",
    ]


def test_the_same_report_in_english() -> None:
    rows = [*spread(NPS, CONTRACT_SCORES), survey(NPS, refusal="unreachable")]
    lines = told(rows, language="en", sales=sales(2, 184_000))
    assert lines[0] == "ВладАвтоматика: 3rd quarter of 2026"
    assert lines[2] == "NPS +34 (+15 to +51)"
    assert "Average check 184,000 ₽, median 184,000 ₽." in lines
    cyrillic = [line for line in lines[1:] if any("а" <= letter.lower() <= "я" for letter in line)]
    assert cyrillic == []


@pytest.mark.parametrize(
    ("period", "ru", "en"),
    [
        ("2026Q1", "I квартал 2026", "1st quarter of 2026"),
        ("2026-10", "октябрь 2026", "October 2026"),
        ("2026", "2026 год", "2026"),
        ("2026-W45", "2–8 ноября 2026", "2–8 November 2026"),
        ("2026-W40", "28 сентября – 4 октября 2026", "28 September – 4 October 2026"),
        ("2026-W53", "28 декабря 2026 – 3 января 2027", "28 December 2026 – 3 January 2027"),
    ],
)
def test_periods_have_names(period: str, ru: str, en: str) -> None:
    named = parse_period(period, QUARTER.zone)
    assert Words(texts("ru")).period(named) == ru
    assert Words(texts("en")).period(named) == en


def test_one_day_is_named_once() -> None:
    day = so_far(QUARTER, QUARTER.begins)
    assert Words(texts()).period(day) == "1 июля 2026"


@pytest.mark.parametrize(
    ("seconds", "ru"),
    [
        (0, "1 мин"),
        (59, "1 мин"),
        (2400, "40 мин"),
        (3569, "59 мин"),
        (3570, "1 час"),
        (5 * 3600, "5 часов"),
        (86_399, "1 день"),
        (90_000, "1 день 1 час"),
        (172_800, "2 дня"),
        (400_000, "4 дня 15 часов"),
        (9 * 86_400 + 86_399, "10 дней"),
        (10 * 86_400 + 50_000, "11 дней"),
        (21 * 86_400, "21 день"),
    ],
)
def test_durations_are_as_exact_as_it_matters(seconds: float, ru: str) -> None:
    assert Words(texts()).lasting(seconds) == ru


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_reason_has_words(language: str) -> None:
    only_delay = {Reason.WINDOW, Reason.TURN, Reason.HUMAN, Reason.PACE, Reason.CHANNEL, Reason.SERVICE}
    words = Words(texts(language))
    assert [reason for reason in Reason if reason not in only_delay and words.reason(reason) == reason] == []
    assert words.reason("of_a_later_version") == "of_a_later_version"


@pytest.mark.parametrize("key", SENTENCES["ru"])
def test_a_sentence_says_the_same_in_both_languages(key: str) -> None:
    assert set(SENTENCES["en"]) == set(SENTENCES["ru"])
    ru, en = SENTENCES["ru"][key], SENTENCES["en"][key]
    assert placeholders_of(ru) - {"name"} == placeholders_of(en) - {"name"}
    assert check_template(ru, placeholders_of(ru)) == check_template(en, placeholders_of(en)) == []


def test_every_metric_has_its_words_and_its_source() -> None:
    for metric in METRICS:
        assert set(metric.title) == set(metric.unit) == {"ru", "en"}
        assert metric.source
    assert len({metric.key for metric in METRICS}) == len(METRICS)
