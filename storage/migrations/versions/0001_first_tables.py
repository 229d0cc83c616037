"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BIG = sa.BigInteger()
INTEGER = sa.Integer()
FLOAT = sa.Float()
FLAG = sa.Boolean()
STRING = sa.String()
TEXT = sa.Text()
BYTES = sa.LargeBinary()
JSON = sa.JSON()
MOMENT = sa.DateTime(timezone=True)


def always(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def maybe(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def index(table: str, *columns: str) -> None:
    op.create_index("_".join(("ix", table, *columns)), table, columns)


def partial_index(name: str, table: str, *columns: str, where: str) -> None:
    """Of the open rows only, so that a claim stays fast in a million settled ones."""
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def upgrade() -> None:
    op.create_table(
        "deals",
        always("deal_id", SERIAL),
        always("name", TEXT),
        always("price", FLOAT),
        always("pipeline_id", BIG),
        always("status_id", BIG),
        always("manager_id", BIG),
        maybe("contact_id", BIG),
        maybe("company_id", BIG),
        maybe("client_id", BIG),
        always("tags", JSON),
        always("fields", JSON),
        always("created_at", MOMENT),
        always("updated_at", MOMENT),
        maybe("closed_at", MOMENT),
        maybe("entered_at", MOMENT),
        always("is_deleted", FLAG),
        always("is_reply", FLAG),
        always("is_past", FLAG),
        maybe("link_token", STRING),
        always("seen_at", MOMENT),
        maybe("decided_at", MOMENT),
        sa.PrimaryKeyConstraint("deal_id"),
        sa.UniqueConstraint("link_token"),
    )
    index("deals", "client_id")
    index("deals", "contact_id")
    index("deals", "updated_at")
    closed = ["closed_at", "status_id", "pipeline_id", "manager_id", "price", "is_deleted", "is_reply"]
    op.create_index("deals_closed", "deals", closed)
    linkless = ["link_token", "is_past", "is_deleted", "pipeline_id"]
    partial_index("deals_without_link", "deals", *linkless, where="link_token IS NULL")
    undecided = "status_id = 142 AND (decided_at IS NULL OR decided_at < updated_at)"
    partial_index("deals_to_decide", "deals", "closed_at", where=undecided)

    op.create_table(
        "contacts",
        always("contact_id", SERIAL),
        maybe("client_id", BIG),
        always("name", TEXT),
        maybe("phone", STRING),
        always("tags", JSON),
        always("fields", JSON),
        maybe("updated_at", MOMENT),
        always("read_at", MOMENT),
        always("is_deleted", FLAG),
        always("own_tag", TEXT),
        maybe("own_tag_at", MOMENT),
        sa.PrimaryKeyConstraint("contact_id"),
    )
    index("contacts", "client_id")

    op.create_table(
        "clients",
        always("client_id", SERIAL),
        always("key", STRING),
        maybe("phone", STRING),
        always("name", TEXT),
        always("created_at", MOMENT),
        maybe("opted_out_at", MOMENT),
        always("opted_out_in", STRING),
        maybe("erased_at", MOMENT),
        sa.PrimaryKeyConstraint("client_id"),
        sa.UniqueConstraint("key"),
    )
    index("clients", "phone")

    op.create_table(
        "chats",
        always("id", SERIAL),
        always("channel", STRING),
        always("chat_id", STRING),
        always("alias", STRING),
        maybe("client_id", BIG),
        always("name", TEXT),
        always("linked_at", MOMENT),
        maybe("dead_at", MOMENT),
        always("dead_reason", STRING),
        maybe("client_wrote_at", MOMENT),
        maybe("waiting_since", MOMENT),
        maybe("human_wrote_at", MOMENT),
        maybe("answered_at", MOMENT),
        maybe("asked_at", MOMENT),
        maybe("forwarded_at", MOMENT),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel", "chat_id"),
    )
    index("chats", "alias")
    index("chats", "client_id")

    op.create_table(
        "surveys",
        always("id", SERIAL),
        always("survey_key", STRING),
        always("metric", STRING),
        always("trigger", STRING),
        always("deal_id", BIG),
        always("root_deal_id", BIG),
        maybe("client_id", BIG),
        maybe("contact_id", BIG),
        always("pipeline_id", BIG),
        always("manager_id", BIG),
        always("manager", TEXT),
        always("subject", TEXT),
        always("subject_is_manager", FLAG),
        always("triggered_at", MOMENT),
        always("planned_at", MOMENT),
        always("due_at", MOMENT),
        maybe("turn_at", MOMENT),
        always("next_at", MOMENT),
        always("waits_for", STRING),
        maybe("bulk_id", BIG),
        always("state", STRING),
        always("reason", STRING),
        maybe("settled_at", MOMENT),
        always("owner", STRING),
        always("attempt", INTEGER),
        maybe("conversation", BIG),
        always("channel", STRING),
        always("chat_id", STRING),
        always("message_id", STRING),
        always("tried", JSON),
        always("text_variant", STRING),
        always("promo_code", STRING),
        maybe("begun_at", MOMENT),
        maybe("sent_at", MOMENT),
        maybe("delivered_at", MOMENT),
        maybe("read_at", MOMENT),
        maybe("reminded_at", MOMENT),
        maybe("expires_at", MOMENT),
        always("uncertain", FLAG),
        always("scale", STRING),
        maybe("score", INTEGER),
        always("band", STRING),
        maybe("answered_at", MOMENT),
        always("revision", INTEGER),
        always("late", FLAG),
        maybe("confirm_until", MOMENT),
        maybe("call_asked_at", MOMENT),
        always("asked_again", FLAG),
        always("reviewed", FLAG),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("survey_key", "deal_id"),
    )
    index("surveys", "client_id")
    index("surveys", "conversation")
    index("surveys", "due_at")
    index("surveys", "root_deal_id")
    index("surveys", "sent_at")
    index("surveys", "settled_at")
    index("surveys", "triggered_at")
    partial_index("surveys_open", "surveys", "next_at", where="state = 'planned'")
    partial_index("surveys_sending", "surveys", "owner", where="state = 'sending'")
    partial_index("surveys_asked", "surveys", "expires_at", where="state = 'sent' OR state = 'uncertain'")
    partial_index("surveys_bulk", "surveys", "bulk_id", where="bulk_id IS NOT NULL")
    op.create_index("surveys_state", "surveys", ["survey_key", "state"])
    op.create_index("surveys_chat", "surveys", ["channel", "chat_id"])
    op.create_index("surveys_deal", "surveys", ["deal_id", "manager_id"])
    op.create_index("surveys_answered", "surveys", ["answered_at", "settled_at"])

    op.create_table(
        "bulks",
        always("id", SERIAL),
        always("deals", INTEGER),
        always("made_at", MOMENT),
        always("decision", STRING),
        always("decided_by", STRING),
        maybe("decided_at", MOMENT),
        always("messages", JSON),
        sa.PrimaryKeyConstraint("id"),
    )

    op.create_table(
        "messages",
        always("id", SERIAL),
        always("channel", STRING),
        always("chat_id", STRING),
        always("message_id", STRING),
        maybe("survey_id", BIG),
        always("kind", STRING),
        always("text_variant", STRING),
        always("sent_at", MOMENT),
        always("status", STRING),
        maybe("status_at", MOMENT),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel", "chat_id", "message_id"),
    )
    index("messages", "survey_id")

    op.create_table(
        "replies",
        always("id", SERIAL),
        always("channel", STRING),
        always("external_id", STRING),
        always("received_at", MOMENT),
        maybe("client_id", BIG),
        always("chat_id", STRING),
        maybe("survey_id", BIG),
        maybe("score", INTEGER),
        always("band", STRING),
        always("late", FLAG),
        always("counts", FLAG),
        always("kind", STRING),
        always("rule", STRING),
        always("text", TEXT),
        always("had_words", FLAG),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel", "external_id"),
    )
    index("replies", "client_id")
    index("replies", "received_at")
    index("replies", "survey_id")

    op.create_table(
        "inbox",
        always("id", SERIAL),
        always("channel", STRING),
        always("external_id", STRING),
        always("kind", STRING),
        always("raw", BYTES),
        always("received_at", MOMENT),
        maybe("said_after", MOMENT),
        always("state", STRING),
        always("attempts", INTEGER),
        always("error", TEXT),
        maybe("read_at", MOMENT),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel", "external_id", "kind"),
    )
    partial_index("inbox_new", "inbox", "id", where="state = 'new'")

    op.create_table(
        "outbox",
        always("id", SERIAL),
        always("kind", STRING),
        always("key", STRING),
        always("payload", JSON),
        always("revision", INTEGER),
        always("state", STRING),
        always("due_at", MOMENT),
        always("created_at", MOMENT),
        always("owner", STRING),
        always("attempt", INTEGER),
        always("uncertain", FLAG),
        always("is_bulk", FLAG),
        always("error", TEXT),
        maybe("done_at", MOMENT),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    index("outbox", "kind")
    partial_index("outbox_open", "outbox", "is_bulk", "due_at", where="state = 'waiting'")
    partial_index("outbox_doing", "outbox", "owner", where="state = 'doing'")

    op.create_table(
        "complaints",
        always("id", SERIAL),
        maybe("lead_id", BIG),
        maybe("marker", STRING),
        maybe("client_id", BIG),
        maybe("survey_id", BIG),
        maybe("source_deal_id", BIG),
        always("manager_id", BIG),
        always("manager", TEXT),
        always("name", TEXT),
        always("responsible_id", BIG),
        maybe("task_id", BIG),
        always("noted", FLAG),
        always("opened_at", MOMENT),
        maybe("deadline", MOMENT),
        maybe("closed_at", MOMENT),
        maybe("is_solved", FLAG),
        maybe("left_at", MOMENT),
        always("closed_by", STRING),
        always("closed_by_user", BIG),
        always("reopened", INTEGER),
        always("by_hand", FLAG),
        always("topic", STRING),
        always("turns", JSON),
        maybe("followed_at", MOMENT),
        always("taken_by", STRING),
        maybe("taken_at", MOMENT),
        maybe("first_taken_at", MOMENT),
        maybe("contacted_at", MOMENT),
        always("contacted_by", STRING),
        always("call_again", FLAG),
        always("passed_to", STRING),
        maybe("passed_at", MOMENT),
        always("result_message", STRING),
        maybe("call_later_at", MOMENT),
        always("lines", JSON),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("lead_id"),
        sa.UniqueConstraint("marker"),
    )
    index("complaints", "client_id")
    index("complaints", "closed_at")
    index("complaints", "opened_at")
    index("complaints", "source_deal_id")

    op.create_table(
        "alerts",
        always("id", SERIAL),
        always("complaint_id", BIG),
        always("channel", STRING),
        always("chat_id", STRING),
        always("message_id", STRING),
        always("sent_at", MOMENT),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("complaint_id", "channel", "chat_id"),
    )
    index("alerts", "complaint_id")

    op.create_table(
        "repeats",
        always("id", SERIAL),
        always("complaint_id", BIG),
        always("channel", STRING),
        always("chat_id", STRING),
        always("message_id", STRING),
        always("text", TEXT),
        always("lines", sa.Integer()),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("complaint_id", "channel", "chat_id", "message_id"),
    )
    index("repeats", "complaint_id")

    op.create_table(
        "requests",
        always("id", SERIAL),
        always("about", STRING),
        always("channel", STRING),
        always("chat_id", STRING),
        maybe("client_id", BIG),
        maybe("survey_id", BIG),
        maybe("deal_id", BIG),
        always("pipeline_id", BIG),
        always("manager_id", BIG),
        always("asked_at", MOMENT),
        always("wants_answer", FLAG),
        always("taken_by", STRING),
        maybe("taken_at", MOMENT),
        maybe("answered_at", MOMENT),
        always("answered_by", STRING),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("about"),
    )
    partial_index("requests_open", "requests", "chat_id", where="answered_at IS NULL")
    index("requests", "asked_at")
    index("requests", "client_id")

    op.create_table(
        "shown",
        always("id", SERIAL),
        always("request_id", BIG),
        always("channel", STRING),
        always("chat_id", STRING),
        always("message_id", STRING),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel", "chat_id", "message_id"),
    )
    index("shown", "request_id")

    op.create_table(
        "invited_staff",
        always("id", SERIAL),
        always("token_hash", STRING),
        always("role", STRING),
        always("name", STRING),
        maybe("amocrm_user", BIG),
        always("pipelines", JSON),
        always("managers", JSON),
        always("created_at", MOMENT),
        always("expires_at", MOMENT),
        maybe("joined_at", MOMENT),
        maybe("channel", STRING),
        maybe("chat_id", STRING),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel", "chat_id"),
        sa.UniqueConstraint("token_hash"),
    )

    op.create_table(
        "promo_codes",
        always("code", STRING),
        always("digits", STRING),
        always("client_id", BIG),
        always("created_at", MOMENT),
        maybe("first_sent_at", MOMENT),
        sa.PrimaryKeyConstraint("code"),
        sa.UniqueConstraint("client_id"),
        sa.UniqueConstraint("digits"),
    )
    index("promo_codes", "first_sent_at")

    op.create_table(
        "trials",
        always("id", SERIAL),
        always("channel", STRING),
        always("chat_id", STRING),
        always("surveys", JSON),
        always("steps", JSON),
        always("is_forwarded", FLAG),
        always("started_at", MOMENT),
        always("ends_at", MOMENT),
        maybe("ended_at", MOMENT),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("trials_chat", "trials", ["channel", "chat_id"])

    op.create_table(
        "referrals",
        always("deal_id", SERIAL),
        always("is_referral", FLAG),
        always("by_field", FLAG),
        always("code", STRING),
        maybe("referrer_id", BIG),
        always("problem", STRING),
        always("typed", TEXT),
        always("told", STRING),
        always("reward", STRING),
        sa.PrimaryKeyConstraint("deal_id"),
    )
    index("referrals", "referrer_id")
    partial_index("referrals_coded", "referrals", "code", where="code <> ''")

    op.create_table(
        "chat_events",
        always("event_id", STRING),
        always("at", MOMENT),
        always("kind", STRING),
        always("talk", STRING),
        always("user_id", BIG),
        maybe("deal_id", BIG),
        maybe("contact_id", BIG),
        always("manager_id", BIG),
        always("pipeline_id", BIG),
        always("is_ours", FLAG),
        sa.PrimaryKeyConstraint("event_id"),
    )
    index("chat_events", "at")
    index("chat_events", "talk")

    op.create_table(
        "calls",
        always("id", SERIAL),
        always("key", STRING),
        always("week", STRING),
        always("manager_id", BIG),
        always("pipeline_id", BIG),
        maybe("deal_id", BIG),
        maybe("contact_id", BIG),
        always("at", MOMENT),
        always("duration", INTEGER),
        always("is_incoming", FLAG),
        always("link", TEXT),
        always("place", INTEGER),
        always("is_drawn", FLAG),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    index("calls", "week")

    op.create_table(
        "scorecards",
        always("id", SERIAL),
        always("call_id", BIG),
        always("manager_id", BIG),
        always("pipeline_id", BIG),
        always("reviewer", STRING),
        always("reviewer_name", STRING),
        always("channel", STRING),
        always("chat_id", STRING),
        always("message_id", STRING),
        always("version", STRING),
        always("criteria", JSON),
        always("marks", JSON),
        always("comment", TEXT),
        always("is_deaf", FLAG),
        always("created_at", MOMENT),
        maybe("scored_at", MOMENT),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("call_id", "reviewer"),
    )
    index("scorecards", "call_id")
    index("scorecards", "message_id")
    index("scorecards", "scored_at")

    op.create_table(
        "erased",
        always("hash", STRING),
        always("erased_at", MOMENT),
        sa.PrimaryKeyConstraint("hash"),
    )

    op.create_table(
        "state",
        always("key", STRING),
        always("value", JSON),
        always("version", INTEGER),
        always("updated_at", MOMENT),
        sa.PrimaryKeyConstraint("key"),
    )
