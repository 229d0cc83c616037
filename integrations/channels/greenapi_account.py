"""A user account of MAX or Telegram behind Green-API: the same methods, other chat ids, no polls.

https://green-api.com/v3/docs/api/ (MAX) and https://green-api.com/telegram/docs/api/. The number of a chat is
not the phone: a person is looked up first. Votes in polls are not reported there, so questions go as text.
"""

import re
from typing import Any

from integrations.channels.base import GatewaySettings
from integrations.channels.greenapi import GreenApi
from integrations.errors import Temporary, Unreachable

LONGEST_TEXT = {"max_account": 4000, "telegram_account": 4096}  # characters
# MAX looks up numbers of Russia and Belarus only: a call for another one would only be an error.
COUNTRIES = {"max_account": re.compile(r"7\d{10}|375\d{9}"), "telegram_account": re.compile(r"\d{7,15}")}


class GreenApiAccount(GreenApi):
    """Fulfils Sought besides."""

    poll_limit = 0
    chat_ids = re.compile(r"-?\d+")

    def __init__(self, name: str, settings: GatewaySettings, **options: Any) -> None:
        super().__init__(name, settings, **options)
        self.longest_text = LONGEST_TEXT[name]

    def address(self, phone: str) -> str | None:
        digits = re.sub(r"\D", "", phone)
        return f"+{digits}" if COUNTRIES[self.name].fullmatch(digits) else None

    async def find(self, address: str) -> str:
        await self.check_state()
        body = {"phoneNumber": int(address.removeprefix("+"))}
        # Asked twice it changes nothing, so a lost answer is no question of what happened.
        found = await self._sending.send_json(
            "POST", self._path("checkAccount"), body, is_read=True, what="checkAccount"
        )
        if not isinstance(found, dict) or not isinstance(found.get("exist"), bool):
            raise Temporary(self.name, "did not say whether the number has an account")
        chat_id = str(found.get("chatId") or "")
        if not found["exist"] or not self.chat_ids.fullmatch(chat_id):
            raise Unreachable(self.name, "finds no account by this number")
        return chat_id
