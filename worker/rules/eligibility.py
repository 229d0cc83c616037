"""May this question go out now? Send, Wait or Skip, each with its reason."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from worker.rules.calendar import SendWindow
from worker.rules.duration import Duration

SILENT_AFTER = 3  # conversations in a row that were left unanswered
REPLY_WITHIN = timedelta(minutes=10)  # of the client's message a reply may go at any hour
LOOK_AGAIN = timedelta(hours=1)  # at what has no known end


class Reason(StrEnum):
    """Why somebody was not asked: the codes of reports, of the card and of `plan`."""

    OPTED_OUT = "opted_out"
    NO_CONSENT = "no_consent"
    NO_CONTACT = "no_contact"
    NO_PHONE = "no_phone"
    UNREACHABLE = "unreachable"
    COMPLAINT_OPEN = "complaint_open"
    ASKED_RECENTLY = "asked_recently"
    SILENT = "silent"
    CONVERSATION_SILENT = "conversation_silent"
    REOPENED = "reopened"
    DELETED = "deleted"
    NO_SUBJECT = "no_subject"
    STOP_TAG = "stop_tag"
    ASKED_BEFORE = "asked_before"
    FAILED = "failed"
    HELD = "held"
    TOO_OLD = "too_old"
    TOO_LATE = "too_late"
    OLD_DEAL = "old_deal"
    STAFF = "staff"

    # These only delay; no report counts them.
    WINDOW = "window"  # the send window is closed
    TURN = "turn"  # another question of this client is open
    HUMAN = "human"  # the client waits for a person, or a person has just written
    PACE = "pace"  # enough was sent for now
    CHANNEL = "channel"  # the messenger does not take it now
    SERVICE = "service"  # amoCRM does not answer

    @property
    def only_delays(self) -> bool:
        return self in _DELAYS


_DELAYS = frozenset({Reason.WINDOW, Reason.TURN, Reason.HUMAN, Reason.PACE, Reason.CHANNEL, Reason.SERVICE})


@dataclass(frozen=True, slots=True)
class Send:
    """Now."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not before `until`; then it is decided anew."""

    until: datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class Skip:
    """Never."""

    reason: Reason


