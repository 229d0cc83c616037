"""Names of the settings meet the account. What is found, what stops the start, and what is only warned of?"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from integrations.amocrm.client import AmoCrm
from integrations.amocrm.models import Account as AccountFacts
from integrations.amocrm.models import CustomField, Pipeline, User
from storage import state
from storage.database import Database
from worker.account.account import Account
from worker.account.dictionaries import KEY, Dictionaries, dump, load, recall, refresh
from worker.account.resolve import AccountProblems, resolve
from worker.config.load import load as load_settings
from worker.config.problems import Problem

ENVIRON = {
    "SARAFAN_COMPANY__NAME": "ВладАвтоматика",
    "SARAFAN_COMPANY__TIMEZONE": "Asia/Vladivostok",
    "SARAFAN_AMOCRM__BASE_URL": "https://example.amocrm.ru",
    "SARAFAN_AMOCRM__TOKEN": "t",
    "SARAFAN_TELEGRAM__TOKEN": "1:t",
}
FIELDS = (
    ("NPS", "numeric"),
    ("CSAT", "numeric"),
    ("CES", "text"),
    ("Промокод для друзей", "text"),
    ("Ссылка на Telegram-бота", "url"),
    ("Опрос", "text"),
    ("Скидка", "select"),
    ("Промокод друга", "text"),
    ("Причина рекламации", "select"),
    ("Бригада", "text"),
    ("Дата монтажа", "date"),
    ("Оценка списком", "select"),
)


def pipeline(id_: int, name: str, statuses: Mapping[int, str], **more: Any) -> Pipeline:
    rows = [
        {"id": id_ * 10, "name": "Неразобранное", "sort": 5, "type": 1},
        *({"id": number, "name": title, "sort": 30 - number % 10} for number, title in statuses.items()),
        {"id": 142, "name": "Успешно реализовано", "sort": 10000},
        {"id": 143, "name": "Закрыто и не реализовано", "sort": 11000},
    ]
    return Pipeline.model_validate({"id": id_, "name": name, "_embedded": {"statuses": rows}, **more})


def lead_field(number: int, name: str, type_: str, options: Mapping[int, str] | None = None) -> CustomField:
    enums = [{"id": id_, "value": value} for id_, value in (options or {}).items()]
    return CustomField.model_validate({"id": number, "name": name, "type": type_, "enums": enums})


DICTIONARIES = Dictionaries(
    account=AccountFacts.model_validate(
        {
            "id": 1000,
            "name": "Влад",
            "current_user_id": 79,
            "currency": "RUB",
            "timezone": "Asia/Vladivostok",
            "is_filter_enabled": True,
        }
    ),
    users=(
        User(id=77, name="Олег Смирнов"),
        User(id=78, name="Мария Ким"),
        User(id=79, name="Робот"),
        User(id=80, name="Пётр Старый", is_active=False),
    ),
    pipelines=(
        pipeline(9000, "Продажи", {9001: "Заявка", 9002: "Монтаж завершён"}),
        pipeline(9050, "Сервис", {9051: "Монтаж завершён", 9052: "Ждём"}),
        pipeline(9100, "Рекламации", {9101: "Новая", 9102: "В работе"}),
        pipeline(9200, "Продажи", {9201: "Старое"}, is_archive=True),
    ),
    lead_fields=tuple(
        lead_field(
            500 + number, name, type_, {71: "Скидка от друга 5%", 72: "Сезон"} if name == "Скидка" else None
        )
        for number, (name, type_) in enumerate(FIELDS)
    ),
    contact_fields=(
        CustomField(id=31, name="Телефон", type="multitext", code="PHONE"),
        CustomField(id=32, name="Согласие", type="checkbox"),
        CustomField(id=33, name="Реклама", type="text"),
    ),
)
IDS = {name: 500 + number for number, (name, _) in enumerate(FIELDS)}

Resolves = Callable[..., Account]


@pytest.fixture
def resolves(tmp_path: Path) -> Resolves:
    def found(text: str = "", known: Dictionaries = DICTIONARIES, **environ: str) -> Account:
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return resolve(load_settings(path, {**ENVIRON, **environ}), known)

    return found


def without(*names: str) -> Dictionaries:
    """The account lacks these deal fields."""
    return replace(
        DICTIONARIES, lead_fields=tuple(row for row in DICTIONARIES.lead_fields if row.name not in names)
    )


# What is found


def test_defaults_are_found_by_their_names(resolves: Resolves) -> None:
    found = resolves()
    assert (found.problems, found.warnings) == ((), ())
    assert found.fields.nps == IDS["NPS"]
    assert found.fields.telegram_link == IDS["Ссылка на Telegram-бота"]
    assert found.fields.about is None
    assert found.referral_enum == 71
    assert (found.complaints_pipeline, found.complaints_status) == (9100, 9102)  # the lowest sort
    assert (found.account_id, found.host, found.currency) == (1000, "example.amocrm.ru", "RUB")
    assert (found.complaint_responsible, found.current_user_id) == ("head", 79)
    assert found.is_filter_enabled


def test_case_outer_spaces_and_ids_do_not_matter(resolves: Resolves) -> None:
    found = resolves(
        '[amocrm]\nsales_pipelines = [" продажи ", 9050]\nconsent_field = "СОГЛАСИЕ"\n'
        "[amocrm.fields]\nnps = 501\n"
        '[complaints]\npipeline = "рекламации"\nstatus = "Новая"\nresponsible = "Мария ким"\n'
    )
    assert found.problems == ()
    assert found.sales_pipelines == {9000, 9050}  # the living one, not the archived of the same name
    assert found.consent_field == 32
    assert found.fields.nps == 501
    assert (found.complaints_status, found.complaint_responsible) == (9101, 78)


def test_a_survey_becomes_a_rule(resolves: Resolves) -> None:
    found = resolves(
        '[[survey]]\nkey = "nps"\nmetric = "nps"\npipelines = ["Продажи"]\n'
        '[[survey]]\nkey = "crew"\nmetric = "csat"\ntrigger = "deal_status"\nstatuses = ["монтаж завершён"]\n'
        'from = "field:Дата монтажа"\nsubject = "field:Бригада"\nfield = "CES"\non_low = "task"\n'
        '[[survey]]\nkey = "boss"\nmetric = "csat"\nsubject = "manager"\nfrom = "entered"\n'
    )
    assert (found.problems, found.warnings) == ((), ())
    nps, crew, boss = found.rules
    assert nps.pipelines == {9000}
    assert (nps.score_field, nps.scale.last) == (IDS["NPS"], 10)
    assert crew.statuses == {(9000, 9002), (9050, 9051)}
    assert (crew.base, crew.base_field) == ("field", IDS["Дата монтажа"])
    assert (crew.subject, crew.subject_field) == ("field", IDS["Бригада"])
    assert (crew.score_field, crew.on_low) == (IDS["CES"], "task")
    assert (boss.subject, boss.base, boss.score_field) == ("manager", "entered", IDS["CSAT"])
    assert found.rule("crew") == crew
    assert found.rule("gone") is None


def test_a_status_counts_only_in_the_pipelines_of_the_survey(resolves: Resolves) -> None:
    text = '[[survey]]\nkey = "a"\nmetric = "nps"\ntrigger = "deal_status"\n'
    text += 'statuses = ["Монтаж завершён", 9002]\n'
    assert resolves(text + 'pipelines = ["Продажи"]\n').rules[0].statuses == {(9000, 9002)}


STAFF = """
[[staff]]
telegram_id = 1
name = "Анна"
role = "head"
pipelines = ["Продажи"]
amocrm_user = "Мария Ким"
[[staff]]
telegram_id = 2
name = "Борис"
role = "head"
amocrm_user = 77
[[staff]]
telegram_id = 3
name = "Вера"
role = "owner"
[[staff]]
telegram_id = 4
name = "Глеб"
role = "head"
managers = ["Пётр Старый"]
"""


def test_staff_hear_of_what_they_follow(resolves: Resolves) -> None:
    found = resolves(STAFF)
    assert [person.name for person in found.alerted(pipeline=9000, manager=77, but=None)[0]] == [
        "Анна",
        "Борис",
    ]
    assert [person.name for person in found.alerted(pipeline=9050, manager=77, but=None)[0]] == ["Борис"]
    assert [person.name for person in found.alerted(pipeline=9050, manager=77, but=77)[0]] == ["Вера"]
    assert [person.name for person in found.alerted(pipeline=9050, manager=80, but=0)[0]] == ["Глеб", "Борис"]
    assert found.heads_of(9000, 77) == (78, 77)
    assert [person.name for person in found.owners()] == ["Вера"]


def test_without_owners_heads_stand_in(resolves: Resolves) -> None:
    found = resolves(STAFF.replace('"owner"', '"admin"'))
    assert {person.name for person in found.owners()} == {"Анна", "Борис", "Глеб"}
    assert found.alerted(pipeline=9050, manager=77, but=77)


def test_staff_are_known_in_telegram_only(resolves: Resolves) -> None:
    found = resolves(STAFF)
    anna = found.staff_member("telegram", "1")
    assert anna is not None
    assert (anna.name, anna.amocrm_user) == ("Анна", 78)
    assert found.staff_member("telegram", "9") is None
    assert found.is_staff_chat("telegram", "2")
    assert not found.is_staff_chat("whatsapp", "1")


def test_users_are_known_by_their_ids(resolves: Resolves) -> None:
    found = resolves()
    assert found.user_name(77) == "Олег Смирнов"
    assert (found.user_name(5), found.user_name(0), found.user_name(None)) == ("5", "", "")
    assert [found.is_active(user) for user in (77, 80, 5, 0, None)] == [True, False, False, False, False]


# What stops the start


A_SURVEY = '[[survey]]\nkey = "a"\nmetric = "csat"\n'
A_PERSON = '[[staff]]\ntelegram_id = 1\nname = "Анна"\nrole = "head"\n'


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        (
            '[amocrm.fields]\nnps = "NSP"',
            "2: amocrm.fields.nps",
            "Поле сделки: «NSP» в amoCRM нет. Похоже на: NPS. Создаст команда sarafan setup.",
        ),
        ("[amocrm.fields]\nmax_link = 9", "2: amocrm.fields.max_link", "Поле сделки: «9» в amoCRM нет."),
        ('[amocrm]\nconsent_field = "Согласен"', "2: amocrm.consent_field", "Поле контакта: «Согласен»"),
        ('[amocrm]\nsales_pipelines = ["Продажа"]', "2: amocrm.sales_pipelines", "Воронка: «Продажа»"),
        (
            '[complaints]\npipeline = "Жалобы"',
            "2: complaints.pipeline",
            "«Жалобы» в amoCRM нет. Создаст команда sarafan setup.",
        ),
        ('[complaints]\nstatus = "Нова"', "2: complaints.status", "«Нова» в amoCRM нет. Похоже на: Новая."),
        ('[complaints]\nstatus = "142"', "2: complaints.status", "Статус рекламаций: «142»"),
        ('[complaints]\nresponsible = "Мария"', "2: complaints.responsible", "Пользователь: «Мария»"),
        (A_SURVEY + 'pipelines = ["X"]', "4: survey.a.pipelines", "Воронка: «X» в amoCRM нет."),
        (
            A_SURVEY + 'trigger = "deal_status"\nstatuses = ["Монтаж"]',
            "5: survey.a.statuses",
            "Статус: «Монтаж» в amoCRM нет. Похоже на: Монтаж завершён.",
        ),
        (A_SURVEY + 'from = "field:Бригада"', "4: survey.a.from", "«Бригада» — не поле с датой (text)"),
        (A_SURVEY + 'subject = "field:Бригады"', "4: survey.a.subject", "Похоже на: Бригада."),
        (
            A_SURVEY + A_SURVEY.replace('"a"', '"b"') + "field = 501",
            "7: survey.b.field",
            "в это поле уже пишет опрос a. Нужно своё поле",
        ),
        (A_PERSON + 'amocrm_user = "Аня"', "5: staff.Анна.amocrm_user", "Пользователь: «Аня» в amoCRM нет."),
    ],
)
def test_a_name_that_the_file_gives_must_exist(
    resolves: Resolves, tmp_path: Path, text: str, where: str, said: str
) -> None:
    (problem,) = resolves(text).problems
    assert str(problem).startswith(f"{tmp_path}/config.toml:{where}: ")
    assert said in str(problem)


def test_names_that_two_have_need_the_id(resolves: Resolves) -> None:
    twins = replace(
        DICTIONARIES, lead_fields=(*DICTIONARIES.lead_fields, CustomField(id=900, name="nps ", type="text"))
    )
    assert "Укажите номер поля вместо названия: 500, 900." in resolves("", twins).warnings[0]
    (problem,) = resolves('[amocrm.fields]\nnps = "NPS"\n', twins).problems
    assert "Два поля называются «NPS»" in problem.text
    assert resolves("[amocrm.fields]\nnps = 900\n", twins).fields.nps == 900


def test_the_complaints_pipeline_must_exist_given_or_not(resolves: Resolves) -> None:
    none = replace(DICTIONARIES, pipelines=DICTIONARIES.pipelines[:2])
    found = resolves("", none)
    assert [problem.key for problem in found.problems] == ["complaints.pipeline"]
    assert (found.complaints_pipeline, found.complaints_status) == (None, None)
    closed = replace(DICTIONARIES, pipelines=(pipeline(9100, "Рекламации", {}),))
    assert "нет ни одного открытого статуса" in resolves("", closed).problems[0].text


def test_all_problems_are_told_at_once() -> None:
    problem = Problem(where="config.toml:2", key="a.b", text="c")
    assert str(AccountProblems([problem, problem])) == "config.toml:2: a.b: c\nconfig.toml:2: a.b: c"


def test_the_environment_gives_names_too(resolves: Resolves) -> None:
    (problem,) = resolves(SARAFAN_AMOCRM__FIELDS__NPS="NSP").problems
    assert str(problem).startswith("SARAFAN_AMOCRM__FIELDS__NPS: amocrm.fields.nps: ")


def test_problems_speak_the_language_of_the_company(resolves: Resolves) -> None:
    (problem,) = resolves('[company]\nlanguage = "en"\n[amocrm.fields]\nnps = "NSP"\n').problems
    assert (
        problem.text
        == 'Deal field: there is no "NSP" in amoCRM. Similar: NPS. The command sarafan setup makes it.'
    )


# What is only warned of


def test_a_default_that_the_account_lacks_is_warned_of_and_not_written(resolves: Resolves) -> None:
    found = resolves("", without("NPS", "Опрос"))
    assert found.problems == ()
    assert [line.split(": ")[0] for line in found.warnings] == [
        "amocrm.fields.nps",
        "amocrm.fields.survey_state",
    ]
    assert (found.fields.nps, found.rules[0].score_field, found.fields.survey_state) == (None, None, None)


def test_a_default_that_nobody_needs_is_not_missed(resolves: Resolves) -> None:
    assert resolves("", without("CSAT", "CES")).warnings == ()
    only_whatsapp = '[delivery]\nchannels = ["whatsapp"]\n[whatsapp]\nprovider = "greenapi"\n'
    only_whatsapp += 'base_url = "https://x.ru"\ninstance_id = "1"\napi_token = "t"\n'
    assert resolves(only_whatsapp, without("Ссылка на Telegram-бота")).warnings == ()


def test_a_renamed_referral_option_is_named(resolves: Resolves) -> None:
    renamed = replace(
        DICTIONARIES,
        lead_fields=(
            *without("Скидка").lead_fields,
            lead_field(506, "Скидка", "select", {71: "Скидка от друга 7%", 72: "Сезон"}),
        ),
    )
    found = resolves("", renamed)
    (warning,) = found.warnings
    assert "нет варианта «Скидка от друга 5%»" in warning
    assert "Похоже на: Скидка от друга 7%" in warning
    assert (found.problems, found.referral_enum) == ((), None)


def test_a_discount_in_free_text_is_fine(resolves: Resolves) -> None:
    as_text = replace(
        DICTIONARIES, lead_fields=(*without("Скидка").lead_fields, lead_field(506, "Скидка", "text"))
    )
    found = resolves("", as_text)
    assert (found.warnings, found.referral_enum) == ((), None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[amocrm.fields]\nnps = "Оценка списком"', "поле «Оценка списком» — не число и не текст (select)"),
        ('[amocrm]\nconsent_field = "Реклама"', "поле «Реклама» — не флажок (text)"),
        ('[complaints]\nresponsible = "Пётр Старый"', "«Пётр Старый» отключён в amoCRM"),
    ],
)
def test_what_hardly_works_is_warned_of(resolves: Resolves, text: str, said: str) -> None:
    found = resolves(text)
    assert found.problems == ()
    assert said in found.warnings[0]


def test_a_clock_that_nobody_chose_is_compared_with_amocrms(resolves: Resolves, tmp_path: Path) -> None:
    moscow = replace(
        DICTIONARIES, account=DICTIONARIES.account.model_copy(update={"timezone": "Europe/Moscow"})
    )
    assert resolves("", moscow).warnings == ()
    path = tmp_path / "config.toml"
    path.write_text("", encoding="utf-8")
    environ = {key: value for key, value in ENVIRON.items() if "TIMEZONE" not in key}
    (warning,) = resolve(load_settings(path, environ), moscow).warnings
    assert "в amoCRM Europe/Moscow" in warning


# A token without rights


def test_without_rights_ids_work_and_names_do_not(resolves: Resolves) -> None:
    hidden = replace(DICTIONARIES, users=None)
    found = resolves("[complaints]\nresponsible = 78\n", hidden)
    assert (found.problems, found.complaint_responsible) == ((), 78)
    assert found.is_active(5)
    assert found.user_name(77) == "77"
    (problem,) = resolves('[complaints]\nresponsible = "Мария Ким"\n', hidden).problems
    assert "У токена нет прав администратора" in problem.text


# Remembering


def test_what_amocrm_said_survives_as_json(resolves: Resolves) -> None:
    kept = json.loads(json.dumps(dump(DICTIONARIES)))
    assert load(kept) == DICTIONARIES
    hidden = replace(DICTIONARIES, users=None)
    assert load(json.loads(json.dumps(dump(hidden)))) == hidden


@pytest.mark.parametrize("kept", [{}, {"account": 1}, {**dump(DICTIONARIES), "pipelines": 5}, {"users": []}])
def test_what_another_version_remembered_is_asked_again(kept: dict[str, Any]) -> None:
    assert load(kept) is None


def answer(request: httpx.Request) -> httpx.Response:
    path = request.url.path.removeprefix("/api/v4/")
    embedded = {
        "users": [{"id": 77, "name": "Олег", "rights": {"is_active": True, "is_admin": False}}],
        "leads/pipelines": [{"id": 9100, "name": "Рекламации", "_embedded": {"statuses": [{"id": 9101}]}}],
        "leads/custom_fields": [{"id": 500, "name": "NPS", "type": "numeric", "enums": None}],
        "contacts/custom_fields": [],
    }
    if path == "account":
        return httpx.Response(
            200, json={"id": 1, "name": "Влад", "currency": "RUB", "is_api_filter_enabled": True}
        )
    if path == "users" and request.headers["authorization"] == "Bearer weak":
        return httpx.Response(403, json={"title": "Forbidden", "status": 403, "detail": "no"})
    key = {"leads/pipelines": "pipelines"}.get(path, path.rpartition("/")[2])
    return httpx.Response(200, json={"_embedded": {key: embedded[path]}})


def client(*, may_see_users: bool = True) -> AmoCrm:
    token = "strong" if may_see_users else "weak"
    far_side = httpx.MockTransport(answer)
    return AmoCrm("https://example.amocrm.ru", token, requests_per_second=1000, transport=far_side)


async def test_the_account_is_remembered_for_a_start_without_amocrm(db: Database) -> None:
    assert await recall(db) is None
    amocrm = client()
    read = await refresh(amocrm, db)
    await amocrm.close()
    assert await recall(db) == read
    assert read.pipelines[0].statuses[0].id == 9101
    async with db.transaction() as tx:
        await state.remember(tx, KEY, {"from": "elsewhere"})
    assert await recall(db) is None


async def test_a_token_that_may_not_see_users_is_good_enough(db: Database) -> None:
    amocrm = client(may_see_users=False)
    assert (await refresh(amocrm, db)).users is None
    await amocrm.close()
