"""Where staff are met: in MAX as in Telegram, in groups, and after a one-time link; others get nothing."""

from datetime import UTC, datetime
from typing import Any

import httpx
from sqlmodel import select

from integrations.standins.max_model import Posted as MaxPosted
from storage.tables.people import InvitedStaff
from tests.world import ALERT_BUTTONS, ANNA, MAX_BOT, PETR, World, configured, merged
from worker.account.people import Place, Staff
from worker.actions.staffing import told_apart
from worker.actions.trouble import administrators
from worker.cli.inviting import Wanted, make_invitation
from worker.cli.staff import remove_invited

ANNA_MAX, BOSS_MAX = 555_000_111, 555_000_222
HEAD = {"telegram_id": ANNA, "name": "Анна", "role": "head", "amocrm_user": "Мария Ким"}
IN_BOTH = {**HEAD, "max_id": ANNA_MAX}
IN_MAX = {"max_id": ANNA_MAX, "name": "Анна", "role": "head", "amocrm_user": "Мария Ким"}
BOSS = {"max_id": BOSS_MAX, "name": "Босс", "role": "owner"}
GROUP = -4_000_100
SEND = r"(?i)/sendMessage$"


async def low_score(town: World, words: str = "3, монтаж три недели", **deal: Any) -> int:
    number = await town.asked(**deal)
    await town.ivan_writes(words)
    return number


def opens_max(town: World, name: str, user_id: int) -> None:
    town.max.start(town.max.person(name, user_id=user_id))


def in_max(town: World, who: str = "Анна") -> list[MaxPosted]:
    return town.max.messages(who)


def alerts(town: World, who: str) -> list[str]:
    return [post.text for post in town.telegram.messages(who) if "Низкая оценка" in post.text]


async def invitation(town: World, **more: Any) -> str:
    """The token of a link that `sarafan staff invite` prints."""
    transports = {
        "telegram": httpx.ASGITransport(app=town.telegram.app),
        "max": httpx.ASGITransport(app=town.max.app),
    }
    made = await make_invitation(
        town.app.settings, town.db, Wanted(**{"role": "head", **more}), transports=transports
    )
    async with town.db.transaction() as tx:  # Made by the clock of the machine, opened by that of the town.
        for row in (await tx.exec(select(InvitedStaff))).all():
            row.expires_at = datetime(2027, 1, 1, tzinfo=UTC)
    return made.links["telegram"].partition("start=")[2]


# --- MAX ---------------------------------------------------------------------------------------------------


@configured(merged(MAX_BOT, {"staff": [IN_MAX, BOSS]}))
async def test_a_head_in_max_has_the_same_alerts_buttons_and_commands(town: World) -> None:
    opens_max(town, "Анна", ANNA_MAX)
    opens_max(town, "Босс", BOSS_MAX)
    await town.step(pulls=False)
    assert in_max(town)[0].text.startswith("Анна, вы подключены: руководитель.")
    await low_score(town)
    alert = in_max(town)[-1]
    assert "Низкая оценка: 3 из 10, NPS\nИван Петров, +79140000001" in alert.text
    assert {"Беру", "Решено", "Открыть сделку"} <= set(alert.labels)
    tap = town.max.tap("Анна", "Беру")
    await town.step(pulls=False)
    assert town.max.taps[tap].answers
    assert "Взято: Анна, 12:01" in alert.text
    assert "Беру" not in alert.labels
    town.max.says("Анна", "/complaints")
    await town.step(pulls=False)
    assert "Поступило 1, закрыто 0" in in_max(town)[-1].text
    town.max.says("Анна", "/pause")
    await town.step(pulls=False)
    assert [in_max(town, who)[-1].text for who in ("Анна", "Босс")] == [
        "Отправка вопросов остановлена: Анна. Ответы принимаем. Продолжить: /resume"
    ] * 2
    assert alerts(town, "Анна") == []
    # Whoever is not of the staff there learns nothing.
    town.max.start("Чужой")
    town.max.says("Чужой", "/complaints")
    await town.step(pulls=False)
    assert not [post.text for post in town.max.messages("Чужой") if "Поступило" in post.text]
    # Nor does a colleague who was invited there and has left.
    town.max.start("Лев", await invitation(town, role="controller"))
    town.max.says("Лев", "/complaints")
    await town.step(pulls=False)
    assert in_max(town, "Лев")[0].text.startswith("Лев, вы подключены: контролёр качества.\n\n/report")
    assert "Поступило 1" in in_max(town, "Лев")[1].text
    await remove_invited(town.app.settings, town.db, "Лев")
    town.max.says("Лев", "/complaints")
    await town.step(pulls=False)
    assert not [post.text for post in in_max(town, "Лев")[2:] if "Поступило" in post.text]