Decision = Send | Wait | Skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPolicy:
    """What `[delivery]` says about when to ask."""

    window: SendWindow
    pause: timedelta  # between questions about different deals of one client
    reminder_after: Duration | None
    expires_after: timedelta
    human_pause: timedelta  # 0: the bot does not mind people in the chat
    max_per_hour: int  # 0: no cap


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is known about one due survey just before its question goes out. Times are aware."""

    due_at: datetime
    turn_at: datetime | None  # when the question before it was answered
    trigger: str
    broken: Reason | None  # what `still_holds` said: reopened, deleted
    has_contact: bool
    has_phone: bool
    reachable: bool  # some configured channel has an address, or there is a live chat
    is_staff: bool
    opted_out: bool
    consents: bool
    stop_tag: bool
    asked_before: bool  # the deal carries our mark, but our own books know nothing
    complaint_open: bool
    silent_conversations: int  # the last ones in a row
    other_deal_asked_at: datetime | None  # the last question about another deal of this client
    open_question: bool  # another question of this client waits for an answer
    client_waits_since: datetime | None  # the client's words that nobody has answered yet
    human_wrote_at: datetime | None  # a person of the company, in one of the client's chats
    sent_last_hour: int
    oldest_of_hour: datetime | None
    pace_until: datetime | None  # the channel's gap between messages to different people
    is_held: bool = False  # a head has to agree first, to the first list or to many deals at once
    is_joined: bool = False  # it follows an answer, in one message with the thanks


def may_send(facts: Circumstances, now: datetime, policy: DeliveryPolicy) -> Decision:
    """Decide about one due survey.

    The order matters: a refusal is final, so it is looked for before anything that only delays; of several
    the most telling is named. A delay that is known to last beyond the limit ends the survey at once. The
    limit is `expires_after` past the moment that the question was due and its turn had come, so it does not
    run while another question is open.
    """
    if refusal := _refusal(facts):
        return Skip(refusal)
    if _is_silent(facts):
        return Skip(Reason.SILENT)
    limit = limit_of(facts, policy)
    if facts.other_deal_asked_at and now < (rested_at := facts.other_deal_asked_at + policy.pause):
        return put_off(rested_at, Reason.ASKED_RECENTLY, limit)
    is_reply = _is_reply(facts, now)
    if facts.open_question and not is_reply:
        return Wait(now + LOOK_AGAIN, Reason.TURN)
    if facts.is_held:
        return _at_any_moment(now, Reason.HELD, limit)
    if now > limit:
        return Skip(Reason.TOO_LATE)
    if is_reply:
        return Send()
    return _first_delay(facts, now, policy, limit) or Send()


def may_remind(
    facts: Circumstances, now: datetime, policy: DeliveryPolicy, *, expires_at: datetime
) -> Decision:
    """Decide about the one reminder of an open question: what forbids or delays a question does so here.

    The question itself has been asked, so neither its turn nor the pause after other deals matters. Skip
    means no reminder; the question stays open until `expires_at`.
    """
    if refusal := _refusal(facts):
        return Skip(refusal)
    if now > expires_at:
        return Skip(Reason.TOO_LATE)
    return _first_delay(facts, now, policy, expires_at) or Send()


def limit_of(facts: Circumstances, policy: DeliveryPolicy) -> datetime:
    """Up to here, and no longer, a question may be delayed."""
    return max(facts.due_at, facts.turn_at or facts.due_at) + policy.expires_after


def put_off(until: datetime, reason: Reason, limit: datetime) -> Wait | Skip:
    """Wait, or give the question up where the wait would outlast the limit."""
    if until <= limit:
        return Wait(until, reason)
    return _given_up(reason)


def _given_up(reason: Reason) -> Skip:
    return Skip(Reason.TOO_LATE if reason.only_delays else reason)


def _at_any_moment(now: datetime, reason: Reason, limit: datetime) -> Wait | Skip:
    """What it waits for may come at any moment: looked at again, and given up only at the limit."""
    again = min(now + LOOK_AGAIN, limit)
    return Wait(again, reason) if again > now else _given_up(reason)


def _refusal(facts: Circumstances) -> Reason | None:
    refusals = (
        (facts.broken is not None, facts.broken),
        (facts.is_staff, Reason.STAFF),
        (facts.opted_out, Reason.OPTED_OUT),
        (facts.stop_tag, Reason.STOP_TAG),
        (not facts.consents, Reason.NO_CONSENT),
        (facts.asked_before, Reason.ASKED_BEFORE),
        (facts.complaint_open, Reason.COMPLAINT_OPEN),
        (not facts.has_contact, Reason.NO_CONTACT),
        (not facts.reachable and not facts.has_phone, Reason.NO_PHONE),
        (not facts.reachable, Reason.UNREACHABLE),
    )
    return next((reason for applies, reason in refusals if applies), None)


def _is_silent(facts: Circumstances) -> bool:
    # Who complained is asked how it was solved, however silent before.
    return facts.silent_conversations >= SILENT_AFTER and facts.trigger != "complaint_closed"


def _is_reply(facts: Circumstances, now: datetime) -> bool:
    """The client has just answered: the next question goes with the thanks, at any hour and at once."""
    return facts.is_joined and (facts.turn_at is None or now <= facts.turn_at + REPLY_WITHIN)


def _first_delay(
    facts: Circumstances, now: datetime, policy: DeliveryPolicy, limit: datetime
) -> Wait | Skip | None:
    for until, reason in _delays(facts, now, policy):
        if until > now:
            return put_off(until, reason, limit)
    if _client_waits(facts, now, policy):
        return _at_any_moment(now, Reason.HUMAN, limit)
    opens = policy.window.next_open(now)
    return put_off(opens, Reason.WINDOW, limit) if opens > now else None


def _delays(facts: Circumstances, now: datetime, policy: DeliveryPolicy) -> Iterator[tuple[datetime, Reason]]:
    """What ends at a known moment, in the order in which it is named."""
    if facts.human_wrote_at:
        yield facts.human_wrote_at + policy.human_pause, Reason.HUMAN
    if 0 < policy.max_per_hour <= facts.sent_last_hour:
        yield (facts.oldest_of_hour or now) + timedelta(hours=1), Reason.PACE
    if facts.pace_until:
        yield facts.pace_until, Reason.PACE


def _client_waits(facts: Circumstances, now: datetime, policy: DeliveryPolicy) -> bool:
    """Somebody owes this client an answer.

    Words older than a question lives were answered where we do not see it, on the phone for instance. Those
    that came before a complaint was closed were about the complaint.
    """
    since = facts.client_waits_since
    if since is None or not policy.human_pause or now >= since + policy.expires_after:
        return False
    return facts.trigger != "complaint_closed" or since > facts.due_at
