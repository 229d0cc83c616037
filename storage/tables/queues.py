"""What came in and is to be read, what is to be done outside, and small things to remember."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.columns import Json, json_column, long_text, partial_index, serial


class OutboxState(StrEnum):
    WAITING = "waiting"
    DOING = "doing"
    DONE = "done"
    GIVEN_UP = "given_up"


class InboxState(StrEnum):
    NEW = "new"
    READ = "read"
    QUARANTINED = "quarantined"


class Inbox(SQLModel, table=True):
    """What came in, as it came. Unique, so a repeat changes nothing."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("channel", "external_id", "kind"),
        partial_index("inbox_new", "id", where="state = 'new'"),
    )

    id: int | None = serial()
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
    error: str = long_text()
    read_at: datetime | None = None


class Outbox(SQLModel, table=True):
    """What has to be done outside. `key` says what the act is; a newer revision is done again."""

    __tablename__ = "outbox"
    __table_args__ = (
        partial_index("outbox_open", "is_bulk", "due_at", where="state = 'waiting'"),
        partial_index("outbox_doing", "owner", where="state = 'doing'"),
    )

    id: int | None = serial()
    kind: str = Field(index=True)
    key: str = Field(unique=True)
    payload: Json = json_column()
    revision: int = 0  # raised when it is asked for again
    state: str = Field(default=OutboxState.WAITING)
    due_at: datetime
    created_at: datetime
    owner: str = ""
    attempt: int = 0
    uncertain: bool = False  # the last try may have happened: look before doing it again
    is_bulk: bool = False  # one of many for which nobody waits: what is not goes first
    error: str = long_text()
    done_at: datetime | None = None


class State(SQLModel, table=True):
    """Small things to remember: watermark, polling offsets, keys, the bot's name."""

    __tablename__ = "state"

    key: str = Field(primary_key=True)
    value: Json = json_column()
    version: int = 0
    updated_at: datetime
