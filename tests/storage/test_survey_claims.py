"""Who checks a survey holds it; what the client does meanwhile takes it away again."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from storage import sending, surveys, turns
from storage.database import Database
from storage.tables.deals import Deal
from storage.tables.surveys import Survey, SurveyState

NOW = datetime(2026, 9, 7, 12, 0, tzinfo=UTC)
IVAN = 7
WEEK = timedelta(days=7)
GREETING = timedelta(minutes=1)


def deal() -> Deal:
    return Deal(
        deal_id=501, pipeline_id=1, status_id=142, client_id=IVAN, created_at=NOW, updated_at=NOW, seen_at=NOW
    )


def planned(client_id: int | None) -> Survey:
    return Survey(
        survey_key="nps", metric="nps", trigger="deal_won", deal_id=501, root_deal_id=501,
        client_id=client_id, triggered_at=NOW, planned_at=NOW, due_at=NOW, next_at=NOW,
        state=SurveyState.PLANNED,
    )  # fmt: skip


async def claimed(db: Database, client_id: int | None) -> Survey:
    async with db.transaction() as tx:
        tx.add(deal())
        tx.add(planned(client_id))
    survey = await sending.claim_due(db, NOW)
    assert survey is not None
    return survey


async def now_in(db: Database, survey: Survey) -> Survey:
    async with db.reading() as tx:
        row = await surveys.survey(tx, survey.id or 0)
    assert row is not None
    return row


async def revived(tx: AsyncSession) -> int:
    return await turns.revive(tx, IVAN, ["unreachable"], NOW, WEEK, greeting_until=NOW + GREETING)


@pytest.mark.parametrize("client_id", [IVAN, None], ids=["of the client", "of a deal of the client"])
async def test_who_links_a_messenger_while_we_find_nobody_is_asked_after_all(
    db: Database, client_id: int | None
) -> None:
    survey = await claimed(db, client_id)
    async with db.transaction() as tx:  # The client opens the bot …
        await turns.look_again(tx, IVAN, NOW)
        assert await revived(tx) == 0
    async with db.transaction() as tx:  # … and only then it is written down that there is no way.
        assert not await sending.close(tx, survey, "unreachable", NOW)
    again = await sending.claim_due(db, NOW)
    assert again is not None
    assert again.id == survey.id


@pytest.mark.parametrize("client_id", [IVAN, None], ids=["of the client", "of a deal of the client"])
async def test_who_links_one_a_moment_later_is_asked_after_all_too(
    db: Database, client_id: int | None
) -> None:
    survey = await claimed(db, client_id)
    async with db.transaction() as tx:
        assert await sending.close(tx, survey, "unreachable", NOW)
    async with db.transaction() as tx:
        await turns.look_again(tx, IVAN, NOW)
        assert await revived(tx) == 1
    assert (await now_in(db, survey)).state == SurveyState.PLANNED


@pytest.mark.parametrize("is_closed", [True, False], ids=["a moment later", "while we find nobody"])
async def test_who_links_a_messenger_is_greeted_before_the_question(db: Database, is_closed: bool) -> None:
    survey = await claimed(db, IVAN)
    async with db.transaction() as tx:
        if is_closed:
            assert await sending.close(tx, survey, "unreachable", NOW)
        await turns.look_again(tx, IVAN, NOW, greeting_until=NOW + GREETING)
        await revived(tx)
    assert await sending.claim_due(db, NOW) is None
    async with db.transaction() as tx:
        assert await turns.greeted(tx, IVAN, NOW)
        assert not await turns.greeted(tx, IVAN, NOW)
    assert await sending.claim_due(db, NOW) is not None


async def test_whoever_cannot_be_greeted_is_asked_all_the_same(db: Database) -> None:
    await claimed(db, IVAN)
    async with db.transaction() as tx:
        await turns.look_again(tx, IVAN, NOW, greeting_until=NOW + GREETING)
    assert await sending.claim_due(db, NOW + GREETING) is not None


async def test_nothing_goes_out_on_what_was_seen_before_the_client_said_stop(db: Database) -> None:
    survey = await claimed(db, IVAN)
    async with db.transaction() as tx:
        await turns.look_again(tx, IVAN, NOW)
    assert not await sending.begin_sending(
        db, survey, channel="whatsapp", chat_id="1", text_variant="", promo_code="", conversation=1, now=NOW
    )


async def test_a_question_that_is_on_its_way_is_not_taken_back(db: Database) -> None:
    survey = await claimed(db, IVAN)
    assert await sending.begin_sending(
        db, survey, channel="whatsapp", chat_id="1", text_variant="", promo_code="", conversation=1, now=NOW
    )
    async with db.transaction() as tx:
        await turns.look_again(tx, IVAN, NOW)
        assert await sending.mark_asked(
            tx, survey, message_id="m1", now=NOW, expires_at=NOW + WEEK, uncertain=False
        )
