"""Calls of last week are drawn by chance, scored with taps in the bot, and told as IQS."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from integrations.standins.amocrm_model import CONTACTS, LEADS
from integrations.standins.telegram_model import Posted
from storage import calls
from storage.erase import erase_person
from storage.tables.calls import Call, Scorecard
from tests.flows.test_staff_commands import BOSS, HEAD, OLEG, VERA, answer, opens
from tests.world import IVAN, PETR, ZONE, World, configured
from worker.flows.calls import draw_calls, remind_of_cards

INNA = {"telegram_id": 666666666, "name": "Инна", "role": "controller"}
MONDAY = datetime(2026, 9, 14, 9, 0, tzinfo=ZONE)
NB = "\u00a0"

scored = configured({"staff": [HEAD, OLEG, VERA], "iqs": {"calls_per_week": 2}})
CRITERIA = [
    {"key": "polite", "name": "Вежливо?", "critical": True},
    {"key": "next_step", "name": "Назначен следующий шаг", "weight": 2.0},
]
by_two = configured({"staff": [HEAD, VERA, INNA], "iqs": {"calls_per_week": 5, "criteria": CRITERIA}})


async def no_rest() -> None:
    """Tests need not spare anybody."""


async def draw(town: World) -> int:
    """The worker looks, and sends what it drew."""
    drawn = await draw_calls(town.app.hands, no_rest)
    await town.step(pulls=False)
    return drawn


def user(town: World, name: str) -> int:
    return next(one.id for one in town.amocrm.users.values() if one.name == name)


def call(town: World, number: int, by: str = "Олег Смирнов", **more: Any) -> int:
    """A call with a recording, on the deal or on its contact."""
    params = {
        "uniq": f"pbx-{by}-{number}", "duration": 125, "phone": IVAN,
        "link": f"https://pbx.example/rec/{number}.mp3", **more.pop("params", {}),
    }  # fmt: skip
    kind, entity = more.pop("kind", LEADS), more.pop("entity")
    return town.amocrm.add_note(kind, entity, more.pop("note_type", "call_in"), params, by=user(town, by))


async def week_of_calls(town: World, number: int = 6, by: str = "Олег Смирнов") -> int:
    """Of the week before `MONDAY`."""
    deal = town.deal()
    await town.step()
    for n in range(number):
        town.clock.advance(timedelta(hours=1))
        call(town, n, by=by, entity=deal)
    return deal


async def cards(town: World) -> list[Scorecard]:
    async with town.db.reading() as tx:
        return list((await tx.exec(select(Scorecard).order_by(col(Scorecard.id)))).all())


async def stored(town: World) -> list[Call]:
    async with town.db.reading() as tx:
        return list((await tx.exec(select(Call).order_by(col(Call.id)))).all())


def shown(town: World, who: str = "Вера") -> list[Posted]:
    return [message for message in town.telegram.messages(who) if "звонок" in message.text]


@scored
async def test_on_monday_morning_a_controller_scores_calls_with_taps(town: World) -> None:
    await opens(town, VERA, OLEG)
    await week_of_calls(town)
    town.clock.set(MONDAY - timedelta(minutes=5))
    assert await draw(town) == 0  # nobody is at work yet
    town.clock.set(MONDAY)
    assert await draw(town) == 2
    assert await draw(town) == 0  # once a week
    card = shown(town)[0]
    assert card.text.startswith("Олег Смирнов, входящий звонок 7 сентября в ")
    assert ", 2:05\nЗапись: https://pbx.example/rec/" in card.text
    assert card.text.endswith("\n\n1 из 4. Речь по стандарту, только на «вы»?")
    assert card.labels == ["1", "½", "0", "Не применимо", "Запись не открылась"]
    assert "Иван" not in card.text
    assert IVAN not in card.text
    assert not shown(town, "Анна")

    for mark in ("1", "½", "0"):
        await town.taps(mark, "Вера", message_id=card.message_id)
    card = shown(town)[0]
    assert card.text.endswith("\n• Назначен следующий шаг: 0\n\n4 из 4. Открытые вопросы?")
    assert card.labels == ["1", "½", "0", "Не применимо", "← Назад"]
    assert (await town.report())["iqs"]["reviews"] == 0  # it is not filled in
    await town.taps("Не применимо", "Вера", message_id=card.message_id)
    card = shown(town)[0]
    assert card.text.endswith(
        "• Речь по стандарту, только на «вы»: 1\n• Возражения отработаны: ½\n• Назначен следующий шаг: 0\n"
        "• Открытые вопросы: не применимо\n\nОценка: 50 из 100\n"
        "Комментарий можно написать ответом на это сообщение."
    )
    assert card.labels == ["Изменить"]

    # A slip of the finger is put right, and a word added.
    await town.taps("Изменить", "Вера", message_id=card.message_id)
    await town.taps("Назначен следующий шаг", "Вера", message_id=shown(town)[0].message_id)
    await town.taps("1", "Вера", message_id=shown(town)[0].message_id)
    assert "Оценка: 83 из 100" in shown(town)[0].text
    town.telegram.says("Вера", "перебивает", reply_to=card.message_id)
    await town.step(pulls=False)
    town.telegram.edits("Вера", "перебивает клиента")
    await town.step(pulls=False)
    assert "Комментарий: перебивает клиента" in shown(town)[0].text
    assert town.in_telegram("Вера")[-1] == "Комментарий записан."
    (kept, other) = await cards(town)
    assert (kept.reviewer_name, kept.comment, kept.marks["questions"]) == ("Вера", "перебивает клиента", None)
    assert kept.version == other.version
    assert len(kept.criteria) == 4
    written = (await town.report())["iqs"]
    assert (written["reviews"], written["calls"], written["score"]) == (1, 1, None)  # one is too few
    said = await answer(town, "/iqs", "Олег")
    assert (
        "• Олег Смирнов: мало проверок (1)\n\nКомментарии:\n• Олег Смирнов: перебивает клиента" in said.text
    )
    assert "перебивает" not in (await answer(town, "/report")).text
    assert said.labels[0] == "Эта неделя"
    async with town.db.transaction() as tx:
        await calls.empty_older(tx, town.clock.now() + timedelta(days=1))  # as `privacy.keep_words` says
    assert [(one.comment, len(one.marks)) for one in await cards(town)] == [("", 4), ("", 0)]
    assert {one.link for one in await stored(town)} == {""}
    # Telephones put the number into the name of a call.
    assert not any("pbx" in one.key for one in await stored(town))


@scored
async def test_calls_that_lie_unscored_are_named_once_from_thursday_on_in_working_hours(town: World) -> None:
    await opens(town, VERA)
    await week_of_calls(town, 3)
    town.clock.set(MONDAY)
    assert await draw(town) == 2

    async def reminded(moment: datetime) -> list[str]:
        town.clock.set(moment)
        await remind_of_cards(town.app.hands)
        await town.step(pulls=False)
        return [text for text in town.in_telegram("Вера") if text.startswith("Ждут оценки")]

    for mark in ("1", "1", "1", "1"):
        await town.taps(mark, "Вера", message_id=shown(town)[0].message_id)
    thursday = MONDAY + timedelta(days=3)
    assert await reminded(MONDAY + timedelta(days=2)) == []
    assert await reminded(thursday - timedelta(hours=2)) == [], "nobody is at work yet"
    told = ["Ждут оценки звонки прошлой недели: 1. Карточки выше в этом чате."]
    assert await reminded(thursday) == told
    assert await reminded(thursday + timedelta(days=1)) == told, "once"


@scored
async def test_who_has_scored_all_calls_is_not_reminded(town: World) -> None:
    await opens(town, VERA)
    await week_of_calls(town, 1)
    town.clock.set(MONDAY)
    assert await draw(town) == 1
    await town.taps("Запись не открылась", "Вера", message_id=shown(town)[0].message_id)
    town.clock.set(MONDAY + timedelta(days=3))
    assert await remind_of_cards(town.app.hands) == 0


@scored
async def test_a_recording_that_does_not_open_brings_another_call(town: World) -> None:
    await opens(town, VERA)
    await week_of_calls(town, 3)
    town.clock.set(MONDAY)
    assert await draw(town) == 2
    first = shown(town)[0]
    await town.taps("Запись не открылась", "Вера", message_id=first.message_id)
    assert len(shown(town)) == 3
    assert "Запись не открылась, звонок без оценки." in shown(town)[0].text
    assert shown(town)[0].labels == []
    assert len({message.text.split("/rec/")[1][:1] for message in shown(town)}) == 3
    await town.taps("Запись не открылась", "Вера", message_id=shown(town)[2].message_id)
    assert len(shown(town)) == 3  # there is no fourth
    assert [card.is_deaf for card in await cards(town)] == [True, False, True]


@scored
async def test_only_what_can_be_heard_and_belongs_to_somebody_is_drawn_and_each_call_once(
    town: World,
) -> None:
    await opens(town, VERA)
    deal = town.deal()
    await town.step()
    call(town, 1, entity=deal)
    call(town, 1, entity=town.ivan(), kind=CONTACTS)  # the telephone wrote the same call twice
    call(town, 2, entity=town.ivan(), kind=CONTACTS, note_type="call_out")
    call(town, 3, entity=deal, params={"link": None})
    call(town, 4, entity=deal, params={"link": "javascript:alert(1)"})
    call(town, 5, entity=deal, params={"duration": 4})
    call(town, 6, by="Мария Ким", entity=deal)  # responsible for no deal, but of our staff
    town.amocrm.add_note(LEADS, deal, "call_in", None, by=user(town, "Олег Смирнов"))
    town.amocrm.add_note(LEADS, deal, "common", {"text": "перезвонить"}, by=user(town, "Олег Смирнов"))
    town.clock.set(MONDAY - timedelta(hours=1))
    call(town, 7, entity=deal)  # of this week
    town.clock.set(MONDAY)
    assert await draw(town) == 3
    assert sorted(one.link[-5] for one in await stored(town)) == ["1", "2", "6"]
    assert {one.is_incoming for one in await stored(town)} == {True, False}
    town.clock.set(MONDAY + timedelta(days=7))
    assert await draw(town) == 1  # that of the Monday


@scored
async def test_what_broke_off_draws_the_same_calls_when_it_goes_on(town: World) -> None:
    await opens(town, VERA)
    await week_of_calls(town, 30)
    town.clock.set(MONDAY)
    reads = 0

    async def breaks() -> None:
        nonlocal reads
        reads += 1
        if reads == 2:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await draw_calls(town.app.hands, breaks)
    assert await stored(town) == []
    await town.restart()
    assert await draw(town) == 2
    first = {one.key for one in await stored(town)}
    async with town.db.transaction() as tx:
        await tx.exec(Call.__table__.delete())  # type: ignore[attr-defined]
        await tx.exec(Scorecard.__table__.delete())  # type: ignore[attr-defined]
        last = await calls.last_draw(tx)
        assert last is not None
        await calls.keep_draw(tx, calls.Draw(last.week, last.seed, is_done=False))
    assert await draw(town) == 2
    assert {one.key for one in await stored(town)} == first


@by_two
async def test_every_fifth_call_is_scored_by_two_and_their_agreement_is_told(town: World) -> None:
    await opens(town, VERA, INNA)
    await week_of_calls(town, 5)
    town.clock.set(MONDAY)
    assert await draw(town) == 5
    everything = await cards(town)
    assert len(everything) == 6
    assert shown(town)[0].text.endswith("\n\n1 из 2. Вежливо? За 0 весь звонок получит 0.")
    numbers = [one.call_id for one in everything]
    both = max(numbers, key=numbers.count)
    for criterion in CRITERIA:
        for one in everything:
            is_strict = criterion == CRITERIA[1] and one.call_id == both and one.reviewer_name == "Инна"
            mark = "0" if is_strict else "1"
            town.telegram.tap(one.reviewer_name, mark, message_id=int(one.message_id))
        await town.step(pulls=False)
    written = (await town.report())["iqs"]
    assert (written["reviews"], written["calls"], written["score"]) == (6, 5, 88.89)
    assert written["agreement"]["calls"] == 1
    assert (written["agreement"]["equal"], written["agreement"]["criteria"]) == (1, 2)
    said = (await answer(town, "/iqs")).text
    assert "IQS 89 из 100 (от 60 до 100), проверок 6." in said
    assert f"Слабее всего: Назначен следующий шаг, 83{NB}%." in said
    assert "Двое проверили 1 звонок." in said  # two marks are too few for a share


@configured(
    {
        "staff": [HEAD, OLEG, {**VERA, "pipelines": ["Продажи"]}],
        "iqs": {"calls_per_week": 2},
        "alerts": {"quiet_hours": "21:00-08:00"},
    }
)
async def test_at_night_a_card_waits_but_for_whoever_asked_and_none_is_of_anothers_pipeline(
    town: World,
) -> None:
    await opens(town, VERA)
    await week_of_calls(town, 4)
    town.clock.set(MONDAY)
    assert await draw_calls(town.app.hands, no_rest) == 2
    town.clock.set(MONDAY.replace(hour=23))  # what could not be sent by day
    await town.step(pulls=False)
    assert shown(town) == []
    town.clock.set(MONDAY.replace(day=15))
    await town.step(pulls=False)
    assert len(shown(town)) == 2
    async with town.db.transaction() as tx:
        spare = (
            await tx.exec(select(Call).where(col(Call.is_drawn).is_(False)).order_by(col(Call.place)))
        ).all()
        spare[0].pipeline_id = 999
    town.clock.set(MONDAY.replace(day=15, hour=23))
    await town.taps("Запись не открылась", "Вера", message_id=shown(town)[0].message_id)
    assert len(shown(town)) == 3
    assert {call.place for call in await stored(town) if call.is_drawn} == {0, 1, 3}


@pytest.mark.parametrize("there", [VERA, INNA], ids=["vera", "inna"])
@by_two
async def test_what_a_controller_cannot_be_shown_goes_to_another(town: World, there: dict[str, Any]) -> None:
    await opens(town, there)  # the other has never opened the bot
    await week_of_calls(town, 5)
    town.clock.set(MONDAY)
    assert await draw(town) == 5
    assert len(shown(town, there["name"])) == 5
    everything = await cards(town)
    assert len(everything) == 6  # the second of a call that both should have scored stays unseen
    assert [one.reviewer_name for one in everything if one.message_id] == [there["name"]] * 5


@configured({"staff": [HEAD, BOSS], "iqs": {"calls_per_week": 1}})
async def test_without_controllers_the_head_scores_but_never_own_calls(town: World) -> None:
    deal = await week_of_calls(town, 1)
    call(town, 2, by="Мария Ким", entity=deal)  # she is Anna
    town.clock.set(MONDAY)
    assert await draw(town) == 2
    assert [card.text.partition(",")[0] for card in shown(town, "Анна")] == ["Олег Смирнов"]


@configured({"staff": [HEAD, VERA]})
async def test_switched_off_nothing_is_read(town: World) -> None:
    await opens(town, VERA)
    await week_of_calls(town)
    town.clock.set(MONDAY)

    async def never() -> None:
        raise AssertionError("read")

    assert await draw_calls(town.app.hands, never) == 0
    assert "Проверенных звонков за этот период нет." in (await answer(town, "/iqs")).text


@scored
async def test_a_stranger_taps_in_vain_and_a_forgotten_client_leaves_marks_only(town: World) -> None:
    await opens(town, VERA)
    deal = await week_of_calls(town, 2)
    town.amocrm.close_lead(deal)
    other = town.contact("Пётр", None)  # whom Ivan's telephone called
    named = {"link": f"https://pbx.example/{IVAN[1:]}.mp3", "uniq": f"{IVAN[2:]}-7"}
    call(town, 7, entity=other, kind=CONTACTS, params=named)
    town.clock.set(MONDAY)
    await draw(town)
    card = (await cards(town))[0]
    town.telegram.says("Вера", "грубит", reply_to=shown(town)[0].message_id)
    await town.step()
    await town.restart(staff=[HEAD, OLEG])  # Vera has left
    await town.taps("1", "Вера", message_id=shown(town)[0].message_id)
    assert (await cards(town))[0].marks == {}
    async with town.db.transaction() as tx:
        await erase_person(tx, IVAN, town.clock.now())
    assert {one.link for one in await stored(town)} == {""}
    assert len(await stored(town)) == 3
    assert not any(IVAN[2:] in one.key for one in await stored(town))
    assert {one.comment for one in await cards(town)} == {""}
    assert card.call_id == (await cards(town))[0].call_id


@scored
async def test_no_call_of_who_was_forgotten_before_the_draw_is_scored(town: World) -> None:
    await opens(town, VERA)
    deal = await week_of_calls(town, 2)
    call(town, 7, kind=CONTACTS, entity=town.ivan())
    town.amocrm.close_lead(deal)  # so that we know whose it is
    other = town.deal([town.contact("Пётр", PETR)])
    await town.step()
    call(town, 8, entity=other)
    call(town, 9, entity=other, params={"link": f"https://pbx.example/{IVAN[1:]}.mp3"})  # Ivan's telephone
    async with town.db.transaction() as tx:
        await erase_person(tx, IVAN, town.clock.now())
    town.clock.set(MONDAY)
    assert await draw(town) == 1
    assert {one.deal_id for one in await stored(town)} == {other}
