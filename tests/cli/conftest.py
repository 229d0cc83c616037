"""A folder with a config.toml, and the command as a person types it."""

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from worker.cli.main import app

Sarafan = Callable[..., Result]

CONFIG = """\
[company]
name = "ВладАвтоматика"
timezone = "Asia/Vladivostok"

[storage]
url = "{url}"

[amocrm]
base_url = "https://example.amocrm.ru"
token = "test-token"

[telegram]
token = "1234567890:AAE-secret-of-telegram"

[[staff]]
telegram_id = 1
name = "Анна"
role = "head"
"""


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, sys.excepthook
    yield
    logging.captureWarnings(False)
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)


@pytest.fixture
def config(tmp_path: Path, db_url: str) -> Path:
    """A good config whose storage is up to date and empty."""
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.format(url=db_url), encoding="utf-8")
    return path


@pytest.fixture
def sarafan(config: Path) -> Sarafan:
    """`sarafan("report", "--json")`, with `--config` added."""

    def type_in(*words: str) -> Result:
        return CliRunner().invoke(app, [words[0], "--config", str(config), *words[1:]])

    return type_in
