"""Settings from config.toml and the environment: read once, checked whole, one line for each problem."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from worker.config import checks, warnings
from worker.config.bands import with_bands
from worker.config.composing import Composer
from worker.config.keys import dotted, leaves
from worker.config.problems import ConfigProblems, Problem
from worker.config.settings import Settings
from worker.config.sources import Source, UnreadableFile, overrides, read_file
from worker.config.telling import Telling
from worker.config.texts import check_surveys, texts_of
from worker.config.variables import take_variables


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings from `path`, else $SARAFAN_CONFIG, else ./config.toml. Raises ConfigProblems."""
    telling = Telling(_read(path, environ))
    take_variables(environ, telling)
    settings = _settings(telling)
    if telling.problems:
        raise ConfigProblems(telling.in_order())
    return settings


def _read(path: Path | None, environ: Mapping[str, str]) -> Source:
    """The file; without one, the environment alone may say everything."""
    named = path or environ.get("SARAFAN_CONFIG")
    name = str(named or "config.toml")
    if not named and not Path(name).exists() and any(True for _ in overrides(environ)):
        return Source(name="environment")
    try:
        return read_file(Path(name), name)
    except UnreadableFile as error:
        where = f"{name}:{error.line}" if error.line else name
        text = error.words.say(environ.get("SARAFAN_COMPANY__LANGUAGE", "ru"))
        raise ConfigProblems([Problem(where=where, key="", text=text)]) from None


def _settings(telling: Telling) -> Settings:
    """As good as what was given allows; whatever is wrong is told."""
    composer = Composer(telling)
    settings = composer.compose()
    surveys = [
        with_bands(survey, composer.place(("survey", index)), telling)
        for index, survey in enumerate(settings.surveys)
    ]
    texts = texts_of(settings.company, settings.texts.templates, telling)
    settings = settings.model_copy(update={"surveys": tuple(surveys), "texts": texts})
    settings._places = {
        dotted(telling.named(path)): telling.source.where(path) for path in leaves(telling.tables, ())
    }
    for finding in checks.findings(settings):
        telling.wrong(
            composer.place(finding.path), finding.found, finding.expected, sentence=finding.sentence
        )
    check_surveys(telling)
    settings._warnings = tuple(_warnings(settings, telling))
    return settings


def _warnings(settings: Settings, telling: Telling) -> Iterator[str]:
    for key, words in warnings.warnings(settings):
        where = telling.source.where(tuple(key.split(".")))
        yield f"{where}: {key}: {words.say(telling.language)}"
