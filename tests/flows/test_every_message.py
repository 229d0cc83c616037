"""A complaint is told of more than once. Does every message show what became of it?"""

from datetime import timedelta

import pytest
from sqlmodel import col, select

from integrations.standins.telegram_model import Posted
from storage import erase
from storage.tables.complaints import Complaint, Repeat
from storage.tables.queues import Outbox, OutboxState
from tests.world import ALERT_BUTTONS, ANNA, IVAN, MAX_BOT, World, configured, merged
from worker.account.people import Place
from worker.actions.keeping import keep_repeats

BOSS_ID, VERA_ID, ANNA_IN_MAX = 333333333, 444444444, 555
GROUP = -4_000_100
HEAD = {"telegram_id": ANNA, "name": "Анна", "role": "head", "amocrm_user": "Мария Ким"}
VERA = {"telegram_id": VERA_ID, "name": "Вера", "role": "head", "managers": ["Мария Ким"]}
BOSS = {"telegram_id": BOSS_ID, "name": "Босс", "role": "owner"}
EVERYBODY = {"staff": [HEAD, VERA, BOSS]}
CLOSED = {"key": "csat_closed", "metric": "csat", "trigger": "complaint_closed", "delay": "0s"}
EDIT = r"(?i)/editMessage"
UNTAKEN = "Рекламацию № 1 никто не взял: Иван Петров, 3 из 10, ждёт 1 час."
ONLY_OPEN = ["Открыть сделку"]


def joins(town: World, **people: int) -> None:
    for name, user_id in people.items():
        town.telegram.start(town.telegram.person(name, user_id=user_id))


def with_buttons(town: World, who: str) -> list[Posted]:
    """What a person can press or follow, in the order in which it came."""
    return [post for post in town.telegram.messages(who) if "№ 1" in post.text and post.labels]


def number(place: int) -> str:
    return f"+791400002{place:02}"


async def waits_an_hour(town: World) -> None:
    """Ivan was unhappy at 12:01, and nobody has taken it by 13:01."""
    joins(town, Вера=VERA_ID, Босс=BOSS_ID)
    await town.asked()
    await town.ivan_writes("3, монтаж три недели")
    await town.later(hours=1)


async def wait_together(town: World) -> None:
    """Six clients were unhappy at 12:01, and nobody has taken one of their complaints by 13:01."""
    for place in range(6):
        town.amocrm.close_lead(town.deal([town.contact(f"Клиент {place}", number(place))]))
    await town.step()
    await town.next_morning()
    town.clock.advance(timedelta(minutes=1))
    for place in range(6):
        town.whatsapp.says(number(place), "2, мастер не приехал")
    await town.step(pulls=False)
    await town.later(hours=1)


async def complaint(town: World) -> Complaint:
    async with town.db.reading() as tx:
        return (await tx.exec(select(Complaint))).one()


# --- said again, because nobody had taken it --------------------------------------------------------------


@configured(EVERYBODY)
async def test_who_was_told_again_sees_who_has_taken_it(town: World) -> None:
    await waits_an_hour(town)
    await town.taps("Беру", "Вера")
    alert, again = with_buttons(town, "Анна")
    assert again.text == f"{UNTAKEN}\nВзято: Вера, 13:02"
    assert alert.text.endswith("\nВзято: Вера, 13:02")
    assert alert.labels == again.labels == ALERT_BUTTONS[1:], "nobody else can take it"


@configured(EVERYBODY)
async def test_a_press_under_what_was_said_again_shows_in_all_messages(town: World) -> None:
    await waits_an_hour(town)
    await town.taps("Решено", "Анна")  # under her newest message
    said = [*with_buttons(town, "Анна"), *with_buttons(town, "Вера")]
    assert [post.text.split("\n")[-1] for post in said] == ["Решено: Анна, 13:02"] * 3
    assert [post.labels for post in said] == [ONLY_OPEN] * 3


