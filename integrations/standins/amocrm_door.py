"""Whom the made-up amoCRM lets in: its pace, its tokens and their rights."""

import time
from collections import deque
from collections.abc import Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from integrations.standins.amocrm_account import MadeUpAccount
from integrations.standins.amocrm_answers import FORBIDDEN, TOO_FAST, problem
from integrations.standins.amocrm_json import API
from integrations.standins.amocrm_oauth import PATH as OAUTH
from integrations.standins.amocrm_oauth import Integration

BLOCK_AFTER = 20  # answers «too fast» within a minute


class GuardedAccount(MadeUpAccount):
    """An account with its door.

    `rate_limit` requests within one second are answered, more get 429, and more than twenty of those within a
    minute block the account until `is_blocked` is set back. None switches that off.
    """

    def __init__(
        self, clock: Callable[[], datetime], *, token: str, rate_limit: int | None, timezone: str
    ) -> None:
        super().__init__(clock, timezone=timezone)
        self.token = token  # the long-lived one
        self.integration = Integration(clock)  # OAuth beside it
        self.rate_limit = rate_limit
        self.is_admin = True  # has the token's owner an administrator's rights
        self.is_blocked = False
        self.is_unpaid = False  # the subscription is over: writes are refused
        self.longest_address: int | None = None  # longer ones get 414
        self._arrivals: deque[float] = deque()
        self._too_fast: deque[float] = deque()

    def refusal(self, request: Request) -> Response | None:
        """What is answered before anybody looks at the address; None: come in."""
        if self.rate_limit is not None and self._is_too_fast(time.monotonic(), self.rate_limit):
            return Response(TOO_FAST, 429, media_type="text/html")
        if self.is_blocked:
            return Response(FORBIDDEN, 403, media_type="text/html")
        if self.longest_address and len(request.url.query) > self.longest_address:
            return Response("<html>414</html>", 414, media_type="text/html")
        if request.url.path == OAUTH:
            return None
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if bearer != self.token and not self.integration.accepts(bearer):
            return problem(401, "Unauthorized", "Incorrect access token")
        if self.is_unpaid and request.method != "GET":
            return problem(402, "Payment Required", "Account is not paid")
        path, is_read = request.url.path, request.method == "GET"
        is_setting_up = not is_read and path.endswith(("/custom_fields", "/pipelines"))
        admin_only = path.startswith((f"{API}/users", f"{API}/webhooks")) or is_setting_up
        if admin_only and not self.is_admin:
            return problem(403, "Forbidden", "Access denied")
        return None

    def _is_too_fast(self, now: float, rate: int) -> bool:
        _forget_before(self._arrivals, now - 1)
        _forget_before(self._too_fast, now - 60)
        self._arrivals.append(now)
        if len(self._arrivals) <= rate:
            return False
        self._too_fast.append(now)
        self.is_blocked |= len(self._too_fast) > BLOCK_AFTER
        return not self.is_blocked


def _forget_before(moments: deque[float], limit: float) -> None:
    while moments and moments[0] <= limit:
        moments.popleft()
