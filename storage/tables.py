"""Every table: flat rows without relationships. Times are aware and in UTC; ids of amoCRM are 64-bit.

States are plain strings in the database (see the enums here), so a row of a newer version can still be read.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

Json = dict[str, Any]

# SQLite counts up only a column that is INTEGER, PostgreSQL's INTEGER is too small for years of rows.
SerialId = BigInteger().with_variant(Integer, "sqlite")


def _serial() -> Any:
    return Field(default=None, primary_key=True, sa_type=SerialId)


def _id_of_amocrm() -> Any:
    """On SQLite it is the row's own number then, and found at once, without an index beside the table."""
    return Field(primary_key=True, sa_type=SerialId)


def _big(**options: Any) -> Any:
    return Field(sa_type=BigInteger, **options)


def _text(default: str | None = "") -> Any:
    return Field(default=default, sa_type=Text)


def _json(default_factory: Any = dict) -> Any:
    return Field(default_factory=default_factory, sa_type=JSON)


def _partial(name: str, *columns: str, where: str) -> Index:
    """The migration makes it on both databases; to name `postgresql_where` here would import its drivers."""
    return Index(name, *columns, sqlite_where=text(where))


class SurveyState(StrEnum):
    """planned → sending → sent or uncertain → answered or expired; skipped and failed carry a reason."""

    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    UNCERTAIN = "uncertain"  # It may have arrived: counts as asked.
    ANSWERED = "answered"
    EXPIRED = "expired"
    SKIPPED = "skipped"  # Never sent; `reason` says why.
    FAILED = "failed"  # Accepted, but every channel reported failure.


class OutboxState(StrEnum):
    WAITING = "waiting"
    DOING = "doing"
    DONE = "done"
    GIVEN_UP = "given_up"


class InboxState(StrEnum):
    NEW = "new"
    READ = "read"
    QUARANTINED = "quarantined"


class Deal(SQLModel, table=True):
    """The mirror of a deal, of any pipeline, as last read from amoCRM."""

    __tablename__ = "deals"
    __table_args__ = (
        # All that reports ask of every deal there was: the deals themselves are ten times as long.
        Index(
            "deals_closed",
            "closed_at",
            "status_id",
            "pipeline_id",
            "manager_id",
            "price",
            "is_deleted",
            "is_reply",
        ),
        _partial(
            "deals_without_link",
            "link_token",
            "is_past",
            "is_deleted",
            "pipeline_id",
            where="link_token IS NULL",
        ),
        _partial(
            "deals_to_decide",
            "closed_at",
            where="status_id = 142 AND (decided_at IS NULL OR decided_at < updated_at)",
        ),
    )

    deal_id: int = _id_of_amocrm()
    name: str = _text()
    price: float = 0
    pipeline_id: int = _big(default=0)
    status_id: int = _big(default=0)
    manager_id: int = _big(default=0)  # the responsible user, now
    contact_id: int | None = _big(default=None, index=True)  # the main contact
    company_id: int | None = _big(default=None)
    client_id: int | None = _big(default=None, index=True)
    tags: list[str] = _json(list)
    fields: Json = _json()  # field id as text → [{"value": …, "enum_id": …}]
    created_at: datetime
    updated_at: datetime = Field(index=True)
    closed_at: datetime | None = None
    entered_at: datetime | None = None  # when it was first seen in its present status
    is_deleted: bool = False
    is_reply: bool = False  # the messenger integration opened it because of a reply: counts nowhere
    is_past: bool = False  # closed before the first start, read for the numbers only: nobody is asked
    link_token: str | None = Field(default=None, unique=True)  # of the deep links to the bots
    seen_at: datetime
    decided_at: datetime | None = None  # `updated_at` as it was when its referral was decided last


class Contact(SQLModel, table=True):
    """A contact (or, with a negative id, a company without contacts) as last read from amoCRM."""

    __tablename__ = "contacts"

    contact_id: int = _id_of_amocrm()
    client_id: int | None = _big(default=None, index=True)
    name: str = _text()
    phone: str | None = None  # E.164, the one that identifies the client
    tags: list[str] = _json(list)
    fields: Json = _json()
    updated_at: datetime | None = None
    read_at: datetime
    is_deleted: bool = False
    own_tag: str = _text()  # the stop tag that we set on opt-out; "" where it is a person's, or there is none
    own_tag_at: datetime | None = None  # by amoCRM's clock; None: it may not have been written


