"""The worker is killed while a client taps an answer in Telegram, and while it reminds of a question."""

import time

import pytest

from tests.faults import points
from tests.faults.laws import REMINDER, Laws, is_question
from tests.faults.points import Point, When, has_died
from tests.stories.company import until

pytestmark = pytest.mark.timeout(900)  # many starts, perhaps on a busy machine

MARK = "Промокод для друзей"
PASSER_BY = "Прохожий"
REMINDED_AFTER = 10  # seconds
# The poll, the poll after it (the tap is on disk, and not confirmed), the answer; which of them it is.
AT_A_TAP: list[tuple[Point, When, int]] = [
    (points.TAP, "processed", 1),
    (points.TAP, "answered", 1),
    (points.TAP, "arrived", 2),
    (points.TAP_ANSWER, "arrived", 1),
    (points.TAP_ANSWER, "processed", 1),
    (points.TAP_ANSWER, "answered", 1),
]
AT_A_REMINDER: list[tuple[When, float]] = [
    ("arrived", 0),
    ("processed", 0),
    ("answered", 0),
    ("answered", 0.05),  # about when the result is committed
]


def asked_in_telegram(laws: Laws) -> int:
    """A deal whose client has opened the bot and was asked there, with nothing else to do."""
    shop, deal = laws.shop, laws.deal()
    name = laws.clients[deal].name
    link = until(lambda: shop.value(deal, "Ссылка на Telegram-бота"), "the link in the deal's card")
    shop.telegram.do("start", who=name, token=link.partition("?start=")[2])
    until(lambda: shop.bot_wrote(name), "the greeting")
    shop.amocrm.do("close_lead", lead_id=deal)
    until(lambda: any(is_question(one["text"]) for one in shop.bot_wrote(name)), "the question")
    until(lambda: shop.value(deal, MARK), "the mark of a deal that was asked")
    shop.wait_until_idle()
    return deal


def test_killed_at_a_tap_it_reads_it_again_and_counts_it_once(laws: Laws) -> None:
    shop = laws.shop
    shop.start()
    shop.wait_until_ready()
    for score, (point, when, nth) in enumerate(AT_A_TAP, start=1):
        deal = asked_in_telegram(laws)
        point.kills(shop, when, nth=nth)
        if point is points.TAP:  # The poll that waits there already is not the one that is counted.
            before = point.times(shop)
            shop.telegram.do("start", who=PASSER_BY)
            until(lambda: point.times(shop) > before, "another poll")  # noqa: B023
        laws.taps(deal, score)
        has_died(shop)
        shop.start()
        shop.wait_until_ready()
        until(lambda: shop.score(deal) == score, "the score")  # noqa: B023
    laws.hold(kills=len(AT_A_TAP), uncertain=0)
    for client in laws.clients.values():
        greeting, question, *thanks = shop.bot_wrote(client.name)
        assert not is_question(greeting["text"])
        assert is_question(question["text"])
        assert len(thanks) <= 1, "thanked once, or not at all"
        assert shop.whatsapp.do("messages", who=client.phone) == []


def test_killed_at_a_reminder_it_reminds_once_at_most_and_never_asks_again(laws: Laws) -> None:
    shop = laws.shop
    shop.start(delivery={"reminder_after": f"{REMINDED_AFTER}s"})
    shop.wait_until_ready()
    deals = []
    for when, delay in AT_A_REMINDER:
        deals.append(laws.asked())
        points.REMINDER.kills(shop, when, delay=delay)
        has_died(shop)
        shop.start()
        shop.wait_until_ready()
    looked_again_at = time.time() + REMINDED_AFTER
    until(
        lambda: shop.metric("sarafan_last_success_timestamp_seconds", 'flow="follow"') > looked_again_at,
        "another look at who is silent",
    )
    for deal in deals:
        laws.replies(deal, 9)
    laws.hold(kills=len(deals), uncertain=0)
    never_sent, *sent = [sum(REMINDER in text for text in laws.to_client(deal)) for deal in laws.clients]
    assert never_sent <= 1
    assert sent == [1] * len(sent)
