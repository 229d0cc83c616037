"""A person asks to be forgotten. What is left?"""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlmodel import SQLModel, col, select

from storage import erase, erased_numbers, people, state
from storage.database import Database
from storage.erase import Erasure
from storage.tables.complaints import Complaint, Repeat, Request
from storage.tables.deals import Contact, Deal, Referral
from storage.tables.people import Chat, Client, Erased, PromoCode
from storage.tables.queues import Inbox, InboxState, Outbox, OutboxState
from storage.tables.surveys import Message, Reply, Survey, SurveyState, Trial

NOW = datetime(2026, 7, 1, 3, tzinfo=UTC)
PHONE, OTHER = "+79140000001", "+79140000012"
WORDS = "Монтаж три недели, Мария"


async def keep(db: Database, *rows: SQLModel) -> None:
    async with db.transaction() as tx:
        tx.add_all(rows)


async def forget(db: Database, phone: str = PHONE) -> Erasure:
    async with db.transaction() as tx:
        return await erase.erase_person(tx, phone, NOW)


async def known(db: Database) -> None:
    """Мария, who wrote in WhatsApp and Telegram, and Иван, who did not ask for anything."""
    await keep(
        db,
        Client(client_id=1, key=f"phone:{PHONE}", phone=PHONE, name="Мария Иванова", created_at=NOW),
        Client(client_id=2, key=f"phone:{OTHER}", phone=OTHER, name="Иван", created_at=NOW),
        Contact(contact_id=301, client_id=1, name="Мария Иванова", phone=PHONE, tags=["vip"], read_at=NOW),
        Contact(contact_id=302, client_id=2, name="Иван", phone=OTHER, read_at=NOW),
        Deal(deal_id=501, name="Ворота, Иванова", client_id=1, created_at=NOW, updated_at=NOW, seen_at=NOW),
        Deal(deal_id=502, name="Ворота, Иван", client_id=2, created_at=NOW, updated_at=NOW, seen_at=NOW),
        Chat(channel="whatsapp", chat_id="79140000001@c.us", client_id=1, name="Маша", linked_at=NOW),
        Chat(channel="telegram", chat_id="123456789", client_id=1, name="Маша", linked_at=NOW),
        Chat(channel="whatsapp", chat_id="79140000012@c.us", client_id=2, linked_at=NOW),
        survey(1, 501, chat_id="79140000001@c.us"),
        survey(2, 502, chat_id="79140000012@c.us"),
        Message(
            channel="whatsapp", chat_id="79140000001@c.us", message_id="m1", kind="question", sent_at=NOW
        ),
        reply(1, "whatsapp", "79140000001@c.us", "in1", WORDS),
        reply(1, "telegram", "123456789", "u7", "Ещё раз: Мария"),
        reply(2, "whatsapp", "79140000012@c.us", "in2", "Спасибо"),
        inbox("in1", f'{{"chatId": "79140000001@c.us", "text": "{WORDS}"}}'),
        inbox("u7", '{"chat": {"id": 123456789}, "text": "Мария"}', "telegram"),
        inbox("u8", '{"contact": {"phone_number": "79140000001"}}', "telegram", InboxState.NEW),
        inbox("in2", '{"chatId": "79140000012@c.us", "text": "Спасибо"}'),
        inbox("in3", '{"chatId": "791400000012@c.us", "id": "1234567890"}'),
        Complaint(id=1, lead_id=900, client_id=1, name="Рекламация: Мария", opened_at=NOW),
        Complaint(id=2, lead_id=901, client_id=2, name="Рекламация: Иван", opened_at=NOW),
        told_again(1, "Рекламацию № 1 никто не взял: Мария Иванова"),
        told_again(2, "Рекламацию № 2 никто не взял: Иван"),
        Referral(deal_id=502, referrer_id=1, typed="89140000001, Мария"),
        outbox("say", {"channel": "telegram", "chat_id": "123456789", "text": "Спасибо, Мария"}),
        outbox("sync_deal", {"deal_id": 501}),
        outbox("client_wrote", {"survey_id": 1, "words": WORDS}, OutboxState.DONE),
        outbox("note", {"deal_id": 501, "values": {"words": WORDS}}, OutboxState.DONE),
        outbox("say2", {"channel": "whatsapp", "chat_id": "79140000012@c.us", "text": "Спасибо, Иван"}),
    )


