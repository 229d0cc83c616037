"""`init`: from an address and a token to a file that the program takes, by answers that are numbers."""

import errno
import io
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from integrations.channels.registry import CHANNELS
from integrations.standins.amocrm import AmoCrmStandIn
from integrations.standins.amocrm_model import LEADS
from integrations.standins.telegram import TOKEN as BOT_TOKEN
from integrations.standins.telegram import TelegramStandIn
from integrations.standins.whatsapp import INSTANCE, GreenApiStandIn
from integrations.standins.whatsapp import TOKEN as GATEWAY_TOKEN
from worker.cli.config_text import Answers, Head, render, secrets_of
from worker.cli.dialog import Dialog, NoMoreAnswers, NotThat
from worker.cli.init import NotWritten, write_config
from worker.cli.interview import site_of
from worker.cli.language import language_of
from worker.cli.main import app
from worker.cli.offers import OFFERS, offers
from worker.config.load import load
from worker.config.settings import Settings

NOW = datetime(2026, 9, 7, 1, tzinfo=UTC)

# The questions in their order, each with the answer of who takes every default but the needed ones.
ANSWERS: dict[str, str] = {
    "language": "1",
    "address": "example.amocrm.ru",
    "token": "test-token",
    "company": "",
    "zone": "",
    "phone": "",
    "domain": "",
    "messengers": "1",
    "bot token": BOT_TOKEN,
    "complaints": "",
    "event": "1",
    "fields": "1",
    "code": "3",
    "discount": "",
    "heads": "2",
    "started": "",
    "telegram id": "1",
    "secrets": "1",
}


class Newcomer:
    """Somebody with an account in amoCRM, a bot and a number of Green-API, at a keyboard."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "config.toml"
        self.amocrm = AmoCrmStandIn(lambda: NOW, rate_limit=None)
        self.telegram = TelegramStandIn(lambda: NOW)
        self.whatsapp = GreenApiStandIn(lambda: NOW)
        self.answers = dict(ANSWERS)
        self.environ: dict[str, str] = {}
        self.more_transports: dict[str, httpx.AsyncBaseTransport] = {}

    def empties_the_account(self) -> None:
        self.amocrm.custom_fields[LEADS].clear()
        del self.amocrm.pipelines[self.amocrm.pipeline("Рекламации").id]

    def says(self, **answers: str) -> None:
        """Answers by the question's name; `_` stands for a space, several lines for several questions."""
        named = {name.replace("_", " "): answer for name, answer in answers.items()}
        assert named.keys() <= self.answers.keys()
        self.answers |= named

    def is_not_asked(self, *names: str) -> None:
        for name in names:
            del self.answers[name]

    def answers_everything(self) -> None:
        typed = io.StringIO("".join(f"{answer}\n" for answer in self.answers.values()))
        write_config(
            Dialog("ru", stdin=typed), self.path, self.environ, self.transports, requests_per_second=1000
        )
        assert typed.read() == "", "answers are left over"

    def sits_down(self) -> Settings:
        """Answers everything, and gives what the program makes of the file."""
        self.answers_everything()
        return load(self.path, self.environ)

    @property
    def transports(self) -> Mapping[str, httpx.AsyncBaseTransport]:
        return {
            "amocrm": httpx.ASGITransport(app=self.amocrm.app),
            "telegram": httpx.ASGITransport(app=self.telegram.app),
            "whatsapp": httpx.ASGITransport(app=self.whatsapp.app),
            **self.more_transports,
        }

    @property
    def table(self) -> dict[str, Any]:
        return tomllib.loads(self.path.read_text(encoding="utf-8"))


def number_of(section: str, provider: str) -> str:
    """Of a messenger in the list that is shown to who has no public address."""
    shown = [(offer.section, offer.provider) for offer in offers() if not offer.needs_address]
    return str(1 + shown.index((section, provider)))


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    made = Newcomer(tmp_path)
    made.is_not_asked("fields")  # This account has them all but the topic.
    made.amocrm.add_field("Причина рекламации", "select", enums=("Сроки",))
    made.answers["discount"] = "\n"  # and the option that means a friend
    made.telegram.start("Мария")
    return made


# The file


