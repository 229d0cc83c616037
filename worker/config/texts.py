"""Every word that people read: the program's own with the company's over them; what is wrong there."""

import tomllib
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

from worker.config.expectations import KINDS_OF_VALUE
from worker.config.keys import dotted
from worker.config.sections.company import Company
from worker.config.sources import KeyPath, Source
from worker.config.telling import Telling
from worker.config.values import joined
from worker.config.words import Words
from worker.rules import wording
from worker.rules.wording import (
    ProblemKind,
    Texts,
    allowed_in,
    allowed_in_survey,
    check_template,
    check_texts,
    load_texts,
)

FOLDER = Path(__file__).parents[1] / "texts"
OF_SURVEYS = ("question", "thanks_high", "thanks_neutral", "thanks_low",
              "follow_up", "follow_up_low", "follow_up_neutral", "follow_up_high")  # fmt: skip


def texts_of(company: Company, own: Mapping[str, object], telling: Telling) -> Texts:
    """The program's words in the chosen language, with the company's own over them."""
    language = telling.language
    ours = {**_pack("ru"), **(_pack("en") if language == "en" else {})}
    good = {key: text for key, text in own.items() if isinstance(text, str)}
    for key, value in own.items():
        if key not in good:
            telling.wrong(_path_of(key, telling.source), value, KINDS_OF_VALUE["string_type"])
    for key, problem in check_texts(good, ours):
        allowed = allowed_in(key, ours) if key in ours else ()
        _tell(_path_of(key, telling.source), problem, allowed, telling)
    constants = {"company": company.name, "phone": company.phone, "privacy_url": company.privacy_url}
    return load_texts(ours, good, language=language, **constants)


def check_surveys(telling: Telling) -> None:
    """The company's own words for a survey: an unknown placeholder would stop every question."""
    surveys = telling.source.tables.get("survey")
    for index, table in enumerate(surveys if isinstance(surveys, list) else ()):
        for key in OF_SURVEYS:
            if isinstance(table, dict) and isinstance(text := table.get(key), str):
                allowed = allowed_in_survey(key)
                for problem in check_template(text, allowed):
                    _tell(("survey", index, key), problem, allowed, telling)


def _path_of(key: str, source: Source) -> KeyPath:
    """«optout.done» may stand in the file as one quoted key or as two."""
    whole = ("texts", key)
    return whole if whole in source.lines or whole in source.variables else ("texts", *key.split("."))


def _tell(path: KeyPath, problem: wording.Problem, allowed: Collection[str], telling: Telling) -> None:
    where = telling.source.line_of_placeholder(path, problem.found)
    telling.say(where, dotted(telling.named(path)), _words_for(problem, allowed))


def _words_for(problem: wording.Problem, allowed: Collection[str]) -> Words:
    like = " ".join(problem.nearest)
    match problem.kind:
        case ProblemKind.KEY:
            return Words("такого текста нет" + (f". Похоже на: {like}" if like else ""),
                         "there is no such text" + (f". The nearest: {like}" if like else ""))  # fmt: skip
        case ProblemKind.PLACEHOLDER:
            every = " ".join(f"{{{name}}}" for name in sorted(allowed))
            ru, en = (f", похожа {like}", f", the nearest is {like}") if like else ("", "")
            return Words(f"неизвестная вставка {problem.found}{ru}. Можно: {every}",
                         f"unknown placeholder {problem.found}{en}. Allowed: {every}")  # fmt: skip
        case ProblemKind.BRACKETS:
            return Words(
                f"у скобки {problem.found} нет пары. Пример: [Телефон: {{phone}}]",
                f"the bracket {problem.found} has no partner. Example: [Phone: {{phone}}]",
            )
        case ProblemKind.FORMS:
            return Words(
                f"у {problem.found} две или три формы слова. Пример: {{n:ответ/ответа/ответов}}",
                f"{problem.found} needs two or three forms. Example: {{n:answer/answers}}",
            )


@cache
def _pack(language: str) -> dict[str, str]:
    tables = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return {key: str(text) for key, text in joined("", tables)}