def survey(number: int, deal_id: int, *, chat_id: str) -> Survey:
    return Survey(
        id=number,
        survey_key="nps",
        metric="nps",
        trigger="deal_won",
        deal_id=deal_id,
        root_deal_id=deal_id,
        client_id=number,
        triggered_at=NOW,
        planned_at=NOW,
        due_at=NOW,
        next_at=NOW,
        state=SurveyState.ANSWERED,
        channel="whatsapp",
        chat_id=chat_id,
        score=3,
        band="low",
        answered_at=NOW,
    )


def told_again(complaint_id: int, text: str) -> Repeat:
    return Repeat(
        complaint_id=complaint_id, channel="telegram", chat_id="111111111", message_id="7", text=text
    )


def reply(client_id: int, channel: str, chat_id: str, external_id: str, text: str) -> Reply:
    return Reply(
        channel=channel,
        external_id=external_id,
        received_at=NOW,
        client_id=client_id,
        chat_id=chat_id,
        survey_id=client_id,
        score=3,
        band="low",
        counts=True,
        text=text,
    )


def inbox(
    external_id: str, raw: str, channel: str = "whatsapp", state: InboxState = InboxState.READ
) -> Inbox:
    return Inbox(
        channel=channel, external_id=external_id, kind="text", raw=raw.encode(), received_at=NOW, state=state
    )


def outbox(kind: str, payload: dict[str, object], state: OutboxState = OutboxState.WAITING) -> Outbox:
    return Outbox(kind=kind, key=kind, payload=payload, state=state, due_at=NOW, created_at=NOW)


async def everything(db: Database) -> str:
    """All that the tables hold, as text."""
    tables = (
        Client, Contact, Deal, Chat, Survey, Message, Reply, Inbox, Complaint, Repeat, Referral, Outbox,
        Erased,
    )  # fmt: skip
    async with db.reading() as tx:
        rows = [row for table in tables for row in (await tx.exec(select(table))).all()]
    return "\n".join(
        str({key: value.decode() if isinstance(value, bytes) else value for key, value in row})
        for row in rows
    )


async def test_nothing_of_the_person_is_left(db: Database) -> None:
    await known(db)
    assert "Мария" in await everything(db)
    erased = await forget(db)
    left = await everything(db)
    for trace in ("Мария", "Иванова", "Маша", "Монтаж", "89140000001", "79140000001@", "123456789}", "vip"):
        assert trace not in left
    assert erased == Erasure(clients=1, contacts=1, chats=2, replies=2, messages=3)


async def test_a_trial_on_a_phone_that_is_no_clients_goes_too(db: Database) -> None:
    chat, ends_at = "79140000055@c.us", NOW + timedelta(hours=1)
    await keep(
        db,
        Trial(channel="whatsapp", chat_id=chat, surveys=["nps"], started_at=NOW, ends_at=ends_at),
        Message(channel="whatsapp", chat_id=chat, message_id="t1", kind="trial", sent_at=NOW),
    )
    await forget(db, "+79140000055")
    assert "79140000055" not in await everything(db)


async def test_scores_stay(db: Database) -> None:
    await known(db)
    await forget(db)
    async with db.reading() as tx:
        kept = (await tx.exec(select(Survey).where(Survey.id == 1))).one()
        replies = (await tx.exec(select(Reply).where(Reply.client_id == 1))).all()
        client = (await tx.exec(select(Client).where(Client.client_id == 1))).one()
    assert (kept.score, kept.state, kept.answered_at) == (3, SurveyState.ANSWERED, NOW)
    assert [(row.score, row.counts, row.text) for row in replies] == [(3, True, "")] * 2
    assert (client.key, client.phone, client.erased_at) == ("erased:1", None, NOW)


async def test_others_keep_everything(db: Database) -> None:
    await known(db)
    await forget(db)
    left = await everything(db)
    for trace in ("Ворота, Иван", "79140000012@c.us", "791400000012@c.us", "1234567890", "Спасибо, Иван"):
        assert trace in left


