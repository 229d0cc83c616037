"""aiogram, over real HTTP on loopback, against our made-up Telegram."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from integrations.channels.telegram import SECRET_HEADER
from integrations.standins.telegram import TelegramStandIn
from integrations.standins.town import serving
from tests.integrations.clock import Clock
from tests.integrations.telegram_schema import assert_calls_fit

REASON = "aiogram is not installed: it is no dependency, only a second opinion about Telegram"
aiogram = pytest.importorskip("aiogram", reason=REASON)
api = pytest.importorskip("aiogram.client.telegram")
sessions = pytest.importorskip("aiogram.client.session.aiohttp")
errors = pytest.importorskip("aiogram.exceptions")
types = pytest.importorskip("aiogram.types")
webhooks = pytest.importorskip("aiogram.webhook.aiohttp_server")
aiohttp_web = pytest.importorskip("aiohttp.web")
aiohttp_test = pytest.importorskip("aiohttp.test_utils")

SECRET = "a" * 64


@pytest.fixture
def server() -> TelegramStandIn:
    return TelegramStandIn(Clock())


@pytest.fixture
async def bot(server: TelegramStandIn) -> AsyncIterator[Any]:
    async with serving(server.app, wake=server.wake) as address:
        session = sessions.AiohttpSession(api=api.TelegramAPIServer.from_base(address))
        async with aiogram.Bot(server.token, session=session) as opened:
            yield opened
    assert_calls_fit(server.requests)


class Heard:
    """What its dispatcher was told."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[Any] = asyncio.Queue()
        self.dispatcher = aiogram.Dispatcher()
        for kind in ("message", "edited_message", "callback_query", "my_chat_member"):
            getattr(self.dispatcher, kind).register(self._note)
        self.dispatcher.errors.register(self._fail)

    async def _note(self, event: Any) -> None:
        await self.events.put(event)

    async def _fail(self, event: Any) -> None:
        await self.events.put(event.exception)

    async def next(self) -> Any:
        async with asyncio.timeout(5):
            return await self.events.get()


def keyboard(*labels: str) -> Any:
    buttons = [types.InlineKeyboardButton(text=label, callback_data=f"s:1:{label}") for label in labels]
    return types.InlineKeyboardMarkup(inline_keyboard=[buttons])


async def test_it_polls_asks_takes_a_tap_and_answers_it(server: TelegramStandIn, bot: Any) -> None:
    heard = Heard()
    polling = asyncio.create_task(
        heard.dispatcher.start_polling(bot, polling_timeout=1, handle_signals=False, close_bot_session=False)
    )
    maria = server.start("Мария Иванова", "abc")
    opened = await heard.next()
    assert (opened.text, opened.from_user.full_name) == ("/start abc", "Мария Иванова")
    assert opened.chat.type == "private"
    question = await opened.answer("Оцените", reply_markup=keyboard("9", "10"))
    assert [button.callback_data for button in question.reply_markup.inline_keyboard[0]] == [
        "s:1:9",
        "s:1:10",
    ]
    tap_id = server.tap(maria, "9")
    tap = await heard.next()
    assert (tap.id, tap.data, tap.message.message_id) == (tap_id, "s:1:9", question.message_id)
    assert await tap.answer("Спасибо!")
    assert server.taps[tap_id].answer == "Спасибо!"
    await tap.message.edit_text("Спасибо за оценку", reply_markup=keyboard("Изменить"))
    assert server.last(maria).labels == ["Изменить"]
    server.says(maria, "8, спасибо", reply_to=question.message_id)
    server.edits(maria, "7")
    server.sends(maria, "voice")
    server.sends(maria, "photo", "вот что вышло")
    server.share_contact(maria, phone="+79140000001")
    server.block(maria)
    replied, edited, voice, photo, card, left = [await heard.next() for _ in range(6)]
    assert replied.reply_to_message.message_id == question.message_id
    assert (edited.text, edited.message_id) == ("7", replied.message_id)
    assert voice.content_type == "voice"
    assert (photo.content_type, photo.caption) == ("photo", "вот что вышло")
    assert card.contact.user_id == maria.user_id
    assert left.new_chat_member.status == "kicked"
    await heard.dispatcher.stop_polling()
    server.wake()
    await polling
    assert server.waiting() == [], "all of it was confirmed"


async def test_refusals_are_the_errors_that_it_knows(server: TelegramStandIn, bot: Any) -> None:
    maria, stranger = server.start("Мария"), server.person("Пётр")
    with pytest.raises(errors.TelegramForbiddenError, match="can't initiate conversation"):
        await bot.send_message(stranger.user_id, "?")
    with pytest.raises(errors.TelegramBadRequest, match="chat not found"):
        await bot.send_message(1, "?")
    with pytest.raises(errors.TelegramBadRequest, match="too long"):
        await bot.send_message(maria.user_id, "я" * 4097)
    server.throttle(7, maria)
    with pytest.raises(errors.TelegramRetryAfter) as busy:
        await bot.send_message(maria.user_id, "?")
    assert busy.value.retry_after == 7
    group = server.group("Отдел")
    moved = server.upgrade(group)
    with pytest.raises(errors.TelegramMigrateToChat) as gone:
        await bot.send_message(group.chat_id, "?")
    assert gone.value.migrate_to_chat_id == moved.chat_id
    await bot.set_webhook("https://bot.example.com/hook")
    with pytest.raises(errors.TelegramConflictError):
        await bot.get_updates()


async def test_a_foreign_token_is_refused(server: TelegramStandIn, bot: Any) -> None:
    stranger = aiogram.Bot("1:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", session=bot.session)
    with pytest.raises(errors.TelegramUnauthorizedError):
        await stranger.get_me()


async def test_its_webhook_takes_what_we_post_with_the_secret_and_nothing_else(
    server: TelegramStandIn, bot: Any
) -> None:
    heard, web = Heard(), aiohttp_web.Application()
    await bot.set_webhook("https://bot.example.com/hook", secret_token=SECRET)
    receiver = webhooks.SimpleRequestHandler(
        heard.dispatcher, bot, handle_in_background=False, secret_token=SECRET
    )
    receiver.register(web, path="/hook")
    server.says("Мария", "9")
    (update,) = server.waiting()
    async with aiohttp_test.TestClient(aiohttp_test.TestServer(web)) as telegram:
        for secret, status in (("b" * 64, 401), (server.webhook()["secret"], 200)):
            headers = {SECRET_HEADER: secret, "content-type": "application/json"}
            answer = await telegram.post("/hook", data=json.dumps(update), headers=headers)
            assert answer.status == status
    assert (await heard.next()).text == "9"
    assert heard.events.empty()
