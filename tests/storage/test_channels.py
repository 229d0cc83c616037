"""What arrived of what went out through each messenger, and when it was last heard of."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import SQLModel

from storage import channels
from storage.channels import Deliveries, Sending
from storage.database import Database
from storage.tables.surveys import Message, Reply, Survey
from tests.storage.test_indexes import plan_of

NOON = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
BEGINS, ENDS = NOON - 10 * HOUR, NOON


async def keep(db: Database, *rows: SQLModel) -> None:
    async with db.transaction() as tx:
        tx.add_all(rows)


def survey(number: int, **known: Any) -> Survey:
    """One of which the id is known, first sent an hour ago."""
    given: dict[str, Any] = {
        "survey_key": "nps",
        "metric": "nps",
        "trigger": "deal_won",
        "root_deal_id": number,
        "triggered_at": NOON,
        "planned_at": NOON,
        "due_at": NOON,
        "next_at": NOON,
        "sent_at": NOON - HOUR,
        "state": "sent",
    }
    return Survey(id=number, deal_id=number, **{**given, **known})


def message(number: int, status: str = "sent", channel: str = "whatsapp", **known: Any) -> Message:
    given: dict[str, Any] = {"kind": "question", "message_id": f"m{number}", "sent_at": NOON - HOUR}
    return Message(
        channel=channel, chat_id="79140000001@c.us", survey_id=number, status=status, **{**given, **known}
    )


def reply(number: int, ago: timedelta, channel: str = "whatsapp") -> Reply:
    return Reply(channel=channel, external_id=f"r{number}", received_at=NOON - ago)


async def delivered(db: Database) -> dict[str, Deliveries]:
    async with db.reading() as tx:
        return dict(await channels.deliveries(tx, BEGINS, ENDS))


async def sent(db: Database) -> dict[str, Sending]:
    async with db.reading() as tx:
        return dict(await channels.sendings(tx, BEGINS, ENDS))


async def test_an_empty_storage_knows_no_channel(db: Database) -> None:
    assert (await delivered(db), await sent(db)) == ({}, {})


async def test_each_channel_answers_for_the_questions_that_it_took(db: Database) -> None:
    await keep(
        db,
        *(survey(number) for number in range(1, 6)),
        message(1, "delivered"),
        message(2, "read"),
        message(3),
        message(4, "failed", channel="max_account"),
        message(4, "delivered"),  # It arrived by the next channel.
        message(5, "delivered", channel="telegram_account"),
    )
    assert await delivered(db) == {
        "whatsapp": Deliveries(3, 4),
        "max_account": Deliveries(0, 1),
        "telegram_account": Deliveries(1, 1),
    }


async def test_a_question_that_one_channel_took_twice_counts_once(db: Database) -> None:
    await keep(
        db,
        survey(1),
        message(1, "failed", message_id="free words"),
        message(1, "read", message_id="template"),
    )
    assert await delivered(db) == {"whatsapp": Deliveries(1, 1)}


async def test_who_answered_has_got_it_and_who_answered_elsewhere_has_not(db: Database) -> None:
    answered: dict[str, Any] = {"state": "answered", "answered_at": NOON}
    await keep(
        db,
        survey(1, message_id="m1", **answered),
        message(1),
        survey(2, message_id="in max", **answered),
        message(2),
    )
    assert await delivered(db) == {"whatsapp": Deliveries(1, 2)}


async def test_reminders_thanks_and_questions_of_other_times_are_none(db: Database) -> None:
    await keep(
        db,
        survey(1),
        message(1, "delivered", kind="reminder"),
        message(1, "delivered", kind="thanks", message_id="t1"),
        survey(2, sent_at=BEGINS - timedelta(seconds=1)),
        message(2, "delivered"),
        survey(3, sent_at=ENDS),
        message(3, "delivered"),
        survey(4, sent_at=None, state="planned"),
        message(4, "delivered"),  # of the try that was taken back
        survey(5, sent_at=BEGINS),
        message(5, "delivered"),
    )
    assert await delivered(db) == {"whatsapp": Deliveries(1, 1)}


async def test_what_went_out_is_counted_with_its_first_and_what_was_heard_last(db: Database) -> None:
    reported = NOON - 30 * HOUR
    await keep(
        db,
        survey(1, sent_at=NOON - timedelta(days=3)),
        message(1, "delivered", sent_at=NOON - timedelta(days=3), status_at=reported),
        message(1, kind="reminder", message_id="again", sent_at=NOON - 9 * HOUR),
        survey(2),
        message(2),
        message(2, message_id="of the next hour", sent_at=ENDS),
        survey(3),
        message(3, channel="max_account"),
        reply(1, 11 * HOUR),  # before the time in question
        reply(2, HOUR, channel="max_account"),
        reply(3, 2 * HOUR, channel="max_account"),
        reply(4, HOUR, channel="telegram"),
    )
    assert await sent(db) == {
        "whatsapp": Sending(2, NOON - 9 * HOUR, reported),
        "max_account": Sending(1, NOON - HOUR, NOON - HOUR),
    }


async def test_a_report_on_a_failure_is_heard_too(db: Database) -> None:
    await keep(db, survey(1), message(1, "failed", status_at=NOON))
    assert (await sent(db))["whatsapp"].last_heard_at == NOON


@pytest.mark.parametrize("question", [channels.deliveries, channels.sendings])
async def test_only_the_time_in_question_is_read(db: Database, question: Any) -> None:
    async def ask(db: Database) -> None:
        async with db.reading() as tx:
            await question(tx, BEGINS, ENDS)

    plan = await plan_of(db, ask)
    assert "ix_surveys_sent_at" in plan
    assert "ix_messages_survey_id" in plan


async def test_replies_are_found_by_when_they_came(db: Database) -> None:
    async def ask(db: Database) -> None:
        async with db.reading() as tx:
            await channels.last_replies(tx, BEGINS)

    assert "ix_replies_received_at" in await plan_of(db, ask)