def test_the_shortest_way_gives_a_file_that_the_program_takes(newcomer: Newcomer) -> None:
    found = newcomer.sits_down()
    assert found.company.name == "ВладАвтоматика"
    assert found.company.timezone.key == "Asia/Vladivostok"
    assert found.channels == ("telegram",)
    assert found.complaints.pipeline == "Рекламации"
    assert (found.surveys[0].trigger, found.surveys[0].promo_in) == ("deal_won", "on_request")
    [head] = found.staff
    assert (head.name, head.role, head.amocrm_user) == ("Мария Ким", "head", "Мария Ким")
    assert head.telegram_id == next(iter(newcomer.telegram.people.values())).user_id
    assert found.referral.value == "Скидка от друга 5%"


def test_only_its_owner_can_read_it_and_nothing_is_left_beside_it(newcomer: Newcomer) -> None:
    newcomer.sits_down()
    assert newcomer.path.stat().st_mode & 0o777 == 0o600
    assert list(newcomer.path.parent.iterdir()) == [newcomer.path]


def test_a_first_list_waits_for_consent(newcomer: Newcomer) -> None:
    newcomer.sits_down()
    assert newcomer.table["delivery"]["preview"] is True


def test_english_is_spoken_to_who_wants_it(newcomer: Newcomer, capsys: pytest.CaptureFixture[str]) -> None:
    newcomer.says(language="2", event="1\n")
    newcomer.amocrm.add_pipeline("Complaints")
    found = newcomer.sits_down()
    assert found.company.language == "en"
    said = capsys.readouterr().out.partition("[1]:")[2]
    ours = re.sub(r"«.*?»|ВладАвтоматика|Мария( Ким)?|Олег Смирнов|38-ФЗ", "", said)
    assert not re.search("[а-яё]", ours, re.I), ours
    comments = " ".join(re.findall("#.*", newcomer.path.read_text(encoding="utf-8")))
    assert not re.search("[а-яё]", comments.replace("38-ФЗ", "").replace("Мария Ким", ""), re.I)


@given(st.text(), st.text(), st.sampled_from(["ru", "en"]))
@settings(max_examples=50)
def test_whatever_a_company_or_a_head_is_called_the_file_can_be_read(
    company: str, name: str, language: str
) -> None:
    said = io.StringIO(f"{company}\n".partition("\n")[0] + "\n")
    typed = Dialog(stdin=said).text("?", "x")
    heads = [Head(name=typed, telegram_id=1), Head(name=typed)]
    table = tomllib.loads(render(Answers(language=language, company=typed, heads=heads), {}))
    assert table["company"]["name"] == typed
    assert [person["name"] for person in table["staff"]] == [typed]


# Secrets


def test_secrets_can_stand_in_files_of_their_own(newcomer: Newcomer) -> None:
    newcomer.says(secrets="2", domain="sarafan.example.com")
    newcomer.answers_everything()
    folder = newcomer.path.parent / "secrets"
    files = {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}
    assert files["amocrm_token"] == "test-token"
    assert files["telegram_token"] == BOT_TOKEN
    assert len(files["http_webhook_secret"]) >= 30
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    text = newcomer.path.read_text(encoding="utf-8")
    assert not [secret for secret in files.values() if secret in text]
    handed = {
        f"SARAFAN_{name.partition('_')[0].upper()}__{name.partition('_')[2].upper()}_FILE": str(folder / name)
        for name in files
    }
    assert load(newcomer.path, handed).telegram.token == BOT_TOKEN


def test_what_the_environment_tells_is_neither_asked_nor_written(newcomer: Newcomer, tmp_path: Path) -> None:
    file = tmp_path / "bot"
    file.write_text(f"{BOT_TOKEN}\n", encoding="utf-8")
    newcomer.environ = {"SARAFAN_AMOCRM__TOKEN": "test-token", "SARAFAN_TELEGRAM__TOKEN_FILE": str(file)}
    newcomer.is_not_asked("token", "bot token", "secrets")
    assert newcomer.sits_down().telegram.token == BOT_TOKEN
    text = newcomer.path.read_text(encoding="utf-8")
    assert "test-token" not in text
    assert BOT_TOKEN not in text
    assert "SARAFAN_AMOCRM__TOKEN" in text


def test_no_secret_is_printed(newcomer: Newcomer, capsys: pytest.CaptureFixture[str]) -> None:
    newcomer.says(domain="sarafan.example.com")
    found = newcomer.sits_down()
    said = capsys.readouterr().out
    assert not [secret for secret in found.secrets() if secret in said]


