"""A made-up conversation: what its person says and what its messenger tells come at the same moment."""

import asyncio
from datetime import UTC, datetime, timedelta

from storage import trials
from storage.database import Database
from storage.tables.surveys import Trial

NOW = datetime(2026, 7, 1, 3, tzinfo=UTC)


async def test_the_id_of_the_question_and_the_answer_to_it_are_both_kept(db: Database) -> None:
    ends_at = NOW + timedelta(hours=1)
    row = Trial(channel="telegram", chat_id="1", surveys=["nps"], steps=[{}], started_at=NOW, ends_at=ends_at)
    async with db.transaction() as tx:
        number = (await trials.begin(tx, row)).id or 0

    async def sent() -> None:
        async with db.transaction() as tx:
            await trials.note_step(tx, number, 0, {"message_id": "17"})

    async with db.transaction() as tx:
        heard = await trials.current(tx, "telegram", "1", NOW)
        assert heard is not None
        beside = asyncio.create_task(sent())
        await asyncio.sleep(0.2)
        heard.steps = [{**heard.steps[0], "score": 9}]
    await beside
    async with db.reading() as tx:
        kept = await trials.trial(tx, number)
    assert kept is not None
    assert kept.steps == [{"score": 9, "message_id": "17"}]
