"""What to do about Meta's error codes, in Russian: the integration itself says it in English."""

import re

CODE = re.compile(r"\(error (\d+)\)")

_NEW_KEY = (
    "Выпустите постоянный токен системного пользователя с правами whatsapp_business_messaging и "
    "whatsapp_business_management и впишите его в whatsapp.access_token."
)
_RIGHTS = (
    "Дайте системному пользователю полный доступ к приложению и аккаунту WhatsApp, а токену — эти два права."
)
_NUMBER = (
    "Проверьте whatsapp.phone_number_id: это Phone number ID из WhatsApp → API Setup, а не сам номер и не ID "
    "аккаунта. У токена должен быть к нему доступ."
)
_LOOK = "Посмотрите в WhatsApp Manager, чем недоволен Meta."
_PARAMETERS = "Сверьте parameters в разделе шаблона с его переменными."
_STOPPED = "Meta остановила шаблон: перепишите его или создайте новый."
_REGISTER = "Зарегистрируйте номер в WhatsApp Manager заново."

REMEDIES: dict[int, str] = {
    0: _NEW_KEY,
    190: _NEW_KEY,
    3: _RIGHTS,
    10: _RIGHTS,
    131005: _RIGHTS,
    100: _NUMBER,
    131042: "Приведите в порядок оплату в WhatsApp Manager.",
    131037: "Дождитесь, пока Meta одобрит имя номера.",
    133010: _REGISTER,
    131045: _REGISTER,
    368: _LOOK,
    131031: _LOOK,
    131048: _LOOK,
    131064: _LOOK,
    132000: _PARAMETERS,
    132012: _PARAMETERS,
    132001: "Сверьте имя и язык шаблона в whatsapp.templates с кабинетом; шаблон должен быть активен.",
    132015: _STOPPED,
    132016: _STOPPED,
}


def remedy_of(detail: str) -> str:
    """For an error whose text names Meta's code; "" where there is nothing to add."""
    found = CODE.search(detail)
    if found is None:
        return ""
    code = int(found[1])
    return _RIGHTS if 200 <= code <= 299 else REMEDIES.get(code, "")
