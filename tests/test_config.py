"""What is in config.toml becomes settings, and what is wrong with it becomes one line each."""

import errno
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.channels.base import BotSettings, GatewaySettings
from worker.config.keys import keys_of, plain
from worker.config.load import load
from worker.config.problems import ConfigProblems
from worker.config.settings import LISTED, SECTIONS, Settings
from worker.config.sources import read_file
from worker.rules.calendar import Duration, Hours

EXAMPLE = Path(__file__).parents[1] / "config.example.toml"
TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.secret-of-amocrm"
BOT = "1234567890:AAE-secret-of-telegram"
NEEDED = {
    "SARAFAN_COMPANY__NAME": "ВладАвтоматика",
    "SARAFAN_AMOCRM__BASE_URL": "https://example.amocrm.ru",
    "SARAFAN_AMOCRM__TOKEN": TOKEN,
    "SARAFAN_TELEGRAM__TOKEN": BOT,
}
STAFF = '[[staff]]\ntelegram_id = 1\nname = "Анна"\nrole = "head"\n'
CSAT_TWICE = '[[survey]]\nkey = "a"\nmetric = "csat"\n[[survey]]\nkey = "b"\nmetric = "csat"\n'

Loads = Callable[..., Settings]
Lines = Callable[..., list[str]]


@pytest.fixture
def loads(tmp_path: Path) -> Loads:
    """Settings from this text, with what is always needed given by the environment."""

    def read(text: str = "", environ: Mapping[str, str] | None = None, needed: bool = True) -> Settings:
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return load(path, {**(NEEDED if needed else {}), **(environ or {})})

    return read


@pytest.fixture
def lines(loads: Loads, tmp_path: Path) -> Lines:
    """The problems of this text, without the folder of the test."""

    def read(text: str = "", environ: Mapping[str, str] | None = None, needed: bool = True) -> list[str]:
        with pytest.raises(ConfigProblems) as error:
            loads(text, environ, needed)
        return [str(problem).replace(f"{tmp_path}/", "") for problem in error.value.problems]

    return read


# What is read


def test_what_is_missing_has_its_default(loads: Loads) -> None:
    told = loads()
    assert told.amocrm.poll_interval == timedelta(minutes=5)
    assert told.delivery.send_window == Hours(600, 1200)
    assert told.company.work_days == frozenset(range(5))
    assert told.alerts.quiet_hours == Hours(21 * 60, 8 * 60)
    assert told.amocrm.surveys_since is None
    assert (told.http.listen_host, told.http.listen_port) == ("127.0.0.1", 8080)
    assert told.delivery.reminder_after == Duration(span=timedelta(days=2))
    assert told.channels == ("telegram",)
    assert told.given == {"company.name", "amocrm.base_url", "amocrm.token", "telegram.token"}


def test_without_any_survey_there_is_one_of_nps(loads: Loads) -> None:
    (survey,) = loads().surveys
    assert (survey.key, survey.metric, survey.trigger) == ("nps", "nps", "deal_won")
    assert (survey.answers.first, survey.answers.last, survey.low, survey.high) == (1, 10, 5, 9)
    assert survey.delay == Duration(business_days=1)


@pytest.mark.parametrize(
    ("survey", "scale", "delay"),
    [
        ('metric = "nps"', (1, 10, 5, 9), Duration(business_days=1)),
        ('metric = "nps"\nscale = "0-10"', (0, 10, 6, 9), Duration(business_days=1)),
        ('metric = "nps"\nscale = "1-5"', (1, 5, 3, 5), Duration(business_days=1)),
        ('metric = "csat"', (1, 5, 3, 5), Duration(span=timedelta(days=14))),
        ('metric = "ces"\ndelay = "0s"', (1, 5, 2, 4), Duration()),
        ('metric = "ces"\nscale = "1-7"\nlow = 3\nhigh = 6', (1, 7, 3, 6), Duration(span=timedelta(days=14))),
        (
            'metric = "csat"\noptions = [{label = "Отлично", value = 5}, {label = "Сойдёт", value = 3}, '
            '{label = "Плохо", value = 2}]',
            (2, 5, 3, 5),
            Duration(span=timedelta(days=14)),
        ),
    ],
)
def test_bands_and_delay_follow_metric_and_scale(
    loads: Loads, survey: str, scale: tuple[int, ...], delay: Duration
) -> None:
    (read,) = loads(f'[[survey]]\nkey = "a"\n{survey}\n').surveys
    answers = read.answers
    assert (answers.first, answers.last, answers.low, answers.high) == scale
    assert read.delay == delay


def test_a_date_begins_at_midnight_where_the_company_is(loads: Loads) -> None:
    text = '[company]\ntimezone = "Asia/Vladivostok"\n[amocrm]\nsurveys_since = "2026-07-01"\n'
    assert loads(text).amocrm.surveys_since == datetime(2026, 6, 30, 14, tzinfo=UTC)
    assert loads(text.replace('"2026-07-01"', "2026-07-01")).amocrm.surveys_since == datetime(
        2026, 6, 30, 14, tzinfo=UTC
    )


def test_an_empty_string_turns_off(loads: Loads) -> None:
    told = loads(
        '[amocrm]\nmax_deal_age = ""\n[delivery]\nreminder_after = ""\n[alerts]\nquiet_hours = ""\n'
        '[company]\nholidays = ""\n[reports]\ndaily = ""\nweekly = ""\nmonthly = ""\nquarterly = false\n'
        '[[survey]]\nkey = "nps"\nmetric = "nps"\nconfirm_low = ""\n'
    )
    assert told.amocrm.max_deal_age is None
    assert told.delivery.reminder_after is None
    assert told.alerts.quiet_hours is None
    assert told.company.holidays == ""
    assert told.surveys[0].confirm_low is None


