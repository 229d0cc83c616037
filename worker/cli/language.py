"""Which language does the command line speak, before or without settings?"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path


def language_of(environ: Mapping[str, str]) -> str:
    """By the locale; Russian where it says nothing, as the clients' texts are."""
    said = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
    return "en" if said.casefold().startswith("en") else "ru"


def language_here(words: Sequence[str], environ: Mapping[str, str]) -> str:
    """Of the installation that `words` (the arguments of the command) mean; by the locale where no config
    can be read. What is wrong in the config is told by others."""
    if said := environ.get("SARAFAN_COMPANY__LANGUAGE"):
        return "en" if said == "en" else "ru"
    path = Path(_named(words) or environ.get("SARAFAN_CONFIG") or "config.toml")
    try:
        company = tomllib.loads(path.read_text(encoding="utf-8-sig")).get("company")
    except (OSError, ValueError):
        return language_of(environ)
    return "en" if isinstance(company, dict) and company.get("language") == "en" else "ru"


def _named(words: Sequence[str]) -> str:
    """What stands behind --config, as far as it is given at all."""
    for place, word in enumerate(words):
        if word in ("--config", "-c"):
            return " ".join(words[place + 1 : place + 2])
        if word.startswith("--config="):
            return word.partition("=")[2]
    return ""
