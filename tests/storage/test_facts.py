"""Which rows a report and an export are made of."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import SQLModel

from storage import facts
from storage import sales as sales_of
from storage.database import Database
from storage.facts import ComplaintRow
from storage.sales import CodeRow, SellerRow
from storage.survey_rows import SurveyRow, survey_rows
from storage.tables.complaints import Complaint
from storage.tables.deals import Contact, Deal, Referral
from storage.tables.people import Chat, Client, PromoCode
from storage.tables.surveys import Message, Reply, Survey, SurveyState

VLADIVOSTOK = ZoneInfo("Asia/Vladivostok")
BEGINS = datetime(2026, 7, 1, tzinfo=VLADIVOSTOK)
ENDS = datetime(2026, 10, 1, tzinfo=VLADIVOSTOK)
INSIDE = datetime(2026, 8, 3, 4, 5, 6, 789, tzinfo=UTC)
BEFORE = datetime(2026, 6, 30, 13, 59, 59, tzinfo=UTC)  # still June in Vladivostok
AFTER = ENDS.astimezone(UTC)  # the end is not part of it


async def keep(db: Database, *rows: SQLModel) -> None:
    async with db.transaction() as tx:
        tx.add_all(rows)


async def surveys(db: Database) -> list[SurveyRow]:
    async with db.reading() as tx:
        return await survey_rows(tx, BEGINS, ENDS)


async def complaints(db: Database) -> list[ComplaintRow]:
    async with db.reading() as tx:
        return await facts.complaint_rows(tx, BEGINS, ENDS)


async def sales(db: Database, **of: Any) -> list[sales_of.SaleRow]:
    async with db.reading() as tx:
        return await sales_of.sale_rows(tx, BEGINS, ENDS, **of)


async def codes(db: Database) -> list[CodeRow]:
    async with db.reading() as tx:
        return await sales_of.code_rows(tx, BEGINS, ENDS)


def survey(deal_id: int, state: str = SurveyState.SENT, **known: Any) -> Survey:
    given: dict[str, Any] = {
        "survey_key": "nps",
        "metric": "nps",
        "trigger": "deal_won",
        "root_deal_id": deal_id,
        "triggered_at": INSIDE,
        "planned_at": INSIDE,
        "due_at": INSIDE,
        "next_at": INSIDE,
        "settled_at": INSIDE,
    }
    return Survey(deal_id=deal_id, state=state, **{**given, **known})


def deal(deal_id: int, **known: Any) -> Deal:
    given: dict[str, Any] = {
        "status_id": 142,
        "pipeline_id": 1,
        "price": 180_000,
        "created_at": BEFORE,
        "updated_at": INSIDE,
        "closed_at": INSIDE,
        "seen_at": INSIDE,
    }
    return Deal(deal_id=deal_id, **{**given, **known})


# Surveys


async def test_rows_that_are_alike_are_one_and_counted(db: Database) -> None:
    """Apart stay what lies before the middle, other scores, and deals with several questions."""
    middle, later = INSIDE + timedelta(days=1), INSIDE + timedelta(days=2)
    answered: dict[str, Any] = {
        "state": SurveyState.ANSWERED,
        "answered_at": later,
        "score": 9,
        "band": "high",
    }
    await keep(
        db,
        *(survey(number, **{**answered, "settled_at": later}) for number in (1, 2, 3)),
        survey(4, **answered),
        survey(5, **{**answered, "settled_at": later, "score": 3, "band": "low"}),
        *(survey(6, **{**answered, "settled_at": later}, survey_key=key) for key in ("nps", "csat")),
    )
    async with db.reading() as tx:
        rows = await survey_rows(tx, BEGINS, ENDS, cuts=[middle])
    told = [(row.survey_key, row.settled_at, row.score, row.root_deal_id, row.count) for row in rows]
    assert sorted(told) == [
        ("csat", later, 9, 6, 1),
        ("nps", INSIDE, 9, 0, 1),
        ("nps", later, 3, 0, 1),
        ("nps", later, 9, 0, 3),
        ("nps", later, 9, 6, 1),
    ]


async def test_what_is_alike_over_months_is_one_and_counted_once(db: Database) -> None:
    """The latest of its times stays. Apart stay answers of another part of the time and earlier questions."""
    months = [BEGINS + timedelta(days=days) for days in (0, 31, 62, 91)]
    answered: dict[str, Any] = {"state": SurveyState.ANSWERED, "score": 9, "band": "high"}
    days = timedelta(days=3)
    await keep(
        db,
        *(survey(n, **answered, settled_at=at, answered_at=at + days) for n, at in enumerate(months[:3])),
        survey(3, **answered, settled_at=months[0], answered_at=months[2] + timedelta(days=9)),
        survey(4, **answered, settled_at=months[3], answered_at=ENDS + days),
        survey(5, **answered, settled_at=BEGINS - days, answered_at=BEGINS),
        survey(6, **answered, settled_at=None, answered_at=BEGINS),
        survey(7, SurveyState.SENT, settled_at=months[1]),
        survey(8, SurveyState.SENT, settled_at=months[2], delivered_at=months[2]),
    )
    async with db.reading() as tx:
        rows = await survey_rows(tx, BEGINS, ENDS, cuts=[months[2] + timedelta(days=5)])
    told = [(row.settled_at, row.answered_at, row.root_deal_id, row.count) for row in rows]
    nobody = datetime.max.replace(tzinfo=UTC)
    assert sorted(told, key=lambda row: (row[0] or nobody, row[1] or nobody)) == [
        (BEGINS - days, BEGINS, 5, 1),
        (months[0], months[2] + timedelta(days=9), 0, 1),
        (months[1], None, 0, 1),
        (months[2], months[2] + days, 0, 3),
        (months[2], None, 0, 1),
        (months[3], ENDS + days, 0, 1),
        (None, BEGINS, 6, 1),
    ]


async def test_who_sold_is_counted_by_the_times_that_are_told_apart(db: Database) -> None:
    cut = INSIDE + timedelta(days=1)
    await keep(db, *(deal(n, manager_id=7, price=n) for n in (1, 2)), deal(3, manager_id=7, closed_at=cut))
    async with db.reading() as tx:
        rows = await sales_of.seller_rows(tx, BEGINS, ENDS, cuts=[cut])
    assert rows == [SellerRow(INSIDE, 7, 2), SellerRow(cut, 7, 1)]


async def test_won_deals_that_are_alike_are_one_and_counted(db: Database) -> None:
    """What a person has to look at is told deal by deal."""
    cut = INSIDE + timedelta(days=1)
    await keep(
        db,
        *(deal(number, client_id=number) for number in (1, 2, 3)),
        deal(4, closed_at=cut),
        *(deal(number, price=5) for number in (5, 6)),
        *(Referral(deal_id=number, problem="unknown") for number in (5, 6)),
    )
    told = [(row.price, row.deal_id, row.count) for row in await sales(db, cuts=(cut,))]
    assert told == [(180_000, 0, 3), (180_000, 0, 1), (5, 5, 1), (5, 6, 1)]


async def test_a_survey_row_has_what_the_report_needs(db: Database) -> None:
    await keep(
        db,
        survey(
            1,
            SurveyState.ANSWERED,
            channel="whatsapp",
            tried=["telegram"],
            sent_at=INSIDE,
            delivered_at=INSIDE,
            read_at=INSIDE,
            answered_at=INSIDE,
            score=9,
            band="high",
            manager_id=7,
            manager="Олег",
            subject="Бригада 1",
            scale="1-10 low=5 high=9",
            contact_id=301,
            revision=2,
            pipeline_id=3,
        ),
        Reply(channel="whatsapp", external_id="1", received_at=INSIDE, survey_id=1, score=4, kind="text"),
        Reply(
            channel="whatsapp",
            external_id="2",
            received_at=INSIDE,
            survey_id=1,
            score=9,
            kind="text",
            text="теперь всё хорошо",
            counts=True,
        ),
        deal(1, manager_id=8),
    )
    assert await surveys(db) == [
        SurveyRow(
            survey_key="nps",
            metric="nps",
            state="answered",
            reason="",
            settled_at=INSIDE,
            channel="whatsapp",
            tried=["telegram"],
            is_delivered=True,
            is_read=True,
            uncertain=False,
            answered_at=INSIDE,
            score=9,
            band="high",
            manager_id=7,
            manager="Олег",
            subject="Бригада 1",
            scale="1-10 low=5 high=9",
            trigger="deal_won",
            root_deal_id=1,
            pipeline_id=3,
            first_score=4,
            manager_now=8,
            has_words=True,
            has_own_tag=False,
        )
    ]


async def test_a_survey_is_of_this_time_if_it_was_settled_or_answered_then(db: Database) -> None:
    await keep(
        db,
        survey(1, settled_at=BEFORE),
        survey(2, settled_at=BEGINS),
        survey(3, settled_at=AFTER),
        survey(4, SurveyState.ANSWERED, settled_at=BEFORE, answered_at=INSIDE, score=1),
        survey(5, SurveyState.ANSWERED, settled_at=INSIDE, answered_at=AFTER, score=2),
        survey(6, SurveyState.ANSWERED, settled_at=BEFORE, answered_at=AFTER, score=3),
    )
    assert [(row.settled_at, row.score) for row in await surveys(db)] == [
        (BEGINS, None),
        (BEFORE, 1),
        (INSIDE, 2),
    ]


@pytest.mark.parametrize("state", [SurveyState.PLANNED, SurveyState.SENDING])
async def test_what_still_waits_is_not_there(db: Database, state: SurveyState) -> None:
    await keep(db, survey(1, state), survey(2, state, settled_at=None))
    assert await surveys(db) == []


async def test_every_way_to_end_is_there(db: Database) -> None:
    ways = ["sent", "uncertain", "answered", "expired", "skipped", "failed"]
    await keep(db, *(survey(number, state, reason="why") for number, state in enumerate(ways, 1)))
    assert [row.state for row in await surveys(db)] == ways


async def test_a_deal_that_is_a_reply_counts_nowhere_and_a_deleted_one_has_its_reason(db: Database) -> None:
    await keep(
        db,
        survey(1),
        survey(2),
        survey(3, SurveyState.SKIPPED, reason="deleted"),
        deal(1),
        deal(2, is_reply=True),
        deal(3, is_deleted=True),
    )
    assert [row.reason for row in await surveys(db)] == ["", "deleted"]


@pytest.mark.parametrize(
    ("reply", "has_words"),
    [
        ({"text": "ждали три недели", "kind": "text"}, True),
        ({"text": "", "kind": "tap"}, False),
        ({"text": "стоп", "kind": "text", "rule": "optout"}, False),
        ({"text": "стоп", "kind": "text", "rule": "optout", "score": 9}, True),
        ({"text": "👍", "kind": "reaction"}, False),
        ({"text": "Я в отпуске", "kind": "text", "rule": "machine"}, False),
    ],
)
async def test_what_counts_as_a_comment(db: Database, reply: dict[str, Any], has_words: bool) -> None:
    await keep(
        db,
        survey(1, SurveyState.ANSWERED, id=5, answered_at=INSIDE, score=9),
        Reply(channel="telegram", external_id="1", received_at=INSIDE, survey_id=5, **reply),
    )
    assert [(row.has_words, row.first_score) for row in await surveys(db)] == [(has_words, 9)]


async def test_a_stop_tag_of_ours_is_told_from_that_of_a_person(db: Database) -> None:
    known: dict[str, Any] = {"read_at": INSIDE, "tags": ["не опрашивать"]}
    await keep(
        db,
        survey(1, SurveyState.SKIPPED, reason="stop_tag", contact_id=301),
        survey(2, SurveyState.SKIPPED, reason="stop_tag", contact_id=302),
        Contact(contact_id=301, own_tag="не опрашивать", **known),
        Contact(contact_id=302, **known),
    )
    assert [row.has_own_tag for row in await surveys(db)] == [True, False]
    assert all(isinstance(row.has_words, bool) for row in await surveys(db))


# Complaints


async def test_complaints_of_this_time_and_all_open_ones(db: Database) -> None:
    await keep(
        db,
        Complaint(lead_id=1, opened_at=INSIDE, closed_at=AFTER),
        Complaint(lead_id=2, opened_at=BEFORE, closed_at=INSIDE),
        Complaint(lead_id=3, opened_at=BEFORE, closed_at=BEFORE),
        Complaint(lead_id=4, opened_at=BEFORE),
        Complaint(lead_id=5, opened_at=BEFORE, left_at=BEFORE),
        Complaint(lead_id=6, opened_at=INSIDE, left_at=INSIDE),
    )
    assert await complaints(db) == [
        ComplaintRow(INSIDE, AFTER, None),
        ComplaintRow(BEFORE, INSIDE, None),
        ComplaintRow(BEFORE, None, None),
        ComplaintRow(INSIDE, None, INSIDE),
    ]


async def test_a_complaint_tells_what_became_of_it_and_how_the_client_liked_that(db: Database) -> None:
    solved: dict[str, Any] = {"trigger": "complaint_closed", "score": 2, "answered_at": INSIDE}
    await keep(
        db,
        Complaint(
            lead_id=1, opened_at=INSIDE, closed_at=INSIDE, is_solved=True, reopened=1, by_hand=True,
            topic="Монтаж", manager_id=7, manager="Олег", taken_at=AFTER, first_taken_at=INSIDE,
            contacted_at=INSIDE, closed_by_user=8,
        ),
        Complaint(lead_id=2, opened_at=INSIDE, taken_at=INSIDE),
        survey(1, survey_key="solved", band="low", **solved),
        survey(1, survey_key="again", band="high", **{**solved, "answered_at": AFTER}),
        survey(1, survey_key="nps", band="low", score=1, answered_at=AFTER),
        survey(2, survey_key="solved", trigger="complaint_closed"),
    )  # fmt: skip
    first, second = await complaints(db)
    assert first == ComplaintRow(
        INSIDE, INSIDE, None, True, 1, True, "Монтаж", 7, "Олег", INSIDE, INSIDE, 8, "high"
    )
    assert (second.taken_at, second.solution) == (INSIDE, None)
    assert second.number == first.number + 1


async def test_a_complaint_counts_before_amocrm_has_it_and_not_after_it_was_deleted(db: Database) -> None:
    await keep(
        db,
        Complaint(lead_id=None, opened_at=INSIDE),
        Complaint(lead_id=2, opened_at=INSIDE),
        Complaint(lead_id=3, opened_at=INSIDE),
        deal(2, status_id=5),
        deal(3, is_deleted=True),
    )
    assert len(await complaints(db)) == 2


# Sales


async def test_only_won_deals_of_this_time_are_sales(db: Database) -> None:
    await keep(
        db,
        deal(1, price=184_000.5),
        deal(2, status_id=143),
        deal(3, status_id=5, closed_at=None),
        deal(4, closed_at=BEFORE),
        deal(5, closed_at=AFTER),
        deal(6, is_deleted=True),
        deal(7, is_reply=True),
        deal(8, closed_at=BEGINS),
    )
    assert [(row.closed_at, row.price, row.is_referral) for row in await sales(db)] == [
        (BEGINS, 180_000, False),
        (INSIDE, 184_000.5, False),
    ]


async def test_sales_pipelines_are_those_named_else_all_but_complaints(db: Database) -> None:
    await keep(db, *(deal(number, pipeline_id=number, price=number) for number in (1, 2, 3)))

    async def prices(**of: Any) -> list[float | None]:
        return [row.price for row in await sales(db, **of)]

    assert await prices() == [1, 2, 3]
    assert await prices(complaints_pipeline=3) == [1, 2]
    assert await prices(pipelines=frozenset({2, 3}), complaints_pipeline=1) == [2, 3]


async def test_what_was_decided_about_a_deal_says_if_it_is_a_referral(db: Database) -> None:
    await keep(
        db,
        *(deal(number, price=number) for number in (1, 2, 3)),
        Referral(deal_id=1, is_referral=True, by_field=True),
        Referral(deal_id=2, code="ДРУГ-1", problem="self"),
    )
    assert {row.price: row.is_referral for row in await sales(db)} == {1: True, 2: False, 3: False}


async def test_a_sale_tells_whose_it_was_when_the_client_was_asked(db: Database) -> None:
    await keep(db, deal(1, manager_id=8), deal(2, manager_id=8), survey(1, manager_id=7))
    async with db.reading() as tx:
        rows = await sales_of.seller_rows(tx, BEGINS, ENDS)
    assert [(row.manager_id, row.count) for row in rows] == [(7, 1), (8, 1)]


async def test_a_friend_who_has_bought_before_is_no_new_client(db: Database) -> None:
    await keep(
        db,
        deal(1, client_id=9, closed_at=BEFORE),
        deal(2, client_id=9, price=2),
        deal(3, client_id=8, price=3),
        deal(4, client_id=7, closed_at=BEFORE, pipeline_id=5),  # a complaint that was solved is no purchase
        deal(5, client_id=7, price=5),
        deal(6, client_id=9, price=6),  # came again, without a code
        *(names(number, 1, referrer_id=1) for number in (2, 3, 5)),
    )
    rows = await sales(db, complaints_pipeline=5)
    assert [(row.price, row.is_first) for row in rows] == [(2, False), (3, True), (5, True), (6, True)]
    assert [(row.referrer_id, row.has_code) for row in rows] == [(1, True)] * 3 + [(None, False)]


async def test_an_empty_referral_field_is_told_and_of_who_was_forgotten_nothing_is(db: Database) -> None:
    filled = {"100": [{"value": "Скидка от друга 5%"}]}
    await keep(
        db,
        Client(client_id=5, key="erased:5", created_at=BEFORE, erased_at=INSIDE),
        deal(1, price=1, fields=filled),
        deal(2, price=2, fields={"200": [{"value": "17"}]}),
        deal(3, price=3, fields={"100": []}),
        deal(4, price=4),
        deal(5, price=5, client_id=5),
    )
    assert [row.is_unmarked for row in await sales(db, referral_field=100)] == [
        False, True, True, True, False
    ]  # fmt: skip
    assert {row.is_unmarked for row in await sales(db)} == {None}


async def test_the_programme_counts_people_who_were_asked_and_who_wanted_the_code(db: Database) -> None:
    def sent(deal_id: int, client: int, **more: Any) -> Survey:
        return survey(deal_id, client_id=client, **more)

    def told(client: int, kind: str, at: datetime) -> list[SQLModel]:
        return [
            Chat(channel="max", chat_id=f"{client}", client_id=client, linked_at=BEFORE),
            Message(channel="max", chat_id=f"{client}", message_id=f"m{client}", kind=kind, sent_at=at),
        ]

    await keep(
        db,
        sent(1, 1), sent(2, 1, survey_key="csat"), sent(3, 2), sent(4, 3), sent(5, 4),
        sent(6, 5, state=SurveyState.SKIPPED, reason="unreachable"), sent(7, 6, settled_at=BEFORE),
        *told(1, "code", INSIDE), *told(2, "question", INSIDE), *told(3, "code", BEFORE),
        code(1), deal(50, client_id=8), deal(51, client_id=9, status_id=143), deal(52, status_id=5),
        deal(53, client_id=7, closed_at=BEFORE), deal(54, client_id=1),
        *(names(number, 1) for number in (50, 51, 52, 53)), names(54, 1, problem="self"),
    )  # fmt: skip
    async with db.reading() as tx:
        row = await sales_of.programme_row(tx, BEGINS, ENDS)
    assert row == sales_of.ProgrammeRow(invited=4, interested=1, friends_won=1, friends_lost=1)


# Codes


def code(number: int, sent: datetime | None = INSIDE) -> PromoCode:
    return PromoCode(
        code=f"ДРУГ-{number}", digits=str(number), client_id=number, created_at=BEFORE, first_sent_at=sent
    )


def names(deal_id: int, number: int, **known: Any) -> Referral:
    return Referral(
        deal_id=deal_id,
        **{"code": f"ДРУГ-{number}", "is_referral": True, **known},
    )


async def test_codes_are_of_the_time_when_they_were_first_sent(db: Database) -> None:
    await keep(db, code(1), code(2, BEFORE), code(3, AFTER), code(4, None), code(5, BEGINS))
    assert await codes(db) == [CodeRow(INSIDE, False, count=2)]


@pytest.mark.parametrize(
    ("friends_deal", "named", "redeemed"),
    [
        (deal(50, client_id=9), names(50, 1), True),
        (deal(50, client_id=9, closed_at=AFTER), names(50, 1), True),  # so far, not only in the time
        (deal(50, client_id=9, status_id=143), names(50, 1), True),  # closed, though lost
        (deal(50, client_id=None), names(50, 1), True),
        (deal(50, client_id=9), names(50, 1, code="АКЦИЯ-1", referrer_id=1), True),  # the prefix is new
        (deal(50, client_id=9, status_id=5, closed_at=None), names(50, 1), False),  # not closed yet
        (deal(50, client_id=9, is_deleted=True), names(50, 1), False),
        (deal(50, client_id=9, is_reply=True), names(50, 1), False),
        (deal(50, client_id=1), names(50, 1), False),  # one's own
        (deal(50, client_id=9), names(50, 1, problem="self"), False),
        (deal(50, client_id=9), names(50, 2), False),  # another code
        (deal(50, client_id=9), names(50, 1, code="", referrer_id=1), False),  # came by the phone number
    ],
)
async def test_a_code_is_redeemed_when_a_friends_closed_deal_names_it(
    db: Database, friends_deal: Deal, named: Referral, redeemed: bool
) -> None:
    await keep(db, code(1), Deal(**friends_deal.model_dump()), Referral(**named.model_dump()))
    assert [(row.first_sent_at, row.is_redeemed) for row in await codes(db)] == [(INSIDE, redeemed)]


async def test_a_code_named_by_two_friends_is_one_code(db: Database) -> None:
    await keep(db, code(1), deal(50, client_id=8), deal(51, client_id=9), names(50, 1), names(51, 1))
    assert await codes(db) == [CodeRow(INSIDE, True, uses=2, won_clients=2)]


# Export


async def test_an_export_row_tells_all_about_a_reply(db: Database) -> None:
    await keep(
        db,
        survey(41, id=5, contact_id=301, manager="Олег", subject="Бригада 1", score=3, band="low"),
        Reply(
            channel="whatsapp",
            external_id="in1",
            received_at=INSIDE,
            survey_id=5,
            score=3,
            band="low",
            late=True,
            counts=True,
            text="3, монтаж три недели",
        ),
    )
    (row,) = await facts.export_rows(db, BEGINS, ENDS)
    assert row == facts.ExportRow(
        received_at=INSIDE,
        channel="whatsapp",
        external_id="in1",
        survey="nps",
        metric="nps",
        deal_id=41,
        contact_id=301,
        manager="Олег",
        subject="Бригада 1",
        score=3,
        band="low",
        late=True,
        counts=True,
        text="3, монтаж три недели",
    )
    assert list(facts.ExportRow.__slots__) == [
        "received_at", "channel", "external_id", "survey", "metric", "deal_id", "contact_id", "manager",
        "subject", "score", "band", "late", "counts", "text",
    ]  # fmt: skip


async def test_words_that_answer_nothing_are_exported_with_nothing_beside_them(db: Database) -> None:
    await keep(db, Reply(channel="telegram", external_id="17:1", received_at=INSIDE, text="Здравствуйте"))
    (row,) = await facts.export_rows(db, BEGINS, ENDS)
    beside = (
        row.survey,
        row.metric,
        row.deal_id,
        row.contact_id,
        row.manager,
        row.subject,
        row.score,
        row.band,
    )
    assert beside == (None,) * 8
    assert (row.late, row.counts, row.text) == (False, False, "Здравствуйте")


async def test_what_is_empty_in_a_survey_is_null_in_the_export(db: Database) -> None:
    await keep(
        db, survey(41, id=5), Reply(channel="telegram", external_id="1", received_at=INSIDE, survey_id=5)
    )
    (row,) = await facts.export_rows(db, BEGINS, ENDS)
    assert (row.survey, row.deal_id) == ("nps", 41)
    assert (row.contact_id, row.manager, row.subject, row.score, row.band) == (None,) * 5


async def test_replies_come_in_order_and_only_of_this_time(db: Database) -> None:
    moments = [INSIDE + timedelta(hours=1), INSIDE, BEGINS, BEFORE, AFTER]
    await keep(
        db,
        *(
            Reply(channel="telegram", external_id=str(number), received_at=moment)
            for number, moment in enumerate(moments)
        ),
    )
    rows = await facts.export_rows(db, BEGINS, ENDS)
    assert [row.external_id for row in rows] == ["2", "1", "0"]
    assert all(row.received_at.tzinfo is UTC for row in rows)
