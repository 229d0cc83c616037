"""`setup`: what the account lacks is shown, created once, and nothing of others is touched."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from integrations.standins.amocrm import AmoCrmStandIn
from integrations.standins.amocrm_model import LEADS, Webhook
from integrations.standins.telegram import TelegramStandIn
from integrations.standins.whatsapp import GreenApiStandIn
from tests.cli.conftest import Sarafan
from tests.integrations.amocrm_setup import client_of
from tests.world import BASE, merged, settings_from
from worker.account.dictionaries import read
from worker.account.resolve import resolve
from worker.cli.create import Outcome, agreed, answer_of, print_outcome, set_up
from worker.cli.lacking import Lacking
from worker.cli.setup import Check, run_checks
from worker.config.settings import Settings

NOW = datetime(2026, 9, 7, 1, tzinfo=UTC)
OURS = "https://sarafan.example.com/webhooks/amocrm/kX3-secret_of_the_path"
HTTP = {"public_url": "https://sarafan.example.com", "webhook_secret": "kX3-secret_of_the_path"}


class NewAccount:
    """An account that has only what amoCRM gives everybody, and `setup` upon it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.amocrm = AmoCrmStandIn(lambda: NOW, rate_limit=None)
        self.amocrm.custom_fields[LEADS].clear()
        complaints = self.amocrm.pipeline("Рекламации")
        del self.amocrm.pipelines[complaints.id]
        self.told: list[Outcome] = []

    def settings(self, **config: Any) -> Settings:
        return settings_from(merged(BASE, config), self.folder)

    async def set_up(
        self, may_create: Callable[[Lacking], bool] = lambda _: True, **config: Any
    ) -> tuple[Lacking, dict[str, Outcome]]:
        lacking, outcomes = await set_up(
            self.settings(**config),
            may_create=may_create,
            tell=self.told.append,
            transports={"amocrm": httpx.ASGITransport(app=self.amocrm.app)},
            requests_per_second=1000,
        )
        return lacking, {outcome.item.name: outcome for outcome in outcomes}

    def fields(self) -> dict[str, str]:
        return {each.name: each.type for each in self.amocrm.custom_fields[LEADS].values()}

    def writes(self) -> list[str]:
        return [call.path for call in self.amocrm.requests if call.method != "GET"]

    def fail(self, path: str, *, nth: int = 1, **how: Any) -> None:
        self.amocrm.faults.add(path=path, method="POST", nth=nth, **how)


@pytest.fixture
def account(tmp_path: Path) -> NewAccount:
    return NewAccount(tmp_path)


# What is made


async def test_everything_that_the_settings_name_is_there_afterwards(account: NewAccount) -> None:
    _, outcomes = await account.set_up()
    assert {outcome.state for outcome in outcomes.values()} == {"created"}
    assert account.fields() == {
        "NPS": "numeric",
        "Промокод для друзей": "text",
        "Ссылка на Telegram-бота": "url",
        "Опрос": "text",
        "Скидка": "select",
        "Промокод друга": "text",
        "Причина рекламации": "select",
    }, "CSAT, CES and the link to MAX would stay empty with these settings"
    found = resolve(account.settings(), await read(client_of(account.amocrm)))
    assert (found.problems, found.warnings) == ((), ())
    assert None not in (found.complaints_status, found.topic_field, found.referral_enum)


async def test_a_score_is_not_edited_by_hand_and_a_discount_is(account: NewAccount) -> None:
    await account.set_up()
    closed = {each.name for each in account.amocrm.custom_fields[LEADS].values() if each.is_api_only}
    assert closed == {"NPS", "Промокод для друзей", "Ссылка на Telegram-бота", "Опрос"}


async def test_the_discount_has_the_option_that_means_a_friend(account: NewAccount) -> None:
    await account.set_up(referral={"value": "От друга 7%"})
    assert list(account.amocrm.field("Скидка").enums.values()) == ["Без скидки", "От друга 7%"]


async def test_the_complaints_pipeline_is_ready_for_use_and_is_not_the_main_one(account: NewAccount) -> None:
    await account.set_up()
    made = account.amocrm.pipeline("Рекламации")
    assert [status.name for status in made.statuses if status.type == 0] == [
        "Новая", "В работе", "Ждём клиента", "Решена", "Не решена",
    ]  # fmt: skip
    assert (made.is_main, made.is_unsorted_on) == (False, False)
    assert account.amocrm.pipeline("Продажи").is_main
    assert made.sort > account.amocrm.pipeline("Продажи").sort


async def test_the_status_that_the_settings_name_takes_new_complaints(account: NewAccount) -> None:
    await account.set_up(complaints={"status": "Принята"})
    assert account.amocrm.pipeline("Рекламации").first_status.name == "Принята"


