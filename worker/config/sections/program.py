"""Where the program keeps, what it forgets, where it listens, how it logs."""

# ruff: noqa: RUF009 — the calls in defaults give values that cannot change

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from worker.config.addresses import Listen, PublicUrl, SecretWord, StorageUrl
from worker.config.values import FORBID, Span, SpanOrNone


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """`[storage]`"""

    __pydantic_config__ = FORBID

    url: StorageUrl = field(default="sqlite:///data/sarafan.db", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """`[privacy]`"""

    __pydantic_config__ = FORBID

    keep_words: SpanOrNone = timedelta(days=1095)


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """`[http]`"""

    __pydantic_config__ = FORBID

    listen: Listen = "127.0.0.1:8080"
    public_url: PublicUrl = ""
    webhook_secret: SecretWord = SecretStr("")
    dashboard_link: Span = timedelta(hours=12)

    @property
    def listen_host(self) -> str:
        return urlsplit(f"//{self.listen}").hostname or ""

    @property
    def listen_port(self) -> int:
        return urlsplit(f"//{self.listen}").port or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """`[log]`"""

    __pydantic_config__ = FORBID

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"
