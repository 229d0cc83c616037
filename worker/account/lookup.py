"""One name of the settings looked up among what amoCRM has; what is not there is told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from integrations.amocrm.models import CustomField, Pipeline
from integrations.amocrm.names import Named, NameProblem, folded
from integrations.amocrm.names import resolve as id_of
from worker.account.dictionaries import Dictionaries
from worker.config.problems import Problem
from worker.config.settings import Settings
from worker.config.words import Words

AnyNamed = TypeVar("AnyNamed", bound=Named)


@dataclass(frozen=True, slots=True)
class Kind:
    """What has names in amoCRM, as a person calls it."""

    words: Words
    is_field: bool = False


DEAL_FIELD = Kind(Words("Поле сделки", "Deal field"), is_field=True)
CONTACT_FIELD = Kind(Words("Поле контакта", "Contact field"), is_field=True)
PIPELINE = Kind(Words("Воронка", "Pipeline"))
STATUS = Kind(Words("Статус", "Status"))
COMPLAINTS_STATUS = Kind(Words("Статус рекламаций", "Status of complaints"))
USER = Kind(Words("Пользователь", "User"))


@dataclass(slots=True)
class Lookup:
    """Finds what the settings name among what is `known`, and collects what does not fit.

    `key` is everywhere the one that gives the name; an empty name finds nothing and is no problem.
    """

    settings: Settings
    known: Dictionaries
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def find(
        self, key: str, wanted: str, rows: Sequence[AnyNamed], kind: Kind, *, is_needed: bool = False
    ) -> AnyNamed | None:
        """What is not there stops the start where the file gives it; a default is only warned of."""
        if not wanted:
            return None
        try:
            found = id_of(wanted, rows)
        except NameProblem as error:
            text = self._words_for(error, kind)
        else:
            return next(row for row in rows if row.id == found)
        if _is_made_by_setup(key, wanted):
            hint = self._say(Words("Создаст команда sarafan setup.", "The command sarafan setup makes it."))
            text = f"{text} {hint}"
        if is_needed or key in self.settings.given:
            self._fail(key, text)
        else:
            self.warn(key, Words(f"{text} Значение не записываем.", f"{text} This value is not written."))
        return None

    def deal_field(self, key: str, wanted: str) -> CustomField | None:
        return self.find(key, wanted, self.known.lead_fields, DEAL_FIELD)

    def deal_field_id(self, key: str, wanted: str) -> int | None:
        found = self.deal_field(key, wanted)
        return found.id if found is not None else None

    def deal_field_with(self, id_: int | None) -> CustomField | None:
        """The field with this id."""
        return next((row for row in self.known.lead_fields if row.id == id_), None)

    def pipeline(self, key: str, wanted: str, *, is_needed: bool = False) -> Pipeline | None:
        """An archived pipeline counts only where no living one has the name."""
        living = [pipeline for pipeline in self.known.pipelines if not pipeline.is_archive]
        same = [pipeline for pipeline in living if folded(pipeline.name) == folded(wanted)]
        rows = living if same else self.known.pipelines
        return self.find(key, wanted, rows, PIPELINE, is_needed=is_needed)

    def pipelines(self, key: str, names: Sequence[str]) -> frozenset[int]:
        """The ids of those that are there."""
        found = (self.pipeline(key, name) for name in names)
        return frozenset(pipeline.id for pipeline in found if pipeline is not None)

    def user(self, key: str, wanted: str) -> int | None:
        """The id; where the token may not list users, only an id can be given."""
        if not wanted:
            return None
        if self.known.users is None:
            if wanted.isdecimal():
                return int(wanted)
            users = self._say(Words("пользователи", "users"))
            self._fail(key, self.settings.texts.fill("amo.rights", name=users))
            return None
        user = self.find(key, wanted, self.known.users, USER)
        if user is not None and not user.is_active:
            self.warn(key, Words(
                f"«{user.name}» отключён в amoCRM: ему ничего не назначить",
                f"«{user.name}» is switched off in amoCRM: nothing can be assigned to them",
            ))  # fmt: skip
        return user.id if user is not None else None

    def fail(self, key: str, words: Words) -> None:
        self._fail(key, self._say(words))

    def warn(self, key: str, words: Words) -> None:
        self.warnings.append(str(self._problem(key, self._say(words))))

    def _fail(self, key: str, text: str) -> None:
        self.problems.append(self._problem(key, text))

    def _problem(self, key: str, text: str) -> Problem:
        return Problem(where=self.settings.places.get(key, ""), key=key, text=text)

    def _say(self, words: Words) -> str:
        return words.say(self.settings.company.language)

    def _words_for(self, error: NameProblem, kind: Kind) -> str:
        texts = self.settings.texts
        if error.twins and kind.is_field:
            return texts.fill("amo.twins", field=error.found, nearest=", ".join(map(str, error.twins)))
        if error.twins:
            return self._say(Words(
                f"{kind.words.ru}: «{error.found}» в amoCRM несколько раз. Укажите номер: {error.twins}",
                f"{kind.words.en}: several are called «{error.found}». Give the id: {error.twins}",
            ))  # fmt: skip
        what = self._say(kind.words)
        return texts.fill("amo.name", name=what, value=error.found, nearest=", ".join(error.nearest))


def _is_made_by_setup(key: str, wanted: str) -> bool:
    """An id can only be mistaken; a name may be missing as yet."""
    is_known = key.startswith("amocrm.fields.") or key in ("complaints.pipeline", "complaints.topic_field")
    return is_known and not wanted.isdecimal()
