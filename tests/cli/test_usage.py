"""Wrong use is told in one sentence, in the language of the installation."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.cli.conftest import Sarafan
from worker.cli.language import language_here
from worker.cli.main import app

WRONG = [
    (("fly",), "Команды fly нет.", "There is no command fly."),
    (("backp",), "Команды backp нет, похоже на backup.",
     "There is no command backp, the nearest is backup."),
    (("report", "--fly"), "Ключа --fly у этой команды нет.", "There is no option --fly."),
    (("inbox", "--jsn"), "Ключа --jsn у этой команды нет, похоже на --json.",
     "There is no option --jsn, the nearest is --json."),
    (("--config", "my.toml", "check"),
     "Ключ --config пишется после команды, которая его знает: sarafan report --config …",
     "--config stands behind a command that knows it: sarafan report --config …"),
    (("report", "--from"), "--from: дальше нужно значение.", "--from: a value has to follow."),
    (("report", "--json=3"), "--json: этот ключ пишется без значения.",
     "--json: this option takes no value."),
    (("forget",), "Не хватает: ТЕЛЕФОН.", "PHONE is missing."),
    (("staff", "invite"), "Не хватает --role: owner, head, controller, manager, admin.",
     "--role is missing: owner, head, controller, manager, admin."),
    (("run", "now"), "Лишнее в команде: now.", "More than the command takes: now."),
    (("report", "--format", "pdf"), "--format: указано pdf, а бывает: text, json, xlsx, html, png.",
     "--format: found pdf, expected one of: text, json, xlsx, html, png."),
    (("inbox", "x"), "НОМЕР: нужно целое число.", "ID: a whole number is needed."),
    (("demo", "--port", "70000"), "--port: не больше 65535.", "--port: 65535 at most."),
    (("demo", "--port", "-1"), "--port: не меньше 0.", "--port: 0 at least."),
    (("demo", "--port", "80"), "--port: это порт страницы, а её открывает --serve.",
     "--port: it is the port of the page, which --serve opens."),
]  # fmt: skip
NAMES = ("report", "inbox", "forget", "staff", "invite", "run", "demo")


def typed(*words: str, **environ: str) -> Result:
    return CliRunner().invoke(app, list(words), prog_name="sarafan", env=environ)


@pytest.mark.parametrize(("words", "ru", "en"), WRONG)
@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_mistake_is_told_in_one_sentence_and_where_the_help_is(
    words: tuple[str, ...], ru: str, en: str, language: str
) -> None:
    told = typed(*words, SARAFAN_COMPANY__LANGUAGE=language)
    sentence, where = told.stderr.splitlines()
    assert (told.exit_code, sentence) == (2, en if language == "en" else ru)
    command = " ".join(("sarafan", *(word for word in words if word in NAMES)))
    assert where == f"{'Help' if language == 'en' else 'Справка'}: {command} --help"


def test_the_config_says_the_language(sarafan: Sarafan, config: Path) -> None:
    assert "Ключа --fly у этой команды нет" in sarafan("report", "--fly").stderr
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("[company]\n", '[company]\nlanguage = "en"\n'), encoding="utf-8")
    assert "There is no option --fly." in sarafan("report", "--fly").stderr


@pytest.mark.parametrize(
    ("locale", "language"), [("", "ru"), ("C.UTF-8", "ru"), ("ru_RU.UTF-8", "ru"), ("en_US.UTF-8", "en")]
)
@pytest.mark.parametrize("content", [None, "[company"])
def test_where_no_config_can_be_read_the_locale_says_it(
    tmp_path: Path, content: str | None, locale: str, language: str
) -> None:
    file = tmp_path / "config.toml"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    assert language_here(["report", "--config", str(file)], {"LANG": locale}) == language


def test_the_config_is_found_as_the_command_finds_it(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('[company]\nlanguage = "en"\n', encoding="utf-8")
    for words in (["run", "-c", str(file)], [f"--config={file}"]):
        assert language_here(words, {}) == "en"
    assert language_here(["run"], {"SARAFAN_CONFIG": str(file)}) == "en"
    assert language_here(["run", "--config"], {"LANG": "ru"}) == "ru", "nothing follows it"
