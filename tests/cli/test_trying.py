"""`try`: the conversation on one's own phone, beside a running worker."""

from typing import Any

import httpx
import pytest

from storage.database import Database
from storage.erase import erase_person
from tests.cli.conftest import Sarafan
from tests.world import ANNA, IVAN, PETR, World, settings_from, world
from worker.cli.trying import NoTrial, Wanted, play

MARK = "Проверка: так сообщение увидит клиент.\n\n"


async def tries(town: World, **wanted: Any) -> str:
    """As the command does it, with another program's network."""
    transports = {
        "amocrm": httpx.ASGITransport(app=town.amocrm.app),
        "telegram": httpx.ASGITransport(app=town.telegram.app),
        "whatsapp": httpx.ASGITransport(app=town.whatsapp.app),
    }
    settings = settings_from(town.config, town.folder)
    return await play(
        settings, town.db, Wanted(**{"survey": "", **wanted}), clock=town.clock, transports=transports
    )


async def test_it_is_sent_by_the_command_and_answered_by_the_worker(tmp_path: Any, db_url: str) -> None:
    db = await Database.open(db_url)
    try:
        async with world(db, tmp_path) as town:
            assert await tries(town, phone="+79140000777") == "whatsapp"
            mark, poll = town.whatsapp.messages("+79140000777")  # A poll has no room for both.
            assert mark.text == MARK.strip()
            assert poll.text.startswith("Здравствуйте, Иван Петрович! Это ВладАвтоматика.")
            town.whatsapp.votes("+79140000777", "7")
            await town.step()
            asked = town.whatsapp.last("+79140000777").text
            assert asked.startswith(f"{MARK}Спасибо! Записали: 7 из 10. Чего не хватило до 10?")
            town.whatsapp.says("+79140000777", "Долго ждали замерщика")
            await town.step()
            thanks = town.whatsapp.last("+79140000777").text
            assert thanks.startswith(f"{MARK}Спасибо, что написали. Передадим ваши слова руководителю.")
            assert await tries(town, staff="анна") == "telegram"
            assert town.telegram.last("Анна").text.startswith(MARK)
            await town.taps("3", "Анна")
            assert "Напишите, пожалуйста, что случилось" in town.telegram.last("Анна").text
            # Ivan has a question of ours, and answers it: the trials were other people's.
            deal = await town.asked()
            await town.ivan_writes("10")
            assert (await town.survey(deal)).score == 10
            assert (town.complaints(), len(await town.surveys())) == ([], 1)
            town.telegram.block(ANNA)
            with pytest.raises(NoTrial, match="Написать некуда"):
                await tries(town, staff="Анна")
            with pytest.raises(NoTrial, match="Есть: Анна") as nobody:
                await tries(town, staff="Ольга")
            with pytest.raises(NoTrial, match=r"Есть такие: nps$") as unknown:
                await tries(town, survey="nsp", phone=IVAN)
            assert nobody.value.exit_code == unknown.value.exit_code == 2
    finally:
        await db.close()


async def test_no_trial_goes_to_a_client_who_is_being_asked_or_wants_nothing(
    tmp_path: Any, db_url: str
) -> None:
    """A slip in the number: what the client then says would be heard as a trial, and lost."""
    db = await Database.open(db_url)
    try:
        async with world(db, tmp_path) as town:
            await town.asked()
            with pytest.raises(NoTrial, match="Это номер клиента"):
                await tries(town, phone=IVAN)
            assert len(town.to_ivan()) == 1
            await town.ivan_writes("9")
            told = len(town.to_ivan())
            assert await tries(town, phone=IVAN) == "whatsapp"  # perhaps a phone of the company's own
            assert len(town.to_ivan()) > told
            await town.ivan_writes("стоп")
            await town.ivan_writes("стоп")
            told = len(town.to_ivan())
            with pytest.raises(NoTrial, match="Это номер клиента"):
                await tries(town, phone=IVAN)
            async with db.transaction() as tx:
                await erase_person(tx, PETR, town.clock.now())
            with pytest.raises(NoTrial, match="Это номер клиента"):
                await tries(town, phone=PETR)
            assert (len(town.to_ivan()), town.whatsapp.messages(PETR)) == (told, [])
    finally:
        await db.close()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "или --to ТЕЛЕФОН, или --staff ИМЯ"),
        (("--to", "+79140000001", "--staff", "Анна"), "или --to ТЕЛЕФОН, или --staff ИМЯ"),
        (("--to", "много"), "не номер телефона"),
    ],
)
def test_wrong_use_is_told(sarafan: Sarafan, words: tuple[str, ...], told: str) -> None:
    result = sarafan("try", *words)
    assert (result.exit_code, told in result.stderr) == (2, True)


def test_where_the_answers_go_is_told(sarafan: Sarafan, monkeypatch: pytest.MonkeyPatch) -> None:
    async def sent(*_: Any) -> str:
        return "whatsapp"

    monkeypatch.setattr("worker.cli.trying._play", sent)
    result = sarafan("try", "--to", "8 914 000-00-01")
    assert result.exit_code == 0
    assert "Ответы примет запущенный sarafan run." in result.stdout
    assert "--staff" in sarafan("try", "--help").stdout