def test_every_secret_of_a_channel_is_known_as_one() -> None:
    for offer in OFFERS:
        values = {key.name: f"secret-{key.name}" for key in offer.keys}
        found = secrets_of(Answers(channels={offer.section: values}))
        open_ones = {"base_url", "instance_id", "phone_number_id", "channel_id"}
        assert {key.rpartition(".")[2] for key in found} == values.keys() - open_ones


# What is there stays


@pytest.mark.parametrize("answer", ["", "нет"])
def test_a_file_that_is_there_is_not_replaced_without_a_yes(newcomer: Newcomer, answer: str) -> None:
    newcomer.path.write_text("# mine\n", encoding="utf-8")
    with pytest.raises(NotWritten, match="остался как был"):
        write_config(Dialog("ru", stdin=io.StringIO(f"1\n{answer}\n")), newcomer.path, {}, {})
    assert newcomer.path.read_text(encoding="utf-8") == "# mine\n"


def test_with_a_yes_it_is_replaced(newcomer: Newcomer) -> None:
    newcomer.path.write_text("# mine\n", encoding="utf-8")
    newcomer.says(language="1\nда")
    newcomer.sits_down()
    assert newcomer.path.stat().st_mode & 0o777 == 0o600


def test_an_empty_file_is_no_loss(newcomer: Newcomer) -> None:
    newcomer.path.touch()
    newcomer.sits_down()


