"""`check`: what is fine, what is not, and what to do about it."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from integrations.amocrm.auth import token_ends
from integrations.standins.amocrm import AmoCrmStandIn
from integrations.standins.amocrm_model import Event, Webhook
from integrations.standins.max import MaxStandIn
from integrations.standins.telegram import TelegramStandIn
from integrations.standins.whatsapp import GreenApiStandIn
from storage import rollout
from storage.database import Database
from storage.tables.people import InvitedStaff
from tests.cli.conftest import Sarafan
from tests.world import BASE, MAX_ACCOUNT, MAX_BOT, merged, settings_from
from worker.cli.setup import Check, run_checks

NOW = datetime(2026, 9, 7, 1, tzinfo=UTC)


class Outside:
    """The three services, and what `check` says of them."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.now = NOW
        self.amocrm = AmoCrmStandIn(lambda: self.now, rate_limit=None)
        self.telegram = TelegramStandIn(lambda: self.now)
        self.whatsapp = GreenApiStandIn(lambda: self.now)
        self.max_account = GreenApiStandIn(lambda: self.now, messenger="max")
        self.max = MaxStandIn(lambda: self.now)
        self.max_transport: httpx.MockTransport | None = None

    async def check(self, *, our_time: datetime = NOW, **config: Any) -> dict[str, Check]:
        settings = settings_from(merged({**BASE, "storage": {"url": self.url}}, config), self.folder)
        transports = {
            "amocrm": httpx.ASGITransport(app=self.amocrm.app),
            "telegram": httpx.ASGITransport(app=self.telegram.app),
            "whatsapp": httpx.ASGITransport(app=self.whatsapp.app),
            "max_account": httpx.ASGITransport(app=self.max_account.app),
            "max": self.max_transport or httpx.ASGITransport(app=self.max.app),
        }
        rows = await run_checks(settings, transports=transports, now=our_time, requests_per_second=1000)
        return {row.name: row for row in rows}


@pytest.fixture
def outside(tmp_path: Path, db_url: str) -> Outside:
    return Outside(tmp_path, db_url)


async def test_everything_is_fine(outside: Outside) -> None:
    rows = await outside.check()
    assert [row for row in rows.values() if not row.ok] == []
    assert {"config", "storage", "amocrm", "clock", "names", "telegram", "whatsapp", "staff"} <= rows.keys()
    assert "https://example.amocrm.ru" in rows["amocrm"].found
    assert "sarafan_demo_bot" in rows["telegram"].found
    assert "«Рекламации»" in rows["names"].found
    assert "Обращения и NPS" in rows["amocrm.nps"].remedy


async def test_the_storage_is_shown_with_its_version(outside: Outside) -> None:
    found = (await outside.check())["storage"]
    assert found.ok
    assert ("SQLite 3." in found.found) == outside.url.startswith("sqlite")


async def test_a_storage_that_is_not_there_yet_is_fine_and_stays_so(outside: Outside, tmp_path: Path) -> None:
    outside.url = f"sqlite:///{tmp_path}/new/sarafan.db"
    found = (await outside.check())["storage"]
    assert (found.ok, "при первом запуске" in found.found) == (True, True)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("company", "told"),
    [
        ({}, "Сервер за пределами России? Для данных клиентов из России выбирайте сервер в России (152-ФЗ)."),
        ({"language": "en"}, "Is the server outside Russia? For data of clients in Russia choose a server "
                             "in Russia (152-FZ)."),
        ({"holidays": "DE", "timezone": "Europe/Berlin"}, ""),
    ],
)  # fmt: skip
async def test_where_clients_data_may_live_is_said_while_there_are_none(
    outside: Outside, tmp_path: Path, company: dict[str, str], told: str
) -> None:
    outside.url = f"sqlite:///{tmp_path}/new/sarafan.db"
    assert (await outside.check(company=company))["storage"].remedy == told
    outside.url = f"sqlite:///{tmp_path}/old.db"
    await (await Database.open(outside.url)).close()
    assert (await outside.check(company=company))["storage"].remedy == ""


async def test_a_refused_token_is_told_with_its_remedy(outside: Outside) -> None:
    rows = await outside.check(amocrm={"token": "another"})
    assert not rows["amocrm"].ok
    assert "Создайте новый токен" in rows["amocrm"].remedy
    assert "names" not in rows
    assert rows["telegram"].ok