async def test_what_waits_to_be_said_to_them_is_not_said(db: Database) -> None:
    await known(db)
    await forget(db)
    async with db.reading() as tx:
        items = {row.kind: row for row in (await tx.exec(select(Outbox))).all()}
        new = (await tx.exec(select(Inbox).where(col(Inbox.state) == InboxState.NEW))).all()
    assert items["say"].state == OutboxState.DONE
    assert items["say"].payload == {"channel": "telegram"}
    assert items["client_wrote"].payload == {"survey_id": 1}
    assert items["sync_deal"].state == OutboxState.WAITING
    assert items["say2"].state == OutboxState.WAITING
    assert new == []


async def test_the_number_is_known_as_forgotten_without_being_kept(db: Database) -> None:
    async with db.reading() as tx:
        assert not await erased_numbers.is_erased(tx, PHONE)
    assert not await forget(db)
    assert not await forget(db)
    async with db.reading() as tx:
        assert await erased_numbers.is_erased(tx, PHONE)
        assert not await erased_numbers.is_erased(tx, OTHER)
        (row,) = (await tx.exec(select(Erased))).all()
    assert len(row.hash) == 64
    assert PHONE not in row.hash


async def test_a_stranger_is_found_by_the_number_of_the_chat(db: Database) -> None:
    await keep(
        db,
        Client(client_id=5, key="chat:whatsapp:79140000001@c.us", name="Гость", created_at=NOW),
        Chat(channel="whatsapp", chat_id="79140000001@c.us", client_id=5, name="Гость", linked_at=NOW),
    )
    erased = await forget(db)
    assert (erased.clients, erased.chats) == (1, 1)
    assert "Гость" not in await everything(db)


@pytest.mark.parametrize("chat_id", ["79140000001@c.us", "79140000001", "+79140000001"])
async def test_a_chat_that_the_company_opened_is_found_by_its_number(db: Database, chat_id: str) -> None:
    chat = Chat(channel="whatsapp", chat_id=chat_id, alias="RU.540155196617901376", linked_at=NOW)
    somebody = Chat(channel="whatsapp", chat_id="791400000012", linked_at=NOW)
    await keep(db, chat, somebody)
    assert (await forget(db)).chats == 1
    left = await everything(db)
    assert "791400000012" in left
    assert "540155196617901376" not in left


@pytest.mark.parametrize(
    ("raw", "is_left"),
    [
        ({"name": "Ворота, мария иванова"}, False),
        ({"name": "Ворота, 8 (914) 000-00-01"}, False),
        ({"name": "Ворота, 8.914.000–00‑01"}, False),
        ({"_embedded": {"contacts": [{"id": 301, "is_main": True}]}}, False),
        ({"name": "Мария", "_embedded": {"contacts": [{"id": 3011}]}}, True),  # somebody else
        ({"name": "9140000001234"}, True),  # a longer number
    ],
)
async def test_a_deal_put_aside_as_it_came_goes_if_it_tells_of_the_person(
    db: Database, raw: dict[str, object], is_left: bool
) -> None:
    await known(db)
    own, other = f"{erase.BROKEN_DEAL}501", f"{erase.BROKEN_DEAL}77"
    async with db.transaction() as tx:
        await state.remember(tx, own, {"raw": json.dumps({"id": 501}), "error": "price: a number"})
        await state.remember(tx, other, {"raw": json.dumps(raw), "error": "price: a number"})
    await forget(db)
    async with db.reading() as tx:
        assert await state.recall(tx, own) == {"raw": "", "error": ""}
        left = await state.recall(tx, other) or {}
    assert bool(left["raw"]) is is_left


async def test_of_all_acts_only_theirs_are_loaded(db: Database) -> None:
    """A year's acts would take half a minute, in which nobody else may write."""
    await known(db)
    loaded: list[str] = []

    def note(item: Outbox, _context: object) -> None:
        loaded.append(item.kind)

    event.listen(Outbox, "load", note)
    await forget(db)
    event.remove(Outbox, "load", note)
    assert sorted(loaded) == ["client_wrote", "note", "say", "sync_deal"]


