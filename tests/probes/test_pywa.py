"""pywa against our made-up Cloud API of Meta: it sends, and takes the webhooks as its own objects."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from integrations.standins.cloud import CloudStandIn
from tests.integrations.clock import Clock

REASON = "pywa is not installed: it is no dependency, only a second opinion about Meta's Cloud API"
pywa = pytest.importorskip("pywa_async", reason=REASON)
types = pytest.importorskip("pywa_async.types")
templates = pytest.importorskip("pywa_async.types.templates")
errors = pytest.importorskip("pywa_async.errors")

MARIA = "+79140000001"
CHAT = "79140000001"


@pytest.fixture
def server() -> CloudStandIn:
    return CloudStandIn(Clock())


class Heard:
    """A client of the library's kind, and what it was told."""

    def __init__(self, server: CloudStandIn) -> None:
        self.server = server
        self.events: list[Any] = []
        # Its address is fixed, so the requests are led away below it.
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(server.app))
        self.client = pywa.WhatsApp(
            phone_id=server.phone_number_id,
            token=server.token,
            session=self.http,
            verify_token=server.verify_token,
            app_secret=server.app_secret,
            server=None,
        )
        for on in ("message", "callback_button", "callback_selection", "message_status"):
            getattr(self.client, f"on_{on}")(self._note)

    async def _note(self, _: Any, event: Any) -> None:
        self.events.append(event)

    async def take(self, **how: bool) -> list[Any]:
        """Everything that waits, posted to it with its signature; gives what it made of that."""
        self.events.clear()
        for webhook in self.server.waiting(**how):
            body = webhook["body"].encode()
            signature = webhook["headers"]["X-Hub-Signature-256"]
            assert await self.client.webhook_update_validator(body, signature) is None
            assert await self.client.webhook_update_handler(body) == ("ok", 200)
        self.server.delivered()
        return self.events


@pytest.fixture
async def heard(server: CloudStandIn) -> AsyncIterator[Heard]:
    opened = Heard(server)
    yield opened
    await opened.http.aclose()


async def test_it_asks_with_buttons_and_is_told_of_the_tap_and_of_the_delivery(
    server: CloudStandIn, heard: Heard
) -> None:
    server.says(MARIA, "Здравствуйте 😡")
    (greeting,) = await heard.take()
    assert (greeting.text, greeting.from_user.wa_id) == ("Здравствуйте 😡", CHAT)
    assert (greeting.from_user.name, greeting.type) == ("Мария", "text")
    buttons = [types.Button(title=digit, callback_data=f"s:1:{digit}") for digit in ("1", "2", "3")]
    sent = await heard.client.send_message(CHAT, "Оцените", buttons=buttons, tracker="survey-42")
    told, delivered = await heard.take()
    assert (told.id, told.status, told.tracker) == (sent.id, "sent", "survey-42")
    assert (delivered.id, delivered.status) == (sent.id, "delivered")
    server.taps(MARIA, "3")
    (tap,) = await heard.take()
    assert (tap.data, tap.title, tap.reply_to_message.id) == ("s:1:3", "3", sent.id)
    server.reads(MARIA)
    (read,) = await heard.take()
    assert (read.id, read.status) == (sent.id, "read")


async def test_it_asks_with_a_list(server: CloudStandIn, heard: Heard) -> None:
    server.says(MARIA, "Здравствуйте")
    rows = [types.SectionRow(title=str(n), callback_data=f"s:1:{n}") for n in range(1, 11)]
    choice = types.SectionList("Выбрать", [types.Section(title="Оценка", rows=rows)])
    sent = await heard.client.send_message(CHAT, "Оцените", buttons=choice)
    server.taps(MARIA, "10")
    tap = (await heard.take())[-1]
    assert (tap.data, tap.title, tap.reply_to_message.id) == ("s:1:10", "10", sent.id)


async def test_it_asks_a_stranger_by_a_template(server: CloudStandIn, heard: Heard) -> None:
    server.approve("nps_ru", "Здравствуйте! {{1}} просит оценить заказ.", buttons=["Не спрашивать"])
    body = templates.BodyText.params("ВладАвтоматика")
    button = templates.QuickReplyButton.params(index=0, callback_data="s:1:stop")
    sent = await heard.client.send_template(
        CHAT, "nps_ru", templates.TemplateLanguage.RUSSIAN, params=[body, button]
    )
    assert server.last(MARIA).text == "Здравствуйте! ВладАвтоматика просит оценить заказ."
    server.taps(MARIA, "Не спрашивать")
    tap = (await heard.take())[-1]
    assert (tap.data, tap.title, tap.reply_to_message.id) == ("s:1:stop", "Не спрашивать", sent.id)


