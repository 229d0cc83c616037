"""python-telegram-bot with its own polling and its own webhook server, against our made-up Telegram."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from telegram import ForceReply, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, RetryAfter
from telegram.ext import Application, ContextTypes, TypeHandler
from telegram.request import HTTPXRequest

from integrations.channels.telegram import SECRET_HEADER
from integrations.standins.telegram import TelegramStandIn
from tests.integrations.clock import Clock
from tests.integrations.telegram_schema import assert_calls_fit

SECRET = "a" * 64
SCALE = InlineKeyboardMarkup([[InlineKeyboardButton(str(n), callback_data=f"s:1:{n}") for n in range(1, 11)]])

Bot = Application[Any, Any, Any, Any, Any, Any]


@pytest.fixture
def server() -> TelegramStandIn:
    return TelegramStandIn(Clock())


class Heard:
    """What a bot of the library's kind was told, as its own objects."""

    def __init__(self) -> None:
        self.updates: asyncio.Queue[Update] = asyncio.Queue()

    async def note(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        await self.updates.put(update)

    async def next(self) -> Update:
        async with asyncio.timeout(5):
            return await self.updates.get()


def application(server: TelegramStandIn, heard: Heard, token: str = "") -> Bot:
    def request() -> HTTPXRequest:
        return HTTPXRequest(httpx_kwargs={"transport": httpx.ASGITransport(server.app)})

    builder = Application.builder().token(token or server.token).base_url("http://telegram.test/bot")
    made: Bot = builder.request(request()).get_updates_request(request()).build()
    made.add_handler(TypeHandler(Update, heard.note))
    return made


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
async def polling(server: TelegramStandIn, heard: Heard) -> AsyncIterator[Bot]:
    bot = application(server, heard)
    async with bot:
        await bot.start()
        assert bot.updater
        await bot.updater.start_polling(poll_interval=0, allowed_updates=Update.ALL_TYPES)
        yield bot
        await bot.updater.stop()
        await bot.stop()
    assert_calls_fit(server.requests)


async def test_it_polls_asks_takes_a_tap_and_answers_it(
    server: TelegramStandIn, heard: Heard, polling: Bot
) -> None:
    maria = server.start("Мария Иванова", "abc")
    opened = (await heard.next()).message
    assert opened is not None
    assert (opened.text, opened.chat_id, opened.chat.type) == ("/start abc", maria.user_id, "private")
    assert opened.from_user is not None
    assert (opened.from_user.full_name, opened.from_user.is_bot) == ("Мария Иванова", False)
    question = await polling.bot.send_message(maria.user_id, "Оцените", reply_markup=SCALE)
    assert question.reply_markup == SCALE
    tap_id = server.tap(maria, "9")
    tap = (await heard.next()).callback_query
    assert tap is not None
    assert (tap.id, tap.data, tap.from_user.id) == (tap_id, "s:1:9", maria.user_id)
    assert tap.message is not None
    assert tap.message.message_id == question.message_id
    assert await tap.answer("Спасибо!")
    assert server.taps[tap_id].answer == "Спасибо!"
    again = InlineKeyboardMarkup([[InlineKeyboardButton("Изменить оценку", callback_data="s:1:change")]])
    edited = await tap.edit_message_reply_markup(again)
    assert not isinstance(edited, bool)
    assert (edited.reply_markup, edited.text) == (again, "Оцените")
    with pytest.raises(BadRequest, match="Message is not modified"):
        await tap.edit_message_reply_markup(again)


async def test_it_understands_what_people_do(server: TelegramStandIn, heard: Heard, polling: Bot) -> None:
    maria = server.person("Мария", phone="+79140000001")
    server.says(maria, "9")
    first = (await heard.next()).message
    assert first is not None
    asked = await polling.bot.send_message(maria.user_id, "Почему?", reply_markup=ForceReply())
    server.says(maria, "8, спасибо", reply_to=asked.message_id)
    server.edits(maria, "7, и не спасибо")
    server.sends(maria, "voice")
    server.sends(maria, "sticker")
    server.sends(maria, "photo", "вот что вышло")
    server.share_contact(maria)
    server.block(maria)
    server.unblock(maria)
    replied, edited, voice, sticker, photo, card, left, back = [await heard.next() for _ in range(8)]
    assert replied.message
    assert replied.message.reply_to_message
    assert replied.message.reply_to_message.message_id == asked.message_id
    assert edited.edited_message
    assert edited.edited_message.text == "7, и не спасибо"
    assert edited.edited_message.edit_date is not None
    assert voice.message
    assert voice.message.voice
    assert sticker.message
    assert sticker.message.sticker
    assert photo.message
    assert (len(photo.message.photo), photo.message.caption) == (1, "вот что вышло")
    assert card.message
    assert card.message.contact
    assert card.message.contact.user_id == maria.user_id
    assert left.my_chat_member
    assert back.my_chat_member
    statuses = [
        update.my_chat_member.new_chat_member.status for update in (left, back) if update.my_chat_member
    ]
    assert statuses == ["kicked", "member"]


async def test_refusals_are_the_errors_that_it_knows(
    server: TelegramStandIn, heard: Heard, polling: Bot
) -> None:
    maria = server.start("Мария")
    stranger = server.person("Пётр")
    with pytest.raises(Forbidden, match="can't initiate conversation"):
        await polling.bot.send_message(stranger.user_id, "?")
    with pytest.raises(BadRequest, match="Chat not found"):
        await polling.bot.send_message(1, "?")
    with pytest.raises(BadRequest, match="text is empty"):
        await polling.bot.send_message(maria.user_id, " ")
    with pytest.raises(BadRequest, match="too long"):
        await polling.bot.send_message(maria.user_id, "я" * 4097)
    server.throttle(7, maria)
    with pytest.raises(RetryAfter) as busy:
        await polling.bot.send_message(maria.user_id, "?")
    assert busy.value._retry_after.total_seconds() == 7
    server.block(maria)
    with pytest.raises(Forbidden, match="blocked"):
        await polling.bot.send_message(maria.user_id, "?")


async def test_a_foreign_token_and_a_second_reader_are_refused(server: TelegramStandIn, heard: Heard) -> None:
    with pytest.raises(InvalidToken):
        await application(server, heard, token="1:wrong").initialize()
    async with application(server, heard) as bot:
        waiting, hurried = bot.bot.get_updates(timeout=30), bot.bot.get_updates()
        answers: Any = await asyncio.gather(waiting, hurried, return_exceptions=True)
        assert isinstance(answers[0], Conflict)
        assert answers[1] == ()
        await bot.bot.set_webhook("https://bot.example.com/hook")
        with pytest.raises(Conflict):
            await bot.bot.get_updates()


async def test_after_a_restart_it_goes_on_with_what_was_not_confirmed(
    server: TelegramStandIn, heard: Heard
) -> None:
    server.says("Мария", "8")
    server.says("Мария", "9")
    async with application(server, heard) as bot:
        first, second = await bot.bot.get_updates()
        assert [update.update_id for update in await bot.bot.get_updates()] == [
            first.update_id,
            second.update_id,
        ]
        (left,) = await bot.bot.get_updates(offset=second.update_id)
        assert left.update_id == second.update_id
        assert await bot.bot.get_updates(offset=second.update_id + 1) == ()


async def test_what_we_would_post_is_an_update_to_it(server: TelegramStandIn, heard: Heard) -> None:
    async with application(server, heard) as bot:
        await bot.start()
        await bot.bot.set_webhook("https://bot.example.com/hook", secret_token=SECRET)
        info = await bot.bot.get_webhook_info()
        assert (info.url, info.pending_update_count) == ("https://bot.example.com/hook", 0)
        server.says("Мария", "9")
        assert (await bot.bot.get_webhook_info()).pending_update_count == 1
        for waiting in server.waiting():
            await bot.update_queue.put(Update.de_json(waiting, bot.bot))
        message = (await heard.next()).message
        assert message is not None
        assert message.text == "9"
        await bot.stop()


async def test_its_webhook_server_takes_what_we_post_with_the_secret_and_nothing_else(
    server: TelegramStandIn, heard: Heard
) -> None:
    pytest.importorskip("tornado", reason="its webhook server needs tornado, which is not installed")
    port = free_port()
    async with application(server, heard) as bot, httpx.AsyncClient() as telegram:
        await bot.start()
        assert bot.updater
        await bot.updater.start_webhook(
            listen="127.0.0.1",
            port=port,
            url_path="hook",
            webhook_url="https://bot.example.com/hook",
            secret_token=SECRET,
        )
        assert server.webhook() == {"url": "https://bot.example.com/hook", "secret": SECRET}
        server.says("Мария", "9")
        (update,) = server.waiting()
        for secret, status in ((None, 403), ("b" * 64, 403), (server.webhook()["secret"], 200)):
            headers = {SECRET_HEADER: secret} if secret else {}
            answer = await telegram.post(f"http://127.0.0.1:{port}/hook", json=update, headers=headers)
            assert answer.status_code == status
        message = (await heard.next()).message
        assert message is not None
        assert (message.text, heard.updates.empty()) == ("9", True)
        await bot.updater.stop()
        await bot.stop()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
