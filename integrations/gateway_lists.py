"""What a gateway's key opens, before a channel is chosen: the channels of a Wazzup24 account."""

import httpx

from integrations.channels.wazzup import BASE_URL
from integrations.channels.wazzup_errors import refusal_of
from integrations.channels.wazzup_models import MESSENGERS, ChannelRow
from integrations.errors import Temporary
from integrations.http import Http

SERVICE = "wazzup"


async def wazzup_channels(
    section: str, api_key: str, *, transport: httpx.AsyncBaseTransport | None = None
) -> tuple[ChannelRow, ...]:
    """Those that can serve this section. Raises as every client of ours.

    https://wazzup24.ru/help/api-ru/rabota-s-kanalami/
    """
    http = Http(
        SERVICE,
        BASE_URL,
        headers={"Authorization": f"Bearer {api_key}"},
        transport=transport,
        explain=lambda answer: refusal_of(section, answer),
    )
    try:
        rows = await http.get_json("channels", what="channels")
    finally:
        await http.close()
    if not isinstance(rows, list):
        raise Temporary(SERVICE, "did not list its channels")
    listed = [ChannelRow.model_validate(row) for row in rows if isinstance(row, dict)]
    return tuple(row for row in listed if row.transport.casefold() in MESSENGERS[section].transports)