async def test_it_understands_what_people_send(server: CloudStandIn, heard: Heard) -> None:
    server.says(MARIA, "9")
    question = await heard.client.send_message(CHAT, "Оцените")
    await heard.take()
    server.says(MARIA, "8, спасибо", quote=question.id)
    for media in ("audio", "image", "sticker", "document", "video"):
        server.sends(MARIA, media, "вот что вышло" if media == "image" else "")
    server.reacts(MARIA, "👍", quote=question.id)
    quoting, voice, picture, sticker, document, video, reaction = await heard.take()
    assert (quoting.text, quoting.reply_to_message.id) == ("8, спасибо", question.id)
    assert voice.audio.voice
    assert (picture.image is not None, picture.caption) == (True, "вот что вышло")
    assert sticker.sticker
    assert document.document
    assert video.video
    assert (reaction.reaction.emoji, reaction.reaction.message_id) == ("👍", question.id)


async def test_it_answers_somebody_who_hides_the_number(server: CloudStandIn, heard: Heard) -> None:
    server.person(MARIA)
    user_id = server.hides(MARIA)
    server.says(user_id, "9")
    (message,) = await heard.take()
    assert (message.from_user.bsuid, message.from_user.wa_id) == (user_id, None)
    await message.reply("Спасибо!")
    assert server.last(user_id).text == "Спасибо!"


async def test_a_late_failure_is_the_error_that_it_knows(server: CloudStandIn, heard: Heard) -> None:
    await heard.client.send_message(CHAT, "Оцените")
    (failed,) = await heard.take()
    assert (failed.status, failed.from_user.wa_id) == ("failed", CHAT)
    assert isinstance(failed.error, errors.ReEngagementMessage)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (190, "ExpiredAccessToken"),
        (10, "PermissionDenied"),
        (368, "TemporarilyBlocked"),
        (80007, "RateLimitIssues"),
        (130429, "RateLimitHit"),
        (131026, "MessageUndeliverable"),
        (131031, "AccountLocked"),
        (131047, "ReEngagementMessage"),
        (131056, "TooManyMessages"),
        (132000, "TemplateParamCountMismatch"),
        (132001, "TemplateNotExists"),
        (132015, "TemplatePaused"),
        (132016, "TemplateDisabled"),
    ],
)
async def test_refusals_are_the_errors_that_it_knows(
    server: CloudStandIn, heard: Heard, code: int, name: str
) -> None:
    server.refuse(code)
    with pytest.raises(getattr(errors, name)) as refused:
        await heard.client.send_message(CHAT, "Оцените")
    assert refused.value.code == code


async def test_a_foreign_token_is_refused(server: CloudStandIn, heard: Heard) -> None:
    heard.http.headers["Authorization"] = "Bearer somebody-elses"
    with pytest.raises(errors.AuthorizationError):
        await heard.client.send_message(CHAT, "Оцените")


async def test_its_check_of_the_signature_takes_ours_and_nothing_else(
    server: CloudStandIn, heard: Heard
) -> None:
    server.says(MARIA, "9, «спасибо»/\U0001f621")
    (webhook,) = server.waiting()
    body, signature = webhook["body"].encode(), webhook["headers"]["X-Hub-Signature-256"]
    assert await heard.client.webhook_update_validator(body, signature) is None
    for forged, given in ((body + b" ", signature), (body, "sha256=" + "0" * 64), (body, None)):
        refused = await heard.client.webhook_update_validator(forged, given)
        assert refused
        assert refused[1] in (401, 403)


async def test_the_greeting_of_a_new_address_is_the_one_that_it_expects(
    server: CloudStandIn, heard: Heard
) -> None:
    asked = server.greeting()
    token, challenge = asked["hub.verify_token"], asked["hub.challenge"]
    assert await heard.client.webhook_challenge_handler(vt=token, ch=challenge) == (challenge, 200)
