"""`language = "en"`: an English-speaking client never sees a Russian word, whatever happens."""

import re

from integrations.standins.amocrm import AmoCrmStandIn
from tests.world import IVAN, World, configured

ENGLISH = {
    "company": {"name": "Northgate", "language": "en"},
    "referral": {"code_prefix": "FRIEND", "value": "Скидка от друга 5%", "terms": "Valid for a year."},
    "survey": [
        {"key": "nps", "metric": "nps", "delay": "1bd"},
        {"key": "csat_manager", "metric": "csat", "delay": "1bd", "subject": "manager"},
        {"key": "ces", "metric": "ces", "delay": "1bd"},
        {"key": "solved", "metric": "csat", "trigger": "complaint_closed", "delay": "0s", "field": "Решение"},
    ],
    "names": {"Олег Смирнов": "Oleg"},
    "reviews": {"links": [{"name": "Maps", "url": "https://maps.example.org/northgate"}]},
}
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)


def english(town: World) -> list[str]:
    """Everything that Ivan has been told, in both messengers, poll options and buttons included."""
    said = [part for message in town.whatsapp.messages(IVAN) for part in (message.text, *message.options)]
    for message in town.telegram.messages("Ivan"):
        said += [message.text, *message.history, *message.labels]
    return said


def assert_english(town: World) -> None:
    assert [text for text in english(town) if CYRILLIC.search(text)] == []


def everything(amocrm: AmoCrmStandIn) -> None:
    amocrm.add_field("Решение", "numeric")


@configured(ENGLISH, before=everything)
async def test_a_happy_client_reads_english_only(town: World) -> None:
    deal = await town.asked([town.contact("Ivan Petrov")])
    assert town.to_ivan() == [
        "Hello! This is Northgate. Thank you for your order. How likely are you to recommend us to friends? "
        "1 = not at all, 10 = definitely. Choose an option or reply with a number. "
        f"Your code for friends: {town.amocrm.field_value(deal, 'Промокод для друзей')}, 5% off. "
        "Valid for a year."
    ]
    await town.ivan_writes("9, the team was great")
    assert "How would you rate your manager's work (Oleg)?" in town.to_ivan()[-1]
    await town.ivan_votes("5")
    await town.ivan_writes("5")
    assert "https://maps.example.org/northgate" in town.to_ivan()[-1]
    await town.ivan_writes("code")
    assert "code for friends: FRIEND-" in town.to_ivan()[-1]
    assert_english(town)


@configured(ENGLISH, before=everything)
async def test_an_unhappy_client_reads_english_only(town: World) -> None:
    await town.asked([town.contact("Ivan Petrov")])
    await town.ivan_writes("what?")
    await town.ivan_writes("8-9")
    await town.ivan_writes("3, three weeks late")
    await town.ivan_writes("and nobody called")
    (complaint,) = town.complaints()
    assert complaint.name == "Complaint: Ivan Petrov, NPS 3 of 10"
    await town.taps("Solved", who="Анна")
    await town.later(minutes=5)
    assert "Is your problem solved?" in town.to_ivan()[-1]
    await town.ivan_writes("1")
    assert_english(town)


@configured(ENGLISH, before=everything)
async def test_a_silent_client_and_one_who_stops_read_english_only(town: World) -> None:
    await town.asked([town.contact("Ivan Petrov")])
    await town.later(days=2)
    assert town.to_ivan()[-1].startswith("Hello! This is Northgate. One question is still open")
    await town.ivan_writes("15")
    await town.ivan_writes("please call me")
    await town.ivan_writes("STOP")
    await town.ivan_writes("BACK")
    await town.ivan_writes("delete my data")
    assert len(town.to_ivan()) >= 6
    assert_english(town)


@configured(ENGLISH, before=everything)
async def test_in_the_bot_the_client_reads_english_only(town: World) -> None:
    contact = town.contact("Ivan Petrov")
    deal = await town.closed_deal([contact])
    town.telegram.start("Ivan")
    await town.step()
    await town.links(deal, who="Ivan")
    await town.next_morning()
    await town.taps("7", who="Ivan")
    await town.taps("5", who="Ivan")
    await town.taps("2", who="Ivan")
    town.telegram.sends("Ivan", "voice")
    await town.later(minutes=1)
    await town.taps("Change rating", who="Ivan")
    town.telegram.says("Ivan", "hello? is anybody there?")
    await town.later(days=1)
    assert len(town.in_telegram("Ivan")) >= 5
    assert_english(town)


@configured(ENGLISH, before=everything)
async def test_staff_read_english_too_where_the_words_are_ours(town: World) -> None:
    await town.asked([town.contact("Ivan Petrov")], name="Gates 3x2")
    await town.ivan_writes("2, nobody came for a month")
    (alert,) = [text for text in town.to_anna() if "nobody came" in text]
    ours = alert.replace("Олег Смирнов", "").replace("Мария Ким", "")
    assert not CYRILLIC.search(ours)
    for lead in town.amocrm.leads.values():
        for note in town.amocrm.notes_of(lead.id):
            assert not CYRILLIC.search(note.replace("Олег Смирнов", ""))
