"""A made-up WhatsApp Cloud API of Meta with one number, and the people whom it writes to.

Behaves as Meta's documentation and public reports say: acceptance is not delivery, free words outside the 24
hours are accepted and fail by a status, a template has to exist and be approved, webhooks are signed over
their escaped bytes and come again until they are taken, in no promised order, `sent` before the answer to
the sending itself.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.standins.cloud_bodies import Approved, Posted, Refusal, fill
from integrations.standins.cloud_json import Json
from integrations.standins.cloud_people import OURS, USER_ID, People
from integrations.standins.faults import Faults, Faulty, Logged, control_routes

PHONE_NUMBER_ID = "106540352242922"
TOKEN = "EAAJBlongpermanenttoken"  # noqa: S105 made up
APP_SECRET = "5d41402abc4b2a76b9719d911017c592"  # noqa: S105 made up
VERIFY_TOKEN = "word-for-the-cabinet"  # noqa: S105 made up
WINDOW = timedelta(hours=24)
ABOUT_MARKETING = (131049, 131050, 130472)  # codes that stop no other message


class CloudStandIn(People):
    """One number. `app` is the server; the other methods are what people do on their phones, and Meta.

    `who` is a phone in any spelling, or the id of a person who hides it. Its webhooks wait in `waiting` for
    whoever brings them, since the tests decide when and in which order they come.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        phone_number_id: str = PHONE_NUMBER_ID,
        token: str = TOKEN,
        app_secret: str = APP_SECRET,
        verify_token: str = VERIFY_TOKEN,
    ) -> None:
        super().__init__(clock, phone_number_id, app_secret)
        self.token = token
        self.verify_token = verify_token
        self.callback_url = ""  # as typed into the cabinet
        self.delivers = True  # False: what is sent stays at one tick
        self.refuses_at_once = False  # free words outside the window: refused with 400, or failed later
        self.templates: dict[tuple[str, str], Approved] = {}
        self.faults = Faults()
        self.requests: list[Logged] = []
        self._refusals: list[Refusal] = []
        helpers: tuple[Callable[..., Any], ...] = (
            self.approve,
            self.set_template,
            self.set_category,
            self.says,
            self.taps,
            self.reacts,
            self.sends,
            self.edits,
            self.reads,
            self.hides,
            self.changes_number,
            self.stops_marketing,
            self.manager_writes,
            self.has_no_account,
            self.fails_with,
            self.refuse,
            self.keep_statuses,
            self.tells_status,
            self.set_callback,
            self.greeting,
            self.waiting,
            self.delivered,
            self.repeat,
            self.messages,
        )
        routes = [
            Route("/{version}/{number}/messages", self._take, methods=["POST"]),
            Route("/{version}/{number}", self._show, methods=["GET"]),
            *control_routes(self.faults, self.requests, {helper.__name__: helper for helper in helpers}),
        ]
        self.app = Faulty(Starlette(routes=routes), self.faults, self.requests, clock)

    # In Meta's cabinet

    def approve(
        self,
        name: str,
        body: str,
        *,
        language: str = "ru",
        buttons: Sequence[str] = (),
        category: str = "UTILITY",
    ) -> None:
        """A template that may be sent."""
        self.templates[name, language] = Approved(
            name=name, language=language, body=body, buttons=tuple(buttons), category=category
        )

    def set_template(self, name: str, event: str, *, language: str = "ru", reason: str = "NONE") -> None:
        """APPROVED, PAUSED, DISABLED, REJECTED …, told by a webhook of the account."""
        self.templates[name, language].status = event
        told = _of_template(name, language, event=event, reason=reason)
        self._post("message_template_status_update", told)

    def set_category(self, name: str, category: str, *, language: str = "ru") -> None:
        template = self.templates[name, language]
        before, template.category = template.category, category
        told = _of_template(name, language, previous_category=before, new_category=category)
        self._post("template_category_update", told)

    def set_callback(self, url: str) -> None:
        self.callback_url = url

    def greeting(self) -> dict[str, str]:
        """The query of the GET by which Meta makes sure of a new address: its challenge is to come back."""
        return {
            "hub.mode": "subscribe",
            "hub.verify_token": self.verify_token,
            "hub.challenge": "1158201444",
        }

    # What Meta does

    def refuse(self, code: int, *, times: int = 1, subcode: int = 0, status: int = 0) -> None:
        """Refuse the next sendings with this code."""
        self._refusals += [Refusal(code, subcode=subcode, status=status)] * times

    # What the program asks

    async def _show(self, request: Request) -> Response:
        try:
            self._check_access(request)
        except Refusal as refused:
            return JSONResponse(refused.body, refused.status)
        shown: Json = {
            "verified_name": "ВладАвтоматика",
            "code_verification_status": "VERIFIED",
            "display_phone_number": f"+{OURS}",
            "quality_rating": "GREEN",
            "platform_type": "CLOUD_API",
            "throughput": {"level": "STANDARD"},
            "webhook_configuration": {"application": self.callback_url} if self.callback_url else {},
            "id": self.phone_number_id,
        }
        return JSONResponse(shown)

    async def _take(self, request: Request) -> Response:
        try:
            self._check_access(request)
            body = await request.json()
            if self._refusals:
                raise self._refusals.pop(0)
            return JSONResponse(self._accept(body))
        except Refusal as refused:
            return JSONResponse(refused.body, refused.status)

    def _check_access(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise Refusal(190)
        if request.path_params["number"] != self.phone_number_id:
            raise Refusal(100, subcode=33)

    def _accept(self, body: Json) -> Json:
        if body.get("messaging_product") != "whatsapp":
            raise Refusal(100, "The parameter messaging_product is required.")
        to = body.get("to") or body.get("recipient")
        if not isinstance(to, str) or not (to.isdigit() or USER_ID.fullmatch(to)):
            raise Refusal(131009, "to is not a phone number")
        if to.isdigit() != ("to" in body):
            raise Refusal(131009, "to takes a phone number, recipient an id")
        reference = body.get("biz_opaque_callback_data", "")
        if len(reference) > 512:
            raise Refusal(100, "Param biz_opaque_callback_data must be at most 512 characters long.")
        post = Posted(wamid=self._next_id(), chat_id=to, text="", kind="", reference=reference)
        post.quoted = body.get("context", {}).get("message_id", "")
        template = fill(post, body, self.templates)
        is_open = self._is_open(to)
        if template is None and not is_open and self.refuses_at_once:
            raise Refusal(131047)
        self.posted.append(post)
        self._carry(post, template, is_open)
        known = {"user_id": to} if USER_ID.fullmatch(to) else {"wa_id": to}
        return {
            "messaging_product": "whatsapp",
            "contacts": [{"input": to, **known}],
            "messages": [{"id": post.wamid, "message_status": "accepted"}],
        }

    def _is_open(self, chat_id: str) -> bool:
        person = self._find(chat_id)
        wrote_at = person.wrote_at if person else None
        return wrote_at is not None and self.clock() < wrote_at + WINDOW

    def _carry(self, post: Posted, template: Approved | None, is_open: bool) -> None:
        person = self._find(post.chat_id)
        code = person.code if person else 0
        if code in ABOUT_MARKETING and (template is None or template.category != "MARKETING"):
            code = 0
        if person is not None and not person.has_account:
            code = 131026
        elif template is None and not is_open:
            code = 131047
        if code:
            self._status(post, "failed", code)
            return
        self._status(post, "sent")
        if self.delivers:
            self._status(post, "delivered")


def _of_template(name: str, language: str, **more: str) -> Json:
    return {
        "message_template_id": 1689556908129832,
        "message_template_name": name,
        "message_template_language": language,
        **more,
    }