class Client(SQLModel, table=True):
    """A person: a normalised phone number with everything linked to it.

    `key` is `phone:+7…`; `contact:301` until a number is known; `chat:telegram:17` for a stranger;
    `erased:<id>` after `forget`.
    """

    __tablename__ = "clients"

    client_id: int | None = _serial()
    key: str = Field(unique=True)
    phone: str | None = Field(default=None, index=True)
    name: str = _text()
    created_at: datetime
    opted_out_at: datetime | None = None
    opted_out_in: str = ""
    erased_at: datetime | None = None


class Chat(SQLModel, table=True):
    """Where a person can be written to, and who wrote there last."""

    __tablename__ = "chats"
    __table_args__ = (UniqueConstraint("channel", "chat_id"),)

    id: int | None = _serial()
    channel: str
    chat_id: str
    alias: str = Field(default="", index=True)  # another id by which the service may name it
    client_id: int | None = _big(default=None, index=True)
    name: str = _text()
    linked_at: datetime
    dead_at: datetime | None = None  # blocked, stopped, or not on this messenger
    dead_reason: str = ""
    client_wrote_at: datetime | None = None
    waiting_since: datetime | None = None  # the client's words that nobody has answered yet
    human_wrote_at: datetime | None = None  # a person of the company wrote here
    answered_at: datetime | None = None  # the last time that this person did so through us
    asked_at: datetime | None = None  # our last question
    forwarded_at: datetime | None = None  # «передали сотруднику» was said: once in 12 hours


class Survey(SQLModel, table=True):
    """One survey of one deal: unique for ever, so closing a deal again asks nobody again."""

    __tablename__ = "surveys"
    __table_args__ = (
        UniqueConstraint("survey_key", "deal_id"),
        _partial("surveys_open", "next_at", where="state = 'planned'"),
        _partial("surveys_sending", "owner", where="state = 'sending'"),
        _partial("surveys_asked", "expires_at", where="state = 'sent' OR state = 'uncertain'"),
        _partial("surveys_bulk", "bulk_id", where="bulk_id IS NOT NULL"),
        Index("surveys_state", "survey_key", "state"),
        Index("surveys_chat", "channel", "chat_id"),
        # With what reports ask of each: who led the deal, when it was asked.
        Index("surveys_deal", "deal_id", "manager_id"),
        Index("surveys_answered", "answered_at", "settled_at"),
    )

    id: int | None = _serial()
    survey_key: str
    metric: str
    trigger: str
    deal_id: int = _big()  # the deal it is about; for `complaint_closed` the complaint deal
    root_deal_id: int = _big(
        index=True
    )  # the sales deal behind it: surveys of one root never block each other
    client_id: int | None = _big(default=None, index=True)
    contact_id: int | None = _big(default=None)
    pipeline_id: int = _big(default=0)
    manager_id: int = _big(default=0)  # written down at planning: deals are reassigned later
    manager: str = _text()
    subject: str = _text()  # the person or crew that is rated; "" for the company
    subject_is_manager: bool = False
    triggered_at: datetime = Field(index=True)
    planned_at: datetime
    due_at: datetime = Field(index=True)  # never moves after the first sending
    turn_at: datetime | None = None  # when the question before it was answered
    next_at: datetime  # when to look at it again
    waits_for: str = ""  # the reason of the last postponement
    bulk_id: int | None = _big(default=None)  # closed with many others at once: a head decides about all

    state: str = Field(default=SurveyState.PLANNED)
    reason: str = ""
    settled_at: datetime | None = Field(default=None, index=True)  # first sent, or ended unsent
    owner: str = ""
    attempt: int = 0

    conversation: int | None = _big(default=None, index=True)  # id of the survey that opened it
    channel: str = ""
    chat_id: str = ""
    message_id: str = ""
    tried: list[str] = _json(list)  # channels that failed for good
    text_variant: str = ""  # which text went out: keys joined by «+»
    promo_code: str = ""  # the code that the question carried
    sent_at: datetime | None = Field(default=None, index=True)
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    reminded_at: datetime | None = None
    expires_at: datetime | None = None
    uncertain: bool = False  # the gateway's answer was lost and nothing has confirmed it since

    scale: str = ""  # on which it was asked, by its id: the settings may change before the answer
    score: int | None = None
    band: str = ""  # low, neutral, high
    answered_at: datetime | None = None  # when the client first scored
    revision: int = 0
    late: bool = False
    confirm_until: datetime | None = None  # a bare 4 or 5 was asked about once; act after this
    call_asked_at: datetime | None = None  # «позвоните мне» in place of a score: declined, not silent
    asked_again: bool = False  # «пришлите одно число» was said once
    reviewed: bool = False  # a public review was asked for after this one


