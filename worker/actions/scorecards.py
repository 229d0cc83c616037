"""The card of a call in the bot: sent, tapped through criterion by criterion, commented, changed."""

import logging
from collections.abc import Sequence
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import Button, Incoming, IncomingKind, Outgoing
from integrations.errors import Permanent
from storage import calls, inbox, outbox
from storage.tables.calls import Call, Scorecard
from storage.tables.queues import Inbox, Outbox
from worker.account.people import Place, Staff
from worker.actions.alert_staff import wait_for_morning
from worker.actions.base import Hands
from worker.actions.hearing import but
from worker.actions.reaching import reach
from worker.rules.formats import cut_words, number
from worker.rules.moments import moment_text
from worker.rules.scorecards import MARKS, Criterion, read_criteria, score
from worker.staff.commands import CONTROLLER, HEAD, OWNER, typed

log = logging.getLogger(__name__)

CARD = "i"  # begins the data of the buttons here: `i:<card>:<criterion>:<mark>`
OURS = f"{CARD}:"
LOOK, EDIT, DONE, DEAF = "look", "edit", "done", "deaf"
LONGEST_COMMENT = 1000  # characters

Rows = tuple[tuple[Button, ...], ...]


def controllers(hands: Hands) -> Sequence[Staff]:
    """Who scores: the controllers, where there are none the heads, else the owner."""
    for role in (CONTROLLER, HEAD, OWNER):
        if able := [one for one in hands.known.staff if one.role == role and one.places]:
            return able
    return ()


def able(people: Sequence[Staff], call: Call) -> Sequence[Staff]:
    """Nobody scores a call of their own; who follows some managers or pipelines only scores theirs.

    A call that stands on a contact is of no pipeline, so it may be anybody's.
    """
    return [
        one
        for one in but(people, (call.manager_id,))
        if one.follows(call.pipeline_id or min(one.pipelines, default=0), call.manager_id)
    ]


async def ask_to_send(
    tx: AsyncSession, hands: Hands, card: Scorecard, tried: Sequence[str] = (), *, is_asked: bool = False
) -> None:
    """`tried`: who could not be reached. `is_asked`: somebody waits for it, whatever the hour."""
    payload = {"card_id": card.id, "tried": list(tried), "is_asked": is_asked}
    key = f"send_card:{card.id}:{card.reviewer}"
    await outbox.add_once(tx, "send_card", key, payload, hands.now(), hands.now())


async def send_card(item: Outbox, hands: Hands) -> None:
    """At least once: the buttons of each work, and the last one is commented."""
    if not item.payload.get("is_asked"):
        wait_for_morning(hands)
    async with hands.db.reading() as tx:
        found = await calls.card(tx, int(item.payload["card_id"]))
    if found is None or not found[1].link:
        return  # The client was forgotten since.
    card, call = found
    person = next((one for one in hands.known.staff if one.key == card.reviewer), None)
    message = Outgoing(text=_text(hands, card, call), buttons=_buttons(hands, card))
    sent = await reach(hands, person.places, message) if person is not None else None
    if sent is None:
        await _pass_on(hands, card, item.payload["tried"])
        return
    place, message_id = sent
    async with hands.db.transaction() as tx:
        if (kept := await calls.card(tx, card.id or 0)) is not None:
            kept[0].channel, kept[0].chat_id, kept[0].message_id = place.channel, place.chat_id, message_id


async def _pass_on(hands: Hands, card: Scorecard, tried: Sequence[str]) -> None:
    """Whoever cannot be reached, or has left, scores nothing: somebody else without this call does."""
    async with hands.db.transaction() as tx:
        found = await calls.card(tx, card.id or 0)
        if found is None or found[0].reviewer != card.reviewer:
            return
        kept, call = found
        tried = [*tried, kept.reviewer]
        not_again = {*tried, *await calls.reviewers_of(tx, kept.call_id)}
        person = next((one for one in able(controllers(hands), call) if one.key not in not_again), None)
        if person is None:
            log.warning("a call was drawn for somebody who cannot be reached, and nobody else can score it")
            return
        kept.reviewer, kept.reviewer_name = person.key, person.name
        await ask_to_send(tx, hands, kept, tried)
    hands.wake.act.set()


