"""What a person does about what went wrong outside, in the language of the program."""

import re
import ssl
from typing import TYPE_CHECKING

from worker.cli.common import say
from worker.cli.remedies_meta import remedy_of

if TYPE_CHECKING:
    from integrations.errors import OutsideError
    from worker.config.settings import Settings

# What the cabinets of gateways call their troubles, wherever a channel names one of them in its error: a key
# of the texts, or a sentence.
STATES = {
    "qr": "wazzup.remedy.scan",
    "qridle": "wazzup.remedy.scan",
    "unauthorized": "wazzup.remedy.scan",
    "notauthorized": "wazzup.remedy.scan",
    "foreignphone": "Отсканируйте QR тем телефоном, на котором этот канал подключали.",
    "waitforpassword": "Введите в кабинете Wazzup пароль двухфакторной защиты аккаунта.",
    "notenoughmoney": "wazzup.remedy.pay",
    "channel_no_money": "wazzup.remedy.pay",
    "balance_is_empty": "wazzup.remedy.pay",
    "phoneunavailable": "wazzup.remedy.phone",
    "openelsewhere": "wazzup.remedy.close",
    "disabled": "Включите канал в кабинете Wazzup.",
    "init": "Канал запускается, подождите минуту.",
    "blocked": "Meta заблокировала канал: посмотрите причину в кабинете и напишите в её поддержку.",
    "rejected": "Meta отклонила канал: посмотрите причину в кабинете.",
    "onmoderation": "Meta ещё проверяет канал, подождите её ответа.",
}


def remedy_for(settings: "Settings", error: "OutsideError") -> str:
    """Our own words where there are some, else what the integration says."""
    from integrations.errors import Temporary, Uncertain

    texts = settings.texts
    if is_about_certificate(error):
        return _certificate(settings, error.service)
    if error.service == "amocrm" and (words := _of_amocrm(settings, error)):
        return words
    if error.service == "telegram" and error.status == 409:
        return texts.fill("telegram.conflict")
    if error.service == "telegram" and error.status is None and isinstance(error, Temporary | Uncertain):
        return texts.fill("telegram.blocked")
    if settings.company.language != "en":
        if _provider(settings, error.service) == "wazzup" and (state := _state_in(error.detail)):
            return texts.fill(STATES[state]) if STATES[state] in texts.templates else STATES[state]
        if _provider(settings, error.service) == "cloud" and (words := remedy_of(error.detail)):
            return words
        if words := _in_russian(settings, error):
            return words
    return error.remedy or say(
        settings, "Проверьте адрес и связь и повторите.", "Check the address and the network, then try again."
    )


def is_about_certificate(error: BaseException) -> bool:
    """Was the far side's certificate refused? Any client of ours keeps the cause behind its own error."""
    cause: BaseException | None = error
    for _ in range(10):
        if cause is None:
            return False
        if isinstance(cause, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(cause):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _certificate(settings: "Settings", service: str) -> str:
    if service == "max" and not settings.max.ca_file:
        return settings.texts.fill("max.cert")
    return say(
        settings,
        "Сертификат сервера не прошёл проверку. Сверьте часы этой машины и адрес в настройках; "
        "если между нами прокси, он не должен подменять сертификаты.",
        "The server's certificate was refused. Compare the clock of this machine and the address in the "
        "settings; a proxy in between must not replace certificates.",
    )


def _of_amocrm(settings: "Settings", error: "OutsideError") -> str:
    from integrations.errors import AccessDenied, Temporary

    texts = settings.texts
    match error.status:
        case 401 if isinstance(error, AccessDenied):
            has_token = bool(settings.amocrm.token.get_secret_value())
            return texts.fill("amo.token_dead" if has_token else "amo.pair_dead")
        case 402:
            return texts.fill("amo.unpaid")
        case 403 if isinstance(error, Temporary):
            return texts.fill("amo.banned")
        case _:
            return ""


def _provider(settings: "Settings", service: str) -> str:
    """Of a gateway's section; empty for a bot and for amoCRM."""
    return str(getattr(getattr(settings, service, None), "provider", ""))


def _state_in(detail: str) -> str:
    words = (word.casefold() for word in re.findall(r"[A-Za-z_]+", detail))
    return next((word for word in words if word in STATES), "")


def _in_russian(settings: "Settings", error: "OutsideError") -> str:
    """What a person meets who sets the program up; the integrations themselves speak English."""
    from integrations.errors import AccessDenied

    is_denied = isinstance(error, AccessDenied)
    match error.service, _provider(settings, error.service), is_denied, error.status:
        case "telegram", _, True, _:
            return "Проверьте telegram.token: его показывает @BotFather, /mybots → API Token."
        case "telegram", _, False, status if status is not None and error.remedy:
            return "Похоже, мешает фильтр или прокси: проверьте telegram.api_url и telegram.proxy."
        case "max", _, True, _:
            return "Проверьте max.token: его показывает кабинет MAX для партнёров, в настройках бота."
        case "max", _, False, 405 | 409:
            return (
                "Сообщения этого бота уходят другой программе. Заведите для sarafan отдельного бота или "
                "удалите её подписку (DELETE /subscriptions). Если это наш же адрес, поставьте "
                'max.mode = "webhook".'
            )
        case "max", _, False, _ if "public name" in error.detail:
            return "Дайте боту имя в кабинете MAX для партнёров или впишите max.deep_link без {bot}."
        case "max", _, False, status if status is not None and error.remedy:
            return "Похоже, мешает фильтр или прокси: проверьте max.api_url."
        case (("max_account" | "telegram_account"), "greenapi", True, None):
            return (
                "В кабинете Green-API войдите в аккаунт ещё раз. Если его заблокировали, подключите другой."
            )
        case _, "greenapi", False, None if error.remedy:
            return (
                "Посмотрите в кабинете Green-API, почему аккаунту нельзя писать: "
                "блокировка за рассылку или оплата. Ответы клиентов приходят и сейчас."
            )
        case "whatsapp", "greenapi", True, None:
            return (
                "В кабинете Green-API отсканируйте QR-код телефоном ещё раз. "
                "Если WhatsApp заблокировал номер, подключите другой."
            )
        case name, "greenapi", True, _:
            return (
                f"Сверьте {name}.base_url, instance_id и api_token с кабинетом Green-API: "
                "там они называются apiUrl, idInstance и apiTokenInstance."
            )
        case name, "wazzup", True, 401 | 403:
            return f"Проверьте {name}.api_key: ключ лежит в кабинете Wazzup, в настройках интеграции с CRM."
        case name, "wazzup", False, None if "one of: " in error.remedy:
            return f"Укажите {name}.channel_id, одно из: {error.remedy.partition('one of: ')[2]}"
        case name, "cloud", True, None:
            return (
                f"Проверьте {name}.phone_number_id: это Phone number ID из WhatsApp → API Setup, а не номер "
                "и не ID аккаунта. У токена должен быть к нему доступ."
            )
        case name, "cloud", True, 401 | 403:
            return (
                f"Проверьте {name}.access_token и phone_number_id: токен системного пользователя Meta "
                "с правом whatsapp_business_messaging."
            )
        case _, provider, _, 402 if provider:
            return "Оплатите тариф в кабинете сервиса."
        case "amocrm", _, True, 403:
            return "Нет прав: токен должен выпустить администратор amoCRM."
        case "amocrm", _, False, 404:
            return "Проверьте amocrm.base_url: это адрес самого аккаунта, https://….amocrm.ru."
        case _:
            return ""