def test_names_may_be_ids(loads: Loads) -> None:
    told = loads("[amocrm.fields]\nnps = 12345\n[complaints]\npipeline = 9100\n")
    assert (told.amocrm.fields.nps, told.complaints.pipeline) == ("12345", "9100")


def test_channels_are_handed_on_as_the_settings_that_they_own(loads: Loads) -> None:
    text = (
        '[whatsapp]\nprovider = "greenapi"\nbase_url = "https://7103.api.greenapi.com/"\n'
        'instance_id = 7103000001\napi_token = "abc"\n'
    )
    told = loads(text)
    assert isinstance(told.telegram, BotSettings)
    assert isinstance(told.whatsapp, GatewaySettings)
    assert told.whatsapp.base_url == "https://7103.api.greenapi.com"
    assert told.whatsapp.instance_id == "7103000001"
    assert told.channels == ("telegram", "whatsapp")
    assert loads(text + '[delivery]\nchannels = ["whatsapp"]\n').channels == ("whatsapp",)


def test_texts_of_the_company_stand_over_ours(loads: Loads) -> None:
    told = loads('[texts]\n"optout.done" = "Не пишем[: {phone}]."\n[company]\nphone = "+7 423 200-00-00"\n')
    assert told.texts.fill("optout.done") == "Не пишем: +7 423 200-00-00."
    assert told.texts.has("nps.thanks_low")


def test_a_text_may_be_named_without_quotes(loads: Loads) -> None:
    assert loads('[texts]\noptout.done = "Не пишем."\n').texts.fill("optout.done") == "Не пишем."


def test_english_is_there(loads: Loads) -> None:
    told = loads('[company]\nlanguage = "en"\n')
    assert told.texts.language == "en"
    assert told.texts.fill("next") == "Thank you."


