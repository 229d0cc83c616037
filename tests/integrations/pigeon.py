"""A messenger that does not exist, in one file: all that a channel takes beside its line in the registry."""

import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

import httpx
from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from integrations.channels.base import (
    Batch,
    BotSettings,
    Incoming,
    IncomingKind,
    Outgoing,
    Raw,
    UnreadableError,
)
from integrations.channels.lenient import Words
from integrations.errors import AccessDenied, OutsideError, Uncertain, Unreachable
from integrations.http import Answer, Http, OnResult
from integrations.pace import Pace

KINDS = {
    "letter": IncomingKind.TEXT,
    "correction": IncomingKind.EDITED,
    "closed": IncomingKind.BLOCKED,
    "opened": IncomingKind.UNBLOCKED,
}


def _moment(value: object) -> object:
    return value if isinstance(value, str) and re.match(r"\d{4}-", value) else None


class News(BaseModel):
    """One of `GET /news`."""

    number: int
    kind: Words = ""
    letter: Words = ""
    sender: Words = Field("", alias="from")
    text: Words = ""
    enclosed: Words = ""
    about: Words = ""
    at: Annotated[datetime | None, BeforeValidator(_moment)] = None


class Pigeon:
    """Fulfils Channel and Polled. Letters go to phone numbers; there is nothing to tap in them."""

    name = "max"  # the section of the configuration that it has been lent
    has_buttons = False
    button_limit = 0
    poll_limit = 0
    has_receipts = False
    has_read_receipts = False
    gap = timedelta(0)

    def __init__(
        self,
        settings: BotSettings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        on_result: OnResult | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._http = Http(
            self.name,
            settings.api_url,
            headers={"Authorization": settings.token},
            pace=pace,
            transport=transport,
            on_result=on_result,
            explain=self._explain,
        )

    def address(self, phone: str) -> str | None:
        return re.sub(r"\D", "", phone) or None

    async def start(self) -> None:
        await self._http.get_json("me")

    async def send(self, chat_id: str, message: Outgoing) -> str:
        body = {"to": chat_id, "text": message.text, "about": message.quote}
        found = await self._http.send_json("POST", "letters", body)
        letter = found.get("letter") if isinstance(found, dict) else None
        if not isinstance(letter, str) or not letter:
            raise Uncertain(self.name, "took the letter but gave no id")
        return letter

    async def edit(self, chat_id: str, message_id: str, message: Outgoing) -> None:
        """Nothing: what has flown cannot be called back."""

    async def answer_tap(self, callback_id: str, text: str) -> None:
        """Nothing: there is nothing to tap."""

    async def poll(self, offset: str, timeout: timedelta) -> Batch:  # noqa: ASYNC109 - of the far side
        query: dict[str, str | int] = {"after": offset or 0, "wait": int(timeout.total_seconds())}
        found = await self._http.get_json("news", query)
        news = found if isinstance(found, list) else []
        raws = tuple(_raw(each) for each in news)
        numbers = [each["number"] for each in news if isinstance(each, dict) and "number" in each]
        return Batch(raws, str(max(numbers)) if numbers else offset)

    async def confirm(self, batch: Batch) -> None:
        """The next `after` does it."""

    def read(self, body: bytes) -> Sequence[Incoming]:
        try:
            news = News.model_validate_json(body)
        except ValidationError as error:
            # From None: the error quotes the client's words.
            raise UnreadableError(f"no news of the pigeon post ({error.error_count()} errors)") from None
        kind = KINDS.get(news.kind, IncomingKind.OTHER)
        if kind is IncomingKind.TEXT and not news.text:
            kind = IncomingKind.MEDIA if news.enclosed else IncomingKind.OTHER
        return (
            Incoming(
                kind=kind,
                chat_id=news.sender,
                sent_at=news.at,
                message_id=news.letter,
                text=news.text,
                quoted=news.about,
                sender_id=news.sender,
                phone=news.sender,
                media=news.enclosed,
            ),
        )

    async def close(self) -> None:
        await self._http.close()

    def _explain(self, answer: Answer) -> OutsideError | None:
        if answer.status == 404:
            return Unreachable(self.name, "finds nobody there", status=404)
        if answer.status == 401:
            return AccessDenied(self.name, "refuses the token", remedy="Check max.token.", status=401)
        return None


def _raw(news: Any) -> Raw:
    content = json.dumps(news, ensure_ascii=False).encode()
    number = news.get("number") if isinstance(news, dict) else None
    return Raw(str(number), "news", content)
