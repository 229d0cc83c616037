"""Staff type commands and tap buttons in the bot: who learns what, and who learns nothing."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from integrations.channels.base import Raw
from integrations.standins.telegram_model import Posted
from storage import finding, outbox
from storage.errors import Unavailable
from storage.inbox import unread
from storage.tables.deals import Deal, Referral
from storage.tables.people import Client
from storage.tables.queues import Outbox
from tests.world import ANNA, IVAN, MONDAY, PETR, ZONE, World, configured
from worker.flows.listen import listen
from worker.flows.receive import receive
from worker.log import Repeats

HEAD = {"telegram_id": ANNA, "name": "Анна", "role": "head", "amocrm_user": "Мария Ким"}
BOSS = {"telegram_id": 333333333, "name": "Босс", "role": "owner"}
OLEG = {"telegram_id": 222222222, "name": "Олег", "role": "manager", "amocrm_user": "Олег Смирнов"}
VERA = {"telegram_id": 444444444, "name": "Вера", "role": "controller"}
ILYA = {"telegram_id": 555555555, "name": "Илья", "role": "admin"}
EVERYBODY = [HEAD, BOSS, OLEG, VERA, ILYA]
GROUP = -4_000_100

NB = "\u00a0"
NOT_FOUND = "Не нашли. Попробуйте телефон, имя или номер сделки."
NPS = {"key": "nps", "metric": "nps", "delay": "1bd"}
CSAT = {"key": "csat_manager", "metric": "csat", "delay": "1bd", "subject": "manager"}
PERIODS = [
    "Эта неделя", "Прошлая неделя", "Этот месяц", "Прошлый месяц", "• Этот квартал", "Прошлый квартал",
]  # fmt: skip
HELP = (
    "/report — отчёт\n/nps /csat /ces — оценки\n/complaints — рекламации\n/referrals — рекомендации\n"
    "/plan — кому уйдут вопросы\n/find — что было с клиентом\n"
    "/pause и /resume — остановить и продолжить отправку\n"
    "/frt — скорость ответа\n/iqs — качество звонков\n/dashboard — всё на одной странице\n"
    "/try — как опрос увидит клиент"
)


async def opens(town: World, *staff: dict[str, Any]) -> None:
    """They open the bot."""
    for person in staff:
        town.telegram.start(town.telegram.person(person["name"], user_id=person["telegram_id"]))
    await town.step(pulls=False)


async def sends(town: World, text: str, who: str = "Анна", **more: Any) -> list[Posted]:
    """Somebody types this; gives what the bot has said to it since."""
    town.clock.advance(timedelta(minutes=1))
    place = more.get("chat") or who
    before = len(town.telegram.messages(place))
    town.telegram.says(who, text, **more)
    await town.step(pulls=False)
    return town.telegram.messages(place)[before:]


async def answer(town: World, text: str, who: str = "Анна", **more: Any) -> Posted:
    (only,) = await sends(town, text, who, **more)
    return only


async def low_score(town: World, words: str = "3, монтаж три недели", **deal: Any) -> int:
    number = await town.asked(**deal)
    await town.ivan_writes(words)
    return number


# --- figures -----------------------------------------------------------------------------------------------


async def test_nps_is_answered_with_the_quarter_and_buttons_for_other_periods(town: World) -> None:
    await low_score(town)
    said = await answer(town, "/nps")
    assert said.text == (
        "ВладАвтоматика: 1 июля – 8 сентября 2026\n"
        "Период ещё идёт, данные на 8 сентября в 12:02.\n\n"
        "NPS: мало ответов (1), оценку не считаем\nВысоких 0, средних 0, низких 1.\n"
        f"Спросили 1, ответили 1 (100{NB}%).\nДоставлено 1, прочитано 0."
    )
    assert said.labels == PERIODS


async def test_a_tap_on_a_period_changes_the_message_and_sends_no_other(town: World) -> None:
    await low_score(town)
    said = await answer(town, "/nps")
    await town.taps("Прошлый месяц", "Анна")
    assert town.telegram.last("Анна") is said
    assert said.text == "ВладАвтоматика: август 2026\n\nNPS: ответов нет\nПока никого не спросили."
    assert said.labels[3] == "• Прошлый месяц"


async def test_report_tells_all_that_the_command_line_tells(town: World) -> None:
    await low_score(town)
    said = await answer(town, "/report")
    assert said.text == (
        "ВладАвтоматика: 1 июля – 8 сентября 2026\n"
        "Период ещё идёт, данные на 8 сентября в 12:02.\n\n"
        "NPS: мало ответов (1), оценку не считаем\nВысоких 0, средних 0, низких 1.\n"
        f"Спросили 1, ответили 1 (100{NB}%).\nДоставлено 1, прочитано 0.\n\n"
        "Рекламации\nПоступило 1, закрыто 0, открыто сейчас 1.\nСамая старая открыта 1 мин.\n\n"
        f"Рекомендации\nПо рекомендации 0 из 1 выигранной сделки: 0{NB}% (от 0 до 79{NB}%).\n"
        "22 апреля – 30 июня 2026: выигранных сделок не было.\n"
        f"Кодов для друзей выдано 1, сработало 0 (0{NB}%)."
    )
    assert said.labels == PERIODS


async def test_the_figures_are_those_of_report_json(town: World) -> None:
    third, fourth, fifth = "+79140000003", "+79140000004", "+79140000005"
    scores = {IVAN: 9, PETR: 3, third: 10, fourth: 9, fifth: 7}
    for phone in scores:
        await town.closed_deal([town.contact("Иван Петров", phone)], price=100_000)
    await town.next_morning()
    for phone, score in scores.items():
        town.whatsapp.says(phone, str(score))
    await town.step()
    told = (await town.report("2026Q3"))["surveys"]["nps"]
    await town.at(datetime(2026, 10, 5, 12, tzinfo=ZONE))
    await sends(town, "/nps")
    await town.taps("Прошлый квартал", "Анна")
    text = town.telegram.last("Анна").text
    assert (told["answered"], told["score"], told["mean"]) == (5, 40.0, 7.6)
    assert text.splitlines()[2].startswith("NPS +40 (")
    assert "Средняя оценка 7,6 из 10." in text
    assert f"Спросили {told['sent']}, ответили {told['answered']}" in text


async def test_complaints_tell_who_waits(town: World) -> None:
    await low_score(town)
    await town.later(hours=3)
    said = await answer(town, "/complaints")
    assert said.text.split("\n\n", 1)[1] == (
        "Рекламации\nПоступило 1, закрыто 0, открыто сейчас 1.\nСамая старая открыта 3 часа.\n"
        "Взяли в срок 0 из 1.\n\n"
        "Ждут решения:\n№ 1: Иван Петров, 3 из 10, 3 часа, Мария Ким"
    )


async def test_referrals(town: World) -> None:
    said = await answer(town, "/referrals")
    assert said.text.split("\n\n", 1)[1] == (
        "Рекомендации\nВыигранных сделок не было.\nКодов для друзей не выдавали."
    )


@configured({"staff": EVERYBODY})
async def test_who_brought_most_is_named_to_those_who_may_read_names(town: World) -> None:
    await opens(town, VERA)
    now = town.clock.now()
    forgotten: dict[str, Any] = {"key": "erased:902", "erased_at": MONDAY}
    ivan: dict[str, Any] = {"key": "phone:+79140000077", "phone": "+79140000077", "name": "Иван Петров"}
    deals = {801: (901, 171_000), 802: (901, 9_000), 803: (902, 0)}
    async with town.db.transaction() as tx:
        tx.add_all(
            [
                Client(client_id=901, created_at=now, **ivan),
                Client(client_id=902, created_at=now, **forgotten),
            ]
        )
        for deal_id, (referrer, price) in deals.items():
            moments: dict[str, Any] = dict.fromkeys(("created_at", "updated_at", "closed_at", "seen_at"), now)
            tx.add(Deal(deal_id=deal_id, price=price, status_id=142, pipeline_id=1, **moments))
            tx.add(Referral(deal_id=deal_id, is_referral=True, referrer_id=referrer))
    named = "Привели больше всех:\n• Иван Петров: 2 сделки на 180 000 ₽\n• ***: 1 сделка"
    assert named in (await answer(town, "/referrals")).text.replace(NB, " ")
    assert "Привели" not in (await answer(town, "/referrals", "Вера")).text  # a controller sees figures
    town.telegram.group("Продажи", chat_id=GROUP)
    town.app.hands.alerts = replace(town.app.hands.alerts, groups=(GROUP,))
    in_group = (await answer(town, "/referrals@sarafan_demo_bot", chat="Продажи")).text
    assert "• Иван +7***0077: 2 сделки" in in_group.replace(NB, " ")


async def test_a_survey_that_is_not_in_the_settings(town: World) -> None:
    assert (await answer(town, "/ces")).text.endswith("\n\nТакого опроса в настройках нет.")


async def test_a_long_list_is_read_page_by_page(town: World) -> None:
    for number in range(1, 101):
        town.amocrm.add_lead(f"Жалоба {number} на очень долгий монтаж ворот", pipeline="Рекламации")
    await town.later(minutes=5)
    said = await answer(town, "/complaints")
    assert said.labels == ["Дальше →", *PERIODS]
    assert said.text.endswith("Страница 1 из 3")
    assert len(said.text) <= 4096
    assert "№ 1: " in said.text
    await town.taps("Дальше →", "Анна")
    assert town.telegram.last("Анна") is said
    assert said.labels[:2] == ["← Назад", "Дальше →"]
    assert "№ 1: " not in said.text
    await town.taps("← Назад", "Анна")
    assert "№ 1: " in said.text
    assert said.text.endswith("Страница 1 из 3")


# --- who may what ------------------------------------------------------------------------------------------


@configured({"staff": EVERYBODY})
async def test_whoever_opens_the_bot_is_greeted_and_told_the_commands_of_the_role(town: World) -> None:
    await opens(town, BOSS, OLEG, VERA, ILYA)
    assert town.to_anna() == [
        f"Анна, вы подключены: руководитель. Сюда придут низкие оценки.\n\n{HELP}",
    ]
    assert town.in_telegram("Олег") == [
        "Олег, вы подключены: менеджер.\n\n"
        "/report — ваши оценки\n/nps /csat /ces — оценки со словами клиентов\n/frt — скорость вашего ответа"
        "\n/iqs — оценки ваших звонков\n/dashboard — всё на одной странице"
    ]
    assert town.in_telegram("Вера") == [
        "Вера, вы подключены: контролёр качества.\n\n/report — отчёт\n/nps /csat /ces — оценки\n"
        "/complaints — рекламации\n/referrals — рекомендации\n/frt — скорость ответа"
        "\n/iqs — качество звонков\n/dashboard — всё на одной странице"
    ]
    assert town.in_telegram("Илья") == [
        "Илья, вы подключены: администратор.\n\n/report — отчёт\n/nps /csat /ces — оценки\n"
        "/complaints — рекламации\n/referrals — рекомендации\n/frt — скорость ответа\n"
        "/iqs — качество звонков\n/dashboard — всё на одной странице\n/plan — кому уйдут вопросы\n"
        "/pause и /resume — остановить и продолжить отправку\n/try — как опрос увидит клиент"
    ]


@configured({"staff": EVERYBODY})
async def test_the_menu_shows_to_each_what_the_role_may_use(town: World) -> None:
    await opens(town, BOSS, OLEG, VERA, ILYA)
    menus = {chat: [row["command"] for row in menu] for chat, menu in town.telegram.menus.items()}
    numbers = ["report", "nps", "csat", "ces", "complaints", "referrals", "frt", "iqs", "dashboard"]
    leaders = [*numbers, "find", "plan", "try", "pause", "resume", "help"]
    assert menus == {
        ANNA: leaders,
        BOSS["telegram_id"]: [*leaders[:-1], "forget", "help"],
        OLEG["telegram_id"]: ["report", "nps", "csat", "ces", "frt", "iqs", "dashboard", "help"],
        VERA["telegram_id"]: [*numbers, "help"],
        ILYA["telegram_id"]: [*numbers, "plan", "try", "pause", "resume", "help"],
    }
    assert {"command": "find", "description": "Что было с клиентом"} in town.telegram.menus[ANNA]


async def test_a_menu_is_set_once_and_again_only_when_the_role_changes(town: World) -> None:
    def settings() -> int:
        return sum("setmycommands" in request.path.lower() for request in town.telegram.requests)

    before = settings()
    await town.restart()
    assert settings() == before
    await town.restart(staff=[{**HEAD, "role": "controller"}])
    assert settings() == before + 1
    assert "find" not in [row["command"] for row in town.telegram.menus[ANNA]]


@configured({"staff": EVERYBODY})
async def test_help_and_a_command_that_is_not_theirs(town: World) -> None:
    await opens(town, VERA)
    assert (await answer(town, "/help")).text == HELP
    refused = await answer(town, "/find Иван", "Вера")
    assert refused.text == (
        "Такой команды у вас нет. Есть эти:\n/report — отчёт\n/nps /csat /ces — оценки\n"
        "/complaints — рекламации\n/referrals — рекомендации\n/frt — скорость ответа"
        "\n/iqs — качество звонков\n/dashboard — всё на одной странице"
    )
    assert (await answer(town, "/dance")).text == f"Такой команды у вас нет. Есть эти:\n{HELP}"


@configured({"staff": EVERYBODY})
async def test_a_controller_reads_figures_and_no_names_of_clients(town: World) -> None:
    await opens(town, VERA)
    await low_score(town)
    said = await answer(town, "/complaints", "Вера")
    assert "Поступило 1, закрыто 0, открыто сейчас 1." in said.text
    assert "Иван" not in said.text


@configured({"staff": EVERYBODY, "survey": [NPS, CSAT]})
async def test_a_manager_reads_own_scores_and_words(town: World) -> None:
    await opens(town, OLEG)
    await low_score(town)
    town.whatsapp.says(PETR, "привет")
    deal = await town.asked([town.contact("Пётр Сидоров", PETR)], responsible="Мария Ким")
    assert (await town.survey(deal)).manager == "Мария Ким"
    said = await answer(town, "/nps", "Олег")
    assert said.text.split("\n\n", 1)[1] == (
        "NPS: мало ответов (1), оценку не считаем\nВысоких 0, средних 0, низких 1.\n"
        f"Спросили 1, ответили 1 (100{NB}%).\nДоставлено 1, прочитано 0.\n\n"
        "Слова клиентов:\n8 сентября в 12:01 — 3 из 10: «монтаж три недели»"
    )
    assert "Рекомендации" not in (await answer(town, "/report", "Олег")).text
    assert (await answer(town, "/complaints", "Олег")).text.startswith("Такой команды у вас нет.")


@configured({"staff": [{**HEAD, "managers": ["Мария Ким"]}, BOSS]})
async def test_a_head_reads_of_the_managers_that_are_followed(town: World) -> None:
    await opens(town, BOSS)
    await low_score(town)
    assert "NPS: ответов нет" in (await answer(town, "/nps")).text
    assert (await answer(town, "/find Иван")).text == NOT_FOUND
    assert (await answer(town, "/complaints")).text.endswith("Рекламации\nРекламаций не было, открытых нет.")
    assert "Выигранных сделок не было." in (await answer(town, "/referrals")).text
    assert "NPS: мало ответов (1)" in (await answer(town, "/nps", "Босс")).text


@configured({"staff": [{**HEAD, "pipelines": ["Продажи"], "managers": ["Олег Смирнов"]}, BOSS]})
async def test_a_head_who_follows_everything_there_is_reads_what_the_owner_reads(town: World) -> None:
    await opens(town, BOSS)
    await low_score(town, price=100_000)
    town.clock.advance(timedelta(seconds=1))
    to_head, to_owner = await answer(town, "/report"), await answer(town, "/report", "Босс")
    assert to_head.text.split("\n\n")[1:2] == to_owner.text.split("\n\n")[1:2]
    assert to_head.text.split("\n\n")[3:] == to_owner.text.split("\n\n")[3:]


async def test_a_client_who_types_a_command_learns_nothing(town: World) -> None:
    await town.links(await town.asked())
    before = len(town.in_telegram())
    for command in ("/nps", "/report", "/find Иван", "/help", "/pause"):
        await sends(town, command, "Иван")
    said = "\n".join(town.in_telegram()[before:])
    assert not any(word in said for word in ("ВладАвтоматика:", "Ответов", "остановлена", "Такой команды"))
    assert town.telegram.menus.keys() == {ANNA}


async def test_a_stranger_who_types_a_command_learns_nothing(town: World) -> None:
    stranger = town.telegram.person("Прохожий")
    stranger.has_started = True
    said = await sends(town, "/report", "Прохожий")
    assert not any("Рекламации" in post.text or "NPS" in post.text for post in said)


@configured({"staff": [HEAD, BOSS]})
async def test_a_colleague_who_was_fired_gets_nothing_also_by_an_old_button(town: World) -> None:
    await opens(town, BOSS)
    await low_score(town)
    said = await answer(town, "/nps")
    text, count = said.text, len(town.to_anna())
    await town.restart(staff=[BOSS])
    tap = await town.taps("Прошлый месяц", "Анна")
    await sends(town, "/report")
    assert said.text == text
    assert not any("ВладАвтоматика:" in post for post in town.to_anna()[count:])
    assert (town.telegram.taps[tap].is_answered, town.telegram.taps[tap].answer) == (True, "")
    assert ANNA not in town.telegram.menus


async def test_who_is_fired_between_the_command_and_the_answer_gets_nothing(town: World) -> None:
    count = len(town.to_anna())
    town.telegram.throttle(600, "Анна")
    await sends(town, "/nps")
    await town.restart(staff=[BOSS])
    await town.later(minutes=30)
    assert len(town.to_anna()) == count


# --- once --------------------------------------------------------------------------------------------------


async def test_an_update_that_comes_twice_is_answered_once(town: World) -> None:
    town.telegram.says("Анна", "/nps")
    await receive(town.app.hands, town.app.hands.channels["telegram"], town.app.inbox, timedelta(0))
    (kept,) = await unread(town.db)
    again = Raw(kept.external_id, kept.kind, kept.raw)
    await town.step(pulls=False)
    count = len(town.to_anna())
    await town.app.inbox.put("telegram", [again], town.clock.now())
    await town.later(minutes=1)
    assert len(town.to_anna()) == count


async def test_after_a_sudden_end_an_answer_is_sent_again_rather_than_lost(town: World) -> None:
    said = await answer(town, "/nps")
    count = len(town.to_anna())
    async with town.db.transaction() as tx:
        rows = (await tx.exec(select(Outbox).where(Outbox.kind == "answer_staff"))).all()
        newest = max(rows, key=lambda row: row.id or 0)
        # As after a crash between the sending and its record.
        newest.state, newest.uncertain = "waiting", True
    await town.later(minutes=1)
    assert [text.split("\n")[0] for text in town.to_anna()[count:]] == [said.text.split("\n")[0]]
    async with town.db.reading() as tx:
        states = (await tx.exec(select(Outbox.state).where(col(Outbox.kind) == "answer_staff"))).all()
    assert set(states) == {"done"}


async def takes(town: World, text: str) -> None:
    """It is taken from the inbox, and not yet answered."""
    town.telegram.says("Анна", text)
    await receive(town.app.hands, town.app.hands.channels["telegram"], town.app.inbox, timedelta(0))
    await listen(town.app.hands)


@configured({"staff": EVERYBODY})
async def test_a_worker_that_ends_between_the_claim_and_the_request_owes_every_word(town: World) -> None:
    await opens(town, BOSS)
    before = len(town.to_anna()), len(town.in_telegram("Босс"))
    await takes(town, "/nps")
    await takes(town, "/pause")
    kinds = ["answer_staff", "tell_staff"]
    assert len(await outbox.claim(town.db, town.clock.now(), kinds=kinds, limit=100)) >= 3
    await outbox.let_go(town.db, kinds, town.clock.now())
    await town.step(pulls=False)
    assert len(town.to_anna()) == before[0] + 2
    assert len(town.in_telegram("Босс")) == before[1] + 1


async def test_a_command_is_answered_although_the_database_failed_once(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(town.to_anna())
    real, failures = finding.planned, [Unavailable("The database was busy for 30 seconds.")]

    async def planned(*args: Any, **more: Any) -> Any:
        if failures:
            raise failures.pop()
        return await real(*args, **more)

    monkeypatch.setattr(finding, "planned", planned)
    await sends(town, "/plan")
    assert failures == []
    await town.later(minutes=5)
    assert len(town.to_anna()) == before + 1


# --- find --------------------------------------------------------------------------------------------------


async def test_find_tells_what_was_asked_answered_and_done(town: World) -> None:
    deal = await low_score(town, price=184_000)
    await town.taps("Беру", "Анна")
    await town.ivan_writes("и грубили")
    await town.step()
    said = await answer(town, "/find 8 (914) 000-00-01")
    assert said.text == (
        "Иван Петров, +79140000001\n"
        f"Рекламация № 1\nhttps://example.amocrm.ru/leads/detail/{town.complaints()[0].id}\n"
        f"Сделка: Монтаж ворот, 184{NB}000{NB}₽, закрыта вчера\n"
        f"https://example.amocrm.ru/leads/detail/{deal}\n\n"
        "8 сентября в 12:03 — сообщение клиента: «и грубили»\n"
        "8 сентября в 12:01 — рекламация № 1, Мария Ким. Взято: Анна, 12:02\n"
        "8 сентября в 12:01 — оценка: NPS, 3 из 10. «монтаж три недели»\n"
        "8 сентября в 12:00 — спросили: NPS, WhatsApp"
    )


@pytest.mark.parametrize("words", ["+7 914 000-00-01", "0001", "петров", "ИВАН ПЕТРОВ", "монтаж"])
async def test_a_client_is_found_by_whatever_is_known(town: World, words: str) -> None:
    await town.closed_deal()
    assert (await answer(town, f"/find {words}")).text.startswith("Иван Петров, +79140000001\n")


async def test_a_client_is_found_by_the_deal_and_its_address(town: World) -> None:
    deal = await town.closed_deal()
    for words in (f"{deal}", f"№ {deal}", f"https://example.amocrm.ru/leads/detail/{deal}"):
        assert (await answer(town, f"/find {words}")).text.startswith("Иван Петров, +79140000001\n")


async def test_one_of_several_clients_is_chosen_by_a_button(town: World) -> None:
    await town.closed_deal()
    await town.closed_deal([town.contact("Пётр Петров", PETR)])
    said = await answer(town, "/find петров")
    assert (said.text, said.labels) == (
        f"Нашли 2{NB}клиентов. Кто нужен?".replace(NB, " "),
        ["Пётр Петров, +79140000002", "Иван Петров, +79140000001"],
    )
    await town.taps("Иван Петров, +79140000001", "Анна")
    assert said.text.startswith("Иван Петров, +79140000001\nСделка: Монтаж ворот, закрыта сегодня\n")
    assert said.text.endswith("8 сентября в 11:00 — спросим: NPS")


@pytest.mark.parametrize("words", ["Сидор", "9999", "%", "_", "🙂", "x" * 500])
async def test_nobody_is_found(town: World, words: str) -> None:
    await town.closed_deal()
    assert (await answer(town, f"/find {words}")).text == NOT_FOUND


async def test_find_fits_a_message_however_long_deals_are_called(town: World) -> None:
    for place in range(3):
        name = f"{place} {'Ворота секционные, Промышленная улица ' * 7}"
        town.amocrm.close_lead(town.deal(name=name[:255]))
    await town.step()
    await town.next_morning()
    for place in range(12):
        await town.ivan_writes(f"{place}: " + "монтаж три недели, и пульт не работает. " * 8)
    said = await answer(town, "/find 0001")
    assert len(said.text) < 4096
    assert said.text.endswith("Страница 1 из 2")


async def test_find_without_words_tells_how(town: World) -> None:
    assert (await answer(town, "/find")).text == (
        "После команды напишите телефон, имя или номер сделки. Например: /find 4567"
    )


async def test_in_a_group_of_the_settings_a_client_is_masked(town: World) -> None:
    town.telegram.group("Продажи", chat_id=GROUP)
    town.app.hands.alerts = replace(town.app.hands.alerts, groups=(GROUP,))
    await low_score(town)
    said = await answer(town, "/find@sarafan_demo_bot 0001", chat="Продажи")
    assert said.text == (
        "Иван +7***0001\n\n"
        "8 сентября в 12:01 — рекламация № 1, Мария Ким\n"
        "8 сентября в 12:01 — оценка: NPS, 3 из 10\n"
        "8 сентября в 12:00 — спросили: NPS, WhatsApp"
    )


async def test_in_a_group_that_the_settings_do_not_name_the_answer_comes_in_private(town: World) -> None:
    town.telegram.group("Чужие")
    count = len(town.to_anna())
    await sends(town, "/weather", chat="Чужие")  # for another bot
    assert await sends(town, "/report", chat="Чужие") == []
    assert [text.partition(":")[0] for text in town.to_anna()[count:]] == ["ВладАвтоматика"]


# --- plan --------------------------------------------------------------------------------------------------


async def test_plan_tells_who_is_asked_next(town: World) -> None:
    assert (await answer(town, "/plan")).text == "По плану вопросов нет."
    await town.closed_deal()
    await town.closed_deal([town.contact("Без телефона", None)], name="Калитка")
    said = await answer(town, "/plan")
    assert said.text == (
        f"По плану 2{NB}вопроса. Проверьте, нет ли здесь тех, кого спрашивать не надо:\n\n".replace(NB, " ")
        + "8 сентября в 11:01 — Иван Петров: NPS, WhatsApp. Монтаж ворот\n\n"
        "Не спросим — Без телефона: NPS. Калитка. Причина: нет телефона"
    )
    assert said.labels == []


async def test_a_long_plan_has_pages(town: World) -> None:
    for number in range(12):
        await town.closed_deal([town.contact("Иван Петров", f"+7914000{number:04}")], name=f"Ворота {number}")
    said = await answer(town, "/plan")
    assert (said.labels, said.text.splitlines()[-1]) == (["Дальше →"], "Страница 1 из 2")
    await town.taps("Дальше →", "Анна")
    assert said.labels == ["← Назад"]
    assert "Ворота 11" in said.text
    assert "Ворота 9" not in said.text


# --- pause -------------------------------------------------------------------------------------------------


@configured({"staff": EVERYBODY})
async def test_while_sending_is_paused_nobody_is_asked_and_everybody_who_leads_knows(town: World) -> None:
    await opens(town, BOSS, OLEG)
    await town.closed_deal()
    said = await answer(town, "/pause")
    text = "Отправка вопросов остановлена: Анна. Ответы принимаем. Продолжить: /resume"
    assert said.text == text
    assert town.in_telegram("Босс")[-1] == text
    assert text not in town.in_telegram("Олег")
    await town.next_morning()
    assert town.to_ivan() == []
    assert "\nОтправка вопросов остановлена: Анна." in (await answer(town, "/report")).text
    await town.restart()
    assert town.to_ivan() == []
    assert (await answer(town, "/resume", "Босс")).text == "Отправка продолжена: Босс."
    assert town.to_anna()[-1] == "Отправка продолжена: Босс."
    assert len(town.to_ivan()) == 1


async def test_the_log_tells_each_time_that_sending_is_stopped_or_goes_on(
    town: World, caplog: pytest.LogCaptureFixture
) -> None:
    """It is no trouble that lasts: a second stop within the minute is news."""
    repeats = Repeats()
    with caplog.at_level(logging.INFO):
        for command in ("/pause", "/resume", "/pause"):
            await answer(town, command)
    told = [record.getMessage() for record in caplog.records if repeats.filter(record)]
    stopped = "sending to clients is stopped by a person until told"
    assert [line for line in told if "sending to" in line] == [stopped, "sending to clients goes on", stopped]


async def test_a_pause_ends_by_itself_when_its_time_is_over(town: World) -> None:
    await town.closed_deal()
    await town.next_morning()
    await town.closed_deal([town.contact("Пётр Сидоров", PETR)])
    await town.at(datetime(2026, 9, 9, 11, 59, tzinfo=ZONE))
    said = await answer(town, "/pause 2h")
    assert said.text == (
        "Отправка вопросов остановлена до 14:00: Анна. Ответы принимаем. Продолжить раньше: /resume"
    )
    await town.later(hours=1)
    assert "Отправка вопросов остановлена до 14:00: Анна." in (await answer(town, "/report")).text
    assert town.whatsapp.messages(PETR) == []
    await town.later(hours=2)
    assert len(town.whatsapp.messages(PETR)) == 1
    assert "остановлена" not in (await answer(town, "/report")).text


@configured({"survey": [NPS, CSAT]})
async def test_while_sending_is_paused_thanks_go_and_the_next_question_waits(town: World) -> None:
    await town.asked()
    await sends(town, "/pause")
    await town.ivan_writes("9")
    assert len(town.to_ivan()) == 2
    assert "менеджера" not in town.to_ivan()[1]
    await sends(town, "/resume")
    await town.later(minutes=10)
    assert "Как вы оцените работу менеджера" in town.to_ivan()[-1]


async def test_while_sending_is_paused_nobody_is_reminded(town: World) -> None:
    await town.asked()
    await sends(town, "/pause 3 дня")
    await town.until(MONDAY + timedelta(days=3, hours=20))
    assert len(town.to_ivan()) == 1
    await town.until(MONDAY + timedelta(days=5, hours=5))
    assert len(town.to_ivan()) == 2


async def test_what_nobody_understands_stops_nothing(town: World) -> None:
    said = await answer(town, "/pause немного")
    assert said.text == (
        "Срок непонятен. Примеры: /pause 2h, /pause 3 дня, /pause до 18:00. Без срока — до команды /resume."
    )
    assert (await answer(town, "/resume")).text == "Отправка вопросов и так идёт."


# --- in English --------------------------------------------------------------------------------------------


@configured({"company": {"language": "en"}})
async def test_in_english(town: World) -> None:
    await low_score(town)
    assert (await answer(town, "/nps")).labels == [
        "This week", "Last week", "This month", "Last month", "• This quarter", "Last quarter",
    ]  # fmt: skip
    assert (await answer(town, "/complaints")).text.endswith(
        "Waiting for a solution:\nNo. 1: Иван Петров, 3 out of 10, 2 min, Мария Ким"
    )
    story = (await answer(town, "/find 0001")).text.split("\n\n")[1]
    assert story.splitlines()[-2:] == [
        '8 September at 12:01: score, NPS, 3 out of 10. "монтаж три недели"',
        "8 September at 12:00: asked, NPS, WhatsApp",
    ]
    assert (await answer(town, "/pause 2h")).text == (
        "Sending is stopped until 14:05: Анна. Answers are still taken. To continue earlier: /resume"
    )
    assert (await answer(town, "/plan")).text.startswith(
        "No questions are planned.\nSending is stopped until"
    )