@pytest.mark.parametrize("answer", ["", "нет"])
def test_another_installations_secrets_are_named_and_stay_without_a_yes(
    newcomer: Newcomer, answer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    there = beside_the_running_one(newcomer)
    newcomer.says(secrets=f"2\n{answer}")
    with pytest.raises(NotWritten, match=r"остались как были.*--out"):
        newcomer.sits_down()
    said = capsys.readouterr().out
    assert str(newcomer.path.parent / "secrets" / "amocrm_token") in said
    assert "telegram_token" not in said, "is no file yet"
    assert contents(newcomer.path.parent) == there


def test_with_a_yes_the_secrets_are_replaced(newcomer: Newcomer) -> None:
    there = beside_the_running_one(newcomer)
    newcomer.says(secrets="2\nда")
    newcomer.answers_everything()
    found = contents(newcomer.path.parent)
    assert found.keys() - there.keys() == {"new.toml", "secrets/telegram_token"}
    assert found["secrets/amocrm_token"] == "test-token"
    assert found["config.toml"] == "# mine\n"


def test_secrets_in_the_new_file_ask_nothing_about_those_that_are_there(newcomer: Newcomer) -> None:
    there = beside_the_running_one(newcomer)
    newcomer.sits_down()
    assert contents(newcomer.path.parent).items() - there.items() == {
        ("new.toml", newcomer.path.read_text(encoding="utf-8"))
    }


def test_an_empty_file_of_a_secret_is_no_loss(newcomer: Newcomer) -> None:
    secret = newcomer.path.parent / "secrets" / "amocrm_token"
    secret.parent.mkdir()
    secret.touch()
    newcomer.says(secrets="2")
    newcomer.answers_everything()
    assert secret.read_text(encoding="utf-8") == "test-token"


def test_a_folder_in_a_secrets_place_is_told_and_nothing_is_written(newcomer: Newcomer) -> None:
    folder = newcomer.path.parent / "secrets" / "telegram_token"
    folder.mkdir(parents=True)
    newcomer.says(secrets="2")
    with pytest.raises(NotWritten, match=r"telegram_token — папка, а нужен файл"):
        newcomer.answers_everything()
    assert contents(newcomer.path.parent) == {}


def test_the_end_says_where_clients_data_may_live(
    newcomer: Newcomer, capsys: pytest.CaptureFixture[str]
) -> None:
    newcomer.answers_everything()
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("Сервер за пределами России?")


def test_a_closed_folder_of_secrets_is_told_and_nothing_is_written(
    newcomer: Newcomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: Path, **_: Any) -> os.stat_result:
        if path.parent.name == "secrets":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return os.stat(path)

    newcomer.says(secrets="2")
    monkeypatch.setattr(Path, "stat", closed)  # The tests may run as root, to whom no folder is closed.
    with pytest.raises(NotWritten, match=r"secrets/amocrm_token не записать: нет прав"):
        newcomer.answers_everything()
    assert list(newcomer.path.parent.iterdir()) == []


def beside_the_running_one(newcomer: Newcomer) -> dict[str, str]:
    """A running installation, and a newcomer who took the advice to write beside it."""
    folder = newcomer.path.parent
    (folder / "secrets").mkdir()
    (folder / "secrets" / "amocrm_token").write_text("the-running-one", encoding="utf-8")
    newcomer.path.write_text("# mine\n", encoding="utf-8")
    newcomer.path = folder / "new.toml"
    return contents(folder)


def contents(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in files}


class Leaving(io.StringIO):
    """Lines, and then Ctrl-C."""

    def readline(self, size: int | None = -1, /) -> Any:
        if line := super().readline():
            return line
        raise KeyboardInterrupt


@pytest.mark.parametrize("after", range(1, len(ANSWERS), 3))
@pytest.mark.parametrize(("keyboard", "left"), [(io.StringIO, NoMoreAnswers), (Leaving, KeyboardInterrupt)])
def test_who_leaves_in_the_middle_leaves_nothing(
    newcomer: Newcomer, after: int, keyboard: type[io.StringIO], left: type[BaseException]
) -> None:
    lines = list(newcomer.answers.values())[:after]
    typed = keyboard("".join(f"{line}\n" for line in lines))
    with pytest.raises(left):
        write_config(
            Dialog("ru", stdin=typed), newcomer.path, {}, newcomer.transports, requests_per_second=1000
        )
    assert list(newcomer.path.parent.iterdir()) == []


def test_a_folder_in_the_files_place_is_told_before_the_questions(newcomer: Newcomer) -> None:
    newcomer.path.mkdir()
    with pytest.raises(NotWritten, match="папка, а нужен файл"):
        write_config(Dialog("ru", stdin=io.StringIO("1\n")), newcomer.path, {}, {})


def test_a_variable_that_is_wrong_is_told_before_the_questions(newcomer: Newcomer) -> None:
    with pytest.raises(NotWritten, match="SARAFAN_AMOCRM__TOKN"):
        write_config(Dialog("ru", stdin=io.StringIO("")), newcomer.path, {"SARAFAN_AMOCRM__TOKN": "x"}, {})


# amoCRM


@pytest.mark.parametrize(
    ("typed", "site"),
    [
        ("example", "https://example.amocrm.ru"),
        ("example.amocrm.ru", "https://example.amocrm.ru"),
        ("https://Example.amocrm.ru/leads/pipeline/1?x=2", "https://example.amocrm.ru"),
        ("example.kommo.com/", "https://example.kommo.com"),
        ("http://127.0.0.1:9001", "http://127.0.0.1:9001"),
    ],
)
def test_the_address_is_taken_as_people_have_it(typed: str, site: str) -> None:
    assert site_of(Dialog(), typed) == site


@pytest.mark.parametrize(
    "typed", ["www.amocrm.ru", "https://www.amocrm.ru/developers", "моя компания", "ftp://a.b", "u@a.ru"]
)
def test_what_is_no_accounts_address_is_asked_for_again(typed: str) -> None:
    with pytest.raises(NotThat, match=r"example\.amocrm\.ru"):
        site_of(Dialog(), typed)


def test_a_refused_token_is_asked_for_again(newcomer: Newcomer, capsys: pytest.CaptureFixture[str]) -> None:
    newcomer.says(token="wrong\nтокен с кириллицей\nBearer test-token")
    assert newcomer.sits_down().amocrm.token.get_secret_value() == "test-token"
    said = capsys.readouterr().out
    assert "amoCRM не принимает токен" in said
    assert "скопируйте целиком" in said


def test_an_amocrm_that_does_not_answer_can_be_tried_again(newcomer: Newcomer) -> None:
    newcomer.amocrm.faults.add(path="pipelines", status=403, body="<html>403</html>")
    newcomer.says(token="test-token\n1")
    newcomer.sits_down()


def test_without_an_administrators_rights_a_head_is_named_by_hand(newcomer: Newcomer) -> None:
    newcomer.amocrm.is_admin = False
    newcomer.says(heads="Анна")
    [head] = newcomer.sits_down().staff
    assert (head.name, head.amocrm_user) == ("Анна", "")


# When the work is done, and where


def test_the_work_may_be_done_at_a_status(newcomer: Newcomer) -> None:
    newcomer.says(event="2\n4")
    survey = newcomer.sits_down().surveys[0]
    assert (survey.trigger, survey.base) == ("deal_status", "entered")
    assert (survey.pipelines, survey.statuses) == (("Продажи",), ("Монтаж",))


def test_the_work_may_be_done_on_a_date_of_the_deal(newcomer: Newcomer) -> None:
    newcomer.amocrm.add_field("Дата монтажа", "date")
    newcomer.says(event="3\n1")
    survey = newcomer.sits_down().surveys[0]
    assert (survey.trigger, survey.base_field) == ("deal_won", "Дата монтажа")


def test_of_several_pipelines_some_are_asked_about(newcomer: Newcomer) -> None:
    newcomer.amocrm.add_pipeline("Сервис")
    newcomer.amocrm.add_pipeline("Партнёры")
    newcomer.says(event="1\n1,2")
    assert newcomer.sits_down().surveys[0].pipelines == ("Продажи", "Сервис")


def test_two_pipelines_of_one_name_are_told_apart_by_id(newcomer: Newcomer) -> None:
    twin = newcomer.amocrm.add_pipeline("Продажи")
    newcomer.says(event="1\n2")
    assert newcomer.sits_down().surveys[0].pipelines == (str(twin),)


def test_an_account_with_complaints_only_still_gets_a_file(newcomer: Newcomer) -> None:
    del newcomer.amocrm.pipelines[newcomer.amocrm.pipeline("Продажи").id]
    newcomer.says(event="2\n1")  # There is no status to choose: 2 is no answer.
    assert newcomer.sits_down().surveys[0].trigger == "deal_won"


def test_users_without_a_name_are_told_apart_by_their_ids(newcomer: Newcomer) -> None:
    nameless = newcomer.amocrm.add_user("")
    newcomer.says(heads="3")
    [head] = newcomer.sits_down().staff
    assert (head.name, head.amocrm_user) == (str(nameless), str(nameless))


def test_a_line_that_cannot_be_read_is_asked_for_again(capsys: pytest.CaptureFixture[str]) -> None:
    typed = io.TextIOWrapper(io.BytesIO("Ворота\n".encode("cp1251")), encoding="utf-8")
    with pytest.raises(NoMoreAnswers):
        Dialog(stdin=typed).text("?")
    assert "не UTF-8" in capsys.readouterr().out


def test_another_pipeline_may_take_the_complaints(newcomer: Newcomer) -> None:
    newcomer.amocrm.add_pipeline("Жалобы")
    newcomer.says(complaints="3", event="1\n")
    assert newcomer.sits_down().complaints.pipeline == "Жалобы"


def test_fields_that_are_there_can_take_the_place_of_ours(newcomer: Newcomer) -> None:
    newcomer.empties_the_account()
    newcomer.amocrm.add_field("Оценка", "numeric")
    ours = newcomer.amocrm.add_field("Статус", "text")
    newcomer.amocrm.add_field("Статус", "text")
    answers = {}
    for name, answer in newcomer.answers.items():
        if name == "code":  # NPS, code, link, state, discount, a friend's code, topic
            answers["fields"] = "2\n3\n2\n1\n3\n2\n2\n2"
        answers[name] = answer
    newcomer.answers = answers | {"discount": ""}
    found = newcomer.sits_down()
    fields = found.amocrm.fields
    assert (fields.nps, fields.promo_code, fields.survey_state) == ("Оценка", "", str(ours))
    assert (fields.referral, fields.referral_code, found.complaints.topic_field) == ("", "", "")
    assert "amocrm.fields.telegram_link" not in found.given, "that one is created under its usual name"


# Messengers


def test_whatsapp_is_tried_and_written(newcomer: Newcomer) -> None:
    keys = f"https://7103.api.greenapi.com\n{INSTANCE}\n{GATEWAY_TOKEN}"
    newcomer.says(messengers=f"1, {number_of('whatsapp', 'greenapi')}", bot_token=f"{BOT_TOKEN}\n{keys}")
    found = newcomer.sits_down()
    assert found.channels == ("telegram", "whatsapp")
    assert found.whatsapp.instance_id == INSTANCE


def test_a_number_that_waits_for_its_qr_may_be_kept(
    newcomer: Newcomer, capsys: pytest.CaptureFixture[str]
) -> None:
    newcomer.whatsapp.set_state("notAuthorized")
    keys = f"https://7103.api.greenapi.com\n{INSTANCE}\n{GATEWAY_TOKEN}"
    newcomer.says(messengers=number_of("whatsapp", "greenapi"), bot_token=f"{keys}\n2")
    newcomer.is_not_asked("started")
    newcomer.answers.pop("telegram id")
    assert newcomer.sits_down().channels == ("whatsapp",)
    assert "отсканируйте QR-код" in capsys.readouterr().out


def test_a_wrong_bot_token_is_asked_for_again(newcomer: Newcomer) -> None:
    newcomer.says(bot_token=f"999:AAE-another\n1\n{BOT_TOKEN}")
    assert newcomer.sits_down().telegram.token == BOT_TOKEN


def test_a_bot_out_of_reach_can_be_given_a_proxy(newcomer: Newcomer) -> None:
    newcomer.telegram.faults.add(path="getMe", status=502, times=10)
    newcomer.says(bot_token=f"{BOT_TOKEN}\n4\nhttp://proxy.example:3128\n2", telegram_id="")
    newcomer.is_not_asked("started")
    assert newcomer.sits_down().telegram.proxy == "http://proxy.example:3128"


def test_no_messenger_at_all_or_a_number_too_many_is_asked_for_again(newcomer: Newcomer) -> None:
    newcomer.says(messengers="0\n99\nодин\n1")
    assert newcomer.sits_down().channels == ("telegram",)


def test_every_channel_that_the_program_has_can_be_set_up_here() -> None:
    built = {(kind.section, kind.provider) for kind in CHANNELS}
    assert built <= {(offer.section, offer.provider) for offer in OFFERS}, "add it to worker/cli/offers.py"
    assert {(offer.section, offer.provider) for offer in offers()} <= built


def of_cabinet(number: str, transport: str) -> dict[str, str]:
    guid = f"{number * 8}-{number * 4}-4{number * 3}-8{number * 3}-{number * 12}"
    return {"channelId": guid, "transport": transport, "plainId": f"7914000000{number}", "state": "active"}


CABINET = [of_cabinet("1", "whatsapp"), of_cabinet("2", "tgapi"), of_cabinet("3", "wapi")]


def answering(body: Any, status: int = 200) -> httpx.MockTransport:
    return httpx.MockTransport(lambda request: httpx.Response(status, json=body))


def with_domain(section: str, provider: str) -> str:
    """The number of a messenger in the list that is shown to who has a public address."""
    return str(1 + [(offer.section, offer.provider) for offer in offers()].index((section, provider)))


@pytest.mark.parametrize(("place", "asked"), [("1", ""), ("2", "\n"), ("2", "\nnps-guid\ncompany, manager")])
def test_a_channel_of_wazzup_is_chosen_from_those_of_the_cabinet(
    newcomer: Newcomer, place: str, asked: str
) -> None:
    newcomer.more_transports = {"whatsapp": answering(CABINET)}
    messenger = with_domain("whatsapp", "wazzup")
    newcomer.says(domain="sarafan.example.com", messengers=messenger, bot_token=f"key\n{place}{asked}")
    newcomer.is_not_asked("started", "telegram id")
    found = newcomer.sits_down().whatsapp
    fitting = [row["channelId"] for row in CABINET if row["transport"] != "tgapi"]
    assert found.channel_id == fitting[int(place) - 1], "that of Telegram is not offered for WhatsApp"
    if "guid" in asked:
        template = found.templates["nps"]
        assert (template.template, template.parameters) == ("nps-guid", ("company", "manager"))
    else:
        assert "# [whatsapp.templates.nps]" in newcomer.path.read_text(encoding="utf-8")


@pytest.mark.parametrize("cabinet", [answering([]), answering({"channels": []}), answering({}, 401)])
def test_a_list_of_channels_that_cannot_be_had_is_replaced_by_what_is_typed(
    newcomer: Newcomer, cabinet: httpx.MockTransport
) -> None:
    newcomer.more_transports = {"whatsapp": cabinet}
    messenger = with_domain("whatsapp", "wazzup")
    newcomer.says(domain="sarafan.example.com", messengers=messenger, bot_token="key\n+7 914 000-00-01\n2")
    newcomer.is_not_asked("started", "telegram id")
    assert newcomer.sits_down().whatsapp.channel_id == "+7 914 000-00-01"


def test_a_number_at_meta_comes_with_its_template(newcomer: Newcomer) -> None:
    newcomer.more_transports = {"whatsapp": answering({"id": "106", "display_phone_number": "+7 914"})}
    keys = "106540352242922\nEAAG-token\nsecret-of-app\nnps_ru\n\nпривет\ncompany"
    messenger = with_domain("whatsapp", "cloud")
    newcomer.says(domain="sarafan.example.com", messengers=messenger, bot_token=keys)
    newcomer.is_not_asked("started", "telegram id")
    found = newcomer.sits_down().whatsapp
    template = found.templates["nps"]
    assert (template.template, template.template_language) == ("nps_ru", "ru")
    assert template.parameters == ("company",)
    assert len(found.verify_token) > 16, "made up by us, for nobody to guess"


def test_who_posts_to_us_is_not_offered_without_a_public_address(
    newcomer: Newcomer, capsys: pytest.CaptureFixture[str]
) -> None:
    newcomer.sits_down()
    said = capsys.readouterr().out
    assert "Wazzup24 и WhatsApp Cloud присылают сообщения сами" in said
    assert "через Wazzup24\n" not in said


# People


def test_nobodys_start_is_taken_from_the_worker(newcomer: Newcomer) -> None:
    newcomer.sits_down()
    polls = [call for call in newcomer.telegram.requests if "getUpdates" in call.path]
    assert polls
    assert not [call for call in polls if "offset" in call.query]


def test_a_head_without_an_id_stands_there_as_a_comment(newcomer: Newcomer) -> None:
    newcomer.telegram.people.clear()
    newcomer.telegram.updates.clear()
    newcomer.says(telegram_id="")
    found = newcomer.sits_down()
    assert found.staff == ()
    text = newcomer.path.read_text(encoding="utf-8")
    assert '# name = "Мария Ким"' in text
    assert "@userinfobot" in text


def test_enter_puts_the_id_off_and_makes_no_head_of_whoever_pressed_start(newcomer: Newcomer) -> None:
    [only] = newcomer.telegram.people.values()
    newcomer.says(telegram_id="")
    assert newcomer.sits_down().staff == ()
    assert str(only.user_id) not in newcomer.path.read_text(encoding="utf-8")


def test_an_id_can_be_typed_and_a_wrong_one_is_asked_for_again(newcomer: Newcomer) -> None:
    newcomer.says(telegram_id="7\nАнна\n123456789")
    assert [person.telegram_id for person in newcomer.sits_down().staff] == [123456789]


def test_two_heads_do_not_share_an_account(newcomer: Newcomer) -> None:
    newcomer.telegram.start("Олег")
    newcomer.says(heads="1,2", telegram_id="2\n1")
    ids = {person.name: person.telegram_id for person in newcomer.sits_down().staff}
    people = {person.name: person.user_id for person in newcomer.telegram.people.values()}
    assert ids == {"Олег Смирнов": people["Олег"], "Мария Ким": people["Мария"]}


# The command


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "ru_RU.UTF-8"}, "ru"),
        ({"LC_ALL": "ru_RU.UTF-8", "LANG": "en_US.UTF-8"}, "ru"),
        ({"LC_ALL": "", "LANG": "C"}, "ru"),
        ({}, "ru"),
    ],
)
def test_the_language_follows_the_locale(environ: dict[str, str], language: str) -> None:
    assert language_of(environ) == language


def invoke(words: Iterable[str], typed: str) -> Any:
    return CliRunner().invoke(app, ["init", *words], input=typed)


def test_piped_answers_that_end_too_early_end_with_one_and_nothing_written(tmp_path: Path) -> None:
    told = invoke(["--out", str(tmp_path / "new.toml")], "1\n")
    assert told.exit_code == 1
    assert "ничего не записано" in told.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    told = invoke(["--config", str(tmp_path / "none" / "config.toml")], "2\n")
    assert (told.exit_code, "cannot be written to" in told.stderr) == (1, True)
