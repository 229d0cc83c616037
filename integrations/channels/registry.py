"""Every channel that can be configured: one line each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import httpx

from integrations.channels.base import BotSettings, Channel, GatewaySettings
from integrations.channels.greenapi import GreenApi
from integrations.channels.telegram import Telegram
from integrations.http import OnResult, Pace


@dataclass(frozen=True, slots=True)
class ChannelKind:
    """`section` of the configuration, its `provider` ("" for a bot), and what builds the channel from it."""

    section: str
    provider: str
    opens: Callable[..., Channel]  # settings, *, transport, on_result, pace


CHANNELS: tuple[ChannelKind, ...] = (
    ChannelKind("telegram", "", Telegram),
    ChannelKind("whatsapp", "greenapi", partial(GreenApi, "whatsapp")),
)


def open_channel(
    section: str,
    settings: BotSettings | GatewaySettings,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    on_result: OnResult | None = None,
    pace: Pace | None = None,
) -> Channel:
    """Build the channel of a section; nothing is asked of the service yet. LookupError if there is none.

    `pace` takes the place of the channel's own.
    """
    provider = settings.provider if isinstance(settings, GatewaySettings) else ""
    for kind in CHANNELS:
        if (kind.section, kind.provider) == (section, provider):
            return kind.opens(settings, transport=transport, on_result=on_result, pace=pace)
    known = ", ".join(" ".join(filter(None, (kind.section, kind.provider))) for kind in CHANNELS)
    raise LookupError(f"no channel {section} {provider}".rstrip() + f"; there are {known}")
