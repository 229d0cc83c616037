"""Every channel that can be configured: one line each.

A channel is imported where it is opened: Telegram's library alone takes a tenth of a second and 7 MB.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from integrations.channels.base import BotSettings, Channel, GatewaySettings
from integrations.http import OnResult
from integrations.pace import Pace


@dataclass(frozen=True, slots=True)
class ChannelKind:
    """`section` of the configuration, its `provider` ("" for a bot), and what builds the channel from it."""

    section: str
    provider: str
    opens: Callable[..., Channel]  # settings, *, transport, on_result, pace
    needs_clock: bool = False  # … and `now`


def _telegram(settings: Any, **options: Any) -> Channel:
    from integrations.channels.telegram import Telegram

    return Telegram(settings, **options)


def _max(settings: Any, **options: Any) -> Channel:
    from integrations.channels.max import MaxBot

    return MaxBot(settings, **options)


def _whatsapp(settings: Any, **options: Any) -> Channel:
    from integrations.channels.greenapi import GreenApi

    return GreenApi("whatsapp", settings, **options)


def _cloud(settings: Any, **options: Any) -> Channel:
    from integrations.channels.cloud import Cloud

    return Cloud("whatsapp", settings, **options)


def _account(name: str) -> Callable[..., Channel]:
    def opens(settings: Any, **options: Any) -> Channel:
        from integrations.channels.greenapi_account import GreenApiAccount

        return GreenApiAccount(name, settings, **options)

    return opens


def _wazzup(name: str) -> Callable[..., Channel]:
    def opens(settings: Any, **options: Any) -> Channel:
        from integrations.channels.wazzup import Wazzup

        return Wazzup(name, settings, **options)

    return opens


CHANNELS: tuple[ChannelKind, ...] = (
    ChannelKind("telegram", "", _telegram),
    ChannelKind("max", "", _max),
    ChannelKind("whatsapp", "greenapi", _whatsapp),
    ChannelKind("whatsapp", "cloud", _cloud, needs_clock=True),
    ChannelKind("whatsapp", "wazzup", _wazzup("whatsapp"), needs_clock=True),
    ChannelKind("max_account", "greenapi", _account("max_account")),
    ChannelKind("max_account", "wazzup", _wazzup("max_account"), needs_clock=True),
    ChannelKind("telegram_account", "greenapi", _account("telegram_account")),
    ChannelKind("telegram_account", "wazzup", _wazzup("telegram_account"), needs_clock=True),
)


def open_channel(
    section: str,
    settings: BotSettings | GatewaySettings,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    on_result: OnResult | None = None,
    pace: Pace | None = None,
    now: Callable[[], datetime] | None = None,
) -> Channel:
    """Build the channel of a section; nothing is asked of the service yet. LookupError if there is none.

    `pace` takes the place of the channel's own, `now` that of the machine's clock.
    """
    provider = settings.provider if isinstance(settings, GatewaySettings) else ""
    for kind in CHANNELS:
        if (kind.section, kind.provider) == (section, provider):
            clock = {"now": now} if now is not None and kind.needs_clock else {}
            return kind.opens(settings, transport=transport, on_result=on_result, pace=pace, **clock)
    known = ", ".join(" ".join(filter(None, (kind.section, kind.provider))) for kind in CHANNELS)
    raise LookupError(f"no channel {section} {provider}".rstrip() + f"; there are {known}")
