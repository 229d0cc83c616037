"""A question whose answer was lost, at a gateway that can be looked into: found, or asked after all."""

from datetime import timedelta
from typing import Any

import pytest

from integrations.channels.base import Outgoing, Searchable
from storage import sending
from storage.inbox import unread
from storage.tables.surveys import Survey, SurveyState
from tests.world import PETR, World, configured
from worker.flows.follow import follow
from worker.flows.receive import receive

NOT_PROCESSED: tuple[dict[str, Any], ...] = ({"status": 500}, {"drop": True})
PROCESSED: tuple[dict[str, Any], ...] = ({"status": 504, "after": True}, {"drop": True, "after": True})


def is_marked(town: World, deal: int) -> bool:
    return bool(town.amocrm.field_value(deal, "Промокод для друзей"))


async def asked_with(town: World, **fault: Any) -> int:
    """A deal whose question met this fault."""
    deal = await town.closed_deal()
    town.whatsapp.faults.add("send", method="POST", **fault)
    await town.next_morning()
    return deal


@pytest.mark.parametrize("fault", NOT_PROCESSED)
async def test_what_did_not_go_out_is_asked_when_that_is_sure(town: World, fault: dict[str, Any]) -> None:
    deal = await asked_with(town, **fault)
    assert (await town.survey(deal)).state == SurveyState.UNCERTAIN
    assert not is_marked(town, deal), "or nobody would ever be asked about it"
    await town.later(minutes=1)
    assert town.to_ivan() == [], "it has not settled yet"
    await town.later(minutes=1)
    assert len(town.to_ivan()) == 1
    survey = await town.survey(deal)
    assert (survey.state, survey.uncertain, survey.sent_at) == (SurveyState.SENT, False, town.clock.now())
    await town.later(hours=1)
    assert len(town.to_ivan()) == 1
    assert is_marked(town, deal)


async def test_it_is_looked_for_again_when_that_is_lost_too(town: World) -> None:
    await asked_with(town, status=500, times=2)
    await town.later(minutes=2)
    assert town.to_ivan() == []
    await town.later(minutes=2)
    assert len(town.to_ivan()) == 1


@pytest.mark.parametrize("fault", PROCESSED)
async def test_what_went_out_is_told_by_the_gateway(town: World, fault: dict[str, Any]) -> None:
    deal = await asked_with(town, **fault)
    assert (await town.survey(deal)).state == SurveyState.SENT
    assert is_marked(town, deal)
    await town.later(minutes=10)
    assert len(town.to_ivan()) == 1


async def test_what_waits_in_the_queue_is_found_there(town: World) -> None:
    town.whatsapp.settings["delaySendMessagesMilliseconds"] = 600_000
    await town.closed_deal()
    deal = await town.closed_deal([town.contact("Пётр Синицын", PETR)])
    town.whatsapp.faults.add("send", method="POST", nth=2, status=504, after=True)
    # Ten minutes from one message to the next; one more goes ahead of all.
    chat = town.whatsapp.says("+79140000077", "Здравствуйте")
    assert chat
    await town.next_morning()
    assert (await town.survey(deal)).state == SurveyState.UNCERTAIN
    town.whatsapp.queue.insert(0, town.whatsapp.queue[0])  # its head is never shown
    await town.later(minutes=2)
    assert (await town.survey(deal)).state == SurveyState.SENT
    assert is_marked(town, deal)
    assert len({post.id_message for post in town.whatsapp.posted if post.phone == PETR}) == 1


async def test_while_the_phone_is_away_nothing_follows_from_silence(town: World) -> None:
    town.whatsapp.set_phone_online(False)
    deal = await asked_with(town, status=504, after=True)
    for _ in range(5):
        await town.later(minutes=2)
    assert len(town.whatsapp.posted) == 1, "it stands at the head of the queue, which is not shown"
    town.whatsapp.set_phone_online(True)
    await town.later(minutes=2)
    assert (await town.survey(deal)).state == SurveyState.SENT
    assert len(town.to_ivan()) == 1


@configured({"delivery": {"reminder_after": "2h"}})
async def test_nobody_is_reminded_of_a_question_that_is_looked_for(town: World) -> None:
    deal = await asked_with(town, status=500)
    town.whatsapp.set_phone_online(False)
    await town.later(hours=3)
    assert await follow(town.app.hands) == 0
    town.clock.advance(timedelta(minutes=2))
    assert await follow(town.app.hands) == 0
    assert town.whatsapp.posted == []
    town.whatsapp.set_phone_online(True)
    await town.later(minutes=2)
    [question] = town.to_ivan()
    assert "Напоминаем" not in question
    assert (await town.survey(deal)).reminded_at is None


async def test_a_gateway_that_does_not_tell_proves_nothing(town: World) -> None:
    deal = await asked_with(town, status=500)
    town.whatsapp.settings["outgoingAPIMessageWebhook"] = "no"
    await town.later(minutes=10)
    assert (await town.survey(deal)).state == SurveyState.UNCERTAIN
    await town.later(hours=13)
    await town.later(hours=13)
    assert town.whatsapp.posted == [], "it counts as asked"
    assert is_marked(town, deal)


