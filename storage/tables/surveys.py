"""What is asked, what went out for it and what came back."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.columns import Json, big, json_column, long_text, partial_index, serial


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


class Survey(SQLModel, table=True):
    """One survey of one deal: unique for ever, so closing a deal again asks nobody again."""

    __tablename__ = "surveys"
    __table_args__ = (
        UniqueConstraint("survey_key", "deal_id"),
        partial_index("surveys_open", "next_at", where="state = 'planned'"),
        partial_index("surveys_sending", "owner", where="state = 'sending'"),
        partial_index("surveys_asked", "expires_at", where="state = 'sent' OR state = 'uncertain'"),
        partial_index("surveys_bulk", "bulk_id", where="bulk_id IS NOT NULL"),
        Index("surveys_state", "survey_key", "state"),
        Index("surveys_chat", "channel", "chat_id"),
        # With what reports ask of each: who led the deal, when it was asked.
        Index("surveys_deal", "deal_id", "manager_id"),
        Index("surveys_answered", "answered_at", "settled_at"),
    )

    id: int | None = serial()
    survey_key: str
    metric: str
    trigger: str
    deal_id: int = big()  # the deal it is about; for `complaint_closed` the complaint deal
    root_deal_id: int = big(
        index=True
    )  # the sales deal behind it: surveys of one root never block each other
    client_id: int | None = big(default=None, index=True)
    contact_id: int | None = big(default=None)
    pipeline_id: int = big(default=0)
    manager_id: int = big(default=0)  # written down at planning: deals are reassigned later
    manager: str = long_text()
    subject: str = long_text()  # the person or crew that is rated; "" for the company
    subject_is_manager: bool = False
    triggered_at: datetime = Field(index=True)
    planned_at: datetime
    due_at: datetime = Field(index=True)  # never moves after the first sending
    turn_at: datetime | None = None  # when the question before it was answered
    next_at: datetime  # when to look at it again
    waits_for: str = ""  # the reason of the last postponement
    bulk_id: int | None = big(default=None)  # closed with many others at once: a head decides about all

    state: str = Field(default=SurveyState.PLANNED)
    reason: str = ""
    settled_at: datetime | None = Field(default=None, index=True)  # first sent, or ended unsent
    owner: str = ""
    attempt: int = 0

    conversation: int | None = big(default=None, index=True)  # id of the survey that opened it
    channel: str = ""
    chat_id: str = ""
    message_id: str = ""
    tried: list[str] = json_column(list)  # channels that failed for good
    text_variant: str = ""  # which text went out: keys joined by «+»
    promo_code: str = ""  # the code that the question carried
    # When its last sending began, which is in this chat: what was written here before is no answer to it.
    # `sent_at` may be of another channel, tried before, or of a restart.
    begun_at: datetime | None = None
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

    id: int | None = serial()
    deals: int = 0  # how many closed at once
    made_at: datetime
    decision: str = ""  # ask, skip; "" while nobody has decided
    decided_by: str = ""
    decided_at: datetime | None = None
    messages: list[list[str]] = json_column(list)  # channel, chat and id of each that asks a head


class Message(SQLModel, table=True):
    """What we sent to a client, so that a status, a quote or a tap finds its survey."""

    __tablename__ = "messages"
    __table_args__ = (UniqueConstraint("channel", "chat_id", "message_id"),)

    id: int | None = serial()
    channel: str
    chat_id: str
    message_id: str
    survey_id: int | None = big(default=None, index=True)
    kind: str  # question, reminder, thanks, …
    text_variant: str = ""
    sent_at: datetime
    status: str = "sent"  # sent, delivered, read, failed
    status_at: datetime | None = None


class Reply(SQLModel, table=True):
    """One reply of a client, whatever it held: the history of scores and the rows of `export`."""

    __tablename__ = "replies"
    __table_args__ = (UniqueConstraint("channel", "external_id"),)

    id: int | None = serial()
    channel: str
    external_id: str
    received_at: datetime = Field(index=True)
    client_id: int | None = big(default=None, index=True)
    chat_id: str = ""
    survey_id: int | None = big(default=None, index=True)
    score: int | None = None
    band: str = ""
    late: bool = False
    counts: bool = False  # its score is the survey's
    kind: str = ""  # tap, text, voice, …
    rule: str = ""  # how the text was read
    text: str = long_text()
    had_words: bool = False  # they were erased, or older than they may be kept


class Trial(SQLModel, table=True):
    """A made-up conversation in a real chat, for whoever wants to see what clients see. It counts nowhere."""

    __tablename__ = "trials"
    __table_args__ = (Index("trials_chat", "channel", "chat_id"),)

    id: int | None = serial()
    channel: str
    chat_id: str
    surveys: list[str] = json_column(list)  # their keys, in the order in which they are asked
    steps: list[Json] = json_column(list)  # what became of each that was asked
    is_forwarded: bool = False  # «передали сотруднику» was said once
    started_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None
