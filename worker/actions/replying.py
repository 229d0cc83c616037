"""Staff reply to the message that shows a client's words: the text goes out in the company's name."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import Channel, Incoming, IncomingKind, Outgoing, Templated
from integrations.errors import Permanent, Temporary, Uncertain, Unreachable
from storage import asked, inbox, outbox, people, requests
from storage.tables.complaints import Request
from storage.tables.people import Chat, Client
from storage.tables.queues import Inbox, Outbox, OutboxState
from worker.account.people import Staff
from worker.actions import keys
from worker.actions.base import Hands
from worker.actions.forwarding import MARK, state_of
from worker.rules.formats import cut_words
from worker.rules.phone import mask, masked_words
from worker.staff.commands import COMMANDS, CONTROLLER, typed

log = logging.getLogger(__name__)

HUMAN = "human"  # `kind` of the message that carries an answer of staff
LONGEST = 3500  # characters: with the company's name before them they fit every messenger
PATIENCE = timedelta(minutes=30)  # with a messenger that is down: after that a call is better


async def take(tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, staff: Staff) -> str | None:
    """A reply to a client's words, or «Беру» under them: what the presser is told. None: it is neither.

    A controller is none who talks with clients. Of what staff wrote the inbox keeps nothing.
    """
    request = await _meant(tx, row, message)
    if request is None or staff.role == CONTROLLER:
        return None
    await inbox.empty(tx, row.id)
    if message.kind is IncomingKind.TAP:
        return await _take_up(tx, hands, request, staff)
    if message.kind is IncomingKind.EDITED:
        await _amend(tx, hands, row, message)
        return ""
    if message.kind is not IncomingKind.TEXT or message.media:
        await _tell(tx, hands, row, message, hands.texts.fill("client.reply_text_only"))
        return ""
    payload = {
        "request_id": request.id,
        "client_id": request.client_id,
        "text": message.text,
        "staff": staff.name,
        "channel": row.channel,
        "chat": message.chat_id,
        "is_group": message.is_group,
    }
    await outbox.add_once(tx, "reply_client", _key(row, message), payload, hands.now(), hands.now())
    return ""


def _key(row: Inbox, message: Incoming) -> str:
    return keys.reply_client(row.channel, message.chat_id, message.message_id)


async def tell_of_nothing(tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming) -> None:
    """A reply to something that is answered by nobody, or was sent twice because its answer was lost.

    In a group people may talk about our messages among themselves.
    """
    if message.kind in (IncomingKind.TEXT, IncomingKind.MEDIA) and message.quoted and not message.is_group:
        await _tell(tx, hands, row, message, hands.texts.fill("client.reply_nowhere"))


async def _meant(tx: AsyncSession, row: Inbox, message: Incoming) -> Request | None:
    if message.kind is IncomingKind.TAP:
        mark, _, number = message.data.removesuffix(":take").partition(":")
        is_ours = mark == MARK and number.isdecimal()
        return await requests.request(tx, int(number)) if is_ours else None
    if not message.quoted or message.kind not in (
        IncomingKind.TEXT, IncomingKind.EDITED, IncomingKind.MEDIA, IncomingKind.CONTACT
    ):  # fmt: skip
        return None
    wish = typed(message.text)
    if wish is not None and wish.command in COMMANDS:
        return None  # A command stays one, whatever it quotes.
    return await requests.shown_as(tx, row.channel, message.chat_id, message.quoted)


async def _take_up(tx: AsyncSession, hands: Hands, request: Request, staff: Staff) -> str:
    is_first = await requests.take(tx, request.id or 0, staff.name, hands.now())
    await tx.refresh(request)
    if is_first:
        await _show_state(tx, hands, request)
    return state_of(hands, request)


async def _show_state(tx: AsyncSession, hands: Hands, request: Request) -> None:
    about = {"request_id": request.id}
    now = hands.now()
    await outbox.ask_again(tx, "edit_request", keys.edit_request(request.id), about, now, now)


async def _amend(tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming) -> None:
    """What still waits for the messenger goes as it is now; else its writer is told once that it is late."""
    item = await outbox.for_change(tx, _key(row, message))
    if item is not None and item.state == OutboxState.WAITING and not item.uncertain:
        item.payload = {**item.payload, "text": message.text}
        return
    is_sent = item is not None and bool(item.payload.get("is_sent"))
    key = "client.reply_edited" if is_sent else "client.reply_edited.unsent"
    await _tell(tx, hands, row, message, hands.texts.fill(key), about="edited")


async def _tell(
    tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, text: str, *, about: str = "told"
) -> None:
    """In the chat where it was written."""
    payload = {"places": [[row.channel, message.chat_id]], "text": text}
    key = f"{_key(row, message)}:{about}"
    await outbox.add_once(tx, "tell_staff", key, payload, hands.now(), hands.now())


# --- to the client -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes where."""

    request: Request
    client: Client
    chat: Chat
    channel: Channel
    text: str


