"""The OAuth side of the amoCRM stand-in: codes that work once, pairs that rotate."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

PATH = "/oauth2/access_token"
CODE_LIVES = timedelta(minutes=20)
ACCESS_LIVES = timedelta(days=1)
REFRESH_LIVES = timedelta(days=90)
PROBLEM = "https://developers.amocrm.ru/v3/errors/OAuthProblemJson"


class Integration:
    """One integration and what it was granted. Every token and code is told from any other by its number."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.client_id = "7f3a1c9e-client"
        self.client_secret = "made-up-client-secret"  # noqa: S105
        self.redirect_uri = "https://app.example/cb"
        self.keeps_old_access = True  # does a refreshed access token live on until its end
        self.granted: list[str] = []  # access tokens, in their order
        self._numbers = count(1)
        self._codes: dict[str, datetime] = {}
        self._refresh: dict[str, datetime] = {}
        self._access: dict[str, datetime] = {}

    def issue_code(self) -> str:
        """A person agrees: the code that `sarafan auth` takes."""
        code = f"def50code{next(self._numbers)}"
        self._codes[code] = self.clock() + CODE_LIVES
        return code

    def revoke(self) -> None:
        """A person takes the access back."""
        self._refresh.clear()
        self._access.clear()

    def expire_access(self) -> None:
        """The day of every access token is over; the refresh token lives on."""
        for token in self._access:
            self._access[token] = self.clock()

    def accepts(self, access_token: str) -> bool:
        return self._access.get(access_token, self.clock()) > self.clock()

    async def answer(self, request: Request) -> Response:
        body = _fields(await request.body())
        known = (self.client_id, self.client_secret)
        if (body.get("client_id"), body.get("client_secret")) != known:
            return _problem("Некорректный клиент", "Авторизация клиента не прошла")
        if body.get("redirect_uri") != self.redirect_uri:
            return _problem("Некорректный запрос", "redirect_uri", hint="Check the `redirect_uri` parameter")
        match body.get("grant_type"):
            case "authorization_code":
                kept, given = self._codes, body.get("code")
                hint = "Authorization code has been revoked"
            case "refresh_token":
                kept, given = self._refresh, body.get("refresh_token")
                hint = "Token has been revoked"
            case _:
                return _problem("Некорректный запрос", "grant_type", hint="Check the `grant_type` parameter")
        if kept.pop(str(given), self.clock()) <= self.clock():  # It works once.
            return _problem("Некорректный запрос", "В запросе отсутствует ряд параметров", hint=hint)
        return self._grant()

    def _grant(self) -> Response:
        if not self.keeps_old_access:
            self._access.clear()
        now, number = self.clock(), next(self._numbers)
        access, refresh = f"eyJ0made.access{number}.up", f"def50refresh{number}"
        self._access[access] = now + ACCESS_LIVES
        self._refresh[refresh] = now + REFRESH_LIVES
        self.granted.append(access)
        body = {
            "token_type": "Bearer",
            "expires_in": int(ACCESS_LIVES.total_seconds()),
            "server_time": int(now.timestamp()),
            "access_token": access,
            "refresh_token": refresh,
        }
        return Response(json.dumps(body), media_type="application/json")


def _fields(body: bytes) -> Mapping[str, Any]:
    """JSON or a form: both are taken."""
    try:
        fields = json.loads(body)
    except ValueError:
        return dict(parse_qsl(body.decode(errors="replace")))
    return fields if isinstance(fields, dict) else {}


def _problem(title: str, detail: str, *, hint: str = "") -> Response:
    body = {"title": title, "type": PROBLEM, "status": 401, "detail": detail}
    if hint:
        body = {"hint": hint, **body}
    return Response(json.dumps(body, ensure_ascii=False), 401, media_type="application/problem+json")
