"""Who may be asked is the client's own word: «стоп» puts a tag on the contact, «вернуться» takes it off."""

from datetime import timedelta

import pytest

from storage import outbox
from storage.tables.deals import Contact
from tests.flows.test_conversation import OFFICE, local
from tests.world import IVAN, World
from worker.actions import keys
from worker.flows.act import act
from worker.flows.listen import listen
from worker.flows.receive import receive

STOP_TAG = "не опрашивать"
BACK = "Хорошо, вопросы снова включены."


def tags(town: World) -> list[str]:
    return town.amocrm.contacts[town.ivan()].tags


def asked(town: World) -> int:
    """How many questions Ivan got by WhatsApp, reminders left out."""
    return sum("порекомендуете" in text and "Напоминаем" not in text for text in town.to_ivan())


async def says(town: World, *words: str) -> None:
    """Ivan writes, and it is read; nothing has been done about it yet."""
    for text in words:
        town.clock.advance(timedelta(seconds=3))
        town.whatsapp.says(IVAN, text)
    hands = town.app.hands
    while await receive(hands, hands.channels["whatsapp"], town.app.inbox, timedelta(0)):
        pass
    await listen(hands)


async def contact(town: World) -> Contact:
    async with town.db.reading() as tx:
        found = await tx.get(Contact, town.ivan())
    assert found is not None
    return found


async def well_again(town: World) -> None:
    """Nothing fails any more, and what was put off is done."""
    town.amocrm.faults.clear()
    for _ in range(3):
        await town.later(hours=2)


async def asked_a_month_later(town: World) -> bool:
    """Another deal is won, long after any pause: is Ivan asked about it?"""
    before = asked(town)
    await town.at(local(20, 12, month=10))
    await town.asked()
    return asked(town) > before


# --- «вернуться» and the tag -------------------------------------------------------------------------------


async def test_who_comes_back_is_rid_of_our_tag_and_asked_again(town: World) -> None:
    await town.asked()
    await town.ivan_writes("стоп")
    assert tags(town) == [STOP_TAG]
    await town.ivan_writes("вернуться")
    assert tags(town) == []
    assert town.to_ivan()[-1] == BACK
    assert await asked_a_month_later(town)


async def test_other_tags_of_the_contact_stay_as_they_were(town: World) -> None:
    await town.asked()
    town.amocrm.tag_contact(town.ivan(), add=["VIP"])
    await town.ivan_writes("стоп")
    town.amocrm.tag_contact(town.ivan(), add=["Дилер"])
    await town.ivan_writes("вернуться")
    assert tags(town) == ["VIP", "Дилер"]


@pytest.mark.parametrize("tag", [STOP_TAG, "Не опрашивать", "возврат"])
async def test_a_tag_that_stood_there_before_stays_and_a_person_decides(town: World, tag: str) -> None:
    deal = await town.asked()
    town.amocrm.tag_contact(town.ivan(), add=[tag])
    await town.ivan_writes("стоп")
    await town.ivan_writes("вернуться")
    assert tags(town) == [tag]
    assert BACK not in town.to_ivan()
    assert town.to_ivan()[-1].startswith("Получили ваше сообщение, передали сотруднику.")
    assert town.amocrm.tasks_of(deal)[-1].text == (
        "Клиент снова согласен получать вопросы, но на контакте стоит метка, по которой не спрашиваем. "
        "Решите, снимать ли её, и ответьте клиенту до 16:02."
    )
    assert "«вернуться»" in town.to_anna()[-1]
    assert not await asked_a_month_later(town)


async def test_a_tag_that_a_person_took_off_and_set_again_is_not_ours_any_more(town: World) -> None:
    await town.asked()
    await town.ivan_writes("стоп")
    await town.later(hours=1)
    town.amocrm.tag_contact(town.ivan(), delete=[STOP_TAG])
    await town.later(hours=1)
    town.amocrm.tag_contact(town.ivan(), add=[STOP_TAG])
    await town.later(hours=1)
    await town.ivan_writes("вернуться")
    assert tags(town) == [STOP_TAG]
    assert BACK not in town.to_ivan()
    await town.ivan_writes("вернуться")
    assert tags(town) == [STOP_TAG]


