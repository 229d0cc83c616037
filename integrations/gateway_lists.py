"""What a gateway's key opens, before a channel is chosen: the channels of a Wazzup24 account."""

from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from integrations.errors import Temporary
from integrations.http import Http

SERVICE = "wazzup"
WAZZUP = "https://api.wazzup24.com"


@dataclass(frozen=True, slots=True)
class GatewayChannel:
    """`name`: the number or the login as the cabinet shows it; `state` is `active` for one that works."""

    id: str
    transport: str
    name: str
    state: str


class _Channel(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str = Field(alias="channelId")
    transport: str = ""
    name: str | int | None = Field(default="", alias="plainId")
    state: str | None = ""


async def wazzup_channels(
    api_key: str, *, base_url: str = WAZZUP, transport: httpx.AsyncBaseTransport | None = None
) -> tuple[GatewayChannel, ...]:
    """All channels of the account: https://wazzup24.ru/help/api-ru/rabota-s-kanalami/. Raises as every client of ours."""
    http = Http(SERVICE, base_url, headers={"Authorization": f"Bearer {api_key}"}, transport=transport)
    try:
        answer = await http.send("GET", "/v3/channels", what="channels")
        body: Any = http.parse(answer)
    finally:
        await http.close()
    try:
        rows = TypeAdapter(list[_Channel]).validate_python(body)
    except ValidationError:
        raise Temporary(SERVICE, "answered without a list of channels") from None
    return tuple(GatewayChannel(row.id, row.transport, str(row.name or ""), row.state or "") for row in rows)