async def test_ids_in_which_whatsapp_writes_the_number_are_forgotten(db: Database) -> None:
    await known(db)
    theirs, others = (
        f"wamid.{base64.b64encode(bytes([28, 24, 11]) + digits + bytes([21, 2, 0, 17])).decode()}"
        for digits in (b"79140000001", b"79140000012")
    )
    async with db.transaction() as tx:
        for number, name, chat_id in ((1, theirs, "79140000001"), (2, others, "79140000012")):
            tx.add(Chat(channel="whatsapp", chat_id=chat_id, client_id=number, linked_at=NOW))
            tx.add(Message(channel="whatsapp", chat_id=chat_id, message_id=name, kind="thanks", sent_at=NOW))
            tx.add(reply(number, "whatsapp", chat_id, name, "9"))
            tx.add(inbox(name, f'{{"from": "{chat_id}"}}'))
            tx.add(inbox(f"{name}:read", f'{{"recipient_id": "{chat_id}"}}'))
            (await tx.exec(select(Survey).where(Survey.id == number))).one().message_id = name
    await forget(db)
    left = await everything(db)
    assert theirs[:24] not in left
    assert left.count(others) == 5
    async with db.reading() as tx:
        replies = (await tx.exec(select(Reply).where(Reply.client_id == 1))).all()
    assert len({row.external_id for row in replies}) == 3


async def test_a_friends_deal_that_names_the_number_no_longer_does(db: Database) -> None:
    await known(db)
    named = {
        "77": [{"value": "8 (914) 000-00-01", "enum_id": None}],
        "78": [{"value": "Ворота", "enum_id": None}],
    }
    by_name = {"77": [{"value": "мария иванова посоветовала", "enum_id": None}]}
    by_code = {"77": [{"value": "ДРУГ-48215", "enum_id": None}]}
    await keep(
        db,
        *(Deal(deal_id=number, fields=fields, client_id=2, created_at=NOW, updated_at=NOW, seen_at=NOW)
          for number, fields in ((601, named), (602, by_name), (603, by_code))),
        Referral(deal_id=601, is_referral=True, referrer_id=1, typed="8 (914) 000-00-01"),
        Referral(deal_id=602, problem="unknown", typed="мария иванова посоветовала"),
        Referral(deal_id=603, referrer_id=2, code="ДРУГ-48215", typed="ДРУГ-48215"),
    )  # fmt: skip
    await forget(db)
    async with db.reading() as tx:
        rows = {row.deal_id: row for row in (await tx.exec(select(Referral))).all()}
        fields = {row.deal_id: row.fields for row in (await tx.exec(select(Deal))).all()}
    assert [rows[number].typed for number in (601, 602, 603)] == ["", "", "ДРУГ-48215"]
    assert (rows[601].is_referral, rows[601].referrer_id) == (True, 1)
    assert fields[601] == {"77": [{"value": erase.FORGOTTEN, "enum_id": None}], "78": named["78"]}
    assert fields[602] == {"77": [{"value": erase.FORGOTTEN, "enum_id": None}]}
    assert fields[603] == by_code


async def test_who_became_one_with_them_and_kept_a_code_of_their_own_is_forgotten_too(db: Database) -> None:
    await known(db)
    async with db.transaction() as tx:
        gone = Client(client_id=9, key="chat:telegram:555666777", name="Машуля", created_at=NOW)
        into = (await tx.exec(select(Client).where(Client.client_id == 1))).one()
        mine = Survey(**survey(3, 501, chat_id="").model_dump(exclude={"survey_key"}), survey_key="csat")
        mine.client_id, mine.promo_code = 9, "ДРУГ-2"
        tx.add_all([gone, mine])
        for number, code in ((1, "ДРУГ-1"), (9, "ДРУГ-2")):
            tx.add(PromoCode(code=code, digits=code[-1], client_id=number, created_at=NOW))
        await tx.flush()
        await people.merge(tx, gone, into=into)
    assert "Машуля" in await everything(db)
    await forget(db)
    left = await everything(db)
    assert [text for text in ("Машуля", "555666777") if text in left] == []


