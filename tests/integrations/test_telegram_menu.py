"""The menu of commands in one chat: set, replaced, taken away, where there is no chat yet; the profile."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from integrations.channels.base import BotSettings, Introduced, Menued
from integrations.channels.telegram import Telegram
from integrations.errors import Permanent, Temporary, Unreachable
from integrations.standins.telegram import TelegramStandIn
from tests.integrations.clock import Clock
from tests.integrations.telegram_schema import assert_calls_fit

MENU = (("report", "Отчёт"), ("find", "Что было с клиентом"))


@pytest.fixture
def server() -> Iterator[TelegramStandIn]:
    stand_in = TelegramStandIn(Clock())
    yield stand_in
    assert_calls_fit(stand_in.requests)


@pytest.fixture
async def bot(server: TelegramStandIn) -> AsyncIterator[Telegram]:
    settings = BotSettings(token=server.token, api_url="http://telegram.test")
    channel = Telegram(settings, transport=httpx.ASGITransport(server.app))
    yield channel
    await channel.close()


async def test_a_chat_gets_its_own_menu(server: TelegramStandIn, bot: Telegram) -> None:
    anna = server.start("Анна")
    assert isinstance(bot, Menued)
    await bot.set_menu(str(anna.user_id), MENU)
    await bot.set_menu(str(anna.user_id), MENU)
    assert server.menus == {
        anna.user_id: [
            {"command": "report", "description": "Отчёт"},
            {"command": "find", "description": "Что было с клиентом"},
        ]
    }


async def test_an_empty_menu_takes_it_away(server: TelegramStandIn, bot: Telegram) -> None:
    anna = server.start("Анна")
    await bot.set_menu(str(anna.user_id), MENU)
    await bot.set_menu(str(anna.user_id), ())
    await bot.set_menu(str(anna.user_id), ())
    assert server.menus == {}


async def test_who_has_no_chat_cannot_have_one(bot: Telegram) -> None:
    with pytest.raises(Unreachable):
        await bot.set_menu("404", MENU)


async def test_a_command_that_telegram_does_not_take(server: TelegramStandIn, bot: Telegram) -> None:
    anna = server.start("Анна")
    with pytest.raises(Permanent, match="command_invalid"):
        await bot.set_menu(str(anna.user_id), (("отчёт", "Отчёт"),))


async def test_a_lost_answer_is_no_question_of_what_happened(server: TelegramStandIn, bot: Telegram) -> None:
    anna = server.start("Анна")

    class Broken(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ReadTimeout("cut", request=request)

    settings = BotSettings(token=server.token, api_url="http://telegram.test")
    with pytest.raises(Temporary):
        await Telegram(settings, transport=Broken()).set_menu(str(anna.user_id), MENU)


async def test_a_profile_that_says_nothing_gets_our_words_and_another_stays(
    server: TelegramStandIn, bot: Telegram
) -> None:
    assert isinstance(bot, Introduced)
    assert await bot.introduce("ВладАвтоматика: вопросы о вашем заказе.")
    assert not await bot.introduce("Другие слова.")
    assert server.about == "ВладАвтоматика: вопросы о вашем заказе."


async def test_words_too_long_for_a_profile_are_cut(server: TelegramStandIn, bot: Telegram) -> None:
    assert await bot.introduce("слово " * 60)
    assert server.about.startswith("слово слово")
    assert len(server.about) <= 120