class Bulk(SQLModel, table=True):
    """Many deals closed at once, whose surveys wait for a head's word."""

    __tablename__ = "bulks"

    id: int | None = _serial()
    deals: int = 0  # how many closed at once
    made_at: datetime
    decision: str = ""  # ask, skip; "" while nobody has decided
    decided_by: str = ""
    decided_at: datetime | None = None
    messages: list[list[str]] = _json(list)  # channel, chat and id of each that asks a head


class Message(SQLModel, table=True):
    """What we sent to a client, so that a status, a quote or a tap finds its survey."""

    __tablename__ = "messages"
    __table_args__ = (UniqueConstraint("channel", "chat_id", "message_id"),)

    id: int | None = _serial()
    channel: str
    chat_id: str
    message_id: str
    survey_id: int | None = _big(default=None, index=True)
    kind: str  # question, reminder, thanks, …
    text_variant: str = ""
    sent_at: datetime
    status: str = "sent"  # sent, delivered, read, failed
    status_at: datetime | None = None


class Reply(SQLModel, table=True):
    """One reply of a client, whatever it held: the history of scores and the rows of `export`."""

    __tablename__ = "replies"
    __table_args__ = (UniqueConstraint("channel", "external_id"),)

    id: int | None = _serial()
    channel: str
    external_id: str
    received_at: datetime = Field(index=True)
    client_id: int | None = _big(default=None, index=True)
    chat_id: str = ""
    survey_id: int | None = _big(default=None, index=True)
    score: int | None = None
    band: str = ""
    late: bool = False
    counts: bool = False  # its score is the survey's
    kind: str = ""  # tap, text, voice, …
    rule: str = ""  # how the text was read
    text: str = _text()
    had_words: bool = False  # they were erased, or older than they may be kept