async def test_an_english_company_gets_english_words(account: NewAccount) -> None:
    await account.set_up(company={"language": "en"})
    assert account.amocrm.pipeline("Рекламации").first_status.name == "New"
    assert "Delay" in account.amocrm.field("Причина рекламации").enums.values()


async def test_each_survey_gets_the_field_that_it_names_and_a_shared_name_is_made_once(
    account: NewAccount,
) -> None:
    surveys = [
        {"key": "nps", "metric": "nps"},
        {"key": "crew", "metric": "csat", "field": "Оценка бригады"},
        {"key": "manager", "metric": "csat"},
    ]
    await account.set_up(survey=surveys, amocrm={"fields": {"about": "Опрос"}})
    names = [each.name for each in account.amocrm.custom_fields[LEADS].values()]
    assert sorted(set(names)) == sorted(names)
    assert account.fields()["Оценка бригады"] == "numeric"
    assert "CSAT" in names


# Nothing twice, nothing of others


async def test_a_second_run_has_nothing_to_do(account: NewAccount) -> None:
    await account.set_up(http=HTTP)
    before = account.writes()
    lacking, outcomes = await account.set_up(http=HTTP)
    assert (lacking, outcomes) == (Lacking(()), {})
    assert account.writes() == before


async def test_who_says_no_has_nothing_created(account: NewAccount) -> None:
    asked: list[Lacking] = []

    def no(lacking: Lacking) -> bool:
        asked.append(lacking)
        return False

    _, outcomes = await account.set_up(no)
    assert [item.name for item in asked[0].items] == list(outcomes)
    assert {outcome.state for outcome in outcomes.values()} == {"missing"}
    assert account.writes() == []


async def test_the_webhook_is_added_beside_those_of_others(account: NewAccount) -> None:
    theirs = Webhook(
        id=1, destination="https://other.example/h", settings=["add_lead"], created_at=1, updated_at=1
    )
    account.amocrm.webhooks[theirs.destination] = theirs
    lacking, _ = await account.set_up(http=HTTP)
    assert set(account.amocrm.webhooks) == {theirs.destination, OURS}
    assert account.amocrm.webhooks[OURS].settings == ["add_lead", "status_lead"]
    assert account.amocrm.webhooks[theirs.destination] is theirs
    assert "kX3-secret_of_the_path" not in str([item.title for item in lacking.items])


async def test_what_somebody_added_to_our_subscription_stays(account: NewAccount) -> None:
    account.amocrm.webhooks[OURS] = Webhook(
        id=1, destination=OURS, settings=["add_message"], created_at=1, updated_at=1
    )
    await account.set_up(http=HTTP)
    assert account.amocrm.webhooks[OURS].settings == ["add_lead", "status_lead", "add_message"]


async def test_a_webhook_that_amocrm_switched_off_is_for_people_to_switch_on(account: NewAccount) -> None:
    account.amocrm.webhooks[OURS] = Webhook(
        id=1,
        destination=OURS,
        settings=["add_lead", "status_lead"],
        created_at=1,
        updated_at=1,
        disabled=True,
    )
    lacking, _ = await account.set_up(http=HTTP)
    assert "Включите его" in lacking.problems[0]


@pytest.mark.parametrize("host", ["https://сарафан.рф", "https://xn--80aafzd7a.xn--p1ai"])
async def test_a_cyrillic_domain_is_told_before_amocrm_refuses_it(account: NewAccount, host: str) -> None:
    lacking, _ = await account.set_up(http={**HTTP, "public_url": host})
    assert "кириллические домены" in lacking.problems[0]
    assert not account.amocrm.webhooks


# Names


async def test_a_name_that_is_nearly_there_is_asked_about(account: NewAccount) -> None:
    account.amocrm.add_field("НПС", "numeric")
    account.amocrm.add_field("Опрос клиента", "text")
    lacking, _ = await account.set_up(lambda _: False)
    near = {item.name: item.near for item in lacking.items}
    assert "Опрос клиента" in near["Опрос"]


async def test_two_fields_of_one_name_are_told_and_no_third_is_made(account: NewAccount) -> None:
    ids = [account.amocrm.add_field("NPS", "numeric") for _ in range(2)]
    lacking, outcomes = await account.set_up()
    assert "NPS" not in outcomes
    assert all(str(number) in lacking.problems[0] for number in ids)


async def test_an_id_that_is_not_there_cannot_be_created(account: NewAccount) -> None:
    fields = {"nps": 999999}
    lacking, outcomes = await account.set_up(amocrm={"fields": fields}, complaints={"pipeline": "777"})
    assert [problem.partition(":")[0] for problem in lacking.problems] == [
        "complaints.pipeline", "amocrm.fields.nps",
    ]  # fmt: skip
    assert not {"777", "999999"} & outcomes.keys()


# What goes wrong


