"""Persons: clients, where they can be written to, their codes for friends; invited staff."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.columns import big, json_column, long_text, serial


class Client(SQLModel, table=True):
    """A person: a normalised phone number with everything linked to it.

    `key` is `phone:+7…`; `contact:301` until a number is known; `chat:telegram:17` for a stranger;
    `erased:<id>` after `forget`.
    """

    __tablename__ = "clients"

    client_id: int | None = serial()
    key: str = Field(unique=True)
    phone: str | None = Field(default=None, index=True)
    name: str = long_text()
    created_at: datetime
    opted_out_at: datetime | None = None
    opted_out_in: str = ""
    erased_at: datetime | None = None


class Chat(SQLModel, table=True):
    """Where a person can be written to, and who wrote there last."""

    __tablename__ = "chats"
    __table_args__ = (UniqueConstraint("channel", "chat_id"),)

    id: int | None = serial()
    channel: str
    chat_id: str
    alias: str = Field(default="", index=True)  # another id by which the service may name it
    client_id: int | None = big(default=None, index=True)
    name: str = long_text()
    linked_at: datetime
    dead_at: datetime | None = None  # blocked, stopped, or not on this messenger
    dead_reason: str = ""
    client_wrote_at: datetime | None = None
    waiting_since: datetime | None = None  # the client's words that nobody has answered yet
    human_wrote_at: datetime | None = None  # a person of the company wrote here
    answered_at: datetime | None = None  # the last time that this person did so through us
    asked_at: datetime | None = None  # our last question
    forwarded_at: datetime | None = None  # «передали сотруднику» was said: once in 12 hours


class InvitedStaff(SQLModel, table=True):
    """One of the staff who came, or may still come, by a one-time link."""

    __tablename__ = "invited_staff"
    __table_args__ = (UniqueConstraint("channel", "chat_id"),)

    id: int | None = serial()
    token_hash: str = Field(unique=True)
    role: str
    name: str  # "": what the messenger calls the account that opens it
    amocrm_user: int | None = big(default=None)
    pipelines: list[int] = json_column(list)  # that are followed; none: all
    managers: list[int] = json_column(list)
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
    client_id: int = big(unique=True)
    created_at: datetime
    first_sent_at: datetime | None = Field(default=None, index=True)


class Erased(SQLModel, table=True):
    """A keyed hash of a number that asked to be forgotten: the next pull must not bring the person back."""

    __tablename__ = "erased"

    hash: str = Field(primary_key=True)
    erased_at: datetime
