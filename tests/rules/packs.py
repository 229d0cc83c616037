"""The language packs as the tests read them."""

import tomllib
from functools import cache
from pathlib import Path

from worker.rules.wording import Texts, load_texts

TEXTS = Path(__file__).parents[2] / "worker" / "texts"


@cache
def pack(language: str) -> dict[str, str]:
    found: dict[str, str] = tomllib.loads((TEXTS / f"{language}.toml").read_text(encoding="utf-8"))
    return found


def texts(language: str = "ru", *, phone: str = "8 800 555-00-11") -> Texts:
    return load_texts(
        pack(language), language=language, company="ВладАвтоматика", phone=phone, privacy_url=""
    )
