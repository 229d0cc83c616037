"""The names of the settings found in the account, and what does not fit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from integrations.amocrm.models import LOST, WON, Pipeline, Status
from integrations.amocrm.names import Named, NameProblem, folded, nearest
from integrations.amocrm.names import resolve as id_of
from worker.account.account import Account, FieldIds
from worker.account.dictionaries import Dictionaries
from worker.account.people import Staff
from worker.config.problems import Problem
from worker.config.sections.amocrm import DealFields
from worker.config.sections.company import StaffMember
from worker.config.sections.surveys import SurveySettings
from worker.config.settings import Settings
from worker.rules.planning import SurveyRule

SCORE_TYPES = frozenset({"numeric", "text", "textarea"})
DATE_TYPES = frozenset({"date", "date_time", "birthday"})

AnyNamed = TypeVar("AnyNamed", bound=Named)


class AccountProblems(Exception):
    """Names of the settings that the account does not have: the start stops."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def resolve(settings: Settings, dictionaries: Dictionaries) -> Account:
    """Find everything that the settings name; what is missing stands in `problems` or `warnings`."""
    return _Resolver(settings=settings, known=dictionaries).account()


@dataclass(slots=True)
class _Resolver:
    """Collects what does not fit while names become ids."""

    settings: Settings
    known: Dictionaries
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def account(self) -> Account:
        settings, facts = self.settings, self.known.account
        complaints = self._complaints_pipeline()
        ids = self._fields()
        account = Account(
            account_id=facts.id,
            host=urlsplit(settings.amocrm.base_url).hostname or "",
            currency=facts.currency,
            current_user_id=facts.current_user_id,
            is_filter_enabled=facts.is_filter_enabled is not False,
            fields=ids,
            topic_field=self._lead_field("complaints.topic_field", settings.complaints.topic_field),
            consent_field=self._checkbox("amocrm.consent_field", settings.amocrm.consent_field),
            advertising_consent_field=self._checkbox(
                "amocrm.advertising_consent_field", settings.amocrm.advertising_consent_field
            ),
            referral_enum=self._referral_enum(ids.referral),
            pipelines={pipeline.id: pipeline.name for pipeline in self.known.pipelines},
            sales_pipelines=self._pipelines("amocrm.sales_pipelines", settings.amocrm.sales_pipelines),
            complaints_pipeline=complaints.id if complaints is not None else None,
            complaints_status=self._complaints_status(complaints) if complaints is not None else None,
            complaint_responsible=self._responsible(),
            rules=tuple(self._rules(ids, complaints)),
            listed=tuple(self._person(person) for person in settings.staff),
            users=None if self.known.users is None else {user.id: user for user in self.known.users},
        )
        self._compare_zones()
        return replace(account, problems=tuple(self.problems), warnings=tuple(self.warnings))

    # Fields

    def _fields(self) -> FieldIds:
        return FieldIds(
            **{
                item.name: self._deal_field(item.name, getattr(self.settings.amocrm.fields, item.name))
                for item in fields(DealFields)
            }
        )

    def _deal_field(self, name: str, wanted: str) -> int | None:
        """A default that nothing would be written to is not missed."""
        settings = self.settings
        needed = {
            "telegram_link": "telegram" in settings.channels,
            "max_link": "max" in settings.channels,
            **{
                metric: any(survey.metric == metric and not survey.field for survey in settings.surveys)
                for metric in ("nps", "csat", "ces")
            },
        }
        key = f"amocrm.fields.{name}"
        if not needed.get(name, True) and key not in settings.given:
            return None
        return self._lead_field(key, wanted)

    def _lead_field(self, key: str, wanted: str) -> int | None:
        return self._named(key, wanted, self.known.lead_fields, "Поле сделки", "Deal field", is_field=True)

    def _checkbox(self, key: str, wanted: str) -> int | None:
        found = self._named(
            key, wanted, self.known.contact_fields, "Поле контакта", "Contact field", is_field=True
        )
        type_ = next((row.type for row in self.known.contact_fields if row.id == found), "checkbox")
        if type_ != "checkbox":
            self._warn(
                key,
                f"поле «{wanted}» — не флажок ({type_}): согласие в нём не прочитать",
                f"the field «{wanted}» is no checkbox ({type_}): no consent can be read there",
            )
        return found

    def _referral_enum(self, field_id: int | None) -> int | None:
        """The option that means a friend; a field of free text has none, and is compared by its words."""
        wanted = self.settings.referral.value
        row = next((row for row in self.known.lead_fields if row.id == field_id), None)
        if row is None or not row.enums or not wanted:
            return None
        found = next((enum.id for enum in row.enums if folded(enum.value) == folded(wanted)), None)
        if found is None:
            like = ", ".join(nearest(wanted, (enum.value for enum in row.enums)))
            self._warn(
                "referral.value",
                f"в поле «{row.name}» нет варианта «{wanted}»: по нему рекомендаций не узнать."
                + (f" Похоже на: {like}." if like else ""),
                f"the field «{row.name}» has no option «{wanted}»: no referral is recognised by it."
                + (f" The nearest: {like}." if like else ""),
            )
        return found

    # Pipelines

    def _complaints_pipeline(self) -> Pipeline | None:
        """The one name that must exist, given or not."""
        wanted = self.settings.complaints.pipeline
        found = self._pipeline("complaints.pipeline", wanted, is_needed=True)
        return next((pipeline for pipeline in self.known.pipelines if pipeline.id == found), None)

    def _complaints_status(self, pipeline: Pipeline) -> int | None:
        """Where new complaints go: the named status, else the first that is neither unsorted nor closed."""
        key = "complaints.status"
        open_ = [row for row in pipeline.statuses if row.type == 0 and row.id not in (WON, LOST)]
        if wanted := self.settings.complaints.status:
            return self._named(key, wanted, open_, "Статус рекламаций", "Status of complaints")
        if not open_:
            self._fail(
                "complaints.pipeline",
                f"в воронке «{pipeline.name}» нет ни одного открытого статуса. Добавьте его в amoCRM",
                f"the pipeline «{pipeline.name}» has no open status. Add one in amoCRM",
            )
            return None
        return min(open_, key=lambda row: row.sort).id

    def _pipeline(self, key: str, wanted: str, *, is_needed: bool = False) -> int | None:
        """An archived pipeline counts only where no living one has the name."""
        living = [pipeline for pipeline in self.known.pipelines if not pipeline.is_archive]
        same = [pipeline for pipeline in living if folded(pipeline.name) == folded(wanted)]
        rows = living if same else self.known.pipelines
        return self._named(key, wanted, rows, "Воронка", "Pipeline", is_needed=is_needed)

    def _pipelines(self, key: str, names: Sequence[str]) -> frozenset[int]:
        found = (self._pipeline(key, name) for name in names)
        return frozenset(pipeline for pipeline in found if pipeline is not None)

    # Surveys

    def _rules(self, ids: FieldIds, complaints: Pipeline | None) -> Iterator[SurveyRule]:
        by_field: dict[int, str] = {}
        for survey in self.settings.surveys:
            rule = self._rule(survey, ids, complaints)
            if rule.score_field is not None and rule.score_field in by_field:
                other = by_field[rule.score_field]
                self._fail(
                    f"survey.{survey.key}.field",
                    f"в это поле уже пишет опрос {other}. Нужно своё поле",
                    f"survey {other} writes to this field already. Name another one",
                )
            elif rule.score_field is not None:
                by_field[rule.score_field] = survey.key
            yield rule

    def _rule(self, survey: SurveySettings, ids: FieldIds, complaints: Pipeline | None) -> SurveyRule:
        key = f"survey.{survey.key}"
        pipelines = self._pipelines(f"{key}.pipelines", survey.pipelines)
        score_field = (
            self._lead_field(f"{key}.field", survey.field)
            if survey.field
            else {"nps": ids.nps, "csat": ids.csat, "ces": ids.ces}[survey.metric]
        )
        self._check_score_field(f"{key}.field", score_field)
        return SurveyRule(
            key=survey.key,
            metric=survey.metric,
            trigger=survey.trigger,
            scale=survey.answers,
            pipelines=pipelines,
            statuses=self._statuses(f"{key}.statuses", survey, pipelines, complaints),
            base="field" if survey.base_field else survey.base,
            base_field=self._date_field(f"{key}.from", survey.base_field),
            delay=survey.delay,
            subject="field" if survey.subject_field else survey.subject,
            subject_field=self._lead_field(f"{key}.subject", survey.subject_field),
            score_field=score_field,
            on_low=survey.on_low,
            confirm_low=survey.confirm_low,
            promo_in=survey.promo_in,
        )

    def _statuses(
        self, key: str, survey: SurveySettings, pipelines: frozenset[int], complaints: Pipeline | None
    ) -> frozenset[tuple[int, int]]:
        """A name counts in each of the survey's pipelines that has it."""
        own = [
            pipeline
            for pipeline in self.known.pipelines
            if (pipeline.id in pipelines if pipelines else pipeline != complaints)
        ]
        found: set[tuple[int, int]] = set()
        for wanted in survey.statuses:
            pairs = {
                (pipeline.id, status.id) for pipeline in own for status in _called(wanted, pipeline.statuses)
            }
            if not pairs:
                every = [status for pipeline in own for status in pipeline.statuses]
                self._named(key, wanted, every, "Статус", "Status")
            found |= pairs
        return frozenset(found)

    def _date_field(self, key: str, wanted: str) -> int | None:
        found = self._lead_field(key, wanted)
        row = next((row for row in self.known.lead_fields if row.id == found), None)
        if row is not None and row.type not in DATE_TYPES:
            self._fail(
                key,
                f'«{row.name}» — не поле с датой ({row.type}). Пример: from = "field:Дата монтажа"',
                f'«{row.name}» is no date field ({row.type}). Example: from = "field:Дата монтажа"',
            )
        return found

    def _check_score_field(self, key: str, found: int | None) -> None:
        row = next((row for row in self.known.lead_fields if row.id == found), None)
        if row is not None and row.type not in SCORE_TYPES:
            self._warn(
                key,
                f"поле «{row.name}» — не число и не текст ({row.type}): оценка может не записаться",
                f"the field «{row.name}» is neither a number nor a text ({row.type}): scores may be refused",
            )

    # People

    def _responsible(self) -> Literal["head", "deal"] | int:
        wanted = self.settings.complaints.responsible
        if wanted == "head":
            return "head"
        if wanted == "deal":
            return "deal"
        return self._user("complaints.responsible", wanted) or "head"

    def _person(self, person: StaffMember) -> Staff:
        key = f"staff.{person.name}"
        managers = (self._user(f"{key}.managers", name) for name in person.managers)
        return Staff(
            telegram_id=person.telegram_id,
            max_id=person.max_id,
            name=person.name,
            role=person.role,
            pipelines=self._pipelines(f"{key}.pipelines", person.pipelines),
            managers=frozenset(user for user in managers if user is not None),
            amocrm_user=self._user(f"{key}.amocrm_user", person.amocrm_user),
        )

    def _user(self, key: str, wanted: str) -> int | None:
        if not wanted:
            return None
        if self.known.users is None:
            if wanted.isdecimal():
                return int(wanted)
            rights = self.settings.texts.fill("amo.rights", name=_say(self.settings, "пользователи", "users"))
            self._fail(key, rights, rights)
            return None
        found = self._named(key, wanted, self.known.users, "Пользователь", "User")
        user = next((user for user in self.known.users if user.id == found), None)
        if user is not None and not user.is_active:
            self._warn(
                key,
                f"«{user.name}» отключён в amoCRM: ему ничего не назначить",
                f"«{user.name}» is switched off in amoCRM: nothing can be assigned to them",
            )
        return found

    def _compare_zones(self) -> None:
        ours, theirs = self.settings.company.timezone.key, self.known.account.timezone
        if "company.timezone" not in self.settings.given and theirs and theirs != ours:
            self._warn(
                "company.timezone",
                f"не указан, взят {ours}, а в amoCRM {theirs}: укажите, по какому времени писать клиентам",
                f"is not given, {ours} is taken, amoCRM has {theirs}: say by which clock to write to clients",
            )

    # What is said

    def _named(
        self,
        key: str,
        wanted: str,
        rows: Sequence[AnyNamed],
        ru: str,
        en: str,
        *,
        is_field: bool = False,
        is_needed: bool = False,
    ) -> int | None:
        """The id; what is not there stops the start where the file gives it, a default is only warned of."""
        if not wanted:
            return None
        try:
            return id_of(wanted, rows)
        except NameProblem as error:
            text = self._words_for(error, _say(self.settings, ru, en), is_field)
        if _is_made_by_setup(key, wanted):
            hint = _say(
                self.settings, "Создаст команда sarafan setup.", "The command sarafan setup makes it."
            )
            text = f"{text} {hint}"
        if is_needed or key in self.settings.given:
            self._fail(key, text, text)
        else:
            self._warn(key, f"{text} Значение не записываем.", f"{text} This value is not written.")
        return None

    def _words_for(self, error: NameProblem, what: str, is_field: bool) -> str:
        texts = self.settings.texts
        if error.twins and is_field:
            return texts.fill("amo.twins", field=error.found, nearest=", ".join(map(str, error.twins)))
        if error.twins:
            return _say(
                self.settings,
                f"{what}: «{error.found}» в amoCRM несколько раз. Укажите номер: {error.twins}",
                f"{what}: several are called «{error.found}». Give the id: {error.twins}",
            )
        return texts.fill("amo.name", name=what, value=error.found, nearest=", ".join(error.nearest))

    def _fail(self, key: str, ru: str, en: str) -> None:
        where = self.settings.places.get(key, "")
        self.problems.append(Problem(where=where, key=key, text=_say(self.settings, ru, en)))

    def _warn(self, key: str, ru: str, en: str) -> None:
        line = Problem(where=self.settings.places.get(key, ""), key=key, text=_say(self.settings, ru, en))
        self.warnings.append(str(line))


def _is_made_by_setup(key: str, wanted: str) -> bool:
    """An id can only be mistaken; a name may be missing as yet."""
    is_known = key.startswith("amocrm.fields.") or key in ("complaints.pipeline", "complaints.topic_field")
    return is_known and not wanted.isdecimal()


def _say(settings: Settings, ru: str, en: str) -> str:
    return en if settings.company.language == "en" else ru


def _called(wanted: str, statuses: Sequence[Status]) -> list[Status]:
    by_name = [status for status in statuses if folded(status.name) == folded(wanted)]
    return by_name or [status for status in statuses if str(status.id) == wanted.strip()]