def test_what_windows_editors_write_is_read(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes('\ufeff[company]\r\nname = "Имя"\r\n'.encode())
    environ = {key: value for key, value in NEEDED.items() if "NAME" not in key}
    assert load(path, environ).company.name == "Имя"


# The environment


def test_the_environment_wins_over_the_file(loads: Loads) -> None:
    told = loads(
        '[company]\nname = "из файла"\n[amocrm]\nstop_tags = ["a"]\nrequests_per_second = 3\n'
        "[delivery]\npreview = true\n",
        {
            "SARAFAN_AMOCRM__STOP_TAGS": "не опрашивать, юрист",
            "SARAFAN_AMOCRM__REQUESTS_PER_SECOND": "2.5",
            "SARAFAN_AMOCRM__FIELDS__NPS": "Оценка",
            "SARAFAN_DELIVERY__PREVIEW": "False",
            "SARAFAN_DELIVERY__CHANNELS": '["telegram"]',
            "SARAFAN_REVIEWS__LINKS": '[{name = "2ГИС", url = "https://2gis.ru/1"}]',
            "SARAFAN_TEXTS__OPTOUT__DONE": "Не пишем.",
            "SARAFAN_NAMES__Олег Смирнов": "Олег",
            "SARAFAN_ALERTS__QUIET_HOURS": "",
        },
    )
    assert told.company.name == "ВладАвтоматика"
    assert told.amocrm.stop_tags == ("не опрашивать", "юрист")
    assert told.amocrm.requests_per_second == 2.5
    assert told.amocrm.fields.nps == "Оценка"
    assert told.delivery.preview is False
    assert told.delivery.channels == ("telegram",)
    assert told.reviews.links[0].name == "2ГИС"
    assert told.texts.fill("optout.done") == "Не пишем."
    assert told.names == {"Олег Смирнов": "Олег"}
    assert told.alerts.quiet_hours is None
    assert "amocrm.fields.nps" in told.given


OAUTH = {
    "SARAFAN_AMOCRM__CLIENT_ID": "7f3a",
    "SARAFAN_AMOCRM__CLIENT_SECRET": "Kp3x-secret-of-oauth",
    "SARAFAN_AMOCRM__REDIRECT_URI": "https://example.com",
}
NO_TOKEN = {key: value for key, value in NEEDED.items() if key != "SARAFAN_AMOCRM__TOKEN"}


def test_oauth_takes_the_place_of_the_token(loads: Loads) -> None:
    told = loads(environ={**NO_TOKEN, **OAUTH}, needed=False)
    assert (told.amocrm.client_id, told.amocrm.redirect_uri) == ("7f3a", "https://example.com")
    assert "Kp3x-secret-of-oauth" in told.secrets()
    assert not any("amocrm" in warning for warning in told.warnings)


@pytest.mark.parametrize("key", ["client_id", "client_secret", "redirect_uri"])
def test_oauth_needs_all_of_its_keys(lines: Lines, key: str) -> None:
    given = {name: value for name, value in OAUTH.items() if not name.endswith(key.upper())}
    told = lines(environ={**NO_TOKEN, **given}, needed=False)
    assert len(told) == 1
    assert f"amocrm.{key}: не указано" in told[0]
    assert "нужны все три ключа" in told[0]


def test_without_token_and_oauth_both_are_named(lines: Lines) -> None:
    told = lines(environ=NO_TOKEN, needed=False)
    assert len(told) == 1
    assert "amocrm.token" in told[0]
    assert "client_secret" in told[0]


def test_staff_may_be_met_in_max_alone_and_groups_only_in_telegram(loads: Loads, lines: Lines) -> None:
    in_max = {"SARAFAN_TELEGRAM__TOKEN": "", "SARAFAN_MAX__TOKEN": TOKEN}
    told = loads(STAFF.replace("telegram_id = 1", "max_id = 1"), in_max)
    assert [(person.telegram_id, person.max_id) for person in told.staff] == [(0, 1)]
    assert not [warning for warning in told.warnings if "сотрудникам некуда писать" in warning]
    (problem,) = lines("[alerts]\ngroups = [-100]", in_max)
    assert "alerts.groups: указано [-100], а нужно: [] или бот в Telegram" in problem


def test_a_token_wins_over_oauth_with_a_warning(loads: Loads) -> None:
    told = loads(environ=OAUTH)
    assert [warning for warning in told.warnings if "берём токен" in warning]


def test_a_secret_may_lie_in_a_file(loads: Loads, lines: Lines, tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text(f"{TOKEN}\n", encoding="utf-8")
    environ = {"SARAFAN_MAX__TOKEN": "", "SARAFAN_AMOCRM__CLIENT_SECRET": ""}
    told = loads(environ={**environ, "SARAFAN_HTTP__WEBHOOK_SECRET_FILE": str(_with(tmp_path, "k" * 20))})
    assert told.http.webhook_secret.get_secret_value() == "k" * 20
    both = lines(environ={"SARAFAN_AMOCRM__TOKEN_FILE": str(secret)})
    assert len(both) == 1
    assert both[0].startswith("SARAFAN_AMOCRM__TOKEN_FILE: amocrm.token: задано дважды")
    without = {key: value for key, value in NEEDED.items() if key != "SARAFAN_AMOCRM__TOKEN"}
    told = loads(environ={**without, "SARAFAN_AMOCRM__TOKEN_FILE": str(secret)}, needed=False)
    assert told.amocrm.token.get_secret_value() == TOKEN


def _with(folder: Path, text: str) -> Path:
    path = folder / "secret"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_environment_alone_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(None, NEEDED).company.name == "ВладАвтоматика"
    with pytest.raises(ConfigProblems) as error:
        load(None, {})
    assert str(error.value).startswith("config.toml: такого файла нет")


def test_the_file_is_the_named_one_or_that_of_the_environment_or_the_usual(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    needed = {key: value for key, value in NEEDED.items() if "NAME" not in key}
    for name in ("config.toml", "other.toml", "named.toml"):
        Path(name).write_text(f'[company]\nname = "{name}"\n', encoding="utf-8")
    assert load(None, needed).company.name == "config.toml"
    told = {**needed, "SARAFAN_CONFIG": "other.toml"}
    assert load(None, told).company.name == "other.toml"
    assert load(Path("named.toml"), told).company.name == "named.toml"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("SARAFAN_AMOCRM__FEELDS__NPS", "x", "amocrm.feelds: такого ключа нет, похож amocrm.fields"),
        ("SARAFAN_AMOKRM__TOKEN", "x", "amokrm: такого ключа нет, похож amocrm"),
        ("SARAFAN_SURVEY__0__KEY", "x", "survey: таблицы [[survey]] бывают только в файле"),
        ("SARAFAN_COMPANY__NAME__FIRST", "x", "company.name.first: такого ключа нет"),
        ("SARAFAN_COMPANY__", "x", "company.: такого ключа нет"),
        ("SARAFAN_LOG__LEVEL", "loud", 'log.level: указано "loud", а нужно: одно из: "debug", "info"'),
        ("SARAFAN_AMOCRM__REQUESTS_PER_SECOND", "fast", "amocrm.requests_per_second: указано «…»"),
        ("SARAFAN_TELEGRAM__PROXY_FILE", "/etc/proxy", "telegram.proxy_file: такого ключа нет"),
        (
            "SARAFAN_HTTP__WEBHOOK_SECRET_FILE",
            "/nowhere",
            'http.webhook_secret: файл с секретом "/nowhere" пуст',
        ),
        ("SARAFAN_AMOCRM__TOKEN_FILE", TOKEN, "amocrm.token: задано дважды"),
        ("SARAFAN_ALERTS__GROUPS", "-100, 5", "alerts.groups: указано [5], а нужно: номера групп"),
        ("SARAFAN_HTTP__WEBHOOK_SECRET_FILE", "pass-w0rd", "http.webhook_secret: файл с секретом пуст"),
        # Of the right kind, and told as that.
        ("SARAFAN_DELIVERY__CHANNELS", "telegram,vk", 'delivery.channels.2: указано "vk", а нужно: одно из'),
        (
            "SARAFAN_AMOCRM__REQUESTS_PER_SECOND",
            "0",
            "amocrm.requests_per_second: указано 0, а нужно: число больше 0",
        ),
        ("SARAFAN_REPORTS__MIN_ANSWERS", "-1", "reports.min_answers: указано -1, а нужно: число не меньше 1"),
        (
            "SARAFAN_COMPANY__EXTRA_HOLIDAYS",
            '["2026-13-30"]',
            'company.extra_holidays.1: указано "2026-13-30"',
        ),
        # What may be nothing, or zero, says so.
        (
            "SARAFAN_DELIVERY__REMINDER_AFTER",
            "0d",
            'delivery.reminder_after: указано "0d", а нужно: срок больше нуля',
        ),
        (
            "SARAFAN_AMOCRM__MAX_DEAL_AGE",
            "1y",
            'amocrm.max_deal_age: указано "1y", а нужно: срок больше нуля (число и s, m, h или d) или',
        ),
        (
            "SARAFAN_DELIVERY__HUMAN_PAUSE",
            "1bd",
            'delivery.human_pause: указано "1bd", а нужно: срок: число и s, m, h или d',
        ),
    ],
)
def test_a_variable_that_means_nothing_is_told(lines: Lines, variable: str, value: str, said: str) -> None:
    (line,) = lines(environ={variable: value})
    assert line.startswith(f"{variable}: {said.partition('«…»')[0]}")


def test_other_peoples_variables_are_left_alone(loads: Loads) -> None:
    loads(environ={"SARAFAN_CONFIG": "", "SARAFAN_NOTE": "x", "HOME": "/", "SARAFANX__Y": "z"})


# What is wrong


BROKEN = [
    # where, key, what is found, and a part of what is expected
    ("[company]\nphone = 5", "config.toml:2: company.phone:", "указано 5", "строка в кавычках"),
    ('[company]\ntimezone = "Mars"', "config.toml:2: company.timezone:", '"Mars"', '"Asia/Vladivostok"'),
    ('[company]\ntimezone = "Asia"', "config.toml:2: company.timezone:", '"Asia"', '"Asia/Vladivostok"'),
    ('[company]\nlanguage = "fr"', "config.toml:2: company.language:", '"fr"', '"ru", "en"'),
    ('[company]\nwork_days = "mo-fr"', "config.toml:2: company.work_days:", '"mo-fr"', '"mon-fri"'),
    ('[company]\nwork_hours = "9-18"', "config.toml:2: company.work_hours:", '"9-18"', '"10:00-20:00"'),
    ('[company]\nholidays = "XX"', "config.toml:2: company.holidays:", '"XX"', '"RU"'),
    (
        '[company]\nextra_holidays = ["30.12.2026"]',
        "company.extra_holidays.1:",
        '"30.12.2026"',
        '"2026-07-01"',
    ),
    ('[storage]\nurl = "mysql://u:pass@h/d"', "config.toml:2: storage.url:", "«…»", "sqlite:///"),
    ('[http]\nlisten = "8080"', "config.toml:2: http.listen:", '"8080"', '"127.0.0.1:8080"'),
    ('[http]\nwebhook_secret = "a/b"', "config.toml:2: http.webhook_secret:", "«…»", "цифры, - и _"),
    ('[http]\npublic_url = "example.com"', "http.public_url:", '"example.com"', "https://"),
    ('[http]\npublic_url = "https://x.ru/?a=b"', "http.public_url:", '"https://x.ru/?a=b"', "https://"),
    ('[amocrm]\npoll_interval = "1bd"', "config.toml:2: amocrm.poll_interval:", '"1bd"', '"5m"'),
    ("[amocrm]\npoll_interval = 300", "config.toml:2: amocrm.poll_interval:", "300", '"5m"'),
    ('[amocrm]\npoll_interval = "0s"', "config.toml:2: amocrm.poll_interval:", '"0s"', "больше нуля"),
    ("[amocrm]\nrequests_per_second = 0", "amocrm.requests_per_second:", "0", "больше 0"),
    ("[amocrm]\nrequests_per_second = 51", "amocrm.requests_per_second:", "51", "не больше 50"),
    ('[amocrm]\nsurveys_since = "yesterday"', "amocrm.surveys_since:", '"yesterday"', '"2026-07-01"'),
    ('[amocrm]\nstop_tags = "возврат"', "amocrm.stop_tags:", '"возврат"', "список"),
    ("[amocrm.fields]\nnps = true", "amocrm.fields.nps:", "true", "название или номер"),
    (
        '[amocrm.fields]\nnpss = "x"',
        "config.toml:2: amocrm.fields.npss:",
        "такого ключа нет",
        "amocrm.fields.nps",
    ),
    ('[amocrm]\nhistory_since = "now"', "amocrm.history_since:", '"now"', '"2026-07-01"'),
    ('[referral]\ncode_prefix = "ДРУГ 5"', "referral.code_prefix:", '"ДРУГ 5"', '"ДРУГ"'),
    ('[telegram]\nmode = "webhok"', "telegram.mode:", '"webhok"', 'mode = "webhook"'),
    ('[telegram]\ndeep_link = "https://t.me/{bot}"', "telegram.deep_link:", "https://t.me/{bot}", "{token}"),
    ('[telegram]\nproxy = "ftp://x"', "telegram.proxy:", '"ftp://x"', "socks5://"),
    ('[telegram]\nca_file = "x"', "telegram.ca_file:", "такого ключа нет", "config.example.toml"),
    ('[max]\ntoken = "abc"\nca_file = "/no/such.pem"', "max.ca_file:", '"/no/such.pem"', "файл PEM"),
    ('[max]\ntoken = "abc def"', "max.token:", "«…»", "токен без пробелов"),
    ('[max]\nproxy = "http://x"', "max.proxy:", "такого ключа нет", "config.example.toml"),
    ('[delivery]\nchannels = ["viber"]', "delivery.channels.1:", '"viber"', '"telegram"'),
    ('[delivery]\nchannels = ["whatsapp"]', "delivery.channels:", '["whatsapp"]', "telegram"),
    ('[delivery]\nchannels = ["telegram", "telegram"]', "delivery.channels:", '["telegram"]', "один раз"),
    ('[delivery]\nsend_window = "20:00-10:00"', "delivery.send_window:", '"20:00-10:00"', '"10:00-20:00"'),
    ('[delivery]\nsend_window = "10:00-10:00"', "delivery.send_window:", '"10:00-10:00"', '"10:00-20:00"'),
    ('[delivery]\nsend_days = ""', "delivery.send_days:", '""', '"mon-fri"'),
    ("[delivery]\nmax_per_hour = -1", "delivery.max_per_hour:", "-1", "не меньше 0"),
    ('[delivery]\nmax_per_hour = "3"', "delivery.max_per_hour:", '"3"', "без кавычек"),
    ("[delivery]\npreview = 1", "delivery.preview:", "1", "true или false"),
    ("[delivery]\nhold_above = -1", "delivery.hold_above:", "-1", "не меньше 0"),
    ('[[survey]]\nmetric = "nps"', "config.toml:1: survey.1.key:", "не указано", 'key = "csat_manager"'),
    ('[[survey]]\nkey = "a"', "config.toml:1: survey.a.metric:", "не указано", 'metric = "csat"'),
    ('[[survey]]\nkey = "a"\nmetric = "nsp"', "survey.a.metric:", '"nsp"', '"nps"'),
    ('[[survey]]\nkey = "а б"\nmetric = "nps"', "survey.а б.key:", '"а б"', '"csat_manager"'),
    ('[[survey]]\nkey = "a"\nmetric = "csat"\nscale = "5-1"', "survey.a.scale:", '"5-1"', '"1-10"'),
    ('[[survey]]\nkey = "a"\nmetric = "nps"\nlow = 9\nhigh = 5', "survey.a.low:", "9", "low меньше high"),
    ('[[survey]]\nkey = "a"\nmetric = "nps"\nlow = -1', "survey.a.low:", "-1", "внутри шкалы 1-10"),
    (
        '[[survey]]\nkey = "a"\nmetric = "nps"\nstatuses = ["X"]',
        "survey.a.statuses:",
        '["X"]',
        "пустой список",
    ),
    ('[[survey]]\nkey = "a"\nmetric = "nps"\ntrigger = "deal_status"', "survey.a.statuses:", "[]", "статусы"),
    (
        '[[survey]]\nkey = "a"\nmetric = "nps"\nfrom = "field:"',
        "survey.a.from:",
        '"field:"',
        '"field:Дата монтажа"',
    ),
    ('[[survey]]\nkey = "a"\nmetric = "nps"\nsubject = "crew"', "survey.a.subject:", '"crew"', "manager"),
    (
        '[[survey]]\nkey = "a"\nmetric = "nps"\nbase = "closed"',
        "survey.a.base:",
        "такого ключа нет",
        "config.",
    ),
    (
        '[[survey]]\nkey = "a"\nmetric = "csat"\noptions = [{label = "Да", value = 5}]',
        "survey.a.options:",
        "[5]",
        "два варианта",
    ),
    (
        '[[survey]]\nkey = "a"\nmetric = "nps"\nquestion = "Как, {clientname}?"',
        "config.toml:4: survey.a.question:",
        "{clientname}",
        "{client_name}",
    ),
    (
        '[[survey]]\nkey = "a"\nmetric = "nps"\nthanks_low = """\nЖаль.\nПозвоним {contact}."""',
        "config.toml:6: survey.a.thanks_low:",
        "{contact}",
        "{contact_by}",
    ),
    ('[[survey]]\nkey = "a"\nmetric = "nps"\nfollow_up = "А [что?"', "survey.a.follow_up:", "[", "нет пары"),
    ('[texts]\n"optout.done" = "{x}"', "config.toml:2: texts.optout.done:", "{x}", "{phone}"),
    ('[texts]\n"optout.dome" = "x"', "config.toml:2: texts.optout.dome:", "такого текста нет", "optout.done"),
    ('[complaints]\npipeline = ""', "complaints.pipeline:", '""', '"Рекламации"'),
    ('[complaints]\ntask_deadline = "0s"', "complaints.task_deadline:", '"0s"', '"1bd"'),
    ('[complaints]\ntake_within = "0s"', "complaints.take_within:", '"0s"', '"1bd"'),
    ('[complaints]\nescalate_to = " "', "complaints.escalate_to:", '" "', '"owner"'),
    ('[reviews]\nlinks = [{name = "2ГИС"}]', "reviews.links.1.url:", "не указано", "без него нельзя"),
    ('[reviews]\nafter = "csat"', "reviews.after:", '"csat"', '"nps"'),
    ("[alerts]\nburst = -3", "alerts.burst:", "-3", "не меньше 0"),
    ("[alerts]\ngroups = [100]", "alerts.groups:", "[100]", "[-1001234567890]"),
    ('[alerts]\nquiet_hours = "21-8"', "alerts.quiet_hours:", '"21-8"', '"21:00-08:00"'),
    (STAFF.replace('"head"', '"boss"'), "config.toml:4: staff.Анна.role:", '"boss"', '"head"'),
    (
        STAFF.replace("telegram_id = 1\n", ""),
        "staff.Анна.telegram_id:",
        "не указано",
        "telegram_id = 111111111",
    ),
    (STAFF + "max_id = 5\n", "staff.Анна.max_id:", "5", "MAX"),
    (
        STAFF + STAFF.replace("Анна", "Борис"),
        "config.toml:6: staff.Борис.telegram_id:",
        "1",
        "больше ни у кого",
    ),
    (STAFF.replace('name = "Анна"\n', ""), "staff.1.name:", "не указано", 'name = "Анна"'),
    (
        STAFF + STAFF.replace("= 1", "= 2").replace("Анна", "анна "),
        "config.toml:7: staff.анна .name:",
        "анна",
        "больше ни у кого",
    ),
    ('[log]\nformat = "xml"', "log.format:", '"xml"', '"text", "json"'),
    ('[reports]\ndaily = "9"', "reports.daily:", '"9"', "mon 09:00"),
    ('[reports]\nweekly = "09:00"', "reports.weekly:", '"09:00"', "день недели"),
    ('[reports]\nweekly = "пн 09:00"', "reports.weekly:", '"пн 09:00"', "mon … sun"),
    ('[reports]\nmonthly = "31 09:00"', "reports.monthly:", '"31 09:00"', "от 1 до 28"),
    ('[reports]\ndaily = "mon 08:00"', "reports.daily:", '"mon 08:00"', "без дня недели"),
    ("[reports]\nmin_answers = 0", "reports.min_answers:", "0", "не меньше 1"),
    ('[goals]\nnsp = {target = 60, by = "2027-06-30"}', "goals.nsp:", "nsp", "nps"),
    ("[goals]\nnps = {target = 60}", "goals.nps.by:", "не указано", 'by = "2027-06-30"'),
    ('[goals]\nces = {by = "2027-06-30"}', "goals.ces.target:", "не указано", "target = 60"),
    ("[iqs]\ncalls_per_week = -1", "iqs.calls_per_week:", "-1", "0"),
    (
        '[iqs]\ncriteria = [{key = "a", name = "А"}, {key = "a", name = "Б"}]',
        "iqs.criteria:",
        '"a"',
        "у каждого критерия свой key",
    ),
    ("[company2]\nx = 1", "config.toml:1: company2:", "такого ключа нет", "company"),
    ("company = 3", "config.toml:1: company:", "3", "таблица"),
    ("survey = 3", "config.toml:1: survey:", "3", "Пример: [[survey]]"),
    ('telegram = "123:short"', "config.toml:1: telegram:", "«…»", "таблица. Пример: [telegram]"),
    ('[amocrm]\nclient_secret = "мой"', "amocrm.client_secret:", "«…»", 'Пример: client_secret = "Kp3x…"'),
    ('[texts]\n"optout.done" = 1', "texts.optout.done:", "указано 1", "строка в кавычках"),
    ('[reviews]\nlinks = [{name = "2ГИС"}]', "reviews.links.1.url:", "не указано", '"https://2gis.ru'),
]


@pytest.mark.parametrize(
    ("text", "where", "found", "expected"), BROKEN, ids=[row[1] + row[2] for row in BROKEN]
)
def test_a_broken_config_gives_one_helpful_line(
    lines: Lines, text: str, where: str, found: str, expected: str
) -> None:
    # `telegram = …` cannot have the token of the environment put into it: the variable takes its place.
    needed = {} if text.startswith(("telegram", "company =")) else NEEDED
    told = [line for line in lines(text, needed, needed=False) if where in line]
    assert len(told) == 1
    assert told[0].startswith("config.toml")
    assert found in told[0]
    assert expected in told[0]
    assert "\n" not in told[0]
    assert "а нужно: " not in told[0] or ". Пример: " in told[0], "what is expected is shown"


@pytest.mark.parametrize("text", [row[0] for row in BROKEN if "[[survey]]" in row[0] or "delivery" in row[0]])
def test_one_mistake_is_one_line(lines: Lines, text: str) -> None:
    assert len(lines(text)) == 1


def test_everything_is_told_at_once_in_the_order_of_the_file(lines: Lines) -> None:
    text = (
        '[company]\nlanguage = "xx"\n\n[log]\nlevel = 3\nformt = "json"\n\n'
        '[max]\ntoken = "a b"\n[delivery]\npreview = 1\n'
    )
    numbers = [line.split(": ")[0] for line in lines(text)]
    assert numbers == [f"config.toml:{number}" for number in (2, 5, 6, 9, 11)]


def test_an_empty_file_tells_what_is_needed(lines: Lines) -> None:
    told = "\n".join(lines(needed=False))
    for key in (
        "company.name",
        "amocrm.base_url",
        "amocrm.token",
        "telegram.token, max.token или whatsapp.provider",
    ):
        assert key in told
    assert "Пример" in told


def test_the_bot_of_max_alone_is_a_channel(loads: Loads) -> None:
    told = loads('[max]\ntoken = "abc"\n')
    assert "max" in told.channels


def test_a_secret_that_was_left_empty_is_shown_as_that(lines: Lines) -> None:
    (line,) = lines('[amocrm]\ntoken = ""', {**NO_TOKEN}, needed=False)
    assert line.startswith('config.toml:2: amocrm.token: указано "", а нужно: долгосрочный токен')


def test_two_surveys_on_one_field_stop_the_start(lines: Lines) -> None:
    text = CSAT_TWICE + 'subject = "manager"\n'
    (line,) = lines(text)
    assert line.startswith(
        "config.toml:4: survey.b.field: не указано, а нужно: своё поле: в «CSAT» уже пишет"
    )
    (line,) = lines(text + 'field = " csat "\n')
    assert line.startswith("config.toml:8: survey.b.field")


def test_two_surveys_without_any_field_are_fine(loads: Loads) -> None:
    assert len(loads('[amocrm.fields]\ncsat = ""\n' + CSAT_TWICE).surveys) == 2


def test_a_survey_key_stands_once(lines: Lines) -> None:
    text = '[[survey]]\nkey = "a"\nmetric = "nps"\n[[survey]]\nkey = "a"\nmetric = "csat"\n'
    (line,) = lines(text)
    assert line.startswith('config.toml:5: survey.a.key: указано "a", а нужно: ключ, которого больше нет')


def test_an_unusual_scale_needs_its_bands(lines: Lines) -> None:
    told = lines('[[survey]]\nkey = "a"\nmetric = "ces"\nscale = "1-7"\n')
    assert [line.split(": ")[1] for line in told] == ["survey.a.low", "survey.a.high"]


@pytest.mark.parametrize(
    ("section", "provider", "keys"),
    [
        ("whatsapp", "greenapi", ["base_url", "instance_id", "api_token"]),
        ("whatsapp", "wazzup", ["api_key", "channel_id"]),
        ("max_account", "wazzup", ["api_key", "channel_id"]),
        ("whatsapp", "cloud", ["phone_number_id", "access_token", "app_secret", "verify_token"]),
    ],
)
def test_a_gateway_needs_its_credentials(lines: Lines, section: str, provider: str, keys: list[str]) -> None:
    told = [line.split(": ")[1] for line in lines(f'[{section}]\nprovider = "{provider}"\n')]
    assert [key for key in told if key.startswith(section) and "templates" not in key] == [
        f"{section}.{key}" for key in keys
    ]


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ('[telegram]\nmode = "webhook"\n', "telegram.mode", "webhook"),
        (
            '[whatsapp]\nprovider = "greenapi"\nbase_url = "https://7103.api.greenapi.com"\n'
            'instance_id = "1"\n'
            'api_token = "t"\nreceive = "webhook"\n',
            "whatsapp.receive",
            "webhook",
        ),
    ],
)
def test_who_posts_needs_an_address_and_a_secret(lines: Lines, text: str, key: str, value: str) -> None:
    told = lines(text)
    assert [line.split(": ")[1] for line in told] == ["http.public_url", "http.webhook_secret"]
    assert all(f"без него {key} не может быть «{value}»" in line for line in told)


