"""Who follows some pipelines or managers: which rows a report is made of then, and who is found."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import select

from storage import facts, finding
from storage import sales as sales_of
from storage.database import Database
from storage.narrowed import Only, narrowed
from storage.survey_rows import survey_rows
from storage.tables.complaints import Complaint
from storage.tables.deals import Deal, Referral
from storage.tables.people import Client, PromoCode
from storage.tables.surveys import Survey, SurveyState

BEGINS, INSIDE, ENDS = (datetime(2026, month, 1, tzinfo=UTC) for month in (7, 8, 10))
SALES, SERVICE, COMPLAINTS = 1, 2, 9
OLEG, MARIA = 11, 12
EVERYTHING = Only()
IN_SALES = Only(pipelines=frozenset({SALES}))
OF_OLEG = Only(managers=frozenset({OLEG}))


def deal(deal_id: int, pipeline: int, manager: int, client: int | None = None) -> Deal:
    return Deal(
        deal_id=deal_id, name=f"Сделка {deal_id}", price=deal_id, pipeline_id=pipeline, manager_id=manager,
        status_id=142, client_id=client, created_at=INSIDE, updated_at=INSIDE, closed_at=INSIDE,
        seen_at=INSIDE,
    )  # fmt: skip


def survey(deal_id: int, pipeline: int, manager: int, **more: Any) -> Survey:
    given: dict[str, Any] = {
        "survey_key": "nps", "metric": "nps", "trigger": "deal_won", "root_deal_id": deal_id,
        "state": SurveyState.SENT, "settled_at": INSIDE, "triggered_at": INSIDE, "planned_at": INSIDE,
        "due_at": INSIDE, "next_at": INSIDE, "channel": "telegram",
    }  # fmt: skip
    return Survey(deal_id=deal_id, pipeline_id=pipeline, manager_id=manager, **{**given, **more})


def complaint(lead_id: int, source: int | None, manager: int, **more: Any) -> Complaint:
    return Complaint(lead_id=lead_id, source_deal_id=source, manager_id=manager, opened_at=INSIDE, **more)


@pytest.fixture
async def company(db: Database) -> Database:
    """Oleg sells (deal 1) and serves (2), Maria sells (3); 1 and 2 led to complaints.

    93 and 94 came by hand: nobody knows whose 93 is, 94 is of the client whom Oleg serves.
    """
    rows = [
        Client(client_id=7, key="phone:+79140000001", phone="+79140000001", name="Иван", created_at=INSIDE),
        Client(client_id=8, key="phone:+79140000002", phone="+79140000002", name="Пётр", created_at=INSIDE),
        deal(1, SALES, OLEG, 7), deal(2, SERVICE, OLEG, 8), deal(3, SALES, MARIA, 7),
        survey(1, SALES, OLEG, promo_code="ДРУГ-1"), survey(2, SERVICE, OLEG, promo_code="ДРУГ-2"),
        survey(3, SALES, MARIA),
        # Each is about how the complaint was solved; the deal behind it tells whose it is.
        survey(91, COMPLAINTS, OLEG, root_deal_id=1, trigger="complaint_closed", survey_key="solved"),
        survey(92, COMPLAINTS, OLEG, root_deal_id=2, trigger="complaint_closed", survey_key="solved"),
        complaint(91, 1, OLEG), complaint(92, 2, OLEG), complaint(93, None, MARIA),
        complaint(94, None, OLEG, client_id=8),
        PromoCode(code="ДРУГ-1", digits="1", client_id=7, created_at=INSIDE, first_sent_at=INSIDE),
        PromoCode(code="ДРУГ-2", digits="2", client_id=8, created_at=INSIDE, first_sent_at=INSIDE),
    ]  # fmt: skip
    async with db.transaction() as tx:
        tx.add_all(rows)
    return db


@pytest.mark.parametrize(
    ("only", "surveys", "complaints", "prices", "codes"),
    [
        (EVERYTHING, 5, 4, [1, 2, 3], 2),
        (IN_SALES, 3, 1, [1, 3], 1),
        (OF_OLEG, 4, 3, [1, 2], 2),
        (Only(pipelines=frozenset({SALES}), managers=frozenset({MARIA})), 1, 0, [3], 0),
        (Only(pipelines=frozenset({SALES, SERVICE}), managers=frozenset({OLEG, MARIA})), 5, 3, [1, 2, 3], 2),
        (Only(managers=frozenset({-1})), 0, 0, [], 0),
    ],
    ids=["everything", "sales", "oleg", "maria in sales", "all pipelines", "nobody"],
)
async def test_a_report_is_made_of_what_is_followed(
    company: Database, only: Only, surveys: int, complaints: int, prices: list[int], codes: int
) -> None:
    async with narrowed(company, only).reading() as tx:
        assert len(await survey_rows(tx, BEGINS, ENDS)) == surveys
        assert len(await facts.complaint_rows(tx, BEGINS, ENDS)) == complaints
        assert [row.price for row in await sales_of.sale_rows(tx, BEGINS, ENDS)] == prices
        assert sum(row.count for row in await sales_of.code_rows(tx, BEGINS, ENDS)) == codes


async def test_a_deal_that_was_passed_on_is_counted_for_whose_client_was_asked(company: Database) -> None:
    """Else the name and the deals of a colleague would stand in a report that is not about them."""
    async with company.transaction() as tx:
        tx.add_all([deal(4, SALES, OLEG), survey(4, SALES, MARIA), deal(5, SALES, OLEG)])
    told = {}
    for manager in (OLEG, MARIA):
        async with narrowed(company, Only(managers=frozenset({manager}))).reading() as tx:
            sellers = await sales_of.seller_rows(tx, BEGINS, ENDS)
            deals = sum(row.count for row in await sales_of.sale_rows(tx, BEGINS, ENDS))
            told[manager] = ([(row.manager_id, row.count) for row in sellers], deals)
    assert told == {OLEG: ([(OLEG, 3)], 3), MARIA: ([(MARIA, 2)], 2)}


@pytest.mark.parametrize(
    ("only", "invited", "won"), [(EVERYTHING, 2, 1), (IN_SALES, 1, 1), (OF_OLEG, 2, 0)], ids=str
)
async def test_the_referral_programme_is_told_of_what_is_followed(
    company: Database, only: Only, invited: int, won: int
) -> None:
    async with company.transaction() as tx:
        surveys = (await tx.exec(select(Survey))).all()
        for survey in surveys:
            survey.client_id = 8 if survey.root_deal_id == 2 else 7
        tx.add(Referral(deal_id=3, code="ДРУГ-2", referrer_id=8, is_referral=True))
    async with narrowed(company, only).reading() as tx:
        row = await sales_of.programme_row(tx, BEGINS, ENDS)
    assert (row.invited, row.interested, row.friends_won, row.friends_lost) == (invited, 0, won, 0)


async def test_other_rows_cannot_be_read_by_oversight(company: Database) -> None:
    async with narrowed(company, IN_SALES).reading() as tx:
        connection = await tx.connection()
        with pytest.raises(KeyError):
            await connection.execute(select(Client.name))


async def test_who_follows_all_reads_the_database_itself(db: Database) -> None:
    assert narrowed(db, EVERYTHING) is db


@pytest.mark.parametrize(
    ("only", "found"), [(EVERYTHING, [8, 7]), (IN_SALES, [7]), (Only(managers=frozenset({MARIA})), [7])]
)
async def test_a_client_is_found_by_who_follows_a_deal_of_theirs(
    company: Database, only: Only, found: list[int]
) -> None:
    async with company.reading() as tx:
        clients = await finding.clients(
            tx, only, phone=None, last_digits="", deal_id=0, words=["сделка"], limit=10
        )
    assert [client.client_id for client in clients] == found


async def test_a_story_tells_of_followed_deals_only(company: Database) -> None:
    async with company.reading() as tx:
        mine = await finding.story(tx, Only(managers=frozenset({MARIA})), 7)
        foreign = await finding.story(tx, Only(managers=frozenset({MARIA})), 8)
    assert mine is not None
    assert [one.deal_id for one in mine.deals] == [3]
    assert foreign is None