@configured(merged(MAX_BOT, {"staff": [IN_BOTH]}))
async def test_who_is_met_in_both_gets_the_alert_once_in_the_first_that_works(town: World) -> None:
    opens_max(town, "Анна", ANNA_MAX)
    await town.step()
    await low_score(town)
    assert len(alerts(town, "Анна")) == 1
    assert not [post for post in in_max(town) if "Низкая оценка" in post.text]
    town.telegram.faults.add(SEND, times=0, status=502)
    await town.ivan_writes("ещё и грязь оставили")
    await town.later(hours=2)  # Nobody took it: Telegram is down, so the word comes in MAX, once.
    untaken = [post for post in in_max(town) if "никто не взял" in post.text]
    assert len(untaken) == 1
    assert "Беру" in untaken[0].labels
    town.telegram.faults.clear()
    town.max.tap("Анна", "Беру")
    await town.step(pulls=False)
    assert "Взято: Анна" in untaken[0].text
    assert "Взято: Анна" in alerts(town, "Анна")[0]


# --- groups ------------------------------------------------------------------------------------------------


@configured({"alerts": {"groups": [GROUP]}})
async def test_a_group_gets_the_alert_masked_and_only_staff_press_there(town: World) -> None:
    group = town.telegram.group("Продажи", chat_id=GROUP)
    await low_score(town, "3, звоните 89145551234. Петров", name="Ворота, Петров")
    (private,), (shared,) = alerts(town, "Анна"), town.telegram.messages("Продажи")
    assert "Иван Петров, +79140000001" in private
    assert shared.text == (
        "Низкая оценка: 3 из 10, NPS\nИван, +7***0001\n«звоните +7***1234. П.»\n\n"
        "Менеджер: Олег Смирнов\nСделка: Ворота, П., закрыта вчера\n"
        "Рекламация № 1, Мария Ким, до 9 сентября, 12:01"
    )
    stranger = await town.taps("Беру", "Чужой", chat="Продажи")
    assert (town.telegram.taps[stranger].is_answered, town.telegram.taps[stranger].answer) == (True, "")
    assert "Беру" in shared.labels
    await town.taps("Беру", "Анна", chat="Продажи")
    assert "Взято: Анна" in shared.text
    assert "Взято: Анна" in alerts(town, "Анна")[0]
    await town.ivan_writes("мой номер +7 914 555-12-34")
    assert town.telegram.messages("Продажи")[-1].text == "Клиент добавил: «мой номер +7***1234»"
    # It becomes a supergroup: what follows goes there, whether sending finds that out or Telegram tells.
    moved = town.telegram.upgrade(group)
    await town.asked([town.contact("Пётр Сидоров", PETR)])
    await town.later(hours=1)
    town.whatsapp.says(PETR, "2, криво")
    await town.step(pulls=False)
    assert [post.text.splitlines()[1] for post in town.telegram.messages(moved)] == ["Пётр, +7***0002"]
    await town.restart()
    assert town.app.hands.groups == (Place("telegram", str(moved.chat_id)),)
    town.telegram.says("Анна", "/report", chat=moved)
    await town.step(pulls=False)
    assert town.telegram.last(moved).text.startswith("ВладАвтоматика:")
    moved = town.telegram.upgrade(moved, by="Анна")
    await town.step(pulls=False)
    await town.later(minutes=1)
    assert town.app.hands.groups == (Place("telegram", str(moved.chat_id)),)


@configured({"alerts": {"groups": [GROUP]}, "survey": [{"key": "nps", "metric": "nps", "on_low": "tell"}]})
async def test_a_group_that_has_to_wait_makes_nobody_else_hear_it_twice(town: World) -> None:
    group = town.telegram.group("Продажи", chat_id=GROUP)
    await town.asked()
    town.telegram.faults.add(SEND, nth=2, status=502)  # Anna has it then.
    await town.ivan_writes("3, монтаж три недели")
    assert (len(alerts(town, "Анна")), town.telegram.messages(group)) == (1, [])
    await town.later(minutes=15)
    assert (len(alerts(town, "Анна")), len(town.telegram.messages(group))) == (1, 1)


