"""What a key should be given: the library's findings in our words, and examples."""

import re
from collections.abc import Mapping
from typing import Any

from worker.config.keys import toml
from worker.config.words import Expected

TABLE = Expected("таблица", "a table")
KINDS_OF_VALUE = {
    "string_type": Expected("строка в кавычках", "a text in quotes", '"…"'),
    "int_type": Expected("целое число без кавычек", "a whole number without quotes", "5"),
    "float_type": Expected("число без кавычек", "a number without quotes", "5"),
    "bool_type": Expected("true или false без кавычек", "true or false without quotes"),
    "tuple_type": Expected("список в квадратных скобках", "a list in square brackets"),
    "frozen_set_type": Expected("список в квадратных скобках", "a list in square brackets", '["2026-12-30"]'),
    "dict_type": TABLE,
    "dataclass_type": TABLE,
    "missing": Expected("значение: без него нельзя", "a value: it is required"),
    "missing_keyword_only_argument": Expected("значение: без него нельзя", "a value: it is required"),
}
# Of keys whose default is no good example.
EXAMPLES = {
    "survey.key": '"csat_manager"',
    "survey.metric": '"csat"',
    "staff.name": '"Анна"',
    "staff.role": '"head"',
    "staff.telegram_id": "111111111",
    "company.name": '"ВладАвтоматика"',
    "amocrm.token": '"eyJ0eXAi…"',
    "amocrm.client_secret": '"Kp3x…"',
    "whatsapp.api_token": '"d75b3a66…"',
    "survey.options.label": '"Отлично"',
    "survey.options.value": "5",
    "reviews.links.name": '"2ГИС"',
    "reviews.links.url": '"https://2gis.ru/firm/1"',
    "iqs.criteria.key": '"next_step"',
    "iqs.criteria.name": '"Назначен следующий шаг"',
    "company.phone": '"+7 423 200-00-00"',
    "whatsapp.templates": '{nps = {template = "nps_ru"}}',
    "reviews.links": '[{name = "2ГИС", url = "https://2gis.ru/firm/1"}]',
    "amocrm.sales_pipelines": '["Продажи"]',
    "alerts.groups": "[-1001234567890]",
    "goals": '{nps = {target = 60, by = "2027-06-30"}}',
    **{f"goals.{goal}.target": "60" for goal in ("nps", "csat", "ces", "referral_share")},
    **{f"goals.{goal}.by": '"2027-06-30"' for goal in ("nps", "csat", "ces", "referral_share")},
}


def expectation(kind: str, context: Mapping[str, Any]) -> Expected:
    """pydantic's own findings in our words."""
    if kind == "literal_error":
        choices = ", ".join(toml(choice) for choice in re.findall(r"'([^']*)'", str(context.get("expected"))))
        return Expected(f"одно из: {choices}", f"one of {choices}")
    if kind in {"greater_than", "greater_than_equal", "less_than_equal"}:
        limit = next(iter(context.values()))
        ru, en = {
            "greater_than": ("число больше", "a number above"),
            "greater_than_equal": ("число не меньше", "a number of at least"),
            "less_than_equal": ("число не больше", "a number of at most"),
        }[kind]
        return Expected(f"{ru} {limit:g}", f"{en} {limit:g}")
    return KINDS_OF_VALUE.get(kind, Expected("другое значение", "another value"))