def without_rights(outside: Outside) -> None:
    outside.amocrm.is_admin = False


def without_filter(outside: Outside) -> None:
    outside.amocrm.filters = False


def blocked(outside: Outside) -> None:
    outside.amocrm.is_blocked = True


@pytest.mark.parametrize(
    ("change", "name", "ok", "remedy"),
    [
        (without_rights, "amocrm.users", False, "нет прав администратора"),
        (without_filter, "amocrm.filter", True, "читаем медленнее"),
        (blocked, "amocrm", False, "напишите в поддержку amoCRM"),
    ],
)
async def test_what_amocrm_withholds_is_told(
    outside: Outside, change: Callable[[Outside], None], name: str, ok: bool, remedy: str
) -> None:
    change(outside)
    row = (await outside.check())[name]
    assert row.ok is ok
    assert remedy in row.remedy


async def test_a_name_that_is_not_there_is_told_with_the_nearest(outside: Outside) -> None:
    row = (await outside.check(complaints={"pipeline": "Рекламация"}))["complaints.pipeline"]
    assert not row.ok
    assert "Похоже на: Рекламации" in row.remedy


async def test_a_clock_that_is_wrong_is_told(outside: Outside) -> None:
    assert (await outside.check(our_time=NOW + timedelta(seconds=50)))["clock"].ok
    row = (await outside.check(our_time=NOW - timedelta(hours=1)))["clock"]
    assert not row.ok
    assert "3600" in row.found
    assert "Часы сервера расходятся" in row.remedy


async def test_a_bot_that_is_refused_is_told(outside: Outside) -> None:
    rows = await outside.check(telegram={"token": "999999999:AAE-another-token-of-a-bot"})
    assert not rows["telegram"].ok
    assert "Проверьте telegram.token" in rows["telegram"].remedy
    assert "AAE" not in str(rows)
    english = await outside.check(
        company={"language": "en"}, telegram={"token": "999999999:AAE-another-token-of-a-bot"}
    )
    assert "Check telegram.token" in english["telegram"].remedy


async def test_an_instance_that_lost_its_phone_is_told(outside: Outside) -> None:
    outside.whatsapp.set_state("notAuthorized")
    row = (await outside.check())["whatsapp"]
    assert not row.ok
    assert "отсканируйте QR-код" in row.remedy


async def test_an_instance_that_refuses_the_token_is_told(outside: Outside) -> None:
    row = (await outside.check(whatsapp={"api_token": "another"}))["whatsapp"]
    assert not row.ok
    assert "Сверьте whatsapp.base_url, instance_id и api_token" in row.remedy


async def test_an_account_of_max_is_tried_like_any_channel(outside: Outside) -> None:
    assert (await outside.check(**MAX_ACCOUNT))["max_account"].ok
    another = merged(MAX_ACCOUNT, {"max_account": {"api_token": "another"}})
    row = (await outside.check(**another))["max_account"]
    assert "Сверьте max_account.base_url, instance_id и api_token" in row.remedy


async def test_the_bot_in_max_is_tried_and_shown_with_its_address(outside: Outside) -> None:
    row = (await outside.check(**MAX_BOT))["max"]
    assert (row.ok, row.found) == (True, "https://max.ru/id990001_bot")


async def test_a_bot_in_max_that_is_refused_is_told(outside: Outside) -> None:
    rows = await outside.check(max={"token": "another-token-of-a-bot"})
    assert not rows["max"].ok
    assert "Проверьте max.token" in rows["max"].remedy
    assert "another-token" not in str(rows)
    english = await outside.check(company={"language": "en"}, max={"token": "another-token-of-a-bot"})
    assert "Check max.token" in english["max"].remedy


async def test_a_certificate_that_is_not_trusted_names_the_setting(outside: Outside) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer certificate")

    outside.max_transport = httpx.MockTransport(refuse)
    row = (await outside.check(**MAX_BOT))["max"]
    assert (row.ok, "max.ca_file" in row.remedy) == (False, True)


async def test_what_stands_between_us_and_max_is_told(outside: Outside) -> None:
    outside.max.faults.add("/me", times=0, status=200, json={"status": "ok"})
    row = (await outside.check(**MAX_BOT))["max"]
    assert (row.ok, "max.api_url" in row.remedy) == (False, True)


