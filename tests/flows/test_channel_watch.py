"""A messenger fails: who hears of it, how often, and when it is over."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import col, select, update

from storage.tables.surveys import Message, Reply, Survey
from tests.world import MAX_ACCOUNT, MAX_BOT, MONDAY, World, configured, merged
from worker.flows.act import act
from worker.flows.follow import follow

BOTH_MAX = merged(MAX_ACCOUNT, MAX_BOT)
DOWN = "WhatsApp: доставлено {} % вместо обычных {} %."
SILENT = "ни отчётов о доставке"
OVER = "Снова работает: "


async def asked(
    town: World, number: int, *, days_ago: float, arrived: int, channel: str = "whatsapp", **of: Any
) -> None:
    """So many questions that went out then, of which so many arrived; what became of them is long over."""
    sent_at = town.clock.now() - timedelta(days=days_ago)
    async with town.db.transaction() as tx:
        first = len((await tx.exec(select(Survey.id))).all()) + 1
        for place in range(number):
            deal, has_arrived = 900_000 + first + place, place < arrived
            survey = Survey(
                survey_key="nps", metric="nps", trigger="deal_won", deal_id=deal, root_deal_id=deal,
                triggered_at=sent_at, planned_at=sent_at, due_at=sent_at, next_at=sent_at, sent_at=sent_at,
                settled_at=sent_at, state="expired", channel=channel,
            )  # fmt: skip
            tx.add(survey)
            await tx.flush()
            status_at = sent_at + timedelta(minutes=1) if has_arrived else None
            tx.add(
                Message(
                    channel=channel,
                    chat_id=f"{deal}",
                    message_id=f"{deal}",
                    survey_id=survey.id,
                    kind="question",
                    sent_at=sent_at,
                    **{"status": "delivered" if has_arrived else "sent", "status_at": status_at, **of},
                )
            )


async def a_steady_past(town: World, channel: str = "whatsapp") -> None:
    """Of sixty questions fifty-four arrived."""
    await asked(town, 60, days_ago=15, arrived=54, channel=channel)


async def look(town: World, **later: float) -> None:
    """An hour on, what time brings is looked at, and told."""
    if town.app.hands.channels_looked_at is None:
        await follow(town.app.hands)  # The worker has just started.
    town.clock.advance(timedelta(**later or {"hours": 1}))
    await follow(town.app.hands)
    await act(town.app.hands, "trouble")


def told(town: World, about: str) -> list[str]:
    return [text for text in town.to_anna() if about in text]


# Less arrives than usual


async def test_a_fall_of_what_arrives_is_told_once_and_its_end_once(town: World) -> None:
    await a_steady_past(town)
    await asked(town, 24, days_ago=3, arrived=12)
    for _ in range(3):
        await look(town)
    assert told(town, "доставлено") == [
        f"{DOWN.format(50, 90)} Посмотрите в кабинете сервиса, подключён ли номер и не ограничен ли он."
    ]
    await town.app.close()
    await town.restart()
    await look(town)
    assert len(told(town, "доставлено")) == 1, "nor after a restart"

    async with town.db.transaction() as tx:  # What had been late arrives after all.
        await tx.exec(update(Message).where(col(Message.status) == "sent").values(status="delivered"))
    for _ in range(3):
        await look(town)
    assert told(town, OVER) == [f"{OVER}доставка в WhatsApp."]


async def test_a_fall_that_lasts_does_not_become_the_usual_and_is_not_over_for_want_of_questions(
    town: World,
) -> None:
    await a_steady_past(town)
    await asked(town, 60, days_ago=3, arrived=20)
    await look(town)
    for _ in range(8):  # For weeks it goes on so; then nobody is asked any more.
        await look(town, days=7)
        if town.clock.now() < MONDAY + timedelta(days=30):
            await asked(town, 60, days_ago=3, arrived=20)
    assert (len(told(town, "доставлено")), told(town, OVER)) == (1, [])


async def test_a_wobble_at_the_edge_is_not_told_to_and_fro(town: World) -> None:
    await a_steady_past(town)
    await asked(town, 100, days_ago=3, arrived=69)
    await look(town)
    await asked(town, 10, days_ago=2, arrived=10)  # 72 of 100
    await look(town)
    assert (len(told(town, "доставлено")), told(town, OVER)) == (1, [])


@pytest.mark.parametrize(
    ("number", "arrived"),
    [(24, 18), (19, 0), (24, 24)],
    ids=["a small fall", "too few questions", "none"],
)
async def test_nothing_is_told_without_a_fall(town: World, number: int, arrived: int) -> None:
    await a_steady_past(town)
    await asked(town, number, days_ago=3, arrived=arrived)
    await look(town)
    assert told(town, "доставлено") == []


async def test_what_went_out_a_day_ago_may_still_arrive(town: World) -> None:
    await a_steady_past(town)
    await asked(town, 40, days_ago=0.9, arrived=9)
    await look(town)
    assert told(town, "доставлено") == []


@configured(BOTH_MAX)
async def test_of_a_bot_that_tells_nothing_nothing_is_said_and_its_namesake_is_named(town: World) -> None:
    for channel in ("max", "max_account"):
        await a_steady_past(town, channel)
        await asked(town, 24, days_ago=3, arrived=0, channel=channel)
    await look(town)
    (text,) = told(town, "доставлено")
    assert text.startswith("MAX (аккаунт): доставлено 0 % вместо обычных 90 %.")


@configured({"alerts": {"quiet_hours": "21:00-08:00"}})
async def test_a_fall_waits_for_the_morning(town: World) -> None:
    town.clock.set(MONDAY.replace(hour=22))
    await a_steady_past(town)
    await asked(town, 24, days_ago=3, arrived=0)
    await look(town)
    assert told(town, "доставлено") == []
    await look(town, hours=9, minutes=30)
    assert len(told(town, "доставлено")) == 1


# Nothing is heard


async def test_a_channel_that_is_silent_for_a_day_is_told_once_and_its_first_reply_ends_it(
    town: World,
) -> None:
    await asked(town, 10, days_ago=0.9, arrived=0)
    for _ in range(2):
        await look(town)
    (text,) = told(town, SILENT)
    assert text == "WhatsApp: 23 часа нет ни ответов, ни отчётов о доставке. Проверьте подключение."
    await look(town, days=3)
    assert told(town, OVER) == [], "that nobody is asked any more proves nothing"
    async with town.db.transaction() as tx:
        tx.add(Reply(channel="whatsapp", external_id="r1", received_at=town.clock.now()))
    for _ in range(2):
        await look(town)
    assert told(town, OVER) == [f"{OVER}связь с WhatsApp."]


async def test_a_report_that_a_message_failed_is_a_sign_of_life(town: World) -> None:
    await asked(town, 10, days_ago=0.9, arrived=0)
    await asked(town, 1, days_ago=0.8, arrived=0, status="failed", status_at=town.clock.now())
    await look(town)
    assert told(town, SILENT) == []


async def test_ten_messages_of_the_last_hour_are_given_time(town: World) -> None:
    await asked(town, 9, days_ago=0.9, arrived=0)
    await asked(town, 5, days_ago=0.01, arrived=0)
    await look(town, minutes=10)
    assert told(town, SILENT) == []
    await look(town)
    assert len(told(town, SILENT)) == 1


async def test_a_bot_that_nobody_answers_is_not_called_silent(town: World) -> None:
    await asked(town, 30, days_ago=0.9, arrived=0, channel="telegram")
    await look(town)
    assert told(town, SILENT) == []


@configured({"alerts": {"quiet_hours": "21:00-08:00"}})
async def test_in_the_morning_it_is_told_how_long_it_has_lasted_by_then(town: World) -> None:
    town.clock.set(MONDAY.replace(hour=22))
    await asked(town, 10, days_ago=0.5, arrived=0)
    await look(town)
    await look(town, hours=10)
    (text,) = told(town, SILENT)
    assert text.startswith("WhatsApp: 23 часа нет ни ответов")


async def test_why_a_gateway_is_silent_is_told_once_where_it_says_so_itself(town: World) -> None:
    town.whatsapp.set_state("notAuthorized")
    await town.step()
    await asked(town, 10, days_ago=0.9, arrived=0)
    await look(town)
    assert (len(told(town, "аккаунт отключился")), told(town, SILENT)) == (1, [])


# A gateway says that it is not well


async def test_a_state_is_told_when_it_lasts_with_what_to_do_and_its_end_once(town: World) -> None:
    town.whatsapp.set_state("notAuthorized")
    await town.step()
    await town.later(minutes=4)
    assert told(town, "WhatsApp:") == []
    await town.later(minutes=1)
    assert told(town, "WhatsApp:") == [
        "WhatsApp: аккаунт отключился, вопросы не уходят. "
        "Войдите в него заново в кабинете сервиса (обычно по QR-коду)."
    ]
    await town.later(hours=3)
    town.whatsapp.set_state("authorized")
    await town.step()
    assert told(town, OVER) == [], "it may come and go"
    await town.restart()
    for _ in range(2):
        await town.later(minutes=5)
    assert told(town, OVER) == [f"{OVER}подключение WhatsApp."]
    assert len(told(town, "WhatsApp:")) == 1


async def test_a_state_that_comes_and_goes_is_not_told(town: World) -> None:
    for state in ("starting", "authorized", "notAuthorized", "authorized", "sleepMode", "authorized"):
        town.whatsapp.set_state(state)
        await town.later(minutes=3)
    await town.later(hours=1)
    assert not [text for text in town.to_anna() if "WhatsApp" in text]


async def test_a_relapse_within_minutes_is_the_same_trouble(town: World) -> None:
    town.whatsapp.set_state("sleepMode")
    await town.step()
    await town.later(minutes=6)
    for state in ("authorized", "sleepMode"):
        town.whatsapp.set_state(state)
        await town.later(minutes=2)
    await town.later(hours=1)
    assert (len(told(town, "телефон не в сети")), told(town, OVER)) == (1, [])


async def test_another_cause_is_told_too_and_another_word_for_the_same_is_not(town: World) -> None:
    for state in ("sleepMode", "notAuthorized", "notAuthorized", "blocked"):
        town.whatsapp.set_state(state)
        await town.step()
        await town.later(minutes=6)
    assert [text.partition(".")[0] for text in told(town, "WhatsApp:")] == [
        "WhatsApp: телефон не в сети, вопросы не уходят",
        "WhatsApp: аккаунт отключился, вопросы не уходят",
        "WhatsApp: мессенджер заблокировал номер",
    ]
    town.whatsapp.set_state("authorized")
    await town.step()
    await town.later(minutes=6)
    assert len(told(town, OVER)) == 1


async def test_a_trouble_whose_end_was_never_told_is_news_again_after_a_quiet_week(town: World) -> None:
    """A used up quota is over with the month, and nobody says so."""
    for days in (0, 3, 6, 30):
        await town.later(days=days)
        town.whatsapp.set_state("suspended")
        await town.step()
        await town.later(minutes=6)
    assert len(told(town, "временно запретил номеру писать")) == 2
    town.whatsapp.set_state("authorized")
    await town.step()
    await town.later(minutes=6)
    assert len(told(town, OVER)) == 1


@configured({"alerts": {"quiet_hours": "21:00-08:00"}})
async def test_a_state_of_the_night_is_told_in_the_morning_if_it_still_stands(town: World) -> None:
    await town.at(MONDAY.replace(hour=23))
    town.whatsapp.set_state("notAuthorized")
    await town.step()
    await town.later(hours=8, minutes=50)
    assert told(town, "WhatsApp:") == []
    await town.later(minutes=15)
    assert len(told(town, "WhatsApp:")) == 1


@configured({"alerts": {"quiet_hours": "21:00-08:00"}})
async def test_what_was_over_before_the_morning_is_not_told(town: World) -> None:
    await town.at(MONDAY.replace(hour=23))
    town.whatsapp.set_state("notAuthorized")
    await town.later(hours=1)
    town.whatsapp.set_state("authorized")
    await town.later(hours=1)
    await town.later(hours=8)
    assert not [text for text in town.to_anna() if "WhatsApp" in text]


@configured({"company": {"language": "en"}, **BOTH_MAX})
async def test_in_english_too_and_two_of_one_name_are_told_apart(town: World) -> None:
    town.max_account.set_state("suspended")
    await town.step()
    await town.later(minutes=6)
    (text,) = told(town, "MAX")
    assert text.startswith("MAX (account): the messenger forbids the number to write for a while. See why")


# What it costs


async def test_after_a_start_what_has_waited_at_the_gateway_comes_in_first(town: World) -> None:
    await asked(town, 10, days_ago=0.9, arrived=0)
    for _ in range(9):
        await look(town, minutes=1)
    assert told(town, SILENT) == []
    await look(town, minutes=1)
    assert len(told(town, SILENT)) == 1


async def test_the_channels_are_looked_at_by_the_hour(town: World) -> None:
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        if "FROM messages" in statement:
            statements.append(statement)

    event.listen(town.db._reader.sync_engine, "before_cursor_execute", note)
    try:
        for _ in range(20):
            await look(town, minutes=1)
        assert len(statements) == 3
        await look(town, minutes=61)
        assert len(statements) == 6
    finally:
        event.remove(town.db._reader.sync_engine, "before_cursor_execute", note)