async def test_what_it_told_is_read_before_its_silence_counts(town: World) -> None:
    deal = await asked_with(town, status=504, after=True, delay=0.0)
    survey = await town.survey(deal)
    assert survey.state == SurveyState.SENT
    other = await town.closed_deal([town.contact("Пётр Синицын", PETR)])
    town.whatsapp.set_phone_online(False)
    town.whatsapp.faults.add("send", method="POST", status=504, after=True)
    await town.next_morning()
    town.clock.advance(timedelta(minutes=3))
    town.whatsapp.set_phone_online(True)
    channel = town.app.hands.channels["whatsapp"]
    while await receive(town.app.hands, channel, town.app.inbox, timedelta(0)):
        pass
    assert (await town.survey(other)).state == SurveyState.UNCERTAIN, "the echo is here and not read yet"
    await town.step()
    assert (await town.survey(other)).state == SurveyState.SENT
    assert len(town.whatsapp.messages(PETR)) == 1


async def test_an_answer_in_the_meantime_ends_the_search(town: World) -> None:
    deal = await asked_with(town, status=500)
    await town.ivan_writes("9")
    await town.later(minutes=5)
    survey = await town.survey(deal)
    assert (survey.state, survey.score) == (SurveyState.ANSWERED, 9)
    assert not [text for text in town.to_ivan() if "порекомендуете" in text]
    assert is_marked(town, deal)


async def being_asked(town: World) -> Survey:
    """Ivan's question is just going out: what becomes of it is not on disk yet."""
    await town.closed_deal()
    town.clock.advance(timedelta(days=1))
    claimed = await sending.claim_due(town.db, town.clock.now())
    assert claimed is not None
    assert await sending.begin_sending(
        town.db,
        claimed,
        channel="whatsapp",
        chat_id="79140000001@c.us",
        text_variant="",
        promo_code="",
        conversation=1,
        now=town.clock.now(),
    )
    return claimed


async def test_a_reply_that_is_faster_than_our_own_note_of_the_question_waits_for_it(town: World) -> None:
    survey = await being_asked(town)
    await town.ivan_writes("2")
    await town.ivan_writes("Ворота скрипят, мастер грубил")
    await town.later(seconds=5)
    assert (await town.survey(survey.deal_id)).score is None
    assert town.complaints() == []
    assert len(await unread(town.db)) == 2
    now = town.clock.now()
    async with town.db.transaction() as tx:
        assert await sending.mark_asked(
            tx, survey, message_id="M1", now=now, expires_at=now + timedelta(days=7), uncertain=False
        )
    await town.step()
    assert (await town.survey(survey.deal_id)).score == 2
    [complaint] = town.complaints()
    assert "мастер грубил" in str(town.amocrm.notes_of(complaint.id))


async def test_a_reply_to_a_question_of_a_dead_sender_is_read_when_its_claim_is_over(town: World) -> None:
    survey = await being_asked(town)
    await town.ivan_writes("9")
    assert (await town.survey(survey.deal_id)).score is None
    town.clock.advance(timedelta(minutes=10))
    now = town.clock.now()
    assert await sending.rescue(town.db, now, now + timedelta(days=7))
    await town.step()
    assert (await town.survey(survey.deal_id)).score == 9


@pytest.mark.parametrize(("away", "questions"), [({"minutes": 10}, 1), ({"days": 2}, 0)])
async def test_what_a_dead_worker_was_sending_is_looked_for_while_the_gateway_remembers(
    town: World, away: dict[str, float], questions: int
) -> None:
    deal = (await being_asked(town)).deal_id
    db = town.db
    town.clock.advance(timedelta(**away))
    searchable = [name for name, one in town.app.hands.channels.items() if isinstance(one, Searchable)]
    assert searchable == ["whatsapp"]
    now = town.clock.now()
    # Its own claim is over: what it was sending is rescued like a dead one's.
    rescued = await sending.rescue(db, now, now + timedelta(days=7), searchable=searchable)
    assert [survey.deal_id for survey in rescued] == [deal]
    await town.later(minutes=2)
    assert len(town.to_ivan()) == questions


async def test_a_sender_that_was_given_up_too_early_asks_nobody_twice(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal = await town.closed_deal()
    channel = town.app.hands.channels["whatsapp"]
    send = channel.send

    async def slowly(chat_id: str, message: Outgoing) -> str:
        """Frozen in the middle: meanwhile another took the sending for a dead one's."""
        town.clock.advance(timedelta(minutes=6))
        now = town.clock.now()
        assert await sending.rescue(town.db, now, now + timedelta(days=7), searchable=["whatsapp"])
        return await send(chat_id, message)

    monkeypatch.setattr(channel, "send", slowly)
    await town.next_morning()
    monkeypatch.setattr(channel, "send", send)
    await town.later(minutes=3)
    assert len(town.to_ivan()) == 1
    survey = await town.survey(deal)
    assert (survey.state, survey.uncertain) == (SurveyState.SENT, False)
