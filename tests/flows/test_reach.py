"""Five clients and what reaches each of them: asked once by the right way, or counted with a reason."""

from collections.abc import Sequence

from tests.world import MAX_ACCOUNT, MAX_BOT, World, configured, merged

ALL = merged(MAX_ACCOUNT, MAX_BOT)
PHONES = {
    name: f"+7914000001{place}" for place, name in enumerate(("Анна", "Борис", "Вера", "Глеб", "Дарья"))
}

LINKS = {"telegram": "Ссылка на Telegram-бота", "max": "Ссылка на MAX-бота"}


def without(town: World, name: str, *gateways: str) -> None:
    for gateway in gateways:
        getattr(town, gateway).has_no_account(PHONES[name])


def opens(town: World, name: str, deal: int, *, bot: str) -> None:
    link: str = town.amocrm.field_value(
        deal, {"telegram": "Ссылка на Telegram-бота", "max": "Ссылка на MAX-бота"}[bot]
    )
    getattr(town, bot).start(name, link.partition("start=")[2])


def got(town: World, name: str) -> dict[str, int]:
    """How many messages by each way."""
    phone = PHONES[name]
    ways: dict[str, Sequence[object]] = {
        "telegram": list(town.telegram.messages(name)) if name in NAMES_IN_TELEGRAM else [],
        "max": town.max.messages(name) if name in NAMES_IN_MAX else [],
        "max_account": town.max_account.messages(phone),
        "whatsapp": town.whatsapp.messages(phone),
    }
    return {way: len(posts) for way, posts in ways.items() if posts}


NAMES_IN_TELEGRAM = ("Вера", "Глеб")
NAMES_IN_MAX = ("Борис",)


@configured(ALL)
async def test_each_is_asked_by_what_reaches_them_and_the_report_counts_them(town: World) -> None:
    deals = {name: town.deal([town.contact(f"{name} Иванова", phone)]) for name, phone in PHONES.items()}
    await town.step()
    without(town, "Анна", "whatsapp")  # linked nothing
    without(town, "Борис", "whatsapp", "max_account")
    opens(town, "Борис", deals["Борис"], bot="max")
    without(town, "Вера", "max_account")
    opens(town, "Вера", deals["Вера"], bot="telegram")
    without(town, "Глеб", "whatsapp", "max_account")
    opens(town, "Глеб", deals["Глеб"], bot="telegram")
    without(town, "Дарья", "whatsapp", "max_account")
    await town.step()
    town.telegram.block("Вера")
    await town.step()
    for deal in deals.values():
        town.amocrm.close_lead(deal)
    await town.step()
    await town.next_morning()

    assert got(town, "Анна") == {"max_account": 1}
    assert got(town, "Борис") == {"max": 2}, "the greeting and the question"
    assert got(town, "Вера") == {"telegram": 1, "whatsapp": 1}, "greeted, then gone"
    assert got(town, "Глеб") == {"telegram": 2}
    channels = {name: (await town.survey(deal)).channel for name, deal in deals.items()}
    assert channels == {
        "Анна": "max_account",
        "Борис": "max",
        "Вера": "whatsapp",
        "Глеб": "telegram",
        "Дарья": "whatsapp",
    }
    daria = await town.survey(deals["Дарья"])
    assert (daria.state, daria.reason) == ("failed", "failed")
    assert town.card(deals["Дарья"]) == "Не спросили: не удалось отправить"
    nps = (await town.report())["surveys"]["nps"]
    assert (nps["eligible"], nps["sent"], nps["not_sent"]) == (5, 4, {"failed": 1})