def test_who_can_only_post_is_told_so_in_place_of_a_missing_address(lines: Lines) -> None:
    told = lines('[whatsapp]\nprovider = "wazzup"\napi_key = "k"\nchannel_id = "7"\n')
    assert [line.split(": ")[1] for line in told] == ["http.public_url", "http.webhook_secret"]
    assert (
        "http.public_url: Wazzup присылает ответы только на публичный адрес https, а public_url пуст. "
        'Укажите домен или выберите подключение с опросом. Пример: public_url = "https://'
    ) in told[0]


CLOUD = """\
[http]
public_url = "https://sarafan.example.com"
webhook_secret = "sesame-sesame-sesame"
[whatsapp]
provider = "cloud"
phone_number_id = "1"
access_token = "a"
app_secret = "b"
verify_token = "c"
"""
NPS = "[whatsapp.templates.nps]\n"
WHOLE = 'template = "nps_ru"\ntemplate_language = "ru"\n'


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("", "whatsapp.templates.nps", "первым WhatsApp принимает только шаблон"),
        (
            f'{NPS}template = "nps_ru"\n',
            "whatsapp.templates.nps.template_language",
            'template_language = "ru"',
        ),
        (f'{NPS}template_language = "ru"\n', "whatsapp.templates.nps.template", 'template = "nps_ru"'),
        (f'{NPS}{WHOLE}parameters = ["promo_code"]', "whatsapp.templates.nps.parameters", "одно из company"),
        (f"{NPS}{WHOLE}buttons = 3", "whatsapp.templates.nps.buttons", "сколько ответов у опроса: 10"),
        (
            f"{NPS}{WHOLE}[whatsapp.templates.csat]\n{WHOLE}",
            "whatsapp.templates.csat",
            "ключ опроса: nps",
        ),
    ],
)
def test_a_template_fits_its_survey(lines: Lines, text: str, key: str, said: str) -> None:
    [told] = lines(CLOUD + text)
    assert f": {key}: " in told
    assert said in told


