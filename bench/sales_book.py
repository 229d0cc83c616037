"""A made-up company of many years in one SQLite file: deals, the questions about them, answers, codes."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.database import Database
from storage.sql import table_of
from storage.tables.complaints import Complaint
from storage.tables.deals import Deal, Referral
from storage.tables.people import PromoCode
from storage.tables.surveys import Reply, Survey, SurveyState

ENDS = datetime(2026, 10, 1, tzinfo=UTC)
YEARS = 8
ANSWERED = 6  # of ten questions
COMPLAINTS = 200  # one of so many deals
PIPELINE, COMPLAINTS_PIPELINE = 9001, 9100
SPAN = timedelta(days=365) * YEARS


def at(days: str = "0") -> str:
    """The moment of row n of `count`, evenly over the years, so many days later."""
    start, seconds = (ENDS - SPAN - timedelta(days=3)).isoformat(" "), SPAN.total_seconds()
    moved = f"strftime('%Y-%m-%d %H:%M:%S', '{start[:19]}', (n * {seconds:.0f} / :count) || ' seconds', "
    return f"{moved} ({days}) || ' days') || '.000000'"


CLIENT = "1 + n % (:count * 4 / 5)"
MANAGER = "1 + (n * 7) % 20"
PRICE = "20000 + n * 2654435761 % 1000003 % 4000 * 100"  # to the hundred, as prices are
SCORE = "CASE WHEN n % 13 = 0 THEN 3 WHEN n % 5 = 0 THEN 7 ELSE 9 + n % 2 END"
BAND = "CASE WHEN n % 13 = 0 THEN 'low' WHEN n % 5 = 0 THEN 'neutral' ELSE 'high' END"
IS_ANSWERED = f"n % 10 < {ANSWERED}"


def answered(then: str, otherwise: str = "NULL") -> str:
    return f"CASE WHEN {IS_ANSWERED} THEN {then} ELSE {otherwise} END"


# What tells the rows apart; the rest is as in the row that is repeated.
OWN: Mapping[str, Mapping[str, str]] = {
    "deals": {
        "deal_id": "n",
        "client_id": CLIENT,
        "contact_id": "n",
        "price": PRICE,
        "manager_id": MANAGER,
        "status_id": "CASE WHEN n % 10 = 9 THEN 143 ELSE 142 END",
        "closed_at": at(),
        "updated_at": at(),
        "decided_at": at(),
        "created_at": at("-20"),
    },
    "surveys": {
        "deal_id": "n",
        "root_deal_id": "n",
        "client_id": CLIENT,
        "contact_id": "n",
        "manager_id": MANAGER,
        "manager": f"'Менеджер ' || ({MANAGER})",
        "triggered_at": at(),
        "due_at": at("1"),
        "settled_at": at("1"),
        "sent_at": at("1"),
        "channel": "CASE WHEN n % 3 = 0 THEN 'telegram' ELSE 'whatsapp' END",
        "state": answered("'answered'", "CASE WHEN n % 10 = 9 THEN 'skipped' ELSE 'expired' END"),
        "reason": "CASE WHEN n % 10 = 9 THEN 'unreachable' ELSE '' END",
        "score": answered(SCORE),
        "band": answered(BAND, "''"),
        "answered_at": answered(at("2")),
        "revision": answered("1", "0"),
    },
    "replies": {
        "external_id": "'in' || n",
        "survey_id": "n",
        "client_id": CLIENT,
        "received_at": at("2"),
        "score": SCORE,
        "band": BAND,
        "text": "CASE WHEN n % 4 = 0 THEN 'всё хорошо, спасибо' ELSE '' END",
    },
    "referrals": {"deal_id": "n", "is_referral": "n % 8 = 0"},
    "promo_codes": {
        "code": "'ДРУГ-' || n",
        "digits": "'d' || n",
        "client_id": "n",
        "created_at": at(),
        "first_sent_at": at("1"),
    },
    "complaints": {
        "lead_id": "100000000 + n",
        "opened_at": at("3"),
        "closed_at": at("8"),
        "manager_id": MANAGER,
    },
}


async def fill(db: Database, deals: int) -> None:
    """By the database itself: millions of objects would take minutes."""
    early = ENDS - SPAN * 2
    rows: list[tuple[SQLModel, str]] = [
        (_deal(early), "1"),
        (_survey(early), "1"),
        (
            Reply(channel="whatsapp", external_id="in", received_at=early, kind="text", counts=True),
            IS_ANSWERED,
        ),
        (Referral(deal_id=0), "n % 10 <> 9"),
        (PromoCode(code="0", digits="0", client_id=0, created_at=early), "n % 5 = 0"),
        (Complaint(opened_at=early, by_hand=True, is_solved=True), f"n % {COMPLAINTS} = 0"),
    ]
    for row, which in rows:
        async with db.transaction() as tx:
            await _repeat(tx, row, deals, which)
    async with db.transaction() as tx:
        await tx.exec(text("ANALYZE"))  # type: ignore[call-overload]  # SQLModel knows no plain text


async def _repeat(tx: AsyncSession, row: SQLModel, count: int, which: str) -> None:
    table = table_of(type(row))
    own = OWN[table.name]
    columns = {column.name: own.get(column.name, f"one.{column.name}") for column in table.columns}
    if "id" in columns:
        columns["id"] = "n"
    numbers = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)"
    # Made of the names of our own tables.
    names, values = ", ".join(columns), ", ".join(columns.values())
    tx.add(row)
    await tx.flush()
    connection = await tx.connection()
    await connection.execute(text(f"CREATE TEMP TABLE one AS SELECT * FROM {table.name}"))  # noqa: S608
    await connection.execute(text(f"DELETE FROM {table.name}"))  # noqa: S608
    insert = f"{numbers} INSERT INTO {table.name} ({names}) SELECT {values} FROM one, numbers WHERE {which}"  # noqa: S608
    await connection.execute(text(insert), {"count": count})
    await connection.execute(text("DROP TABLE one"))


def _deal(early: datetime) -> Deal:
    return Deal(
        deal_id=0, name="Ворота", pipeline_id=PIPELINE, status_id=142, created_at=early, updated_at=early,
        closed_at=early, entered_at=early, seen_at=early, fields={"3001": [{"value": "нет", "enum_id": 1}]},
    )  # fmt: skip


def _survey(early: datetime) -> Survey:
    return Survey(
        survey_key="nps", metric="nps", trigger="deal_won", deal_id=0, root_deal_id=0, pipeline_id=PIPELINE,
        triggered_at=early, planned_at=early, due_at=early, next_at=early, settled_at=early,
        state=SurveyState.ANSWERED, scale="1-10 low=5 high=9",
    )  # fmt: skip


async def made(file: Path, deals: int) -> None:
    db = await Database.open(f"sqlite:///{file}", is_private=True)
    try:
        await fill(db, deals)
    finally:
        await db.close()
