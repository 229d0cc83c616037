"""What does an administrator see of rows that wait?"""

from datetime import UTC, datetime, timedelta

from storage.counts import count_rows
from storage.database import Database
from storage.tables.queues import Inbox, Outbox, OutboxState
from storage.tables.surveys import Survey, SurveyState

NOON = datetime(2026, 11, 5, 2, 0, tzinfo=UTC)


def survey(deal: int, state: SurveyState, next_at: datetime) -> Survey:
    return Survey(
        survey_key="nps",
        metric="nps",
        trigger="deal_won",
        deal_id=deal,
        root_deal_id=deal,
        triggered_at=NOON,
        planned_at=NOON,
        due_at=next_at,
        next_at=next_at,
        state=state,
    )


def act(key: str, due_at: datetime, *, state: OutboxState = OutboxState.WAITING, attempt: int = 0) -> Outbox:
    created_at = NOON - timedelta(hours=1)
    return Outbox(kind="note", key=key, state=state, due_at=due_at, created_at=created_at, attempt=attempt)


async def test_rows_are_counted_by_state_and_the_oldest_waiting_one_is_timed(db: Database) -> None:
    soon, past = NOON + timedelta(minutes=5), NOON - timedelta(seconds=90)
    async with db.reading() as tx:
        nothing = await count_rows(tx, NOON)
    async with db.transaction() as tx:
        tx.add_all([survey(1, SurveyState.PLANNED, past), survey(2, SurveyState.PLANNED, soon)])
        tx.add(survey(3, SurveyState.ANSWERED, past - timedelta(days=9)))
        tx.add(Inbox(channel="telegram", external_id="1", kind="text", raw=b"9", received_at=past))
        tx.add_all([act("later", soon), act("done", past, state=OutboxState.DONE)])
    async with db.reading() as tx:
        counts = await count_rows(tx, NOON)
    assert nothing.oldest == {("surveys",): 0, ("inbox",): 0, ("outbox",): 0}
    assert counts.surveys == {("nps", "planned"): 2, ("nps", "answered"): 1}
    assert counts.inbox == {("new",): 1}
    assert counts.outbox == {("note", "waiting"): 1, ("note", "done"): 1}
    assert counts.oldest == {("surveys",): 90, ("inbox",): 90, ("outbox",): 0}


async def test_an_act_that_failed_has_waited_although_its_next_try_is_later(db: Database) -> None:
    async with db.transaction() as tx:
        tx.add(act("failed once", NOON + timedelta(hours=3), attempt=1))
    async with db.reading() as tx:
        assert (await count_rows(tx, NOON)).oldest[("outbox",)] == 3600