async def reply_client(item: Outbox, hands: Hands) -> None:
    """At most once: when in doubt it counts as sent, and whoever wrote it is told of the doubt."""
    answer = await _answer(item, hands)
    if answer is None:
        await _failed(item, hands, "gone")
        return
    if item.uncertain:
        await _sent(item, hands, answer, message_id="", key="client.reply_uncertain")
        return
    if reason := _hopeless(hands, answer):
        await _failed(item, hands, reason, answer.client)
        return
    try:
        said = Outgoing(text=answer.text, client_wrote_at=answer.chat.client_wrote_at)
        message_id = await answer.channel.send(answer.chat.chat_id, said)
    except Uncertain as error:
        log.warning("an answer of staff may have arrived and is not repeated: %s", error)
        await _sent(item, hands, answer, message_id="", key="client.reply_uncertain")
    except Unreachable as error:
        log.info("an answer of staff found nobody: %s", error)
        async with hands.db.transaction() as tx:
            await people.mark_dead(tx, answer.channel.name, answer.chat.chat_id, error.detail, hands.now())
        await _failed(item, hands, "unreachable", answer.client)
    except Temporary:
        if hands.now() < item.created_at + PATIENCE:
            raise
        await _failed(item, hands, "down", answer.client)
    except Permanent as error:
        log.warning("an answer of staff was refused: %s", error)
        await _failed(item, hands, "refused", answer.client)
    else:
        await _sent(item, hands, answer, message_id=message_id, key="client.replied")


async def _answer(item: Outbox, hands: Hands) -> Answer | None:
    """None: the client was forgotten since, or the messenger is used no more."""
    async with hands.db.reading() as tx:
        request = await requests.request(tx, int(item.payload["request_id"]))
        if request is None:
            return None
        chat = await people.chat(tx, request.channel, request.chat_id)
        client = await people.client(tx, request.client_id) if request.client_id else None
    channel = hands.channels.get(request.channel)
    words = str(item.payload.get("text") or "").strip()
    if chat is None or client is None or channel is None or not words:
        return None
    text = f"{hands.texts.fill('human.reply')} {words}"
    return Answer(request=request, client=client, chat=chat, channel=channel, text=text)


def _hopeless(hands: Hands, answer: Answer) -> str:
    """Why there is no use in trying."""
    if len(answer.text) > LONGEST:
        return "long"
    channel, wrote_at = answer.channel, answer.chat.client_wrote_at
    if isinstance(channel, Templated) and channel.needs_template(wrote_at, hands.now()):
        return "window"  # No template says what a person wants to say.
    return ""


async def _sent(item: Outbox, hands: Hands, answer: Answer, *, message_id: str, key: str) -> None:
    """Nobody waits in that chat now; the task stays for the person."""
    now, request, staff = hands.now(), answer.request, str(item.payload["staff"])
    name = answer.channel.name
    hands.health.count_message(name, "out", "sent" if message_id else "uncertain")
    async with hands.db.transaction() as tx:
        await requests.take(tx, request.id or 0, staff, now)
        # What the client wrote while the answer waited for the messenger nobody has answered yet.
        done = await requests.answered(tx, name, answer.chat.chat_id, staff, now, written_at=item.created_at)
        chat = await people.chat(tx, name, answer.chat.chat_id)
        if chat is not None:
            chat.waiting_since = await requests.open_since(tx, name, answer.chat.chat_id)
            chat.human_wrote_at = chat.answered_at = now
        await asked.record_message(
            tx, channel=name, chat_id=answer.chat.chat_id, message_id=message_id, survey_id=None,
            kind=HUMAN, text_variant="human.reply", now=now,
        )  # fmt: skip
        for number in {request.id, *done}:
            about = {"request_id": number}
            await outbox.ask_again(tx, "edit_request", keys.edit_request(number), about, now, now)
        if request.deal_id is not None and chat is not None:  # Else the client was forgotten meanwhile.
            await _note(tx, hands, item, answer)
        await _tell_writer(tx, hands, item, hands.texts.fill(key))
    item.payload = {**item.payload, "is_sent": True}  # Kept as it is settled, for who edits it later.
    hands.wake.act.set()


async def _note(tx: AsyncSession, hands: Hands, item: Outbox, answer: Answer) -> None:
    """On the deal: who answered, and what. Numbers are masked, as they are anybody's."""
    deal_id, now = answer.request.deal_id or 0, hands.now()
    words = cut_words(masked_words(str(item.payload["text"]), hands.region))
    payload: dict[str, Any] = {
        "deal_id": deal_id,
        "text_key": "deal.note_replied",
        "channel": answer.channel.name,
        "when": now.isoformat(),
        "values": {"staff": str(item.payload["staff"]), "words": words},
        "client_id": answer.client.client_id,
    }
    await outbox.add_once(tx, "note", keys.note(deal_id, item.key), payload, now, now)


async def _failed(item: Outbox, hands: Hands, reason: str, client: Client | None = None) -> None:
    phone = client.phone if client is not None else None
    text = hands.texts.fill(
        "client.reply_failed",
        reason=hands.texts.fill(f"reply_failed.{reason}"),
        client_phone=mask(phone) if item.payload.get("is_group") else phone,
    )
    async with hands.db.transaction() as tx:
        await _tell_writer(tx, hands, item, text)
    hands.wake.act.set()


async def _tell_writer(tx: AsyncSession, hands: Hands, item: Outbox, text: str) -> None:
    payload = {
        "places": [[str(item.payload["channel"]), str(item.payload["chat"])]],
        "text": text,
        "client_id": item.payload.get("client_id"),
    }
    await outbox.add_once(tx, "tell_staff", f"{item.key}:told", payload, hands.now(), hands.now())