async def test_a_bot_in_max_to_which_nothing_can_link_is_told(outside: Outside) -> None:
    outside.max.username = None
    row = (await outside.check(**MAX_BOT))["max"]
    assert (row.ok, "max.deep_link" in row.remedy) == (False, True)


async def test_another_program_on_the_bot_in_max_is_told(outside: Outside) -> None:
    outside.max.subscribe("https://crm.example.org/hook")
    row = (await outside.check(**MAX_BOT))["max"]
    assert (row.ok, "crm.example.org" in row.found) == (False, True)
    assert "отдельного бота" in row.remedy
    english = await outside.check(**merged(MAX_BOT, {"company": {"language": "en"}}))
    assert "a bot of its own" in english["max"].remedy


@pytest.mark.parametrize("state", ["yellowCard", "suspended", "notEnoughMoney"])
async def test_an_account_that_may_not_send_is_told_with_its_state(outside: Outside, state: str) -> None:
    outside.max_account.set_state(state)
    row = (await outside.check(**MAX_ACCOUNT))["max_account"]
    assert not row.ok
    assert state in row.found
    assert "почему аккаунту нельзя писать" in row.remedy


async def test_nobody_to_hear_of_it_is_not_fine(outside: Outside) -> None:
    row = (await outside.check(staff=[]))["staff"]
    assert (row.ok, "[[staff]]" in row.remedy) == (False, True)


def mark_in_own_bot(outside: Outside, at: datetime) -> None:
    outside.amocrm.events.append(
        Event(
            id="01k",
            type="nps_rate_added",
            entity_id=1,
            entity_type="talk",
            created_by=0,
            created_at=int(at.timestamp()),
            value_after=[{"nps": {"rate": 9}}],
            value_before=[],
        )
    )


async def test_marks_in_amocrms_own_bot_show_that_clients_would_be_asked_twice(outside: Outside) -> None:
    mark_in_own_bot(outside, NOW - timedelta(days=40))
    mark_in_own_bot(outside, NOW - timedelta(days=3))
    row = (await outside.check())["amocrm.nps"]
    assert row.found == "включён: последняя оценка 04.09.2026"
    assert "Обращения и NPS" in row.remedy


async def test_a_bot_of_amocrm_that_has_been_silent_for_long_is_no_matter(outside: Outside) -> None:
    mark_in_own_bot(outside, NOW - timedelta(days=90))
    assert (await outside.check())["amocrm.nps"].remedy == ""


@pytest.mark.parametrize("status", [400, 403])
async def test_an_account_without_such_events_is_advised_all_the_same(outside: Outside, status: int) -> None:
    outside.amocrm.faults.add(path="events", status=status, times=0)
    row = (await outside.check())["amocrm.nps"]
    assert (row.ok, "Обращения и NPS" in row.remedy) == (True, True)


HOOK = "https://sarafan.example.com/webhooks/amocrm/kX3-secret_of_the_path"


def hook(**more: Any) -> Webhook:
    return Webhook(id=1, destination=HOOK, settings=["add_lead"], created_at=1, updated_at=1, **more)


@pytest.mark.parametrize(
    ("there", "ok", "remedy"),
    [([], True, "sarafan setup"), ([hook()], True, ""), ([hook(disabled=True)], False, "Включите его")],
)
async def test_our_webhook_in_amocrm_is_looked_at(
    outside: Outside, there: list[Webhook], ok: bool, remedy: str
) -> None:
    outside.amocrm.webhooks = {each.destination: each for each in there}
    http = {"public_url": "https://sarafan.example.com", "webhook_secret": "kX3-secret_of_the_path"}
    rows = await outside.check(http=http)
    assert rows["amocrm.webhook"].ok is ok
    assert remedy in rows["amocrm.webhook"].remedy
    assert "kX3-secret_of_the_path" not in str(rows)


async def test_without_a_public_address_no_webhook_is_missed(outside: Outside) -> None:
    assert "amocrm.webhook" not in await outside.check()


