"""WhatsApp by Meta's own Cloud API: templates first, free words for a day after the person wrote.

The API: https://developers.facebook.com/documentation/business-messaging/whatsapp/reference
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import httpx

from integrations.channels import cloud_write
from integrations.channels.base import (
    GatewaySettings,
    Incoming,
    Outgoing,
    Posted,
    Raw,
    RefusedError,
    UnreadableError,
)
from integrations.channels.cloud_errors import (
    NUMBER_ID,
    PAIR_PAUSE,
    PairRateError,
    TooFastError,
    refusal_of,
)
from integrations.channels.cloud_models import Envelope
from integrations.channels.cloud_read import Json, incomings_of, is_person, pieces_of
from integrations.channels.hooks import is_ours, is_same, json_of
from integrations.channels.whatsapp_rules import WindowClosedError, is_window_over
from integrations.errors import AccessDenied, OutsideError, Permanent, Uncertain, Unreachable
from integrations.http import Answer, Http, OnResult
from integrations.pace import Pace

BASE_URL = "https://graph.facebook.com/v23.0"
RATE = 10.0  # a second; 80 are allowed, 20 to a number that an app on a phone shares. We never need as many.
BUSY_FOR = timedelta(minutes=1)  # after a «too fast», doubled each time in a row …
LONGEST_BUSY = timedelta(hours=1)  # … up to this
SIGNATURE = "x-hub-signature-256"
CALLBACK = (
    "In the app's dashboard, WhatsApp → Configuration, set the Callback URL to http.public_url followed by "
    "/webhooks/whatsapp/ and http.webhook_secret, the Verify token to whatsapp.verify_token, and subscribe "
    "to the field «messages»."
)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Cloud:
    """Fulfils Channel, Hooked and Templated."""

    has_buttons = True
    button_limit = cloud_write.ROWS  # with more choices than these a question goes as words alone
    poll_limit = 0
    has_receipts = True
    has_read_receipts = True
    gap = timedelta(0)  # Meta paces a company's number itself, and bans none for its hurry
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
        self._number_id = settings.phone_number_id
        self._app_secret = settings.app_secret
        self._verify_token = settings.verify_token
        self._templates = settings.templates
        self._busy_in_a_row = 0
        self._as_templates: set[str] = set()  # ids of messages, until they are asked about
        self._has_been_posted_to = False
        # A number that may not send for a while can still be asked of.
        self._sending, self._asking = (
            Http(
                name,
                settings.base_url or BASE_URL,
                headers={"Authorization": f"Bearer {settings.access_token}"},
                pace=own_pace,
                transport=transport,
                on_result=on_result,
                explain=self._explain,
            )
            for own_pace in (pace or Pace(RATE), Pace(None))
        )

    def address(self, phone: str) -> str | None:
        return re.sub(r"\D", "", phone) or None

    async def start(self) -> None:
        """Ask for the number; AccessDenied with the remedy when the token or the id is not right."""
        found = await self._number()
        if "display_phone_number" not in found:
            raise AccessDenied(self.name, "knows no number under this id", remedy=NUMBER_ID)

    def alias_of(self, chat_id: str) -> str:
        """Sending tells none; messages and statuses do."""
        return ""

    def needs_template(self, client_wrote_at: datetime | None, now: datetime) -> bool:
        return is_window_over(client_wrote_at, now)

    def went_as_template(self, message_id: str) -> bool:
        is_one = message_id in self._as_templates
        self._as_templates.discard(message_id)
        return is_one

    async def send(self, chat_id: str, message: Outgoing) -> str:
        """Free words within the window, else the template of the message's topic.

        The two clocks and those of the phone differ: where Meta says at once that the window is closed,
        nothing was sent, and the template goes. Said by a status later it is the caller's to repeat with
        `client_wrote_at=None`.
        """
        if not is_person(chat_id):
            raise Unreachable(self.name, "cannot write to a chat id of this form")
        is_planned = self.needs_template(message.client_wrote_at, self._now())
        if not is_planned:
            try:
                return await self._post(chat_id, message, cloud_write.free_words(message), "message")
            except WindowClosedError:
                if message.topic not in self._templates:
                    raise
        content = self._template(message)
        message_id = await self._post(chat_id, message, content, f"template {content['template']['name']}")
        if not is_planned:
            self._as_templates.add(message_id)
        return message_id

    async def edit(self, chat_id: str, message_id: str, message: Outgoing) -> None:
        """Nothing: what was sent stays as it is."""

    async def answer_tap(self, callback_id: str, text: str) -> None:
        """Nothing: a tap waits for no answer."""

    def take(self, posted: Posted, secret: str) -> tuple[Raw, ...]:
        """Signed over the bytes as they came: made anew from the parsed JSON they would be others."""
        signature = hmac.new(self._app_secret.encode(), posted.body, hashlib.sha256).hexdigest()
        given = posted.headers.get(SIGNATURE, "")
        if not self._app_secret or not is_same(given, f"sha256={signature}"):
            raise RefusedError("signature")
        self._has_been_posted_to = True
        try:
            return tuple(pieces_of(_object(posted.body), self._number_id))
        except RecursionError:
            raise UnreadableError("not a webhook of WhatsApp: nested too deeply") from None

    def greet(self, query: Mapping[str, str], secret: str) -> str:
        """Meta's verification carries no signature, only the word from its cabinet."""
        if query.get("hub.mode") != "subscribe":
            raise RefusedError("mode")
        if not is_same(query.get("hub.verify_token", ""), self._verify_token):
            raise RefusedError("verify_token")
        return query.get("hub.challenge", "")

    async def register(self, url: str, secret: str) -> None:
        """The address is typed into Meta's cabinet by a person, so it is only compared, and never set.

        What somebody passes on to us is as good: once a signed webhook has come, nothing is asked.
        """
        if self._has_been_posted_to:
            return
        known = (await self._number()).get("webhook_configuration")
        if not isinstance(known, dict):
            return  # Not told; then nobody can say that it is wrong.
        # The most special one counts.
        levels = ("phone_number", "whatsapp_business_account", "application")
        found = next((address for level in levels if (address := known.get(level))), "")
        if found != url:
            raise Permanent(self.name, f"sends what it gets to {_place(found, url)}", remedy=CALLBACK)

    def read(self, body: bytes) -> Sequence[Incoming]:
        names = {template.template for template in self._templates.values()}
        try:
            return incomings_of(Envelope.model_validate(_object(body)), names)
        except RecursionError:
            raise UnreadableError("not a webhook of WhatsApp: nested too deeply") from None

    async def close(self) -> None:
        await self._sending.close()
        await self._asking.close()

    async def _number(self) -> Json:
        found = await self._asking.get_json(self._number_id, what="phone number")
        return found if isinstance(found, dict) else {}

    def _template(self, message: Outgoing) -> Json:
        topic = message.topic
        wanted = self._templates.get(topic)
        if wanted is None or not wanted.template:
            raise Permanent(
                self.name,
                "takes only a template from us until this person writes, and there is none for this message",
                remedy=f"Have a template approved and name it under [whatsapp.templates.{topic}]."
                if topic
                else "",
            )
        try:
            return cloud_write.template(wanted, message)
        except LookupError as missing:
            raise Permanent(
                self.name,
                f"cannot be given the template {wanted.template}: nothing is known for {missing.args[0]}",
                remedy=f"Take {missing.args[0]} out of whatsapp.templates.{topic}.parameters, and out of the "
                "template.",
            ) from None

    async def _post(self, chat_id: str, message: Outgoing, content: Json, what: str) -> str:
        body = cloud_write.envelope(chat_id, message, content)
        try:
            answer = await self._sending.send_json("POST", f"{self._number_id}/messages", body, what=what)
        except PairRateError as error:
            error.retry_after = PAIR_PAUSE  # Set only here: others need not wait for this person.
            raise
        self._busy_in_a_row = 0
        message_id = _id_of(answer)
        if not message_id:
            raise Uncertain(self.name, f"took the message but gave no id: {what}")
        return message_id

    def _explain(self, answer: Answer) -> OutsideError | None:
        if answer.status < 400:
            return None
        busy_for = min(BUSY_FOR * 2**self._busy_in_a_row, LONGEST_BUSY)
        error = refusal_of(self.name, answer, busy_for)
        # Those that were out together are refused together: that counts as once.
        if isinstance(error, TooFastError) and not self._sending.pace.parked_for:
            self._busy_in_a_row += 1
        return error


def _object(body: bytes) -> Json:
    found = json_of(body, "a webhook of WhatsApp")
    if not isinstance(found, dict) or not isinstance(found.get("entry"), list):
        raise UnreadableError("not a webhook of WhatsApp: it has no entry")
    return found


def _id_of(answer: object) -> str:
    messages = answer.get("messages") if isinstance(answer, dict) else None
    first = messages[0] if isinstance(messages, list) and messages else None
    found = first.get("id") if isinstance(first, dict) else None
    return found if isinstance(found, str) else ""


def _place(found: object, wanted: str) -> str:
    """For people: without what has to stay secret."""
    if not isinstance(found, str) or "://" not in found:
        return "nobody"
    host = found.partition("://")[2].partition("/")[0].rpartition("@")[2]
    return "our address with another secret" if is_ours(found, wanted) else host