@pytest.mark.parametrize("more", ["", 'parameters = ["company", "about"]\nbuttons = 10', "buttons = 11"])
def test_a_cloud_number_with_a_template_for_each_survey_is_fine(loads: Loads, more: str) -> None:
    told = loads(CLOUD + NPS + WHOLE + more)
    assert "whatsapp" in told.configured_channels
    assert told.whatsapp.templates["nps"].template == "nps_ru"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[company\nname = 1", "config.toml:1: "),
        (b"[company]\nname = unquoted", "config.toml:2: "),
        (b"[company]\nname = 'a'\nname = 'b'", "config.toml:3: "),
        ("[company]\nname = 'Имя'".encode("cp1251"), "UTF-8"),
        (b"\x00", "config.toml:1: "),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path, body: bytes, said: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(body)
    with pytest.raises(ConfigProblems) as error:
        load(path, NEEDED)
    assert len(error.value.problems) == 1
    assert said in str(error.value)


def test_a_folder_or_a_missing_file_is_told(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing.toml"):
        with pytest.raises(ConfigProblems, match="файл"):
            load(path, NEEDED)


def test_problems_speak_english_if_the_company_does(lines: Lines) -> None:
    (line,) = lines('[company]\nlanguage = "en"\n[amocrm]\npoll_interval = "x"\n')
    assert line == (
        'config.toml:4: amocrm.poll_interval: found "x", expected a duration above zero: '
        'a number and s, m, h or d. Example: poll_interval = "5m"'
    )


# Secrets


@pytest.mark.parametrize(
    "text",
    [
        f'[amocrm]\ntoken = ["{TOKEN}"]',
        f'[amocrm]\ntokn = "{TOKEN}"',
        f'[amocrm]\nbase_url = "{TOKEN}"',
        f'[amocrm]\ntoken = "{TOKEN} {TOKEN}"',
        f'amocrm = "{TOKEN}"',
        f'[telegram]\ntoken = {{value = "{BOT}"}}',
        f'[telegram]\nmode = "{BOT}"',
        f'telegram = "{BOT}"',
        f'[max]\ntoken = "{BOT}"',
        '[amocrm]\nclient_secret = "short-secret"',
        '[http]\nwebhook_secret = "short secret"',
        '[whatsapp]\nprovider = "greenapi"\napi_token = 5\ninstance_id = "short-secret"',
        '[storage]\nurl = "mysql://user:short-secret@host/db"',
        '[telegram]\nproxy = "ftp://user:short-secret@host"',
        f'[amocrm]\ntoken = "{TOKEN}',
    ],
)
def test_a_secret_never_stands_in_a_problem(lines: Lines, text: str) -> None:
    told = "\n".join(lines(text, needed=False))
    for secret in (TOKEN, "secret-of-amocrm", "secret-of-telegram", "short-secret", "short secret", BOT):
        assert secret not in told


def test_a_secret_never_stands_in_what_is_printed_of_settings(loads: Loads) -> None:
    told = loads(
        '[http]\nwebhook_secret = "sesame-sesame-sesame"\n[whatsapp]\nprovider = "greenapi"\nbase_url = "https://x.ru"\n'
        'instance_id = "1"\napi_token = "gateway-token"\n[telegram]\nproxy = "http://u:proxy-password@p:1"\n'
        '[storage]\nurl = "postgresql+psycopg://u:db-password@h/d"\n'
    )
    secrets = (TOKEN, BOT, "sesame-sesame-sesame", "gateway-token", "proxy-password", "db-password")
    assert not [secret for secret in secrets if secret in repr(told)]
    assert set(told.secrets()) == set(secrets)


# Warnings


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[telegram]\napi_url = "http://10.0.0.5:8081"', "telegram.api_url"),
        ("[amocrm]\nrequests_per_second = 8", "amocrm.requests_per_second"),
        ('[http]\nwebhook_secret = "short"', "http.webhook_secret"),
        ('[delivery]\nreminder_after = "7d"', "delivery.reminder_after"),
        ('[delivery]\nreminder_after = "8bd"', "delivery.reminder_after"),
        (STAFF.replace("head", "manager"), "staff"),
    ],
)
def test_what_hardly_works_is_warned_of(loads: Loads, text: str, key: str) -> None:
    extra = "" if "staff" in text else f"\n{STAFF}"
    (warning,) = loads(text + extra).warnings
    assert f": {key}: " in warning