async def test_what_they_said_in_a_chat_that_is_somebody_elses_by_now_is_forgotten(db: Database) -> None:
    await known(db)
    async with db.transaction() as tx:
        (await tx.exec(select(Chat).where(Chat.chat_id == "123456789"))).one().client_id = 2
        said = (await tx.exec(select(Reply).where(Reply.external_id == "u7"))).one()
        said.text = ""
        (await tx.exec(select(Survey).where(Survey.id == 1))).one().chat_id = "123456789"
        tx.add(Request(about="a", channel="telegram", chat_id="123456789", client_id=1, asked_at=NOW))
    await forget(db)
    async with db.reading() as tx:
        left: list[Survey | Request | Reply] = [
            *(await tx.exec(select(Survey))),
            *(await tx.exec(select(Request))),
            *(await tx.exec(select(Reply))),
        ]
    assert [row for row in left if row.chat_id == "123456789"] == []


async def test_words_that_a_messenger_was_refused_with_are_forgotten(db: Database) -> None:
    failed = outbox("hand_over_code", {"client_id": 1, "chat_id": "79140000001@c.us"}, OutboxState.GIVEN_UP)
    failed.error = "whatsapp refused: 79140000001@c.us is not there"
    await keep(db, failed)
    await known(db)
    await forget(db)
    assert "is not there" not in await everything(db)


async def test_what_staff_wrote_to_others_still_goes_and_what_they_pressed_still_happens(
    db: Database,
) -> None:
    await known(db)
    await keep(
        db,
        outbox("reply_client", {"client_id": 2, "text": "Мария приедет завтра"}),
        outbox("note_result", {"complaint_id": 7, "words": "Мария всё починила"}),
        outbox("follow_press", {"complaint_id": 1, "what": "solved", "line": "Решено: Анна, 14:05"}),
        outbox("answer_staff", {"words": "мария"}),
    )
    await forget(db)
    async with db.reading() as tx:
        items = {row.kind: row for row in (await tx.exec(select(Outbox))).all()}
    kinds = ("reply_client", "note_result", "follow_press", "answer_staff")
    assert [items[kind].state for kind in kinds] == ["waiting", "waiting", "waiting", "done"]
    assert items["reply_client"].payload["text"] == "Мария приедет завтра"
    assert items["answer_staff"].payload["words"] == ""


async def test_a_trial_that_is_gone_by_age_leaves_no_number_behind(db: Database) -> None:
    number = "79140000055@c.us"
    await keep(db, Message(channel="whatsapp", chat_id=number, message_id="t1", kind="trial", sent_at=NOW))
    await forget(db, "+79140000055")
    assert "79140000055" not in await everything(db)


async def test_two_chats_with_messages_of_one_number_do_not_collide(db: Database) -> None:
    await known(db)
    await keep(
        db,
        Message(channel="telegram", chat_id="123456789", message_id="m1", kind="thanks", sent_at=NOW),
        Chat(channel="telegram", chat_id="987654321", client_id=1, linked_at=NOW + timedelta(days=1)),
        Message(channel="telegram", chat_id="987654321", message_id="m1", kind="thanks", sent_at=NOW),
    )
    await forget(db)
    async with db.reading() as tx:
        chats = {row.chat_id for row in (await tx.exec(select(Message))).all()}
    assert len(chats) == 3
    assert all(chat.startswith("erased:1:") for chat in chats)


async def test_an_unread_answer_of_somebody_else_who_names_the_number_loses_the_number_only(
    db: Database,
) -> None:
    await known(db)
    said = {
        "chatId": "79140000012@c.us",
        "text": "9, но позвоните жене 79140000001",
        "phones": ["7914000000100"],
    }
    own = {"senderData": {"chatId": "79140000001@c.us"}, "text": "9"}
    await keep(
        db,
        inbox("in8", json.dumps(said, ensure_ascii=False), state=InboxState.NEW),
        inbox("in9", json.dumps(own), state=InboxState.NEW),
        inbox("in10", "79140000001?", state=InboxState.NEW),
    )
    await forget(db)
    async with db.reading() as tx:
        rows = {row.external_id: row for row in (await tx.exec(select(Inbox))).all()}
    assert rows["in8"].state == InboxState.NEW
    left = json.loads(rows["in8"].raw)
    assert left == {**said, "text": "9, но позвоните жене ***********"}
    assert [(rows[key].state, rows[key].raw) for key in ("in9", "in10")] == [(InboxState.READ, b"")] * 2
