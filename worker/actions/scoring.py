"""A score: first given, corrected or late, with all that it calls for."""

from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import IncomingKind
from storage import asked, complaints, outbox, turns
from storage.tables.surveys import Reply, Survey, SurveyState
from worker.actions import keys
from worker.actions.alert_words import raised_text
from worker.actions.base import Hands
from worker.actions.deal_card import sync_deal
from worker.actions.passing import add_task, pass_on, say, tell_head
from worker.actions.received import Meant, Received, is_late
from worker.rules.answer_place import EDIT_WINDOW, is_school_mark
from worker.rules.answer_readings import Score
from worker.rules.planning import SurveyRule
from worker.rules.reaction import Do, react
from worker.rules.scale import Band

THANKS_FIRST = timedelta(minutes=2)  # until then the thanks may take the next question along


async def take_score(
    tx: AsyncSession,
    hands: Hands,
    received: Received,
    meant: Meant,
    score: Score,
    reply: Reply,
    *,
    is_quiet: bool = False,
) -> None:
    survey, rule, now = meant.survey, meant.rule, received.now
    band = rule.scale.band(score.value)
    if survey.answered_at is not None and now > survey.answered_at + EDIT_WINDOW:
        if score.value == survey.score and not score.comment:
            return  # It says nothing new.
        await say(tx, hands, received, "score.locked", survey=survey, rule=rule)
        await pass_on(tx, hands, received, survey, reply.text or _as_words(rule, score))
        return
    reply.score, reply.band, reply.survey_id = score.value, band, survey.id
    words = score.comment
    reply.text = words if received.message.kind is not IncomingKind.TAP else ""
    before, was_band = survey.score, survey.band
    is_first = survey.answered_at is None
    reply.late = survey.late if not is_first else is_late(survey, received)
    if before == score.value:
        await asked.uncount_replies(tx, survey.id or 0)
        reply.counts = True
        if words:
            is_carried = band is Band.LOW and rule.on_low in ("complaint", "task")
            is_for_person = score.wants_reply and not is_carried
            if is_for_person:
                await pass_on(tx, hands, received, survey, words, is_quiet=is_quiet)
            is_thanked = not (is_quiet or is_for_person)
            await join_words(tx, hands, received, meant, reply, is_thanked=is_thanked)
        return
    await asked.uncount_replies(tx, survey.id or 0)
    reply.counts = True
    survey.score, survey.band = score.value, band
    survey.revision += 1
    survey.uncertain = False
    # Asked about once: who sends another number after that means it.
    survey.confirm_until = confirm_until(rule, score, received) if is_first else None
    if is_first:
        survey.answered_at, survey.late = now, reply.late
        survey.state = SurveyState.ANSWERED
        next_at = (survey.confirm_until or now) + THANKS_FIRST
        await turns.give_turn(tx, received.client.client_id or 0, now, next_at)
    await tx.flush()
    await _react(tx, hands, received, meant, reply, was_band=was_band, before=before,
        wants_reply=score.wants_reply, is_quiet=is_quiet)  # fmt: skip


def _as_words(rule: SurveyRule, score: Score) -> str:
    """A tap brings no words: what stands on the button."""
    labels = {option.value: option.label for option in rule.scale.options}
    return labels.get(score.value, str(score.value))


def confirm_until(rule: SurveyRule, score: Score, received: Received) -> datetime | None:
    """What is tapped is meant; what is typed may be a school mark."""
    if rule.confirm_low is None or received.message.kind is IncomingKind.TAP:
        return None
    return received.now + rule.confirm_low.span if is_school_mark(score, rule.scale) else None


