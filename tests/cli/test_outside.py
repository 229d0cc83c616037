"""What went wrong outside, as a person in Russia reads it."""

from pathlib import Path

import pytest

from integrations.errors import AccessDenied, OutsideError, Permanent, Temporary, Uncertain
from tests.world import BASE, merged, settings_from
from worker.cli.outside import explained, happened


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            AccessDenied("amocrm", "does not accept the token (401): account", status=401),
            "amoCRM не принимает токен (401)",
        ),
        (
            AccessDenied("telegram", "refuses the token", status=401),
            "Telegram не принимает токен (401)",
        ),
        (
            Temporary("whatsapp", "cannot be reached (ConnectError): getStateInstance"),
            "WhatsApp не отвечает: до сервера не дойти",
        ),
        (Temporary("amocrm", "failed (502): account", status=502), "amoCRM отвечает ошибкой (502)"),
        (
            AccessDenied("whatsapp", "is not connected: the instance is notAuthorized"),
            "WhatsApp не подключён: состояние инстанса notAuthorized",
        ),
        (
            Permanent("wazzup", "sends what it gets to bot.example.com"),
            "Wazzup шлёт ответы другой программе (bot.example.com)",
        ),
        (
            Permanent("max", "refused the request (400, chat.denied): POST /messages", status=400),
            "MAX отклоняет запрос: refused the request (400, chat.denied): POST /messages (400)",
        ),
        (Uncertain("amocrm", "was odd"), "amoCRM не подтверждает, что запрос выполнен: was odd"),
    ],
)
def test_it_is_told_in_russian_with_the_number_that_a_supporter_asks_for(
    tmp_path: Path, error: OutsideError, told: str
) -> None:
    assert happened(settings_from(BASE, tmp_path), error) == told


ENGLISH = merged(BASE, {"company": {"language": "en"}})


@pytest.mark.parametrize(
    ("error", "ru", "en"),
    [
        (
            AccessDenied("amocrm", "does not accept the token (401): account", status=401),
            "amoCRM не принимает токен (401). Вопросы не уходят, ответы принимаем. Создайте",
            "amoCRM does not accept the token (401): account. No questions go out, answers are taken. Create",
        ),
        (
            Permanent("amocrm", "says that the subscription is over (402): account", status=402),
            "У amoCRM закончилась подписка: ",
            "The amoCRM subscription has ended: ",
        ),
        (
            Temporary("amocrm", "has blocked us (403): account", status=403),
            "amoCRM закрыла доступ на время (403). Ждём",
            "amoCRM closed the access for a while (403). We wait",
        ),
        (
            Permanent("telegram", "hands its updates to nobody"),
            "Telegram отклоняет запрос: ",
            "Telegram hands its updates to nobody. ",
        ),
    ],
)
def test_what_happened_is_said_once_and_services_have_names(
    tmp_path: Path, error: OutsideError, ru: str, en: str
) -> None:
    assert explained(settings_from(BASE, tmp_path), error).startswith(ru)
    assert explained(settings_from(ENGLISH, tmp_path), error).startswith(en)


def test_the_remedy_follows(tmp_path: Path) -> None:
    error = AccessDenied("amocrm", "does not accept the token (401)", status=401)
    told = explained(settings_from(BASE, tmp_path), error)
    assert told.startswith("amoCRM не принимает токен (401). Вопросы не уходят")