async def show_card(item: Outbox, hands: Hands) -> None:
    """As it stands now, in the place of what was tapped."""
    payload = item.payload
    channel = hands.channels.get(str(payload["channel"]))
    async with hands.db.reading() as tx:
        found = await calls.card(tx, int(payload["card_id"]))
    if channel is None or found is None:
        return
    view = str(payload["view"])
    message = Outgoing(text=_text(hands, *found, view), buttons=_buttons(hands, found[0], view))
    try:
        await channel.edit(str(payload["chat"]), str(payload["message_id"]), message)
    except Permanent as error:
        log.info("the card of a call stays as it is: %s", error)


# --- what it says ------------------------------------------------------------------------------------------


def _open(card: Scorecard, view: str = "") -> int | None:
    """Which criterion is asked: the chosen one, else the first without a mark."""
    if card.is_deaf:
        return None
    if view.isdecimal() and int(view) < len(card.criteria):
        return int(view)
    return next((n for n, one in enumerate(card.criteria) if one["key"] not in card.marks), None)


def _text(hands: Hands, card: Scorecard, call: Call, view: str = "") -> str:
    """Nothing of the client: whoever scores may be no person of the company."""
    texts, criteria, asked = hands.texts, read_criteria(card.criteria), _open(card, view)
    minutes, seconds = divmod(call.duration, 60)
    lines = [
        texts.fill(
            "iqs.card.in" if call.is_incoming else "iqs.card.out",
            manager=hands.known.user_name(call.manager_id),
            when=moment_text(texts, call.at, hands.calendar.zone),
            age=f"{minutes}:{seconds:02d}",
        )
    ]
    lines += [texts.fill("iqs.card.link", link=call.link)] if call.link else []
    marked = [
        texts.fill("iqs.card.mark", name=one.name, value=mark_text(hands, card.marks[one.key]))
        for one in criteria
        if one.key in card.marks
    ]
    lines += ["", *marked] if marked else []
    if card.is_deaf:
        lines += ["", texts.fill("iqs.card.deaf")]
    elif asked is not None:
        step = texts.fill(
            "iqs.card.step", n=asked + 1, m=len(criteria), name=criteria[asked].name.rstrip("?")
        )
        lines += ["", f"{step} {texts.fill('iqs.card.critical')}" if criteria[asked].is_critical else step]
    else:
        lines += ["", *_outcome(hands, card, criteria, view)]
    return "\n".join(lines)


def _outcome(hands: Hands, card: Scorecard, criteria: tuple[Criterion, ...], view: str) -> list[str]:
    texts, found = hands.texts, score(criteria, card.marks)
    said = [texts.fill("iqs.card.nothing")]
    if found is not None:
        said = [texts.fill("iqs.card.score", value=number(found, texts.language, places=0))]
    if card.comment:
        said.append(texts.fill("iqs.card.comment", words=card.comment))
    said.append(texts.fill("iqs.card.choose" if view == EDIT else "iqs.card.hint"))
    return said


def mark_text(hands: Hands, mark: Any) -> str:
    return {1.0: "1", 0.5: "½", 0.0: "0"}.get(mark) or hands.texts.fill("iqs.mark.none")


