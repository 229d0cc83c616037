"""Calls that are listened to, and what staff think of them."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.columns import Json, big, json_column, long_text, serial


class Call(SQLModel, table=True):
    """A call that was drawn for the controllers, or stands ready in its place: each once ever."""

    __tablename__ = "calls"
    __table_args__ = (UniqueConstraint("key"),)

    id: int | None = serial()
    key: str  # the telephone's own name of the call, else the note's id
    week: str = Field(index=True)  # its Monday
    manager_id: int = big(default=0)  # who talked
    pipeline_id: int = big(default=0)
    deal_id: int | None = big(default=None)
    contact_id: int | None = big(default=None)
    at: datetime
    duration: int = 0  # seconds; 0: not told
    is_incoming: bool = False
    link: str = long_text()  # of the recording
    place: int = 0  # in the draw of this manager
    is_drawn: bool = False  # False: it is a spare one


class Scorecard(SQLModel, table=True):
    """What one of the staff thinks of a call. It counts once every criterion has a mark."""

    __tablename__ = "scorecards"
    __table_args__ = (UniqueConstraint("call_id", "reviewer"),)

    id: int | None = serial()
    call_id: int = big(index=True)
    manager_id: int = big(default=0)  # as of the call, so that a report need not look there
    pipeline_id: int = big(default=0)
    reviewer: str  # the key of one of the staff
    reviewer_name: str
    channel: str = ""  # where the card is, "" before it was sent
    chat_id: str = ""
    message_id: str = Field(default="", index=True)
    version: str  # of the criteria
    criteria: list[Json] = json_column(list)  # as they were when the call was drawn
    marks: Json = json_column()  # by criterion: 1, 0.5, 0, null
    comment: str = long_text()
    is_deaf: bool = False  # the recording could not be heard
    created_at: datetime
    scored_at: datetime | None = Field(default=None, index=True)
