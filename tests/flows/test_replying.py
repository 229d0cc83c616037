"""A client asks, and a person of the company answers from the staff's own messenger."""

from datetime import timedelta

import pytest
from sqlmodel import col, select

from storage.erase import erase_person
from storage.tables.complaints import Request
from storage.tables.people import Chat
from storage.tables.queues import Outbox
from tests.world import ANNA, IVAN, World, configured

ANNA_HEAD = {"telegram_id": ANNA, "name": "Анна", "role": "head", "amocrm_user": "Мария Ким"}
BORIS = {"telegram_id": 222222222, "name": "Борис", "role": "head"}
VERA = {"telegram_id": 444444444, "name": "Вера", "role": "controller"}
TWO_HEADS = {"staff": [ANNA_HEAD, BORIS, VERA]}
ASKED = (
    "Иван Петров пишет (WhatsApp): «но пульт не работает»\n"
    "Ответьте на это сообщение, и клиент получит ваш текст от имени компании."
)


async def ivan_asks(town: World, words: str = "9, но пульт не работает") -> int:
    deal = await town.asked()
    await town.ivan_writes(words)
    return deal


async def replies(town: World, text: str, who: str = "Анна", to: str = "пишет (") -> None:
    """Somebody answers the newest message in which this stands."""
    asked = [message for message in town.telegram.messages(who) if to in message.text][-1]
    town.clock.advance(timedelta(minutes=1))
    town.telegram.says(who, text, reply_to=asked.message_id)
    await town.step(pulls=False)


async def opens(town: World, person: dict[str, object]) -> None:
    town.telegram.start(town.telegram.person(str(person["name"]), user_id=int(str(person["telegram_id"]))))
    await town.step(pulls=False)


async def chat(town: World) -> Chat:
    async with town.db.reading() as tx:
        return (await tx.exec(select(Chat).where(Chat.channel == "whatsapp"))).one()


@configured(TWO_HEADS)
async def test_anna_takes_the_words_up_and_answers_them_in_the_companys_name(town: World) -> None:
    await opens(town, BORIS)
    deal = await ivan_asks(town)
    shown = town.telegram.last("Анна")
    assert (shown.text, shown.labels) == (ASKED, ["Беру", "Открыть сделку"])
    await town.taps("Беру", "Анна")
    assert town.telegram.last("Борис").labels[0].startswith("Взято: Анна, ")
    tap = await town.taps(town.telegram.last("Борис").labels[0], "Борис")
    assert town.telegram.taps[tap].answer.startswith("Взято: Анна, ")

    told = len(town.to_ivan())
    await replies(town, "Олег приедет завтра к десяти, звоните: 8 914 555-12-34")
    assert town.to_ivan()[told:] == ["ВладАвтоматика: Олег приедет завтра к десяти, звоните: 8 914 555-12-34"]
    assert town.to_anna()[-1] == "Отправлено клиенту."
    assert town.telegram.messages("Борис")[-1].labels[0].startswith("Ответили: Анна, ")
    note = town.amocrm.notes_of(deal)[-1]
    assert note.startswith("Клиенту ответили (Анна, WhatsApp, ")
    assert "Олег приедет завтра" in note
    assert "555-12" not in note
    counted = await town.report()
    assert (counted["requests"], counted["complaints"]["opened"]) == ({"asked": 1, "answered": 1}, 0)
    # The task stays for the person; nobody waits in the chat.
    assert [task.is_completed for task in town.amocrm.tasks_of(deal)] == [False]
    where = await chat(town)
    assert (where.waiting_since, where.human_wrote_at) == (None, where.answered_at)
    async with town.db.reading() as tx:
        kept = [item.payload for item in (await tx.exec(select(Outbox))).all() if item.kind == "reply_client"]
    assert [payload["text"] for payload in kept] == [""]


async def test_who_asks_while_the_deal_is_still_open_is_named(town: World) -> None:
    deal = town.deal()
    await town.step()
    await town.links(deal)
    town.clock.advance(timedelta(minutes=1))
    town.telegram.says("Иван", "Когда приедет замерщик?")
    await town.step(pulls=False)
    assert town.to_anna()[-1].startswith("Иван Петров пишет (Telegram): «Когда приедет замерщик?»")


async def test_what_ivan_says_to_that_is_shown_too_without_another_task(town: World) -> None:
    deal = await ivan_asks(town)
    await replies(town, "Олег приедет завтра к десяти")
    told = len(town.to_ivan())
    await town.ivan_writes("да, удобно")
    assert "«да, удобно»" in town.to_anna()[-1]
    await replies(town, "Договорились")
    assert town.to_ivan()[told:] == ["ВладАвтоматика: Договорились"]
    assert len(town.amocrm.tasks_of(deal)) == 1