async def test_a_tag_that_was_seen_to_be_gone_is_not_ours_when_it_comes_again(town: World) -> None:
    """Also where the account's events tell nothing."""
    await town.asked()
    await town.ivan_writes("стоп")
    await town.later(hours=1)
    town.amocrm.tag_contact(town.ivan(), delete=[STOP_TAG])
    await town.closed_deal()
    await town.later(hours=25)  # The contact is read before anybody would be asked.
    town.amocrm.tag_contact(town.ivan(), add=[STOP_TAG])
    town.amocrm.faults.add("/events", status=400, json={"title": "Bad Request", "status": 400}, times=0)
    await town.ivan_writes("вернуться")
    assert tags(town) == [STOP_TAG]
    assert BACK not in town.to_ivan()


async def test_a_tag_that_a_person_took_off_stays_off_and_nothing_keeps_the_client_out(town: World) -> None:
    await town.asked()
    await town.ivan_writes("стоп")
    await town.later(hours=1)
    town.amocrm.tag_contact(town.ivan(), delete=[STOP_TAG])
    await town.ivan_writes("вернуться")
    assert tags(town) == []
    assert town.to_ivan()[-1] == BACK
    assert (await contact(town)).own_tag == ""


async def test_an_account_that_does_not_tell_who_took_a_tag_off_lets_the_client_back(town: World) -> None:
    await town.asked()
    await town.ivan_writes("стоп")
    town.amocrm.faults.add("/events", status=400, json={"title": "Bad Request", "status": 400}, times=0)
    await town.ivan_writes("вернуться")
    assert tags(town) == []
    assert town.to_ivan()[-1] == BACK


async def test_out_and_back_again_and_again_ends_as_the_client_said_last(town: World) -> None:
    await town.asked()
    for _ in range(3):
        await town.ivan_writes("стоп")
        assert tags(town) == [STOP_TAG]
        await town.ivan_writes("вернуться")
        assert tags(town) == []
    assert await asked_a_month_later(town)


# --- races, outages, crashes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "last"),
    [
        (("стоп", "вернуться"), []),
        (("стоп", "вернуться", "стоп"), [STOP_TAG]),
        (("стоп", "вернуться", "стоп", "вернуться"), []),
    ],
)
async def test_words_within_seconds_end_as_the_last_of_them(
    town: World, words: tuple[str, ...], last: list[str]
) -> None:
    """Nothing has been done in amoCRM yet when the next word comes."""
    await town.asked()
    await says(town, *words)
    await town.step()
    assert tags(town) == last
    assert (BACK in town.to_ivan()) == (not last)
    await town.later(hours=1)
    assert tags(town) == last
    assert await asked_a_month_later(town) == (not last)


async def test_each_word_while_the_one_before_is_just_being_done(town: World) -> None:
    await town.asked()
    await says(town, "стоп")
    async with town.db.reading() as tx:
        assert await outbox.is_open(tx, keys.stop_tag(town.ivan()))
    await act(town.app.hands, "crm")
    assert tags(town) == [STOP_TAG]
    await says(town, "вернуться", "стоп")
    await act(town.app.hands, "crm")
    assert tags(town) == [STOP_TAG]
    await says(town, "вернуться")
    await town.step()
    assert tags(town) == []
    assert town.to_ivan()[-1] == BACK


@pytest.mark.parametrize("words", [("вернуться",), ("вернуться", "стоп")])
async def test_amocrm_lets_nobody_in_meanwhile(town: World, words: tuple[str, ...]) -> None:
    await town.asked()
    town.amocrm.faults.add("/contacts/", status=401, times=0)
    await town.ivan_writes("стоп")
    for word in words:
        await town.ivan_writes(word)
    assert tags(town) == []
    assert BACK not in town.to_ivan()  # Nobody knows yet whether a person's tag stands there.
    await well_again(town)
    is_back = words[-1] == "вернуться"
    assert tags(town) == ([] if is_back else [STOP_TAG])
    assert town.to_ivan().count(BACK) == is_back