def test_a_plain_config_warns_of_nothing(loads: Loads) -> None:
    local = '[telegram]\napi_url = "http://127.0.0.1:8081"\n[http]\npublic_url = "http://localhost"\n'
    assert loads(STAFF + local).warnings == ()


def test_without_staff_nobody_hears_of_a_low_score(loads: Loads) -> None:
    assert "staff" in loads().warnings[0]


# The example


def keys_in(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in table.items():
        yield f"{prefix}{key}"
        if isinstance(value, dict):
            yield from keys_in(value, f"{prefix}{key}.")


def keys_known() -> Iterator[str]:
    for name, hint in {**SECTIONS, "survey": LISTED["survey"]}.items():
        yield name
        if is_dataclass(hint):
            yield from (f"{name}.{key}" for key in keys_of(hint))
    yield from (f"amocrm.fields.{key}" for key in keys_of(plain(keys_of(SECTIONS["amocrm"])["fields"])))


def test_the_example_names_every_setting_and_no_other() -> None:
    tables = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    assert len(tables["survey"]) == 1
    tables["survey"] = tables["survey"][0]
    assert set(keys_in(tables)) == set(keys_known())


def test_the_example_shows_every_key_of_a_person() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert [key for key in keys_of(LISTED["staff"]) if f"# {key} = " not in text] == []


def test_the_example_holds_the_defaults(loads: Loads) -> None:
    example, defaults = load(EXAMPLE, NEEDED), loads()
    for name in SECTIONS:
        assert getattr(example, name) == getattr(defaults, name), name
    assert example.surveys == defaults.surveys


def test_the_examples_comments_are_right(loads: Loads) -> None:
    """What stands behind «#» as a table of its own is read too, once it is uncommented."""
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    start = lines.index("# [[staff]]")
    told = loads("\n".join(line.removeprefix("# ") for line in lines[start : start + 8]))
    assert told.staff[0].name == "Анна"


# Where a key stands


def test_lines_are_found_in_any_shape_of_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        '[a]  # [x]\nlist = [\n  "[b]",\n  ["c = 1"],\n]\ntext = """\n[d]\ne = 1\n"""\n"key.with dot" = 1\n'
        "one.two = 2\n[[t]]\nk = 1\n[[t]]\nk = { z = [1,\n 2] }\n['q'.r]\nx=1\n",
        encoding="utf-8",
    )
    assert read_file(path, "config.toml").lines == {
        ("a",): 1,
        ("a", "list"): 2,
        ("a", "text"): 6,
        ("a", "key.with dot"): 10,
        ("a", "one", "two"): 11,
        ("t", 0): 12,
        ("t", 0, "k"): 13,
        ("t", 1): 14,
        ("t", 1, "k"): 15,
        ("q", "r"): 17,
        ("q", "r", "x"): 18,
    }


