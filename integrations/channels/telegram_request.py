"""How python-telegram-bot asks: by an HTTP client of ours that believes nobody but Telegram."""

import json
from typing import Any

from telegram.error import TelegramError, TimedOut
from telegram.request import HTTPXRequest

from integrations.channels.secret_path import SecretPath
from integrations.channels.telegram_errors import SERVICE, Foreign
from integrations.http import OnResult


class Request(HTTPXRequest):
    """The library's client, with explicit timeouts, counted results and no trust in foreign answers."""

    def __init__(self, transport: SecretPath, on_result: OnResult | None) -> None:
        self._on_result = on_result
        super().__init__(
            connect_timeout=5,
            read_timeout=20,
            write_timeout=20,
            pool_timeout=5,
            httpx_kwargs={"transport": transport, "trust_env": False},
        )

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        try:
            status, payload = await super().do_request(*args, **kwargs)
        except TelegramError as error:
            self._note("timeout" if isinstance(error, TimedOut) else "broken")
            raise
        self._note(str(status))
        # The library judges by the status alone: a filter's 403 would be a client who blocked the bot.
        if not _is_telegrams(status, payload):
            raise Foreign(status)
        return status, payload

    def _note(self, result: str) -> None:
        if self._on_result:
            self._on_result(SERVICE, result)


def _is_telegrams(status: int, payload: bytes) -> bool:
    try:
        answer = json.loads(payload)
    except (ValueError, RecursionError):
        return False
    if not isinstance(answer, dict) or not isinstance(answer.get("ok"), bool):
        return False
    if status < 300:
        return answer["ok"] is True and "result" in answer
    if status == 429:
        parameters = answer.get("parameters")
        return isinstance(parameters, dict) and bool(parameters.get("retry_after"))
    return status in (400, 401, 403, 404, 409) or status >= 500
