"""A channel of a Wazzup24 account: WhatsApp by QR code or WABA, or a user account of MAX or Telegram.

API v3: https://wazzup24.ru/help/api-ru/. One webhook address serves all channels of an account.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx

from integrations.channels import wazzup_write
from integrations.channels.base import GatewaySettings, Incoming, Outgoing, Posted, Raw, RefusedError
from integrations.channels.hooks import is_ours
from integrations.channels.wazzup_channels import choose, is_guid, state_of
from integrations.channels.wazzup_errors import (
    STOPPED_FOR,
    NoQuoteError,
    RepeatedError,
    refusal_of,
)
from integrations.channels.wazzup_models import MESSENGERS, WABA, ChannelRow
from integrations.channels.wazzup_ours import TEMPLATE, Ours
from integrations.channels.wazzup_read import PHONE, Json, Reader
from integrations.channels.whatsapp_rules import WindowClosedError, is_window_over
from integrations.errors import AccessDenied, Permanent, Taken, Temporary, Uncertain, Unreachable
from integrations.http import Http, OnResult
from integrations.pace import Pace

BASE_URL = "https://api.wazzup24.com/v3"
RATE = 10.0  # a second; 500 in five seconds are allowed, and we never need as many
CHAT_ID = re.compile(r"[\w.@+:-]{1,128}")
STATE_LASTS = 60.0  # seconds that a healthy state is believed
# Wazzup knows a message again by its `crmMessageId` for 60 seconds. What is repeated has to be there by then.
SAFE_TO_REPEAT = 45.0
LONGEST_URL = 200  # characters
SUBSCRIPTIONS = ("messagesAndStatuses", "channelsUpdates")
TEMPLATES = "templateStatus"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Wazzup:
    """Fulfils Channel, Hooked, Stoppable and Templated.

    MAX and Telegram know a person by an id that nobody can look up: such a person is first written to by the
    number. The chat keeps the number, "+79…", as its name; ids are translated here as far as Wazzup tells of
    which number they are.
    """

    poll_limit = 0
    button_limit = wazzup_write.BUTTONS  # with more choices than these a question goes as words alone
    has_receipts = True
    has_read_receipts = True
    is_hooked = True
    hook_place = "whatsapp"

    def __init__(
        self,
        name: str,
        settings: GatewaySettings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        on_result: OnResult | None = None,
        pace: Pace | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self.name = name
        self._now = now
        self._wanted = settings.channel_id.strip()
        self._templates = settings.templates
        self._settings_gap = settings.gap
        self._messenger = MESSENGERS[name]
        self._transport = ""  # until the account was asked
        self._as_templates: set[str] = set()  # ids of messages, until they are asked about
        self._healthy_until = 0.0  # by the loop's clock
        self._ours = Ours()
        self._reader = Reader(
            messenger=self._messenger,
            ours=self._ours,
            templates=frozenset(template.template for template in settings.templates.values()),
            channel_id=self._wanted if is_guid(self._wanted) else "",
        )
        sending = pace or Pace(RATE)
        self._sending, self._asking = (
            Http(
                name,
                settings.base_url or BASE_URL,
                headers={"Authorization": f"Bearer {settings.api_key}"},
                pace=own_pace,
                transport=transport,
                on_result=on_result,
                explain=lambda answer: refusal_of(name, answer),
            )
            for own_pace in (sending, Pace(None, sleep=sending.sleep))  # who may not send can still be asked
        )

    @property
    def has_buttons(self) -> bool:
        return self._transport == WABA

    @property
    def gap(self) -> timedelta:
        """Meta paces a WABA number itself; one behind a QR code is banned for its hurry."""
        return timedelta(0) if self._transport == WABA else self._settings_gap

    def address(self, phone: str) -> str | None:
        digits = re.sub(r"\D", "", phone)
        if not digits:
            return None
        return digits if self._messenger.chats_are_phones else f"+{digits}"

    async def start(self) -> None:
        """Find the channel in the account, and see that somebody is logged in there."""
        found = await self._look()
        state = state_of(found.state)
        if state is None:
            return
        detail = f"{state.says}: the channel is {found.state}"
        if state.is_lost:
            raise AccessDenied(self.name, detail, remedy=state.remedy)
        if found.state.casefold() == "init":
            raise Temporary(self.name, detail, remedy=state.remedy)

    async def check_state(self) -> None:
        """Raises Temporary while the channel may not send; asks once a minute at most."""
        if asyncio.get_running_loop().time() < self._healthy_until:
            return
        try:
            found = await self._look()
        except Permanent as error:
            # Not this message's fault: all of them wait until a person has looked.
            raise AccessDenied(self.name, error.detail, remedy=error.remedy, status=error.status) from None
        if state := state_of(found.state):
            raise Temporary(
                self.name,
                f"does not send now, it {state.says}: the channel is {found.state}",
                retry_after=STOPPED_FOR,
                remedy=state.remedy,
            )

    def needs_template(self, client_wrote_at: datetime | None, now: datetime) -> bool:
        is_waba = self._transport == WABA if self._transport else bool(self._templates)
        return is_waba and is_window_over(client_wrote_at, now)

    def went_as_template(self, message_id: str) -> bool:
        is_one = message_id in self._as_templates
        self._as_templates.discard(message_id)
        return is_one

    async def send(self, chat_id: str, message: Outgoing) -> str:
        """Send and give the message's id; free words, or in a WABA channel out of the window a template.

        After a lost answer it is repeated once, under the same `crmMessageId` and at once: Wazzup refuses the
        second one if it took the first. Then the message went out for certain, only its id is not known: the
        id given back begins with `wazzup_ours.UNNAMED`, and statuses come under it as soon as Wazzup has
        shown the message to us. Uncertain is raised when the repeat got no clear answer either, or was too
        late.
        """
        if not CHAT_ID.fullmatch(chat_id):
            raise Unreachable(self.name, "cannot write to a chat id of this form")
        await self.check_state()
        reference = message.reference or uuid4().hex
        if self.needs_template(message.client_wrote_at, self._now()):
            return await self._post(chat_id, reference, self._template(message))
        try:
            return await self._send_words(chat_id, reference, message)
        except WindowClosedError:
            # The two clocks differ. A status may say it as well; then it is the caller's to repeat.
            if message.topic not in self._templates:
                raise
            message_id = await self._post(chat_id, reference, self._template(message), take=":template")
        self._as_templates.add(message_id)
        return message_id

    async def edit(self, chat_id: str, message_id: str, message: Outgoing) -> None:
        """Nothing: a message with buttons cannot be edited, and one without has none to take away."""

    async def answer_tap(self, callback_id: str, text: str) -> None:
        """Nothing: a tap waits for no answer."""

    def take(self, posted: Posted, secret: str) -> tuple[Raw, ...]:
        """Wazzup signs nothing and sends no header: the secret of the path is all there is."""
        raws = tuple(self._reader.pieces_of(posted.body, self._now()))
        if any(raw.kind == "channel" for raw in raws):
            self._healthy_until = 0.0
        return raws

    def greet(self, query: Mapping[str, str], secret: str) -> str:
        """Wazzup makes sure of us by a POST."""
        raise RefusedError("method")

    async def register(self, url: str, secret: str) -> None:
        """We have to listen already: Wazzup tries the address before it takes it."""
        if len(url) > LONGEST_URL:
            raise Permanent(
                self.name,
                f"takes addresses of at most {LONGEST_URL} characters",
                remedy="Use a shorter http.public_url or http.webhook_secret.",
            )
        found = await self._asking.get_json("webhooks", what="webhooks")
        known: Json = found if isinstance(found, dict) else {}
        address = known.get("webhooksUri")
        address = address if isinstance(address, str) else ""
        if address and not is_ours(address, url):
            raise Taken(
                self.name,
                f"sends its messages to {_host_of(address)}",
                by=_host_of(address),
                remedy="There is one address for a whole Wazzup account, and another program has it: it was "
                "left alone. Clear it if nobody needs it (PATCH /v3/webhooks), or use another account.",
            )
        subscribed = known.get("subscriptions")
        subscribed = dict(subscribed) if isinstance(subscribed, dict) else {}
        wanted = dict.fromkeys(SUBSCRIPTIONS, True)
        if self._templates:
            wanted[TEMPLATES] = True
        if address == url and subscribed.items() >= wanted.items():
            return
        body = {
            "webhooksUri": url,
            "subscriptions": {"contactsAndDealsCreation": False, **subscribed, **wanted},
        }
        # Its answer is shown as `{ ok }` in the documentation, so it is not read.
        await self._asking.send("PATCH", "webhooks", json=body, is_read=True, what="webhooks")

    def read(self, body: bytes) -> Sequence[Incoming]:
        return self._reader.incomings_of(body)

    async def close(self) -> None:
        await self._sending.close()
        await self._asking.close()

    # The channel in its account

    async def _look(self) -> ChannelRow:
        found = await self._asking.get_json("channels", what="channels")
        if not isinstance(found, list):
            raise Temporary(self.name, "did not list its channels")
        rows = [ChannelRow.model_validate(row) for row in found if isinstance(row, dict)]
        channel = choose(self.name, self._wanted, rows, self._messenger.transports)
        self._reader.channel_id, self._transport = channel.channel_id, channel.transport.casefold()
        is_healthy = state_of(channel.state) is None
        self._healthy_until = asyncio.get_running_loop().time() + STATE_LASTS if is_healthy else 0.0
        return channel

    # Sending

    async def _send_words(self, chat_id: str, reference: str, message: Outgoing) -> str:
        longest = wazzup_write.LONGEST_WABA if self.has_buttons else self._messenger.longest_text
        content = wazzup_write.free_words(message, longest=longest, has_buttons=self.has_buttons)
        try:
            return await self._post(chat_id, reference, content)
        except NoQuoteError:
            del content["refMessageId"]
            # Another name, so that nothing can be taken for the one that was refused.
            return await self._post(chat_id, reference, content, take=":unquoted")

    def _template(self, message: Outgoing) -> Json:
        wanted, topic = self._templates.get(message.topic), message.topic
        if wanted is None or not wanted.template:
            raise Permanent(
                self.name,
                "takes only a template from us until this person writes, and there is none for this message",
                remedy=f"Put the templateGuid of an approved one under [whatsapp.templates.{topic}]."
                if topic
                else "",
            )
        try:
            return wazzup_write.template(wanted, message)
        except LookupError as error:
            raise Permanent(
                self.name,
                f"cannot fill the template: there is no value for {error}",
                remedy=f"Take it out of whatsapp.templates.{topic}.parameters, and out of the template.",
            ) from None

    async def _post(self, chat_id: str, reference: str, content: Json, *, take: str = "") -> str:
        """Asked at most twice, under one `crmMessageId`, so that it goes out at most once.

        `take` tells another form of the message from the one that was refused.
        """
        body = {
            "channelId": self._reader.channel_id,
            **self._recipient(chat_id),
            **content,
            "crmMessageId": reference + take,
            "clearUnanswered": False,  # Managers have to see that a client waits.
        }
        sent = self._ours.begin(chat_id, str(content.get("text") or TEMPLATE), reference)
        began = asyncio.get_running_loop().time()
        try:
            try:
                answer = await self._tell(body)
            except Uncertain:
                if asyncio.get_running_loop().time() - began > SAFE_TO_REPEAT:
                    raise
                answer = await self._tell_again(body)
        except RepeatedError:
            return self._ours.accepted(sent, "")
        except (Temporary, Permanent):
            self._ours.forget(sent)
            raise
        self._learn(chat_id, answer)
        return self._ours.accepted(sent, str(answer["messageId"]))

    async def _tell(self, body: Json) -> Json:
        try:
            answer = await self._sending.send_json("POST", "message", body, what="message")
        except (Temporary, AccessDenied):
            self._healthy_until = 0.0
            raise
        if not isinstance(answer, dict) or not isinstance(answer.get("messageId"), str):
            raise Uncertain(self.name, "took the message but gave no id: message")
        return answer

    async def _tell_again(self, body: Json) -> Json:
        try:
            return await self._tell(body)
        except (Temporary, AccessDenied) as error:
            # Only the repeat was refused for certain.
            raise Uncertain(self.name, f"did not answer; asked again it {error.detail}") from error

    def _recipient(self, chat_id: str) -> Json:
        messenger = self._messenger
        if chat_id.startswith("+"):
            known = self._reader.chats.get(chat_id[1:])
            return {"chatType": messenger.chat_type} | (
                {"chatId": known} if known else {"phone": chat_id[1:]}
            )
        # A group of WhatsApp has an id longer than any phone, or a dash in it; elsewhere it is below zero.
        is_group = not PHONE.fullmatch(chat_id) if messenger.chats_are_phones else chat_id.startswith("-")
        return {"chatType": messenger.group_type if is_group else messenger.chat_type, "chatId": chat_id}

    def alias_of(self, chat_id: str) -> str:
        return self._reader.chats.get(chat_id[1:], "") if chat_id.startswith("+") else ""

    def _learn(self, chat_id: str, answer: Json) -> None:
        told = answer.get("chatId")
        if chat_id.startswith("+") and isinstance(told, str) and told:
            self._reader.person(told, chat_id[1:])


def _host_of(address: str) -> str:
    if "://" not in address:
        return "another address"
    return address.partition("://")[2].partition("/")[0].rpartition("@")[2]