@configured(EVERYBODY)
async def test_closed_in_amocrm_it_can_only_be_opened_there(town: World) -> None:
    await waits_an_hour(town)
    await town.later(hours=1)  # the owner hears of it too
    town.amocrm.close_lead(town.complaints()[0].id)
    await town.later(minutes=5)
    for who in ("Анна", "Вера", "Босс"):
        for post in with_buttons(town, who):
            assert post.labels == ONLY_OPEN
            assert post.text.split("\n")[-1].startswith("Решено в amoCRM")


@configured(EVERYBODY)
async def test_nobody_is_shown_less_while_it_still_waits(town: World) -> None:
    await waits_an_hour(town)
    await town.ivan_writes("и створки перекошены")
    _, again = with_buttons(town, "Анна")
    assert (again.text, again.labels) == (UNTAKEN, ALERT_BUTTONS)


@configured(EVERYBODY)
async def test_a_deadline_that_passed_is_followed_too(town: World) -> None:
    await waits_an_hour(town)
    await town.taps("Беру", "Анна")
    await town.later(hours=23)
    (overdue,) = [post for post in town.telegram.messages("Босс") if "Прошёл срок" in post.text]
    assert overdue.labels == ALERT_BUTTONS[1:]
    (again,) = [post for post in town.telegram.messages("Анна") if "Прошёл срок" in post.text]
    first = again.text
    await town.taps("Поговорили", "Анна")
    assert again.text == f"{first}\nПоговорили: Анна, 9 сентября в 12:03"
    assert again.labels == ["Решено", "Позвонить позже", "Передать", "Открыть сделку"]


@pytest.mark.long
@configured(merged(MAX_BOT, {"staff": [{**HEAD, "telegram_id": 0, "max_id": ANNA_IN_MAX}, VERA, BOSS]}))
async def test_in_max_as_in_telegram(town: World) -> None:
    town.max.start(town.max.person("Анна в MAX", user_id=ANNA_IN_MAX))
    await waits_an_hour(town)
    await town.taps("Беру", "Вера")
    again = town.max.messages("Анна в MAX")[-1]
    assert again.text == f"{UNTAKEN}\nВзято: Вера, 13:02"
    assert again.labels == ALERT_BUTTONS[1:]


async def test_many_that_were_said_again_together_show_it_in_their_lines(town: World) -> None:
    await wait_together(town)
    (alert,) = [post for post in town.telegram.messages("Анна") if "за короткое время" in post.text]
    (again,) = [post for post in town.telegram.messages("Анна") if "никто не взял" in post.text]
    await town.taps("Беру № 3", "Анна", message_id=alert.message_id)
    third = "Рекламацию № 3 никто не взял: Клиент 2, 2 из 10, ждёт 1 час."
    assert f"\n{third} Взято: Анна, 13:02\n" in again.text
    assert len(again.text.split("\n")) == 6
    for post in (alert, again):
        assert "Беру № 3" not in post.labels
        assert {"Беру № 2", "Ещё по № 3"} <= set(post.labels)


async def test_one_of_many_that_were_said_again_is_worked_on_there_and_the_others_return(town: World) -> None:
    await wait_together(town)
    (again,) = [post for post in town.telegram.messages("Анна") if "никто не взял" in post.text]
    await town.taps("Беру № 3", "Анна")
    labels = again.labels
    await town.taps("Ещё по № 3", "Анна")
    assert again.labels[-2:] == ["Открыть сделку № 3", "← Назад"]
    await town.taps("← Назад", "Анна")
    assert again.labels == labels
    await town.taps("Ещё по № 3", "Анна")
    await town.taps("Решено № 3", "Анна")
    assert "Ещё по № 3" not in again.labels
    assert "Беру № 4" in again.labels


# --- other messages that carry its buttons ----------------------------------------------------------------