async def test_a_tag_that_could_not_be_taken_off_for_hours_is_taken_off_in_the_end(town: World) -> None:
    await town.asked()
    await town.ivan_writes("стоп")
    town.amocrm.faults.add("/contacts/", method="PATCH", status=503, times=0)
    await town.ivan_writes("вернуться")
    await town.later(hours=2)
    assert tags(town) == [STOP_TAG]
    await well_again(town)
    assert tags(town) == []
    assert town.to_ivan().count(BACK) == 1


async def test_a_question_that_falls_due_before_our_tag_is_off_waits_for_that(town: World) -> None:
    await town.asked()
    await town.ivan_writes("стоп")
    await town.at(local(20, 11, month=10))
    second = await town.closed_deal()
    town.clock.set(local(21, 11, 58, month=10))
    town.amocrm.faults.add("/contacts/", method="PATCH", status=503, times=0)
    await town.ivan_writes("вернуться")
    await town.later(minutes=2)
    assert (await town.survey(second)).reason == ""
    await well_again(town)
    assert tags(town) == []
    assert asked(town) == 2


@pytest.mark.parametrize("word", ["стоп", "вернуться"])
@pytest.mark.parametrize("how", [{"status": 504}, {"drop": True}])
async def test_a_lost_answer_of_amocrm_changes_nothing(
    town: World, word: str, how: dict[str, object]
) -> None:
    await town.asked()
    if word == "вернуться":
        await town.ivan_writes("стоп")
    town.amocrm.faults.add("/contacts/", method="PATCH", after=True, **how)
    await town.ivan_writes(word)
    await town.later(hours=1)
    if word == "стоп":
        assert tags(town) == [STOP_TAG]
        await town.ivan_writes("вернуться")
    assert tags(town) == []
    await town.later(hours=1)
    assert town.to_ivan().count(BACK) == 1


async def test_a_stop_between_writing_the_tag_and_noting_it_leaves_it_ours(town: World) -> None:
    """The worker dies when the tag is on the contact; the next one knows whose it is."""
    await town.asked()
    town.amocrm.faults.add("/contacts/", method="PATCH", after=True, drop=True)
    await says(town, "стоп")
    await act(town.app.hands, "crm")
    assert tags(town) == [STOP_TAG]
    await town.restart()
    await says(town, "вернуться")
    await town.later(hours=1)
    assert tags(town) == []
    assert town.to_ivan()[-1] == BACK


async def test_a_stop_between_taking_the_tag_off_and_noting_it_takes_no_persons_tag(town: World) -> None:
    await town.asked()
    await town.ivan_writes("стоп")
    town.amocrm.faults.add("/contacts/", method="PATCH", after=True, drop=True)
    await says(town, "вернуться")
    await act(town.app.hands, "crm")
    assert tags(town) == []
    town.clock.advance(timedelta(minutes=1))
    town.amocrm.tag_contact(town.ivan(), add=[STOP_TAG])  # A person, at this very moment.
    await town.restart()
    await town.later(hours=1)
    assert tags(town) == [STOP_TAG]
    assert BACK not in town.to_ivan()


async def test_who_shares_a_number_among_two_contacts_is_rid_of_both_tags(town: World) -> None:
    await town.asked()
    other = town.contact("Ваня")
    await town.closed_deal([other])
    await town.ivan_writes("стоп")
    assert town.amocrm.contacts[other].tags == [STOP_TAG]
    await town.ivan_writes("вернуться")
    assert (tags(town), town.amocrm.contacts[other].tags) == ([], [])


async def test_a_contact_that_was_deleted_meanwhile_keeps_nobody_out(town: World) -> None:
    await town.asked()
    await town.ivan_writes("стоп")
    town.amocrm.contacts[town.ivan()].is_deleted = True
    await town.ivan_writes("вернуться")
    assert town.to_ivan()[-1] == BACK


async def test_who_comes_back_without_a_contact_is_told_at_once(town: World) -> None:
    town.whatsapp.says(IVAN, "стоп")
    await town.step()
    await town.ivan_writes("вернуться")
    assert town.to_ivan()[-1] == BACK
    assert OFFICE in town.to_ivan()[0]
