"""Complaints and clients' words, and where staff were shown them."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.columns import Json, big, json_column, long_text, partial_index, serial


class Complaint(SQLModel, table=True):
    """A complaint deal: opened by a low score, or by hand in amoCRM (then without a survey)."""

    __tablename__ = "complaints"

    id: int | None = serial()  # «Рекламация № 17»
    lead_id: int | None = big(default=None, unique=True)
    marker: str | None = Field(default=None, unique=True)  # the tag that finds it after a lost answer
    client_id: int | None = big(default=None, index=True)
    survey_id: int | None = big(default=None)
    source_deal_id: int | None = big(default=None, index=True)
    manager_id: int = big(default=0)  # of the source deal, as of the survey
    manager: str = long_text()
    name: str = long_text()
    responsible_id: int = big(default=0)
    task_id: int | None = big(default=None)
    noted: bool = False  # the first note stands on the deal
    opened_at: datetime = Field(index=True)
    deadline: datetime | None = None
    closed_at: datetime | None = Field(default=None, index=True)
    is_solved: bool | None = None  # closed as won; None while open
    left_at: datetime | None = None  # moved away to another pipeline while open
    closed_by: str = ""  # who pressed «Решено»; "" where it was closed in amoCRM
    closed_by_user: int = big(default=0)  # of amoCRM; 0: not known
    reopened: int = 0
    by_hand: bool = False  # opened by a person in amoCRM, not by a low score
    topic: str = ""  # the reason that was chosen in the deal; «…» where it is in free words
    turns: list[Json] = json_column(list)  # openings and closings, as amoCRM's events told them
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
    lines: list[str] = json_column(list)  # under the alert: «Взято: Анна, 14:05» and its like

    @property
    def is_contacted(self) -> bool:
        """Has somebody talked with the client about all that was said so far?"""
        return self.contacted_at is not None and not self.call_again


class Alert(SQLModel, table=True):
    """A complaint's message in a staff chat, to be edited when something changes."""

    __tablename__ = "alerts"
    __table_args__ = (UniqueConstraint("complaint_id", "channel", "chat_id"),)

    id: int | None = serial()
    complaint_id: int = big(index=True)
    channel: str
    chat_id: str
    message_id: str
    sent_at: datetime


class Repeat(SQLModel, table=True):
    """One more message of a complaint in a staff chat, edited like its alert: sent before or after it."""

    __tablename__ = "repeats"
    __table_args__ = (UniqueConstraint("complaint_id", "channel", "chat_id", "message_id"),)

    id: int | None = serial()
    complaint_id: int = big(index=True)
    channel: str
    chat_id: str
    message_id: str
    text: str = long_text()  # what it says of this complaint; "": as the alert itself
    lines: int = 0  # of the complaint's, that had been told by then: later ones are shown under the text


class Request(SQLModel, table=True):
    """Words of a client that were shown to staff; a reply to them goes to the client's chat."""

    __tablename__ = "requests"
    __table_args__ = (partial_index("requests_open", "chat_id", where="answered_at IS NULL"),)

    id: int | None = serial()
    about: str = Field(unique=True)  # the occasion, as in the keys of what it calls for
    channel: str
    chat_id: str
    client_id: int | None = big(default=None, index=True)
    survey_id: int | None = big(default=None)
    deal_id: int | None = big(default=None)
    pipeline_id: int = big(default=0)  # of the deal, as it was then
    manager_id: int = big(default=0)
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

    id: int | None = serial()
    request_id: int = big(index=True)
    channel: str
    chat_id: str
    message_id: str
