"""At night nothing goes to a client who did not write just now, whenever we come to read what they wrote."""

from datetime import datetime, timedelta

import pytest

from tests.world import ZONE, World

EVENING = datetime(2026, 9, 8, 19, tzinfo=ZONE)
NIGHT = datetime(2026, 9, 9, 3, tzinfo=ZONE)
OPENING = datetime(2026, 9, 9, 10, tzinfo=ZONE)


def number(place: int) -> str:
    return f"+791400001{place:02}"


async def asked_by_whatsapp(town: World, people: int) -> None:
    for place in range(people):
        town.amocrm.close_lead(town.deal([town.contact(f"Клиент {place}", number(place))]))
    await town.step()


async def asked_by_telegram(town: World, people: int) -> None:
    for place in range(people):
        deal = await town.closed_deal([town.contact(f"Гость {place}", None)])
        await town.links(deal, f"Гость {place}")


def heard(town: World, people: int) -> list[int]:
    """How many messages each of them has got."""
    return [len(town.whatsapp.messages(number(place))) for place in range(people)] + [
        len(town.in_telegram(f"Гость {place}")) for place in range(people)
    ]


async def test_replies_that_came_while_the_worker_was_down_are_all_served_in_the_morning(town: World) -> None:
    await asked_by_whatsapp(town, 6)
    await asked_by_telegram(town, 6)
    await town.next_morning()
    before = heard(town, 6)
    for place in range(6):
        town.clock.set(EVENING + timedelta(minutes=70 * place))
        town.whatsapp.says(number(place), "9" if place else "2, мастер не приехал")
        town.telegram.tap(f"Гость {place}", "10")
    await town.app.close()
    town.clock.set(NIGHT)
    await town.restart()
    await town.step()
    assert heard(town, 6) == before, "nobody is woken"
    assert sorted(survey.score or 0 for survey in await town.surveys()) == [2, *[9] * 5, *[10] * 6]
    assert len(town.complaints()) == 1, "what is no message to a client does not wait"
    await town.at(OPENING - timedelta(minutes=1))
    assert heard(town, 6) == before
    await town.at(OPENING)
    assert heard(town, 6) == [count + 1 for count in before]


@pytest.mark.parametrize("by", ["whatsapp", "telegram"])
async def test_who_writes_at_night_is_answered_at_once(town: World, by: str) -> None:
    await (asked_by_whatsapp if by == "whatsapp" else asked_by_telegram)(town, 1)
    await town.next_morning()
    await town.at(NIGHT)
    before = heard(town, 1)
    town.clock.advance(timedelta(minutes=1))
    if by == "whatsapp":
        town.whatsapp.says(number(0), "9")
    else:
        town.telegram.tap("Гость 0", "9")
    await town.step()
    assert sum(heard(town, 1)) == sum(before) + 1


async def test_who_opens_the_bot_at_night_is_greeted_at_once(town: World) -> None:
    deal = await town.closed_deal()
    await town.at(NIGHT)
    await town.links(deal)
    assert len(town.in_telegram()) == 1