def _buttons(hands: Hands, card: Scorecard, view: str = "") -> Rows:
    texts, begins, asked = hands.texts, f"{CARD}:{card.id}", _open(card, view)
    if card.is_deaf:
        return ()
    if asked is None:
        if view != EDIT:
            return ((Button(texts.fill("button.edit"), data=f"{begins}:0:{EDIT}"),),)
        rows = [
            (Button(one.name, data=f"{begins}:{n}:{LOOK}"),)
            for n, one in enumerate(read_criteria(card.criteria))
        ]
        return (*rows, (Button(texts.fill("button.back"), data=f"{begins}:0:{DONE}"),))
    names = {"1": "1", "h": "½", "0": "0", "n": texts.fill("button.not_applicable")}
    marks = [Button(names[mark], data=f"{begins}:{asked}:{mark}") for mark in MARKS]
    last: tuple[Button, ...] = ()
    if asked > 0 and card.scored_at is None:
        last = (Button(texts.fill("button.back"), data=f"{begins}:{asked - 1}:{LOOK}"),)
    elif not card.marks:
        last = (Button(texts.fill("button.deaf"), data=f"{begins}:0:{DEAF}"),)
    return tuple(filter(None, (tuple(marks[:3]), (marks[3],), last)))


# --- what staff do with it --------------------------------------------------------------------------------


async def press(tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, staff: Staff) -> str:
    """Do what the button says; the words for the presser."""
    _, number_, criterion, what = (*message.data.split(":"), "", "", "")[:4]
    if not number_.isdecimal() or not criterion.isdecimal():
        return ""
    found = await calls.card(tx, int(number_))
    if found is None or found[0].reviewer != staff.key or found[0].is_deaf:
        return ""
    card, call = found
    view = ""
    if what == DEAF:
        return await _replace(tx, hands, row, message, card, call, staff)
    if what in MARKS and int(criterion) < len(card.criteria):
        key = str(card.criteria[int(criterion)]["key"])
        card.marks = {**card.marks, key: MARKS[what]}
        if card.scored_at is None and all(one["key"] in card.marks for one in card.criteria):
            card.scored_at = hands.now()
    elif what in (LOOK, EDIT):
        view = criterion if what == LOOK else EDIT
    await _show(tx, hands, card, Place(row.channel, message.chat_id), message.quoted, view)
    return ""


async def _show(
    tx: AsyncSession, hands: Hands, card: Scorecard, place: Place, message_id: str, view: str = ""
) -> None:
    payload = {
        "card_id": card.id, "channel": place.channel, "chat": place.chat_id,
        "message_id": message_id, "view": view,
    }  # fmt: skip
    key = f"show_card:{card.id}:{message_id}"
    await outbox.ask_again(tx, "show_card", key, payload, hands.now(), hands.now())


async def _replace(
    tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, card: Scorecard, call: Call, staff: Staff
) -> str:
    """The recording cannot be heard: another call of the same manager and week, as long as there is one."""
    if card.marks:
        return ""  # It was heard after all.
    card.is_deaf = True
    await _show(tx, hands, card, Place(row.channel, message.chat_id), message.quoted)
    spare = await calls.take_spare(tx, call, staff.pipelines)
    if spare is None:
        return hands.texts.fill("iqs.no_other")
    new = Scorecard(
        call_id=spare.id or 0,
        manager_id=spare.manager_id,
        pipeline_id=spare.pipeline_id,
        reviewer=staff.key,
        reviewer_name=staff.name,
        version=card.version,
        criteria=card.criteria,
        created_at=hands.now(),
    )
    if await calls.add_card(tx, new):
        await ask_to_send(tx, hands, new, is_asked=True)
    return hands.texts.fill("iqs.another")


async def take_comment(tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, staff: Staff) -> bool:
    """A reply to a card, in words; the last one counts. False: it is something else."""
    is_text = message.kind in (IncomingKind.TEXT, IncomingKind.EDITED) and typed(message.text) is None
    if not is_text or not message.quoted:
        return False
    card = await calls.card_shown_as(tx, row.channel, message.chat_id, message.quoted)
    if card is None or card.reviewer != staff.key:
        return False
    await inbox.empty(tx, row.id)
    card.comment = cut_words(message.text, LONGEST_COMMENT)
    await _show(tx, hands, card, Place(row.channel, message.chat_id), message.quoted)
    payload = {"places": [[row.channel, message.chat_id]], "text": hands.texts.fill("iqs.commented")}
    key = f"comment:{row.channel}:{row.id}"
    await outbox.add_once(tx, "tell_staff", key, payload, hands.now(), hands.now())
    return True
