"""What is drawn over time: the database counts, and as somebody sees it who follows some of it only."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import SQLModel

from storage import trends
from storage.database import Database
from storage.narrowed import Only, narrowed
from storage.tables.deals import Deal, Referral
from storage.tables.people import PromoCode
from storage.tables.surveys import Survey
from storage.trends import CodeCountRow, SaleCountRow, ScoreCountRow

SPRING, SUMMER, AUTUMN, WINTER = (datetime(2026, month, 1, tzinfo=UTC) for month in (4, 7, 10, 12))
QUARTERS = [SPRING, SUMMER, AUTUMN]
MAY, AUGUST = datetime(2026, 5, 5, tzinfo=UTC), datetime(2026, 8, 5, tzinfo=UTC)
NEW, OLD = "0-10 low=6 high=9", "1-10 low=5 high=9"


async def keep(db: Database, *rows: SQLModel) -> None:
    async with db.transaction() as tx:
        tx.add_all(rows)


def answer(deal_id: int, score: int | None, at: datetime, **more: Any) -> Survey:
    given: dict[str, Any] = {
        "survey_key": "nps", "metric": "nps", "trigger": "deal_won", "root_deal_id": deal_id,
        "state": "answered", "settled_at": at, "triggered_at": at, "planned_at": at, "due_at": at,
        "next_at": at, "answered_at": at, "band": "high", "scale": NEW,
    }  # fmt: skip
    return Survey(deal_id=deal_id, score=score, **{**given, **more})


def won(deal_id: int, price: float, at: datetime, **more: Any) -> Deal:
    given: dict[str, Any] = {"status_id": 142, "pipeline_id": 1, "client_id": deal_id}
    return Deal(
        deal_id=deal_id,
        price=price,
        created_at=at,
        updated_at=at,
        closed_at=at,
        seen_at=at,
        **{**given, **more},
    )


async def test_answers_are_counted_by_time_scale_and_score(db: Database) -> None:
    await keep(
        db,
        answer(1, 9, MAY, scale=OLD), answer(2, 9, MAY, scale=OLD), answer(3, 9, AUGUST),
        answer(4, 3, AUGUST, band="low"), answer(5, 9, SUMMER), answer(6, 9, WINTER), answer(7, None, AUGUST),
        answer(8, 5, AUGUST, survey_key="csat", metric="csat"),
        answer(9, 9, AUGUST), won(9, 1, AUGUST, is_reply=True),
    )  # fmt: skip
    async with db.reading() as tx:
        rows = await trends.score_counts(tx, QUARTERS)
    assert sorted(rows, key=lambda row: (row.survey_key, row.place, row.score)) == [
        ScoreCountRow("csat", "csat", 1, NEW, 5, "high", 1),
        ScoreCountRow("nps", "nps", 0, OLD, 9, "high", 2),
        ScoreCountRow("nps", "nps", 1, NEW, 3, "low", 1),
        ScoreCountRow("nps", "nps", 1, NEW, 9, "high", 2),
    ]


async def test_sales_are_counted_by_time_and_by_whether_friends_brought_them(db: Database) -> None:
    await keep(
        db,
        won(1, 100, MAY), won(2, 50.5, MAY), won(3, 7, AUGUST), won(4, 1, AUGUST, status_id=143),
        won(5, 1, AUGUST, pipeline_id=9), won(6, 1, WINTER),
        Referral(deal_id=2, is_referral=True, by_field=True),
    )  # fmt: skip
    async with db.reading() as tx:
        rows = await trends.sale_counts(tx, QUARTERS, complaints_pipeline=9)
    assert sorted(rows, key=lambda row: row.place) == [
        SaleCountRow(0, 2, 150.5, 1, 50.5),
        SaleCountRow(1, 1, 7, 0, 0),
    ]


async def test_codes_are_counted_by_the_time_of_the_code_with_what_friends_did_since(db: Database) -> None:
    def code(number: int, at: datetime) -> PromoCode:
        return PromoCode(
            code=f"Д-{number}", digits=f"{number}", client_id=number, created_at=at, first_sent_at=at
        )

    def names(deal_id: int, number: int) -> Referral:
        return Referral(deal_id=deal_id, code=f"Д-{number}", is_referral=True)

    await keep(
        db,
        code(1, MAY), code(2, MAY), code(3, AUGUST),
        won(51, 1, AUGUST), won(52, 1, WINTER, client_id=51), won(53, 1, WINTER, status_id=143),
        names(51, 1), names(52, 1), names(53, 3),
    )  # fmt: skip
    async with db.reading() as tx:
        rows = await trends.code_counts(tx, QUARTERS)
        once = await trends.code_counts(tx, (SPRING, AUTUMN))
        never = await trends.code_counts(tx, (AUTUMN, WINTER))
    assert sorted(rows, key=lambda row: row.place) == [
        CodeCountRow(0, 2, 1, 2, 1),
        CodeCountRow(1, 1, 1, 1, 0),
    ]
    assert once == [CodeCountRow(0, 3, 2, 3, 1)]
    assert never == []


@pytest.mark.parametrize(
    ("managers", "deals"), [(frozenset[int](), 2), (frozenset({7}), 1), (frozenset({9}), 0)]
)
async def test_who_follows_one_manager_sees_theirs_only(
    db: Database, managers: frozenset[int], deals: int
) -> None:
    await keep(
        db,
        answer(1, 9, MAY, manager_id=7), answer(2, 9, MAY, manager_id=8),
        won(1, 1, MAY, manager_id=7), won(2, 1, MAY, manager_id=8),
    )  # fmt: skip
    async with narrowed(db, Only(managers=managers)).reading() as tx:
        assert sum(row.answers for row in await trends.score_counts(tx, QUARTERS)) == deals
        assert sum(row.deals for row in await trends.sale_counts(tx, QUARTERS)) == deals
        assert await trends.code_counts(tx, QUARTERS) == []