class Inbox(SQLModel, table=True):
    """What came in, as it came. Unique, so a repeat changes nothing."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("channel", "external_id", "kind"),
        _partial("inbox_new", "id", where="state = 'new'"),
    )

    id: int | None = _serial()
    channel: str
    external_id: str
    kind: str
    raw: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    received_at: datetime
    said_after: datetime | None = (
        None  # when its channel last had nothing to tell; None: we were not listening
    )
    state: str = Field(default=InboxState.NEW)
    attempts: int = 0
    error: str = _text()
    read_at: datetime | None = None


class Outbox(SQLModel, table=True):
    """What has to be done outside. `key` says what the act is; a newer revision is done again."""

    __tablename__ = "outbox"
    __table_args__ = (
        _partial("outbox_open", "is_bulk", "due_at", where="state = 'waiting'"),
        _partial("outbox_doing", "owner", where="state = 'doing'"),
    )

    id: int | None = _serial()
    kind: str = Field(index=True)
    key: str = Field(unique=True)
    payload: Json = _json()
    revision: int = 0  # raised when it is asked for again
    state: str = Field(default=OutboxState.WAITING)
    due_at: datetime
    created_at: datetime
    owner: str = ""
    attempt: int = 0
    uncertain: bool = False  # the last try may have happened: look before doing it again
    is_bulk: bool = False  # one of many for which nobody waits: what is not goes first
    error: str = _text()
    done_at: datetime | None = None


class Complaint(SQLModel, table=True):
    """A complaint deal: opened by a low score, or by hand in amoCRM (then without a survey)."""

    __tablename__ = "complaints"

    id: int | None = _serial()  # «Рекламация № 17»
    lead_id: int | None = _big(default=None, unique=True)
    marker: str | None = Field(default=None, unique=True)  # the tag that finds it after a lost answer
    client_id: int | None = _big(default=None, index=True)
    survey_id: int | None = _big(default=None)
    source_deal_id: int | None = _big(default=None, index=True)
    manager_id: int = _big(default=0)  # of the source deal, as of the survey
    manager: str = _text()
    name: str = _text()
    responsible_id: int = _big(default=0)
    task_id: int | None = _big(default=None)
    noted: bool = False  # the first note stands on the deal
    opened_at: datetime = Field(index=True)
    deadline: datetime | None = None
    closed_at: datetime | None = Field(default=None, index=True)
    is_solved: bool | None = None  # closed as won; None while open
    left_at: datetime | None = None  # moved away to another pipeline while open
    closed_by: str = ""  # who pressed «Решено»; "" where it was closed in amoCRM
    closed_by_user: int = _big(default=0)  # of amoCRM; 0: not known
    reopened: int = 0
    by_hand: bool = False  # opened by a person in amoCRM, not by a low score
    topic: str = ""  # the reason that was chosen in the deal; «…» where it is in free words
    turns: list[Json] = _json(list)  # openings and closings, as amoCRM's events told them
    followed_at: datetime | None = None  # None: the deal has changed, and its events are still to be read
    taken_by: str = ""
    taken_at: datetime | None = None
    first_taken_at: datetime | None = None  # of one that was opened again and has to be taken anew
    contacted_at: datetime | None = None  # when the client was first spoken to
    contacted_by: str = ""
    call_again: bool = False  # another low score came, or it was opened again, since the client was spoken to
    passed_to: str = ""  # by name: to whom of the staff it was given
    passed_at: datetime | None = None  # given, or taken from whom it is about: it has to be taken anew since
    result_message: str = ""  # channel, chat and id of the message whose answer tells what was done
    call_later_at: datetime | None = None
    lines: list[str] = _json(list)  # under the alert: «Взято: Анна, 14:05» and its like

    @property
    def is_contacted(self) -> bool:
        """Has somebody talked with the client about all that was said so far?"""
        return self.contacted_at is not None and not self.call_again


class Alert(SQLModel, table=True):
    """A complaint's message in a staff chat, to be edited when something changes."""

    __tablename__ = "alerts"
    __table_args__ = (UniqueConstraint("complaint_id", "channel", "chat_id"),)

    id: int | None = _serial()
    complaint_id: int = _big(index=True)
    channel: str
    chat_id: str
    message_id: str
    sent_at: datetime


class Request(SQLModel, table=True):
    """Words of a client that were shown to staff; a reply to them goes to the client's chat."""

    __tablename__ = "requests"
    __table_args__ = (_partial("requests_open", "chat_id", where="answered_at IS NULL"),)

    id: int | None = _serial()
    about: str = Field(unique=True)  # the occasion, as in the keys of what it calls for
    channel: str
    chat_id: str
    client_id: int | None = _big(default=None, index=True)
    survey_id: int | None = _big(default=None)
    deal_id: int | None = _big(default=None)
    pipeline_id: int = _big(default=0)  # of the deal, as it was then
    manager_id: int = _big(default=0)
    asked_at: datetime = Field(index=True)
    wants_answer: bool = False  # it asks or complains; else it was only passed on
    taken_by: str = ""
    taken_at: datetime | None = None
    answered_at: datetime | None = None  # in the chat, by a person
    answered_by: str = ""


class Shown(SQLModel, table=True):
    """The message in a staff chat that tells of a client's words."""

    __tablename__ = "shown"
    __table_args__ = (UniqueConstraint("channel", "chat_id", "message_id"),)

    id: int | None = _serial()
    request_id: int = _big(index=True)
    channel: str
    chat_id: str
    message_id: str


class InvitedStaff(SQLModel, table=True):
    """One of the staff who came, or may still come, by a one-time link."""

    __tablename__ = "invited_staff"
    __table_args__ = (UniqueConstraint("channel", "chat_id"),)

    id: int | None = _serial()
    token_hash: str = Field(unique=True)
    role: str
    name: str  # "": what the messenger calls the account that opens it
    amocrm_user: int | None = _big(default=None)
    pipelines: list[int] = _json(list)  # that are followed; none: all
    managers: list[int] = _json(list)
    created_at: datetime
    expires_at: datetime
    joined_at: datetime | None = None  # opened; the rest tells by whom
    channel: str | None = None
    chat_id: str | None = None


class PromoCode(SQLModel, table=True):
    """A client's one code for friends."""

    __tablename__ = "promo_codes"

    code: str = Field(primary_key=True)  # as shown, such as ДРУГ-48215
    digits: str = Field(unique=True)
    client_id: int = _big(unique=True)
    created_at: datetime
    first_sent_at: datetime | None = Field(default=None, index=True)