@configured({"alerts": {"groups": [GROUP]}})
async def test_a_word_under_the_alert_comes_once_to_each_chat_though_one_has_to_wait(town: World) -> None:
    group = town.telegram.group("Продажи", chat_id=GROUP)
    await low_score(town)
    told = len(town.to_anna())
    town.telegram.faults.add(SEND, nth=1, status=502)
    await town.ivan_writes("и грязь оставили")
    assert town.telegram.last(group).text == "Клиент добавил: «и грязь оставили»"
    await town.later(minutes=15)
    assert town.to_anna()[told:] == ["Клиент добавил: «и грязь оставили»"]
    assert len(town.telegram.messages(group)) == 2


ADMIN_ID = 666_000_111


@configured(
    {
        "alerts": {"groups": [GROUP]},
        "staff": [HEAD, {"telegram_id": ADMIN_ID, "name": "Илья", "role": "admin"}],
    }
)
async def test_who_looks_after_the_installation_hears_once_that_the_bot_was_sent_out_of_a_group(
    town: World,
) -> None:
    town.telegram.start(town.telegram.person("Илья", user_id=ADMIN_ID))
    group = town.telegram.group("Продажи", chat_id=GROUP)
    await town.asked()
    said = len(town.in_telegram("Илья"))
    town.telegram.send_out(group, by="Анна")
    await town.step(pulls=False)
    town.telegram.let_in(group, by="Анна")
    await town.later(minutes=10)
    assert len(town.in_telegram("Илья")) == said, "it was for a moment"
    town.telegram.send_out(group, by="Анна")
    await town.ivan_writes("3, монтаж три недели")
    await town.later(minutes=5)
    await town.ivan_writes("и грязь оставили")
    await town.later(minutes=10)
    (told,) = town.in_telegram("Илья")[said:]
    assert told == (
        f"Бот не может писать в группу {GROUP}: низкие оценки туда не приходят. Верните его в группу или "
        "уберите её из alerts.groups."
    )
    assert len(alerts(town, "Анна")) == 1
    town.telegram.let_in(group, by="Анна")
    await town.step(pulls=False)
    await town.later(minutes=5)
    assert town.in_telegram("Илья")[said + 1 :] == [f"Снова работает: группа {GROUP}."]


@configured({"alerts": {"groups": [GROUP], "burst": 1}})
async def test_a_burst_is_one_masked_message_in_the_group_too(town: World) -> None:
    town.telegram.group("Продажи", chat_id=GROUP)
    for name, phone in (("Пётр Сидоров", PETR), ("Анна Круглова", "+79140000003")):
        town.amocrm.close_lead(town.deal([town.contact(name, phone)]))
    await town.step()
    await town.next_morning()
    for phone in (PETR, "+79140000003"):
        town.whatsapp.says(phone, "2, криво")
    await town.step(pulls=False)
    (shared,) = town.telegram.messages("Продажи")
    assert shared.text.splitlines()[1:] == [
        "№ 1: Пётр, 2 из 10, Олег Смирнов",
        "№ 2: Анна, 2 из 10, Олег Смирнов",
    ]
    await town.taps("Беру № 2", "Анна", chat="Продажи")
    assert "№ 2: Анна, 2 из 10, Олег Смирнов · Взято: Анна" in shared.text
    assert "№ 2: Анна Круглова, 2 из 10, Олег Смирнов · Взято: Анна" in town.to_anna()[-1]
    # Whatever else can be done with one of them is done from there.
    mine = town.telegram.messages("Анна")[-1]
    assert mine.labels == ["Беру № 1", "Открыть № 1", "Ещё по № 2", "Открыть № 2"]
    await town.taps("Ещё по № 2", "Анна")
    assert mine.labels == [*(f"{label} № 2" for label in ALERT_BUTTONS[1:]), "← Назад"]
    await town.taps("← Назад", "Анна")
    assert mine.labels == ["Беру № 1", "Открыть № 1", "Ещё по № 2", "Открыть № 2"]
    await town.taps("Ещё по № 2", "Анна")
    await town.taps("Решено № 2", "Анна")
    assert mine.labels == ["Беру № 1", "Открыть № 1", "Открыть № 2"]
    assert "№ 2: Анна, 2 из 10, Олег Смирнов · Решено: Анна" in shared.text


