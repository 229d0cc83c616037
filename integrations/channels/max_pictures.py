"""A picture on its way into a message of MAX: an address for it, the picture to there, and its name then.

https://dev.max.ru/docs-api/methods/POST/uploads: an address takes one picture, and is none of the API's.
"""

from collections.abc import Mapping
from typing import Any

import httpx

from integrations.channels.max_errors import SERVICE
from integrations.errors import Temporary
from integrations.http import Http

NAME = "report.png"
NOT_READY = "attachment.not.ready"
PAUSES = (1.0, 2.0, 4.0)  # seconds until MAX has looked at a picture, as often as we wait for it


async def uploaded(calls: Http, uploads: Http, picture: bytes) -> dict[str, Any]:
    """The attachment. `uploads` knows no token: the address is somebody else's."""
    found = await calls.send_json("POST", "uploads?type=image", None, is_read=True, what="POST /uploads")
    url = found.get("url") if isinstance(found, Mapping) else None
    if not isinstance(url, str) or not _is_address(url):
        raise Temporary(SERVICE, "names no address for a picture")
    answer = await uploads.send(
        "POST", url, files={"data": (NAME, picture, "image/png")}, is_read=True, what="POST of a picture"
    )
    told = uploads.parse(answer)
    photos = told.get("photos") if isinstance(told, Mapping) else None
    if not isinstance(photos, Mapping) or not photos:
        raise Temporary(SERVICE, "took a picture but gave it no name")
    return {"type": "image", "payload": {"photos": dict(photos)}}


def _is_address(url: str) -> bool:
    try:
        return httpx.URL(url).scheme in ("https", "http")
    except httpx.InvalidURL:
        return False
