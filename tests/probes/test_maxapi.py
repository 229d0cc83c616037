"""maxapi, over real HTTP on loopback, against our made-up MAX."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from integrations.channels.max import SECRET_HEADER
from integrations.standins.max import MaxStandIn
from integrations.standins.town import serving
from tests.integrations.clock import Clock

REASON = "maxapi is not installed: it is no dependency, only a second opinion about MAX"
maxapi = pytest.importorskip("maxapi", reason=REASON)
errors = pytest.importorskip("maxapi.exceptions.max")
types = pytest.importorskip("maxapi.types")
keyboards = pytest.importorskip("maxapi.utils.inline_keyboard")
webhooks = pytest.importorskip("maxapi.webhook.aiohttp")
aiohttp_test = pytest.importorskip("aiohttp.test_utils")

SECRET = "a" * 64
KINDS = ("bot_started", "bot_stopped", "message_created", "message_edited", "message_callback")


@pytest.fixture
def server() -> MaxStandIn:
    return MaxStandIn(Clock(), rate_limit=None)


@pytest.fixture
async def bot(server: MaxStandIn) -> AsyncIterator[Any]:
    async with serving(server.app, wake=server.wake) as address:
        opened = maxapi.Bot(server.token)
        opened.set_api_url(address)
        yield opened
        await opened.close_session()
    calls = [(call.method, call.path, call.status) for call in server.requests]
    assert not [call for call in calls if call[1].startswith("/chats") and call[2] != 200], calls


class Heard:
    """What its dispatcher was told."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[Any] = asyncio.Queue()
        self.dispatcher = maxapi.Dispatcher()
        for kind in KINDS:
            getattr(self.dispatcher, kind).register(self._note)

    async def _note(self, event: Any) -> None:
        await self.events.put(event)

    async def next(self) -> Any:
        async with asyncio.timeout(5):
            return await self.events.get()


def keyboard(*labels: str) -> Any:
    buttons = [types.CallbackButton(text=label, payload=f"s:1:{label}") for label in labels]
    return keyboards.InlineKeyboardBuilder().row(*buttons).as_markup()


async def test_it_polls_asks_takes_a_tap_and_answers_it(server: MaxStandIn, bot: Any) -> None:
    heard = Heard()
    polling = asyncio.create_task(heard.dispatcher.start_polling(bot))
    maria = server.start("Мария Иванова", "abc")
    opened = await heard.next()
    assert (opened.payload, opened.user.user_id) == ("abc", maria.user_id)
    assert opened.user.full_name == "Мария Иванова"
    sent = await bot.send_message(user_id=maria.user_id, text="Оцените", attachments=[keyboard("9", "10")])
    assert sent.message.body.text == "Оцените"
    assert server.last(maria).labels == ["9", "10"]
    tap_id = server.tap(maria, "9")
    tap = await heard.next()
    assert (tap.callback.callback_id, tap.callback.payload) == (tap_id, "s:1:9")
    assert tap.callback.user.user_id == maria.user_id
    assert tap.message.body.mid == sent.message.body.mid
    assert (await bot.send_callback(tap_id, notification="Спасибо!")).success
    assert server.taps[tap_id].answers == ["Спасибо!"]
    edited = await bot.edit_message(sent.message.body.mid, text="Спасибо", attachments=[keyboard("Изменить")])
    assert edited.success
    assert server.last(maria).labels == ["Изменить"]
    server.says(maria, "8, спасибо", reply_to=sent.message.body.mid)
    server.edits(maria, "7")
    server.sends(maria, "audio")
    server.sends(maria, "sticker")
    server.sends(maria, "image", "вот что вышло")
    server.share_contact(maria, phone="+79140000001")
    server.block(maria)
    replied, changed, voice, sticker, photo, card, left = [await heard.next() for _ in range(7)]
    assert replied.message.sender.user_id == maria.user_id
    assert (replied.message.link.type, replied.message.link.message.mid) == ("reply", sent.message.body.mid)
    assert (changed.message.body.text, changed.message.body.mid) == ("7", replied.message.body.mid)
    kinds = [each.message.body.attachments[0].type for each in (voice, sticker, photo, card)]
    assert kinds == ["audio", "sticker", "image", "contact"]
    assert photo.message.body.text == "вот что вышло"
    assert card.message.body.attachments[0].payload.max_info.user_id == maria.user_id
    assert left.update_type == "bot_stopped"
    await heard.dispatcher.stop_polling()
    await polling


async def test_refusals_are_the_errors_that_it_knows(server: MaxStandIn, bot: Any) -> None:
    maria, stranger = server.start("Мария"), server.person("Пётр")
    with pytest.raises(errors.MaxApiError) as unknown:
        await bot.send_message(user_id=stranger.user_id, text="?")
    assert (unknown.value.code, unknown.value.raw["code"]) == (404, "chat.not.found")
    server.block(maria)
    with pytest.raises(errors.MaxApiError) as blocked:
        await bot.send_message(user_id=maria.user_id, text="?")
    assert (blocked.value.code, blocked.value.raw["code"]) == (403, "chat.denied")
    stranger_bot = maxapi.Bot("not-the-token")
    stranger_bot.set_api_url(bot.api_url)
    with pytest.raises(errors.InvalidToken):
        await stranger_bot.get_me()
    await stranger_bot.close_session()


async def test_its_webhook_takes_what_we_post_with_the_secret_and_nothing_else(
    server: MaxStandIn, bot: Any
) -> None:
    heard = Heard()
    assert (await bot.subscribe_webhook("https://bot.example.com/hook", secret=SECRET)).success
    (subscription,) = (await bot.get_subscriptions()).subscriptions
    assert subscription.url == "https://bot.example.com/hook"
    receiver = webhooks.AiohttpMaxWebhook(dp=heard.dispatcher, bot=bot, secret=SECRET)
    web = receiver.create_app(path="/hook")
    server.start("Мария")
    server.says("Мария", "9")
    update = server.waiting()[-1]
    async with aiohttp_test.TestClient(aiohttp_test.TestServer(web)) as service:
        for secret, status in (("b" * 64, 403), (server.webhook()["secret"], 200)):
            answer = await service.post("/hook", json=update, headers={SECRET_HEADER: secret})
            assert answer.status == status
    assert (await heard.next()).message.body.text == "9"
    assert heard.events.empty()
    assert (await bot.unsubscribe_webhook("https://bot.example.com/hook")).success