async def test_an_alert_that_was_sent_anew_follows_where_it_stood_too(town: World) -> None:
    await town.asked()
    await town.ivan_writes("3, монтаж три недели")
    await town.taps("Позвонить позже", "Анна")
    await town.later(hours=1)
    first, second = with_buttons(town, "Анна")
    assert first.labels == second.labels == ALERT_BUTTONS
    await town.taps("Беру", "Анна", message_id=first.message_id)
    assert first.text == second.text
    assert first.text.endswith("\nПерезвонить: Анна, 12:02\nВзято: Анна, 13:03")
    assert first.labels == second.labels == ALERT_BUTTONS[1:]


@configured({"alerts": {"burst": 1}})
async def test_many_alerts_in_one_message_stay_so_though_each_was_sent_anew(town: World) -> None:
    for place in range(2):
        town.amocrm.close_lead(town.deal([town.contact(f"Клиент {place}", number(place))]))
    await town.step()
    await town.next_morning()
    town.clock.advance(timedelta(minutes=1))
    for place in range(2):
        town.whatsapp.says(number(place), "2, мастер не приехал")
    await town.step(pulls=False)
    (joined,) = [post for post in town.telegram.messages("Анна") if "за короткое время" in post.text]
    for place in (1, 2):
        for button in (f"Беру № {place}", f"Ещё по № {place}", f"Позвонить позже № {place}"):
            await town.taps(button, "Анна", message_id=joined.message_id)
    head = joined.text.split("\n")[0]
    await town.later(hours=1)
    assert len([post for post in town.telegram.messages("Анна") if "Низкая оценка" in post.text]) == 2
    await town.taps("Решено", "Анна")
    assert joined.text.split("\n")[0] == head
    assert "Решено: Анна" in joined.text


@configured({"staff": [HEAD, {**VERA, "managers": []}, BOSS]})
async def test_the_word_that_it_was_passed_on_follows(town: World) -> None:
    joins(town, Вера=VERA_ID)
    await town.asked()
    await town.ivan_writes("3, монтаж три недели")
    await town.taps("Передать", "Анна")
    await town.taps("Вера", "Анна")
    word = town.telegram.messages("Вера")[-1]
    first = word.text
    assert first.startswith("Рекламация № 1 теперь ваша")
    await town.taps("Решено", "Анна")
    assert (word.text, word.labels) == (f"{first}\nРешено: Анна, 12:04", ONLY_OPEN)


@configured({"survey": [{"key": "nps", "metric": "nps", "delay": "1bd"}, CLOSED]})
async def test_what_was_opened_again_can_be_taken_under_what_the_client_said_of_its_end(town: World) -> None:
    await town.asked()
    await town.ivan_writes("3, монтаж три недели")
    await town.taps("Решено", "Анна")
    await town.later(minutes=10)
    await town.ivan_writes("1, так и не приехали")
    (unhappy,) = [post for post in town.telegram.messages("Анна") if "недоволен решением" in post.text]
    assert unhappy.labels == ONLY_OPEN
    first = unhappy.text
    town.amocrm.move_lead(town.complaints()[0].id, "В работе")
    await town.later(minutes=5)
    assert unhappy.text.startswith(f"{first}\nОткрыто снова в amoCRM")
    assert unhappy.labels[:2] == ["Беру", "Поговорили"]


# --- trouble ----------------------------------------------------------------------------------------------


@configured(EVERYBODY)
async def test_while_telegram_changes_nothing_it_waits_and_is_changed_once_it_does(town: World) -> None:
    await waits_an_hour(town)
    town.telegram.faults.add(EDIT, times=0, status=502)
    await town.taps("Беру", "Вера")
    _, again = with_buttons(town, "Анна")
    assert again.text == UNTAKEN
    await town.restart()
    town.telegram.faults.clear()
    await town.later(minutes=30)
    assert again.text == f"{UNTAKEN}\nВзято: Вера, 13:02"


