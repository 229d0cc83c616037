"""What a client said first is read first, also when it cannot be read at once."""

from typing import Any

import pytest
from sqlmodel import col, select

from storage import inbox
from storage.tables.surveys import Reply
from tests.world import IVAN, PETR, World
from worker.actions.taking import take
from worker.flows.listen import TRIES


async def texts(town: World) -> list[str]:
    """The replies that were taken in, in this order."""
    async with town.db.reading() as tx:
        return list((await tx.exec(select(Reply.text).order_by(col(Reply.id)))).all())


class Stumbling:
    """Takes replies in, except this text for so many times."""

    def __init__(self, text: str, times: int) -> None:
        self.text = text
        self.left = times

    async def __call__(self, tx: Any, hands: Any, received: Any) -> None:
        if received.message.text == self.text and self.left:
            self.left -= 1
            raise RuntimeError
        await take(tx, hands, received)


async def test_what_follows_in_a_chat_waits_for_a_message_that_failed_and_others_do_not(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal = await town.asked()
    monkeypatch.setattr("worker.flows.listen.take", Stumbling("Спасибо вам", 2))
    town.whatsapp.says(IVAN, "Спасибо вам")
    town.whatsapp.says(IVAN, "Всем доволен")
    town.whatsapp.says(PETR, "Здравствуйте")
    await town.later(seconds=5)
    assert await texts(town) == ["Здравствуйте", "Спасибо вам", "Всем доволен"]
    assert (await town.survey(deal)).score is None


async def test_a_message_that_always_fails_is_put_aside_and_the_chat_goes_on(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal = await town.asked()
    monkeypatch.setattr("worker.flows.listen.take", Stumbling("Спасибо вам", TRIES))
    town.whatsapp.says(IVAN, "Спасибо вам")
    town.whatsapp.says(IVAN, "9")
    for _ in range(TRIES):
        await town.later(seconds=5)
    assert (await town.survey(deal)).score == 9
    assert [row.error for row in await inbox.quarantined(town.db)] == ["RuntimeError"]
