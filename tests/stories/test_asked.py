"""A deal closes. What happens until its card shows what the client thinks?"""

import re

import pytest

from tests.stories.company import IVAN, Company, until

PROMO_CODE = re.compile(r"ДРУГ-\d+")


@pytest.mark.parametrize("way", [pytest.param("typed", marks=pytest.mark.long), "voted"])
def test_a_reply_in_whatsapp_is_scored_written_down_and_thanked_for(shop: Company, way: str) -> None:
    shop.start()
    deal = shop.won_deal()
    [code] = PROMO_CODE.findall(shop.wait_for_question())
    assert until(lambda: shop.value(deal, "Промокод для друзей")) == code

    if way == "typed":
        shop.ivan_writes("9")
    else:
        shop.whatsapp.do("votes", who=IVAN, option="9")

    until(lambda: len(shop.to_ivan()) > 1, "thanks")
    assert until(lambda: shop.score(deal)) == 9
    [note] = until(lambda: shop.notes(deal))
    assert note.startswith("NPS: 9 из 10 (WhatsApp, ")
    shop.wait_until_idle()
    _, thanks = shop.to_ivan()
    assert thanks.startswith("Спасибо! Записали: 9 из 10.")
    assert shop.complaints() == shop.bot_wrote() == []
    [reply] = shop.exported()
    assert (reply["survey"], reply["score"], reply["deal_id"], reply["counts"]) == ("nps", 9, deal, True)


@pytest.mark.parametrize("when", [pytest.param("before the deal closes", marks=pytest.mark.long), "after it"])
def test_a_tap_in_telegram_after_a_deep_link(shop: Company, when: str) -> None:
    shop.start(whatsapp={"provider": "none"})
    deal = shop.deal()
    if when == "after it":
        shop.amocrm.do("close_lead", lead_id=deal)
    # Read by the manager from the deal's card, and shown to the client.
    link = until(lambda: shop.value(deal, "Ссылка на Telegram-бота"), "the link in the deal's card")
    shop.telegram.do("start", who="Иван", token=link.partition("?start=")[2])
    if when == "before the deal closes":
        shop.amocrm.do("close_lead", lead_id=deal)
    until(lambda: len(shop.bot_wrote("Иван")) > 1, "greeting and question")
    [greeting, question] = shop.bot_wrote("Иван")
    assert "ВладАвтоматика" in greeting["text"]
    assert PROMO_CODE.search(question["text"])
    rows = question["markup"]["inline_keyboard"]
    assert [button["text"] for row in rows[:2] for button in row] == [str(score) for score in range(1, 11)]

    shop.telegram.do("tap", who="Иван", button="9")

    assert until(lambda: shop.score(deal)) == 9
    [note] = until(lambda: shop.notes(deal))
    assert note.startswith("NPS: 9 из 10 (Telegram, ")
    shop.wait_until_idle()
    *before, thanks = shop.bot_wrote("Иван")
    [tapped] = [message for message in before if "порекомендуете" in message["text"]]
    assert PROMO_CODE.search(tapped["text"]), "the code stays where the client looks for it"
    shown = [button["text"] for row in tapped["markup"]["inline_keyboard"] for button in row]
    assert shown == ["Ваша оценка: 9 из 10", "Изменить оценку"]
    assert thanks["text"].startswith("Спасибо!")