@configured(EVERYBODY)
@pytest.mark.parametrize("why", ["message to edit not found", "message can't be edited"])
async def test_what_can_be_changed_no_more_is_no_failure(town: World, why: str) -> None:
    await waits_an_hour(town)
    refusal = {"ok": False, "error_code": 400, "description": f"Bad Request: {why}"}
    town.telegram.faults.add(EDIT, times=0, status=400, json=refusal)
    await town.taps("Беру", "Вера")
    async with town.db.reading() as tx:
        states = set((await tx.exec(select(Outbox.state).where(col(Outbox.kind) == "edit_alert"))).all())
    assert states == {OutboxState.DONE}


async def test_what_was_pressed_while_a_message_was_on_its_way_stands_in_it(town: World) -> None:
    await town.asked()
    await town.ivan_writes("3, монтаж три недели")
    as_it_was = await complaint(town)
    chat = town.telegram.messages("Анна")[-1].chat_id
    post = Posted(
        message_id=9_000, chat_id=chat, by_bot=True, text=UNTAKEN, at=town.clock.now(),
        markup=town.telegram.messages("Анна")[-1].markup,
    )  # fmt: skip
    alert = town.telegram.messages("Анна")[-1]
    await town.taps("Беру", "Анна", message_id=alert.message_id)
    town.telegram.posted.append(post)
    await keep_repeats(town.app.hands, [(as_it_was, UNTAKEN)], Place("telegram", str(chat)), "9000")
    await town.step(pulls=False)
    assert (post.text, post.labels) == (f"{UNTAKEN}\nВзято: Анна, 12:02", ALERT_BUTTONS[1:])


@configured(EVERYBODY)
async def test_of_a_person_who_is_forgotten_no_word_is_kept_that_staff_were_told(town: World) -> None:
    await waits_an_hour(town)
    stale = await complaint(town)
    async with town.db.transaction() as tx:
        await erase.erase_person(tx, IVAN, town.clock.now())
    await keep_repeats(town.app.hands, [(stale, UNTAKEN)], Place("telegram", str(ANNA)), "9000")
    async with town.db.reading() as tx:
        assert set((await tx.exec(select(Repeat.text))).all()) == {""}
    await town.taps("Беру", "Вера")
    for post in with_buttons(town, "Анна"):
        assert "Иван" not in post.text
        assert post.text.endswith("Взято: Вера, 13:02")


@configured({**EVERYBODY, "alerts": {"groups": [GROUP]}})
async def test_in_a_group_the_alert_that_was_sent_anew_stays_masked(town: World) -> None:
    group = town.telegram.group("Продажи", chat_id=GROUP)
    await town.asked()
    await town.ivan_writes("3, монтаж три недели")
    await town.taps("Позвонить позже", "Анна")
    await town.later(hours=1)
    await town.taps("Беру", "Анна")
    told = [post for post in town.telegram.messages(group) if "Низкая оценка" in post.text]
    assert len(told) == 2
    for post in told:
        assert IVAN not in post.text
        assert post.text.endswith("\nВзято: Анна, 13:03")
        assert post.labels == ALERT_BUTTONS[1:]


@configured({**EVERYBODY, "alerts": {"groups": [GROUP]}})
async def test_what_stayed_behind_when_the_group_moved_keeps_nothing_from_being_changed(town: World) -> None:
    group = town.telegram.group("Продажи", chat_id=GROUP)
    await town.asked()
    await town.ivan_writes("3, монтаж три недели")
    await town.taps("Позвонить позже", "Анна")
    await town.later(hours=1)
    town.telegram.upgrade(group, by="Анна")
    await town.step(pulls=False)
    await town.taps("Беру", "Анна")
    assert [post.text.split("\n")[-1] for post in with_buttons(town, "Анна")] == ["Взято: Анна, 13:03"] * 2
    async with town.db.reading() as tx:
        assert set((await tx.exec(select(Repeat.chat_id))).all()) == {str(ANNA)}
        states = set((await tx.exec(select(Outbox.state).where(col(Outbox.kind) == "edit_alert"))).all())
    assert states == {OutboxState.DONE}