def told(path: Path) -> list[str]:
    """The problems of this file; none if it can be used. Anything else that it raises fails the test."""
    try:
        load(path, NEEDED)
    except ConfigProblems as error:
        return [str(problem) for problem in error.problems]
    return []


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_file_brings_anything_but_settings_or_problems(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "any.toml"
    path.write_bytes(body)
    assert all("\n" not in line for line in told(path))


ANY_VALUE = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_value_of_any_key_brings_a_traceback(tmp_path: Path, data: st.DataObject) -> None:
    key = data.draw(
        st.sampled_from(sorted(set(keys_known()) | {"staff.role", "goals.nps", "whatsapp.templates.nps"}))
    )
    value = data.draw(ANY_VALUE)
    section, *rest = key.split(".")
    inner: object = value
    for name in reversed(rest):
        inner = {name: inner}
    path = tmp_path / "any.toml"
    path.write_text(_written({section: [inner] if section in LISTED else inner}), encoding="utf-8")
    assert all("\n" not in line for line in told(path))


def _written(value: object) -> str:
    """As inline TOML."""
    if isinstance(value, dict):
        return "\n".join(f"{_quoted(key)} = {_inline(inner)}" for key, inner in value.items())
    return _inline(value)


def _inline(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(key)} = {_inline(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    letters = (
        letter if letter.isprintable() and letter not in '"\\' else f"\\U{ord(letter):08X}" for letter in text
    )
    return '"' + "".join(letters) + '"'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = b", "1: это не TOML: значение записано неверно, строке нужны кавычки."),
        ('a "x"', "1: это не TOML: после имени ключа нужен знак =."),
        ('a = "x', "1: это не TOML: кавычка не закрыта."),
        ("[company", "1: это не TOML: скобка не закрыта."),
        ("a = [1", "1: это не TOML: скобка не закрыта."),
        ("[company]\n[company]", "2: это не TOML: такой раздел уже был выше."),
        ("a = 1\na = 2", "2: это не TOML: такой ключ уже был выше."),
        ("a = 1 2", "1: это не TOML: после значения стоит лишнее."),
        ('a = "c:\\d"', "1: это не TOML: обратную черту \\ в кавычках пишут дважды."),
        ("= 1", "1: это не TOML: строка начинается не с ключа и не с [раздела]."),
    ],
)
def test_what_is_no_toml_is_told_in_russian(lines: Lines, text: str, told: str) -> None:
    [line] = lines(text)
    assert line.startswith(f"config.toml:{told} Пример строки: ")
    assert not re.search("[A-Za-z]{4,}", line.partition("TOML: ")[2].partition(" Пример")[0])


def test_a_config_that_may_not_be_read_is_told_in_russian(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", closed)  # The tests may run as root, to whom no file is closed.
    with pytest.raises(ConfigProblems) as error:
        load(tmp_path / "config.toml", NEEDED)
    [problem] = error.value.problems
    assert str(problem).endswith("config.toml: файл не читается: нет прав")
