"""Messengers and their gateways, and when clients are written to."""

# ruff: noqa: RUF009 — the calls in defaults give values that cannot change

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, get_args

from integrations.channels.base import BotSettings, GatewaySettings
from integrations.channels.base import Template as AnyTemplate
from worker.config.addresses import DeepLink, Proxy, Token, Url, UrlOrNone
from worker.config.values import (
    FORBID,
    Bool,
    Channel,
    Count,
    Days,
    DurationOrNone,
    HoursText,
    Named,
    Span,
    SpanOrZero,
)
from worker.rules.calendar import Duration, Hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Telegram(BotSettings):
    """`[telegram]`"""

    __pydantic_config__ = FORBID

    token: Token = field(default="", repr=False)
    api_url: Url = "https://api.telegram.org"
    deep_link: DeepLink = "https://t.me/{bot}?start={token}"
    mode: Literal["polling", "webhook"] = "polling"
    proxy: Proxy = field(default="", repr=False)
    ca_file: str = field(default="", init=False)  # MAX's alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Max(BotSettings):
    """`[max]`"""

    __pydantic_config__ = FORBID

    token: Token = field(default="", repr=False)
    api_url: Url = "https://platform-api2.max.ru"
    deep_link: DeepLink = "https://max.ru/{bot}?start={token}"
    mode: Literal["polling", "webhook"] = "polling"
    proxy: str = field(default="", init=False)  # Telegram's alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Template(AnyTemplate):
    """`[whatsapp.templates.<survey key>]`"""

    __pydantic_config__ = FORBID

    buttons: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatsApp(GatewaySettings):
    """`[whatsapp]`"""

    __pydantic_config__ = FORBID

    provider: Literal["none", "cloud", "wazzup", "greenapi"] = "none"
    base_url: UrlOrNone = ""
    instance_id: Named = ""
    api_token: Token = field(default="", repr=False)
    receive: Literal["polling", "webhook"] = "polling"
    gap: SpanOrZero = timedelta(seconds=45)
    channel_id: Named = ""
    api_key: Token = field(default="", repr=False)
    phone_number_id: Named = ""
    access_token: Token = field(default="", repr=False)
    app_secret: Token = field(default="", repr=False)
    verify_token: Token = field(default="", repr=False)
    templates: dict[str, Template] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAccount(WhatsApp):
    """`[max_account]`, `[telegram_account]`: gateways to a user account only, without the keys of Meta's."""

    __pydantic_config__ = FORBID

    provider: Literal["none", "wazzup", "greenapi"] = "none"
    phone_number_id: str = field(default="", init=False)
    access_token: str = field(default="", init=False, repr=False)
    app_secret: str = field(default="", init=False, repr=False)
    verify_token: str = field(default="", init=False, repr=False)
    templates: dict[str, Template] = field(default_factory=dict, init=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """`[delivery]`"""

    __pydantic_config__ = FORBID

    channels: tuple[Channel, ...] = get_args(Channel)
    send_window: HoursText = Hours(10 * 60, 20 * 60)
    send_days: Days = frozenset(range(6))
    min_days_between_surveys: Count = 30
    reminder_after: DurationOrNone = Duration(span=timedelta(days=2))
    expires_after: Span = timedelta(days=7)
    human_pause: SpanOrZero = timedelta(hours=4)
    max_per_hour: Count = 0
    preview: Bool = False
    hold_above: Count = 30


def is_configured(section: BotSettings | GatewaySettings) -> bool:
    if isinstance(section, BotSettings):
        return bool(section.token)
    return section.provider != "none"
