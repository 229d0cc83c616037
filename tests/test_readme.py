"""What the READMEs tell people to type works."""

import re
from pathlib import Path

import pytest

from worker.config.load import load

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.ru.md")

# As compose.yaml and the READMEs hand them over.
SECRETS = {
    "SARAFAN_AMOCRM__TOKEN": "made-up",
    "SARAFAN_TELEGRAM__TOKEN": "123456:made-up",
    "SARAFAN_WHATSAPP__API_TOKEN": "made-up",
}


def blocks(readme: str, language: str) -> list[str]:
    text = (ROOT / readme).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


@pytest.mark.parametrize("readme", READMES)
def test_the_first_config_is_one_that_the_program_takes(readme: str, tmp_path: Path) -> None:
    [example] = blocks(readme, "toml")
    file = tmp_path / "config.toml"
    file.write_text(example, encoding="utf-8")
    settings = load(file, SECRETS)
    assert settings.company.name == "ВладАвтоматика"
    assert [person.role for person in settings.staff] == ["head"]


@pytest.mark.parametrize("readme", READMES)
def test_every_make_target_that_is_named_exists(readme: str) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    named = re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / readme).read_text(encoding="utf-8"), re.M)
    assert named
    assert set(named) <= set(targets)


@pytest.mark.parametrize("readme", READMES)
def test_every_file_that_is_linked_exists(readme: str) -> None:
    linked = re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / readme).read_text(encoding="utf-8"))
    missing = [name for name in linked if not (ROOT / name).exists()]
    assert linked
    assert not missing


def test_every_picture_is_shown_in_both_readmes_and_small() -> None:
    """Whoever has a slow connection reads them too; `make shots` takes them anew."""
    for picture in (ROOT / "docs").glob("*.png"):
        assert picture.stat().st_size <= 150_000, picture.name
        for readme in READMES:
            assert f"docs/{picture.name}" in (ROOT / readme).read_text(encoding="utf-8"), readme