async def test_who_wants_no_questions_is_answered_all_the_same(town: World) -> None:
    await ivan_asks(town, "стоп, и пульт не работает")
    await replies(town, "Олег перезвонит")
    assert town.to_ivan()[-1] == "ВладАвтоматика: Олег перезвонит"
    async with town.db.transaction() as tx:
        await erase_person(tx, IVAN, town.clock.now())
    await replies(town, "Ещё раз здравствуйте")
    assert town.to_anna()[-1] == "Не отправлено: этой переписки больше нет. Позвоните"
    assert town.to_ivan()[-1] == "ВладАвтоматика: Олег перезвонит"


async def test_an_answer_whose_fate_nobody_knows_counts_as_sent(town: World) -> None:
    await ivan_asks(town)
    town.whatsapp.faults.add("sendMessage", after=True, status=504, nth=1)
    await replies(town, "Олег приедет завтра")
    await town.later(hours=1)
    assert town.to_ivan().count("ВладАвтоматика: Олег приедет завтра") == 1
    assert town.to_anna()[-1].startswith("Мессенджер не подтвердил отправку.")


async def test_a_messenger_that_stays_down_is_told_of_while_a_call_still_helps(town: World) -> None:
    await ivan_asks(town)
    town.whatsapp.faults.add("sendMessage", status=429, times=0)
    await replies(town, "Олег приедет завтра")
    for _ in range(5):
        await town.later(minutes=10)
    assert town.to_anna()[-1] == f"Не отправлено: мессенджер не отвечает. Позвоните: {IVAN}"
    town.whatsapp.faults.clear()
    await town.later(hours=1)
    assert "ВладАвтоматика: Олег приедет завтра" not in town.to_ivan()


async def test_what_ivan_writes_while_the_answer_waits_is_answered_by_nobody_yet(town: World) -> None:
    await ivan_asks(town)
    town.whatsapp.faults.add("sendMessage", status=429, nth=1)
    await replies(town, "Олег приедет завтра")
    assert "ВладАвтоматика: Олег приедет завтра" not in town.to_ivan()
    await town.ivan_writes("и ещё замок заедает, что делать?")
    await town.later(minutes=8)
    assert town.to_ivan().count("ВладАвтоматика: Олег приедет завтра") == 1
    async with town.db.reading() as tx:
        first, second = (await tx.exec(select(Request).order_by(col(Request.id)))).all()
    assert (first.answered_by, second.answered_at) == ("Анна", None)
    assert (await chat(town)).waiting_since == second.asked_at


async def test_an_answer_that_is_taken_out_of_the_queue_for_the_night_is_told_of(town: World) -> None:
    await ivan_asks(town)
    town.whatsapp.set_phone_online(False)
    await replies(town, "Олег приедет завтра")
    assert town.to_anna()[-1] == "Отправлено клиенту."
    await town.later(hours=9)  # 21:00: the window is closed
    assert town.to_anna()[-1] == (
        f"Ответ клиенту, скорее всего, не дошёл: Иван Петров, {IVAN}. Мессенджер его не отправил. "
        "Ответьте на сообщение клиента ещё раз или позвоните."
    )
    async with town.db.reading() as tx:
        (request,) = (await tx.exec(select(Request))).all()
    assert (request.answered_at, request.answered_by, request.taken_by) == (None, "", "Анна")
    assert (await chat(town)).waiting_since == request.asked_at
    told = len(town.to_anna())
    town.whatsapp.set_phone_online(True)
    await town.later(minutes=10)
    await replies(town, "Олег приедет завтра к десяти")
    await town.later(minutes=10)
    assert town.to_ivan()[-1] == "ВладАвтоматика: Олег приедет завтра к десяти"
    assert town.to_anna()[told:] == ["Отправлено клиенту."]


