"""What a person is told to do, by what went wrong and through whose service."""

import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

from integrations.errors import AccessDenied, OutsideError, Permanent, Temporary
from tests.world import BASE, merged, settings_from
from worker.cli.remedies import remedy_for

WAZZUP = {"whatsapp": {"provider": "wazzup", "api_key": "key", "channel_id": "c"}}
CLOUD = {"whatsapp": {"provider": "cloud"}}


def remedy(folder: Path, error: OutsideError, **config: Any) -> str:
    settings = settings_from(merged(BASE, {}), folder)
    for section, keys in config.items():
        changed = type(getattr(settings, section))(**keys)
        settings = settings.model_copy(update={section: changed})
    return remedy_for(settings, error)


def behind(error: OutsideError) -> OutsideError:
    """The error as a client raises it when the far side shows a certificate of its own."""
    refused = httpx.ConnectError("[SSL]")
    refused.__cause__ = ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed")
    error.__cause__ = refused
    return error


@pytest.mark.parametrize(
    ("error", "config", "told"),
    [
        (Temporary("telegram", "cannot be reached (ConnectError)"), {}, "telegram.proxy"),
        (Temporary("telegram", "is not Telegram's (502)", remedy="…", status=502), {}, "мешает фильтр"),
        (behind(Temporary("max", "cannot be reached (ConnectError)")), {}, "max.ca_file"),
        (behind(Temporary("max", "cannot be reached")), {"max": {"ca_file": "root.pem"}}, "Сверьте часы"),
        (behind(Temporary("amocrm", "cannot be reached")), {}, "Сертификат сервера"),
        (Temporary("whatsapp", "may not send: the channel is qr"), WAZZUP, "Отсканируйте QR"),
        (
            AccessDenied("whatsapp", "is not connected: the channel is unauthorized"),
            WAZZUP,
            "Отсканируйте QR",
        ),
        (Temporary("whatsapp", "may not send: the channel is notEnoughMoney"), WAZZUP, "Оплатите"),
        (Permanent("whatsapp", "refused: BALANCE_IS_EMPTY"), WAZZUP, "Оплатите"),
        (Temporary("whatsapp", "may not send: phoneUnavailable"), WAZZUP, "Включите телефон"),
        (
            Temporary("whatsapp", "is starting: the channel is init", remedy="Wait."),
            WAZZUP,
            "подождите минуту",
        ),
        (
            AccessDenied("whatsapp", "does not accept the token (error 190): GET", status=401),
            CLOUD,
            "постоянный",
        ),
        (AccessDenied("whatsapp", "lacks a right (error 230)"), CLOUD, "полный доступ"),
        (Permanent("whatsapp", "stopped the template (error 132015)"), CLOUD, "остановила шаблон"),
        (Permanent("whatsapp", "says something new (error 999)", remedy="Look."), CLOUD, "Look."),
        (
            Permanent("whatsapp", "has no such channel", remedy="Set … to one of: c1 (…4567)."),
            WAZZUP,
            "c1 (…4567)",
        ),
        (AccessDenied("whatsapp", "knows no number under this id", remedy="…"), CLOUD, "phone_number_id"),
        (AccessDenied("whatsapp", "refuses the key (401)", status=401), WAZZUP, "whatsapp.api_key"),
        (AccessDenied("whatsapp", "refuses the token (401)", status=401), CLOUD, "whatsapp.access_token"),
        (AccessDenied("max", "refuses the token (401)", status=401), {}, "max.token"),
        (AccessDenied("whatsapp", "is not connected", remedy="Scan."), {}, "В кабинете Green-API"),
        (AccessDenied("whatsapp", "needs payment (402)", status=402), CLOUD, "Оплатите тариф"),
        (Permanent("whatsapp", "says something new", remedy="Do this."), CLOUD, "Do this."),
        (Temporary("whatsapp", "cannot be reached"), CLOUD, "Проверьте адрес и связь"),
    ],
)
def test_every_trouble_has_a_remedy(
    tmp_path: Path, error: OutsideError, config: dict[str, Any], told: str
) -> None:
    assert told in remedy(tmp_path, error, **config)


def test_a_chain_of_causes_that_bites_its_tail_ends(tmp_path: Path) -> None:
    error = Temporary("amocrm", "cannot be reached")
    error.__cause__ = httpx.ConnectError("")
    error.__cause__.__context__ = error
    assert remedy(tmp_path, error)


def test_in_english_the_integrations_speak_for_themselves(tmp_path: Path) -> None:
    error = AccessDenied("whatsapp", "wants its QR code: the channel is qr", remedy="Scan it again.")
    english = merged(BASE, {"company": {"language": "en"}})
    assert remedy_for(settings_from(english, tmp_path), error) == "Scan it again."