@configured({"alerts": {"groups": [GROUP]}, "staff": [HEAD]})
async def test_an_alert_that_only_a_group_heard_is_an_alert_and_escalates_by_person(town: World) -> None:
    town.telegram.group("Продажи", chat_id=GROUP)
    town.telegram.block("Анна")
    await low_score(town)
    assert len(town.telegram.messages("Продажи")) == 1
    town.telegram.unblock("Анна")
    await town.later(hours=1, minutes=5)
    assert "никто не взял" in town.to_anna()[-1]
    assert len(town.telegram.messages("Продажи")) == 1


# --- links that invite -------------------------------------------------------------------------------------


async def test_who_opens_the_link_is_staff_at_once_and_loses_everything_at_once(town: World) -> None:
    token = await invitation(town, name="Вера", amocrm_user="Олег Смирнов")
    town.telegram.start("Вера Павловна", token)
    await town.step(pulls=False)
    assert town.telegram.last("Вера Павловна").text == (
        "Вера, вы подключены: руководитель. Сюда придут низкие оценки и отчёты. Команды: /help"
    )
    vera = town.telegram.person("Вера Павловна")
    assert "report" in {command["command"] for command in town.telegram.menus[vera.user_id]}
    # The link worked once: for anybody else it is like any other that leads nowhere.
    town.telegram.start("Чужой", token)
    await town.step(pulls=False)
    town.telegram.start("Другой", "nothing-known")
    await town.step(pulls=False)
    said = [[post.text for post in town.telegram.messages(who)] for who in ("Чужой", "Другой")]
    assert said[0] == said[1] != []
    await low_score(town)
    assert len(alerts(town, "Вера Павловна")) == 1
    await town.taps("Беру", "Вера Павловна")
    assert "Взято: Вера" in alerts(town, "Анна")[0]
    assert await remove_invited(town.app.settings, town.db, "вера") == "Вера"
    before = town.telegram.messages("Вера Павловна")
    shown = [post.text for post in before]
    tap = await town.taps("Решено", "Вера Павловна")
    town.telegram.says("Вера Павловна", "/complaints")
    await town.step(pulls=False)
    assert town.telegram.taps[tap].is_answered
    assert "Решено" not in alerts(town, "Анна")[0]
    await town.taps("Решено", "Анна")
    assert "Решено: Анна" in alerts(town, "Анна")[0]
    assert [post.text for post in before] == shown
    assert not [post for post in town.telegram.messages("Вера Павловна") if "Поступило" in post.text]
    assert vera.user_id not in town.telegram.menus


async def test_an_invited_head_hears_and_reads_of_the_managers_and_pipelines_of_the_invitation(
    town: World,
) -> None:
    pipelines, managers = ("Продажи",), ("Мария Ким",)
    for name, managed in (("Вера", managers), ("Лев", ("Олег Смирнов",))):
        token = await invitation(town, name=name, pipelines=pipelines, managers=managed)
        town.telegram.start(name, token)
    await town.step(pulls=False)
    await low_score(town)
    assert [len(alerts(town, who)) for who in ("Вера", "Лев")] == [0, 1]
    for who in ("Вера", "Лев"):
        town.telegram.says(who, "/nps")
    await town.step(pulls=False)
    assert "NPS: ответов нет" in town.telegram.last("Вера").text
    assert "NPS: мало ответов (1)" in town.telegram.last("Лев").text


def test_trouble_is_told_to_the_first_role_that_somebody_has_however_they_came() -> None:
    head, boss = Staff(name="Анна", role="head", telegram_id=1), Staff(name="Босс", role="owner")
    invited = Staff(name="Илья", role="admin", max_id=5)
    assert administrators([head, boss]) == [head]  # Босс is met nowhere.
    assert administrators([head, invited]) == [invited]
    assert administrators([]) == []


def test_who_came_by_a_link_is_told_apart_from_whoever_was_named_alike_since() -> None:
    listed = [Staff(name="Анна", role="head", telegram_id=1)]
    same, other = Staff(name="анна", role="head", telegram_id=1), Staff(name="Анна", role="head", max_id=5)
    vera = Staff(name="Вера", role="head", max_id=6)
    assert [one.name for one in told_apart([same, other, vera], listed)] == ["анна", "Анна 2", "Вера"]


async def test_an_invited_colleague_who_is_a_client_too_is_not_asked(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    town.telegram.start("Иван", await invitation(town))
    await town.step(pulls=False)
    assert "Иван, вы подключены" in town.telegram.last("Иван").text
    await town.next_morning()
    assert town.card(deal) == "Не спросили: это сотрудник"