async def _react(
    tx: AsyncSession,
    hands: Hands,
    received: Received,
    meant: Meant,
    reply: Reply,
    *,
    was_band: str,
    before: int | None,
    wants_reply: bool,
    is_quiet: bool,
) -> None:
    survey, rule, now = meant.survey, meant.rule, received.now
    calls_for = react(
        band=Band(survey.band),
        trigger=survey.trigger,
        on_low=rule.on_low,
        has_words=bool(reply.text),
        wants_reply=wants_reply,
    )
    at = survey.confirm_until or now
    about = {"survey_id": survey.id, "revision": survey.revision, "reply_id": reply.id}
    if was_band == Band.LOW and survey.band != Band.LOW:
        # The complaint stays open until somebody has talked with the client.
        await outbox.add_once(
            tx, "score_raised", f"score_raised:{survey.id}:{survey.revision}", about, now, now
        )
        await _show_raised(tx, hands, survey, now)
    for do in calls_for:
        match do:
            case Do.WRITE_BACK:
                await sync_deal(tx, survey.deal_id, now)
            case Do.NOTE_DEAL:
                note = keys.note_deal(survey.id or 0, survey.revision)
                await outbox.add_once(tx, "note_deal", note, {**about, "before": before}, now, now)
            case Do.OPEN_COMPLAINT:
                key = keys.open_complaint(survey.id or 0, survey.revision)
                await outbox.add_once(tx, "open_complaint", key, about, at, now)
            case Do.ALERT_STAFF if Do.OPEN_COMPLAINT not in calls_for:
                key = f"alert_again:{survey.id}:{survey.revision}"
                await outbox.add_once(tx, "alert_again", key, about, at, now)
            case Do.TASK:
                is_low = survey.band == Band.LOW
                await add_task(
                    tx,
                    hands,
                    survey.deal_id,  # of a complaint that was solved badly, its own
                    received,
                    reply.text,
                    about=f"score:{survey.id}",
                    survey=survey if is_low else None,
                    at=at,
                )
            case Do.TELL_HEAD if survey.band == Band.LOW:
                key = keys.tell_head(f"score:{survey.id}:{survey.revision}")
                await outbox.add_once(tx, "tell_low", key, about, at, now)
            case Do.TELL_HEAD:
                await tell_head(tx, hands, received, survey, reply.text, wants_answer=True)
            case Do.THANK_CLIENT if not is_quiet:
                thanks = {**about, "wants_reply": wants_reply}
                await outbox.add_once(tx, "thank_client", keys.thank(reply.id or 0), thanks, now, now)
            case _:
                continue  # The alert comes with its complaint; a quiet score is thanked for with the opt-out.
    await outbox.add_once(
        tx, "edit_question", keys.edit_question(survey.id or 0, survey.revision), about, now, now
    )


async def _show_raised(tx: AsyncSession, hands: Hands, survey: Survey, now: datetime) -> None:
    """The alert shows the score as it is now, be it its own or one that had joined."""
    complaint = await complaints.of_score(tx, survey)
    if complaint is None:
        return
    if complaint.survey_id != survey.id:
        complaint.lines = [*complaint.lines, raised_text(hands, survey)]
    about = {"complaint_id": complaint.id}
    await outbox.ask_again(tx, "edit_alert", keys.edit_alert(complaint.id), about, now, now)


def opens_complaint(survey: Survey, rule: SurveyRule) -> bool:
    """Does a low score of this survey have a complaint of its own, or one that it joins?"""
    return rule.on_low == "complaint" and survey.trigger != "complaint_closed"


def low_keys(survey: Survey) -> tuple[str, ...]:
    """How the keys begin of what is put off while a low score waits to be confirmed."""
    return (
        keys.opening_of(survey.id),
        f"alert_again:{survey.id}:",
        keys.task(survey.deal_id, f"score:{survey.id}"),
        keys.tell_head(f"score:{survey.id}:"),
    )


async def join_words(
    tx: AsyncSession,
    hands: Hands,
    received: Received,
    meant: Meant,
    reply: Reply,
    *,
    is_quiet: bool = False,
    is_thanked: bool = True,
) -> None:
    """A comment joins the response: the deal's note, or the complaint and its alert.

    `is_quiet`: neither the head nor the client hears of it from here; without `is_thanked` the head does.
    """
    survey, now = meant.survey, received.now
    about = {"survey_id": survey.id, "reply_id": reply.id, "revision": survey.revision}
    if survey.answered_at is None:
        return  # The words wait with the survey; the note of its score will quote them.
    earlier = [words for words in await asked.words_of(tx, survey.id or 0) if words != reply.text]
    is_low = survey.band == Band.LOW
    if is_low and survey.confirm_until is not None and survey.confirm_until > now:
        survey.confirm_until = now  # Words under it: no school mark, a real complaint.
        for due in low_keys(survey):
            await outbox.hurry(tx, due, now)
    if is_low and opens_complaint(survey, meant.rule):
        await outbox.add_once(tx, "complaint_words", f"complaint_words:reply:{reply.id}", about, now, now)
        await outbox.add_once(tx, "alert_words", f"alert_words:reply:{reply.id}", about, now, now)
    else:
        await outbox.add_once(tx, "note_words", f"note_words:reply:{reply.id}", about, now, now)
        if is_low and meant.rule.on_low != "nothing" and not is_quiet:
            await tell_head(tx, hands, received, survey, reply.text)
    if is_thanked and not is_quiet and not earlier:
        await outbox.add_once(
            tx, "thank_client", keys.thank(reply.id or 0), {**about, "is_words": True}, now, now
        )