class Trial(SQLModel, table=True):
    """A made-up conversation in a real chat, for whoever wants to see what clients see. It counts nowhere."""

    __tablename__ = "trials"
    __table_args__ = (Index("trials_chat", "channel", "chat_id"),)

    id: int | None = _serial()
    channel: str
    chat_id: str
    surveys: list[str] = _json(list)  # their keys, in the order in which they are asked
    steps: list[Json] = _json(list)  # what became of each that was asked
    is_forwarded: bool = False  # «передали сотруднику» was said once
    started_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None


class Referral(SQLModel, table=True):
    """What a deal says about who recommended the company: decided anew whenever the deal changes."""

    __tablename__ = "referrals"
    __table_args__ = (_partial("referrals_coded", "code", where="code <> ''"),)

    deal_id: int = _id_of_amocrm()
    is_referral: bool = False
    by_field: bool = False  # the referral field has the value
    code: str = ""  # the friend's code that was recognised
    referrer_id: int | None = _big(default=None, index=True)  # a client
    problem: str = ""  # self, unknown, ambiguous: for a person to look at
    typed: str = _text()
    told: str = ""  # due, done: the referrer hears of it, where the settings say so
    reward: str = ""  # due, done: the task to pay the bonus


class ChatEvent(SQLModel, table=True):
    """A message in a chat of amoCRM, or the end of a conversation: when, and by whom; never its words."""

    __tablename__ = "chat_events"

    event_id: str = Field(primary_key=True)  # amoCRM's
    at: datetime = Field(index=True)
    kind: str  # in, out, end
    talk: str = Field(index=True)  # the conversation: `talk:117`, or the card that it belongs to
    user_id: int = _big(default=0)  # who of the company wrote; 0: a robot, a phone, or the client
    deal_id: int | None = _big(default=None)
    contact_id: int | None = _big(default=None)
    manager_id: int = _big(default=0)  # of the deal, as it was then
    pipeline_id: int = _big(default=0)
    is_ours: bool = False  # a question of ours, or what the client answered to it


class Call(SQLModel, table=True):
    """A call that was drawn for the controllers, or stands ready in its place: each once ever."""

    __tablename__ = "calls"
    __table_args__ = (UniqueConstraint("key"),)

    id: int | None = _serial()
    key: str  # the telephone's own name of the call, else the note's id
    week: str = Field(index=True)  # its Monday
    manager_id: int = _big(default=0)  # who talked
    pipeline_id: int = _big(default=0)
    deal_id: int | None = _big(default=None)
    contact_id: int | None = _big(default=None)
    at: datetime
    duration: int = 0  # seconds; 0: not told
    is_incoming: bool = False
    link: str = _text()  # of the recording
    place: int = 0  # in the draw of this manager
    is_drawn: bool = False  # False: it is a spare one


class Scorecard(SQLModel, table=True):
    """What one of the staff thinks of a call. It counts once every criterion has a mark."""

    __tablename__ = "scorecards"
    __table_args__ = (UniqueConstraint("call_id", "reviewer"),)

    id: int | None = _serial()
    call_id: int = _big(index=True)
    manager_id: int = _big(default=0)  # as of the call, so that a report need not look there
    pipeline_id: int = _big(default=0)
    reviewer: str  # the key of one of the staff
    reviewer_name: str
    channel: str = ""  # where the card is, "" before it was sent
    chat_id: str = ""
    message_id: str = Field(default="", index=True)
    version: str  # of the criteria
    criteria: list[Json] = _json(list)  # as they were when the call was drawn
    marks: Json = _json()  # by criterion: 1, 0.5, 0, null
    comment: str = _text()
    is_deaf: bool = False  # the recording could not be heard
    created_at: datetime
    scored_at: datetime | None = Field(default=None, index=True)


class Erased(SQLModel, table=True):
    """A keyed hash of a number that asked to be forgotten: the next pull must not bring the person back."""

    __tablename__ = "erased"

    hash: str = Field(primary_key=True)
    erased_at: datetime


class State(SQLModel, table=True):
    """Small things to remember: watermark, polling offsets, keys, the bot's name."""

    __tablename__ = "state"

    key: str = Field(primary_key=True)
    value: Json = _json()
    version: int = 0
    updated_at: datetime