def jwt(**claims: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJ0eXAiOiJKV1QifQ.{body}.c2ln"


@pytest.mark.parametrize(
    ("days", "ok", "warns"),
    [
        (400, True, False),
        (31, True, False),
        (30, True, True),
        (8, True, True),
        (7, False, True),
        (0, False, True),
    ],
)
async def test_a_token_that_ends_is_told_in_time(outside: Outside, days: int, ok: bool, warns: bool) -> None:
    token = jwt(exp=int((NOW + timedelta(days=days, minutes=1)).timestamp()))
    outside.amocrm.token = token
    row = (await outside.check(amocrm={"token": token}))["amocrm.token"]
    assert (row.ok, "Создайте новый" in row.remedy) == (ok, warns)


@pytest.mark.parametrize("token", ["", "abc", "a.b.c", "a.!.c", jwt(), jwt(exp="soon"), jwt(exp=10**30)])
def test_a_token_of_another_kind_has_no_end(token: str) -> None:
    assert token_ends(token) is None


def test_the_answer_for_programs_has_the_contracts_shape(sarafan: Sarafan, config: Path) -> None:
    config.write_text('[amocrm]\npoll_interval = "x"\n', encoding="utf-8")
    told = sarafan("check", "--json")
    assert told.exit_code == 2
    answer = json.loads(told.stdout)
    assert answer["ok"] is False
    assert all(row.keys() == {"name", "ok", "found", "remedy"} for row in answer["checks"])


def test_without_a_network_it_ends_with_one_and_a_table(sarafan: Sarafan, config: Path) -> None:
    text = config.read_text(encoding="utf-8").replace("https://example.amocrm.ru", "http://127.0.0.1:9")
    config.write_text(
        text.replace("[telegram]\n", '[telegram]\napi_url = "http://127.0.0.1:9"\n'), encoding="utf-8"
    )
    told = sarafan("check")
    assert told.exit_code == 1
    rows = [line.split() for line in told.stdout.splitlines()]
    assert [row[1] for row in rows if row[0] == "✗"] == ["amocrm", "telegram"]
    assert "Осталось исправить: 2" in told.stdout


async def test_a_name_to_escalate_to_that_nobody_has_is_told_and_invited_people_have_names_too(
    outside: Outside,
) -> None:
    key = "complaints.escalate_to"
    assert key not in await outside.check(complaints={"escalate_to": "анна"})
    like = (await outside.check(complaints={"escalate_to": "Анни"}))[key]
    assert (like.ok, like.found, "похоже на «Анна»" in like.remedy) == (False, "«Анни»", True)
    nobody = (await outside.check(complaints={"escalate_to": "Борис"}))[key]
    assert nobody.remedy == (
        "Сотрудника «Борис» нет. Пока пишем владельцу. Поправьте имя или пригласите: "
        'sarafan staff invite --role head --name "Борис".'
    )
    db = await Database.open(outside.url)
    async with db.transaction() as tx:
        tx.add(
            InvitedStaff(
                token_hash="x", name="Борис", role="head", channel="telegram", chat_id="7",
                created_at=NOW, joined_at=NOW, expires_at=NOW + timedelta(days=7),
            )
        )  # fmt: skip
    await db.close()
    assert key not in await outside.check(complaints={"escalate_to": "Борис"})


async def test_the_storage_is_shown_as_the_file_gives_it(outside: Outside, db_url: str) -> None:
    storage = (await outside.check())["storage"]
    assert "aiosqlite" not in storage.found
    if db_url.startswith("sqlite"):
        assert storage.found.startswith(f"{db_url}, SQLite")


async def test_that_a_head_has_to_see_the_first_list_is_told_and_is_no_fault(outside: Outside) -> None:
    assert "delivery.preview" not in await outside.check()
    found = (await outside.check(delivery={"preview": True}))["delivery.preview"]
    assert (found.ok, found.found.startswith("Пока никому не пишем: ")) == (True, True)
    nobody = (await outside.check(delivery={"preview": True}, staff=[]))["delivery.preview"]
    assert (nobody.ok, "sarafan staff invite" in nobody.remedy) == (False, True)
    db = await Database.open(outside.url)
    async with db.transaction() as tx:
        await rollout.agree(tx, "Анна", NOW)
    await db.close()
    found = (await outside.check(delivery={"preview": True}))["delivery.preview"]
    assert (found.ok, found.found.startswith("отправку включили: Анна, ")) == (True, True)
