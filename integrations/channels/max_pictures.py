"""A picture or a file on its way into a message of MAX: an address for it, itself to there, its name then.

https://dev.max.ru/docs-api/methods/POST/uploads: an address takes one, and is none of the API's.
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
    told = await _brought(calls, uploads, "image", (NAME, picture, "image/png"))
    photos = told.get("photos")
    if not isinstance(photos, Mapping) or not photos:
        raise Temporary(SERVICE, "took a picture but gave it no name")
    return {"type": "image", "payload": {"photos": dict(photos)}}


async def uploaded_file(calls: Http, uploads: Http, file: bytes, name: str) -> dict[str, Any]:
    """The attachment, as above."""
    told = await _brought(calls, uploads, "file", (name, file, "application/octet-stream"))
    token = told.get("token")
    if not isinstance(token, str) or not token:
        raise Temporary(SERVICE, "took a file but gave it no name")
    return {"type": "file", "payload": {"token": token}}


async def _brought(
    calls: Http, uploads: Http, kind: str, part: tuple[str, bytes, str]
) -> Mapping[str, object]:
    found = await calls.send_json("POST", f"uploads?type={kind}", None, is_read=True, what="POST /uploads")
    url = found.get("url") if isinstance(found, Mapping) else None
    if not isinstance(url, str) or not _is_address(url):
        raise Temporary(SERVICE, "names no address for an upload")
    answer = await uploads.send("POST", url, files={"data": part}, is_read=True, what="POST of an upload")
    told = uploads.parse(answer)
    return told if isinstance(told, Mapping) else {}


def _is_address(url: str) -> bool:
    try:
        return httpx.URL(url).scheme in ("https", "http")
    except httpx.InvalidURL:
        return False
