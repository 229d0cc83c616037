"""Connections to PostgreSQL by psycopg. Imported only where there is one: SQLite need not wait for it."""

from typing import Any

from psycopg.abc import Buffer
from psycopg.types.string import StrDumper
from sqlalchemy import URL, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


def engine(url: URL, *, wait_for_turn: float, is_private: bool = False) -> AsyncEngine:
    """A pool whose connections all have the same settings, whatever the server's are."""
    given = url.query.get("options", "")
    options = " ".join(
        [
            *([given] if isinstance(given, str) else given),
            "-c timezone=UTC",
            "-c statement_timeout=30s",
            "-c idle_in_transaction_session_timeout=60s",
            # A worker whose machine is gone must not look alive for hours.
            "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3",
            *(["-c synchronous_commit=off"] if is_private else []),
        ]
    ).strip()
    made = create_async_engine(
        url.difference_update_query(["options"]),
        hide_parameters=True,
        pool_pre_ping=not is_private,
        pool_size=5,
        max_overflow=5,
        pool_timeout=wait_for_turn,
        isolation_level="READ COMMITTED",
        connect_args={
            "options": options,
            "connect_timeout": 10,
            "application_name": "sarafan",
            # A server that is gone is given up after ten seconds, not after a quarter of an hour.
            "tcp_user_timeout": 10_000,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
        },
    )

    @event.listens_for(made.sync_engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        connection.driver_connection.adapters.register_dumper(str, _WithoutNul)

    return made


class _WithoutNul(StrDumper):
    """PostgreSQL keeps no NUL in texts, and a reply must not be lost because it holds one."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", "\ufffd"))