async def test_one_refused_field_keeps_nothing_else_from_being_made(account: NewAccount) -> None:
    account.fail("custom_fields", nth=2, status=422)
    _, outcomes = await account.set_up()
    assert [name for name, outcome in outcomes.items() if outcome.state == "failed"] == [
        "Промокод для друзей"
    ]
    assert "вручную" in outcomes["Промокод для друзей"].trouble
    assert len(account.fields()) == len(outcomes) - 2, "all but the pipeline and the refused field"


async def test_a_token_without_rights_stops_at_once_and_says_whose_is_needed(account: NewAccount) -> None:
    account.amocrm.is_admin = False
    _, outcomes = await account.set_up()
    states = [outcome.state for outcome in outcomes.values()]
    assert (states[0], set(states[1:])) == ("failed", {"missing"})
    assert "администратор" in next(iter(outcomes.values())).trouble
    assert len(account.writes()) == 1


async def test_a_lost_answer_is_told_as_such_and_the_next_run_makes_no_twin(account: NewAccount) -> None:
    account.fail("leads/pipelines", drop=True, after=True)
    _, outcomes = await account.set_up()
    assert outcomes["Рекламации"].state == "unsure"
    assert "Запустите setup ещё раз" in outcomes["Рекламации"].trouble
    assert {outcome.state for name, outcome in outcomes.items() if name != "Рекламации"} == {"created"}
    assert (await account.set_up())[1] == {}
    assert [each.name for each in account.amocrm.pipelines.values()].count("Рекламации") == 1


async def test_a_tariff_without_webhooks_is_no_obstacle_to_the_rest(account: NewAccount) -> None:
    account.amocrm.faults.add(path="webhooks", status=403, json={"status": 403, "title": "Forbidden"})
    lacking, outcomes = await account.set_up(http=HTTP)
    assert {outcome.state for outcome in outcomes.values()} == {"created"}
    assert "«Расширенный»" in lacking.problems[0]


async def test_check_names_what_setup_can_create(account: NewAccount) -> None:
    async def checked() -> dict[str, Check]:
        transports = {
            "amocrm": httpx.ASGITransport(app=account.amocrm.app),
            "telegram": httpx.ASGITransport(app=TelegramStandIn(lambda: NOW).app),
            "whatsapp": httpx.ASGITransport(app=GreenApiStandIn(lambda: NOW).app),
        }
        rows = await run_checks(account.settings(), transports=transports, now=NOW, requests_per_second=1000)
        return {row.name: row for row in rows}

    before = (await checked())["amocrm.setup"]
    assert "«Рекламации», «NPS»" in before.found
    assert "sarafan setup" in before.remedy
    await account.set_up()
    assert "amocrm.setup" not in await checked()


# The command


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def type_in(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    return type_in


@pytest.mark.parametrize(
    ("typed", "agrees"), [("да\n", True), ("Y\n", True), ("\n", False), ("нет\n", False), ("", False)]
)
async def test_the_list_is_shown_before_the_question(
    account: NewAccount, answers: Callable[[str], None], capsys: pytest.CaptureFixture[str],
    typed: str, agrees: bool,
) -> None:  # fmt: skip
    answers(typed)
    lacking, _ = await account.set_up(lambda _: False)
    assert agreed(account.settings(), lacking, yes=False) is agrees
    said = capsys.readouterr().out
    assert "воронка «Рекламации» (Новая → В работе → Ждём клиента → Решена / Не решена)" in said
    assert "поле сделки «NPS» (число, руками не меняется)" in said
    assert ("Ничего не создано" in said) is not agrees


async def test_each_thing_is_told_when_it_is_made(
    account: NewAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    account.fail("custom_fields", status=422)
    await account.set_up()
    for outcome in account.told:
        print_outcome(account.settings(), outcome)
    marks = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line[0] in "✓✗"]
    assert marks == ["✓", "✗", *"✓" * (len(account.told) - 2)]


def test_an_account_that_does_not_answer_is_told_with_its_remedy(sarafan: Sarafan, config: Path) -> None:
    text = config.read_text(encoding="utf-8").replace("https://example.amocrm.ru", "http://127.0.0.1:9")
    config.write_text(text, encoding="utf-8")
    told = sarafan("setup", "--yes")
    assert told.exit_code == 1
    assert "amoCRM не отвечает: до сервера не дойти" in told.stderr
    assert "Проверьте" in told.stderr


async def test_programs_get_every_thing_with_its_state(account: NewAccount) -> None:
    account.fail("custom_fields", status=422)
    lacking, outcomes = await account.set_up(http={**HTTP, "public_url": "https://сарафан.рф"})
    answer = json.loads(answer_of(lacking, list(outcomes.values()), False))
    assert answer.keys() == {"ok", "items", "problems"}
    assert all(row.keys() == {"kind", "key", "name", "state", "trouble"} for row in answer["items"])
    assert [row["key"] for row in answer["items"] if row["state"] == "failed"] == ["amocrm.fields.nps"]
    assert len(answer["problems"]) == 1