@configured({"whatsapp": {"provider": "none"}})
async def test_who_has_blocked_the_bot_is_to_be_called(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    await town.next_morning()
    town.clock.advance(timedelta(minutes=1))
    town.telegram.says("Иван", "9, но пульт не работает")
    await town.step(pulls=False)
    town.telegram.block("Иван")
    await replies(town, "Олег приедет завтра")
    assert town.to_anna()[-1] == f"Не отправлено: клиент недоступен. Позвоните: {IVAN}"
    async with town.db.transaction() as tx:
        await erase_person(tx, IVAN, town.clock.now())
    async with town.db.reading() as tx:
        assert [row for row in await tx.exec(select(Outbox)) if IVAN in str(row.payload)] == []


async def test_a_photo_is_not_passed_on_and_anna_is_told_so(town: World) -> None:
    await ivan_asks(town)
    told = len(town.to_ivan())
    shown = town.telegram.last("Анна")
    town.telegram.sends("Анна", "photo", reply_to=shown.message_id)
    await town.step(pulls=False)
    assert town.to_anna()[-1] == "Клиенту можно передать только текст. Напишите ответ словами."
    assert len(town.to_ivan()) == told


async def edits(town: World, text: str) -> None:
    """Anna changes the last thing that she wrote."""
    town.clock.advance(timedelta(minutes=1))
    town.telegram.edits("Анна", text)
    await town.step(pulls=False)


async def test_whoever_edits_an_answer_is_told_that_it_is_sent_already(town: World) -> None:
    await ivan_asks(town)
    await replies(town, "Олег приедет завтра в 10")
    told = len(town.to_ivan())
    for text in ("Олег приедет завтра в 11", "Олег приедет завтра в 12"):
        await edits(town, text)
    assert len(town.to_ivan()) == told
    assert [text for text in town.to_anna() if "Правку" in text] == [
        "Правку клиент не увидит: ответ уже отправлен. Ответьте на его сообщение ещё раз."
    ]
    async with town.db.reading() as tx:
        assert [row for row in await tx.exec(select(Outbox)) if "в 11" in str(row.payload)] == []


async def test_an_answer_that_still_waits_for_the_messenger_goes_as_it_was_edited(town: World) -> None:
    await ivan_asks(town)
    town.whatsapp.faults.add("sendMessage", status=429, nth=1)
    await replies(town, "Олег приедет завтра в 10")
    await edits(town, "Олег приедет завтра в 11")
    await town.later(minutes=8)
    assert town.to_ivan()[-1] == "ВладАвтоматика: Олег приедет завтра в 11"
    assert town.to_anna()[-1] == "Отправлено клиенту."


async def test_what_was_not_sent_is_not_sent_by_an_edit_either(town: World) -> None:
    await ivan_asks(town)
    told = len(town.to_ivan())
    await replies(town, "Очень долго. " * 400)
    await edits(town, "Короче")
    assert town.to_anna()[-1] == "Правку не отправили. Ответьте на сообщение клиента ещё раз."
    assert len(town.to_ivan()) == told


async def test_a_reply_to_a_message_that_was_sent_anew_is_not_lost_in_silence(town: World) -> None:
    """Its first answer was lost, so nobody knows what the one that arrived all the same is about."""
    town.telegram.faults.add("sendMessage", after=True, status=504, nth=1)
    await ivan_asks(town)
    await town.later(minutes=5)
    first, last = [one for one in town.telegram.messages("Анна") if "пишет (" in one.text]
    told = len(town.to_ivan())
    town.telegram.says("Анна", "Олег приедет завтра", reply_to=first.message_id)
    await town.step(pulls=False)
    assert len(town.to_ivan()) == told
    assert town.to_anna()[-1].startswith("Этот ответ никому не ушёл")
    town.telegram.says("Анна", "Олег приедет завтра", reply_to=last.message_id)
    await town.step(pulls=False)
    assert town.to_ivan()[told:] == ["ВладАвтоматика: Олег приедет завтра"]
    assert town.to_anna()[-1] == "Отправлено клиенту."


@configured(TWO_HEADS)
@pytest.mark.parametrize("text", ["Просто мысли вслух", "/help"])
async def test_what_quotes_no_words_of_a_client_goes_to_no_client(town: World, text: str) -> None:
    await ivan_asks(town)
    told = len(town.to_ivan())
    town.telegram.says(
        "Анна", text, reply_to=None if text[0] != "/" else town.telegram.last("Анна").message_id
    )
    await town.step(pulls=False)
    assert len(town.to_ivan()) == told


async def test_who_answers_in_the_chat_itself_has_answered(town: World) -> None:
    await ivan_asks(town)
    await town.manager_writes("Завтра приедем")
    async with town.db.reading() as tx:
        (request,) = (await tx.exec(select(Request))).all()
    assert request.answered_at is not None


GROUP = -4_000_100


@configured({"alerts": {"groups": [GROUP]}})
async def test_in_a_group_of_theirs_staff_answer_and_strangers_do_not(town: World) -> None:
    town.telegram.group("Продажи", chat_id=GROUP)
    await ivan_asks(town, "9, но пульт не работает, звоните 8 914 555-12-34")
    shown = town.telegram.messages("Продажи")[-1]
    assert shown.text.startswith("Иван пишет (WhatsApp): «но пульт не работает, звоните +7***1234»")
    told = len(town.to_ivan())
    for who, text in (("Чужой", "Здравствуйте, я из банка"), ("Анна", "Олег перезвонит")):
        town.clock.advance(timedelta(minutes=1))
        town.telegram.says(who, text, chat="Продажи", reply_to=shown.message_id)
        await town.step(pulls=False)
    assert town.to_ivan()[told:] == ["ВладАвтоматика: Олег перезвонит"]
    assert town.telegram.messages("Продажи")[-1].text == "Отправлено клиенту."
    assert shown.labels[0].startswith("Ответили: Анна, ")
