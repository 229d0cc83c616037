"""Deals and contacts of amoCRM as they were last read, and who recommended the company."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from storage.tables.columns import Json, amocrm_id, big, json_column, long_text, partial_index


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
        partial_index(
            "deals_without_link",
            "link_token",
            "is_past",
            "is_deleted",
            "pipeline_id",
            where="link_token IS NULL",
        ),
        partial_index(
            "deals_to_decide",
            "closed_at",
            where="status_id = 142 AND (decided_at IS NULL OR decided_at < updated_at)",
        ),
    )

    deal_id: int = amocrm_id()
    name: str = long_text()
    price: float = 0
    pipeline_id: int = big(default=0)
    status_id: int = big(default=0)
    manager_id: int = big(default=0)  # the responsible user, now
    contact_id: int | None = big(default=None, index=True)  # the main contact
    company_id: int | None = big(default=None)
    client_id: int | None = big(default=None, index=True)
    tags: list[str] = json_column(list)
    fields: Json = json_column()  # field id as text → [{"value": …, "enum_id": …}]
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

    contact_id: int = amocrm_id()
    client_id: int | None = big(default=None, index=True)
    name: str = long_text()
    phone: str | None = None  # E.164, the one that identifies the client
    tags: list[str] = json_column(list)
    fields: Json = json_column()
    updated_at: datetime | None = None
    read_at: datetime
    is_deleted: bool = False
    own_tag: str = (
        long_text()
    )  # the stop tag that we set on opt-out; "" where it is a person's, or there is none
    own_tag_at: datetime | None = None  # by amoCRM's clock; None: it may not have been written


class Referral(SQLModel, table=True):
    """What a deal says about who recommended the company: decided anew whenever the deal changes."""

    __tablename__ = "referrals"
    __table_args__ = (partial_index("referrals_coded", "code", where="code <> ''"),)

    deal_id: int = amocrm_id()
    is_referral: bool = False
    by_field: bool = False  # the referral field has the value
    code: str = ""  # the friend's code that was recognised
    referrer_id: int | None = big(default=None, index=True)  # a client
    problem: str = ""  # self, unknown, ambiguous: for a person to look at
    typed: str = long_text()
    told: str = ""  # due, done: the referrer hears of it, where the settings say so
    reward: str = ""  # due, done: the task to pay the bonus
