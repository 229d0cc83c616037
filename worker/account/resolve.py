"""The names of the settings found in the account, and what does not fit."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Literal
from urllib.parse import urlsplit

from integrations.amocrm.models import LOST, WON, Pipeline
from integrations.amocrm.names import folded, nearest
from worker.account.account import Account, FieldIds
from worker.account.dictionaries import Dictionaries
from worker.account.lookup import COMPLAINTS_STATUS, CONTACT_FIELD, Lookup
from worker.account.people import Staff
from worker.account.survey_rules import survey_rules
from worker.config.problems import Problem
from worker.config.sections.amocrm import DealFields
from worker.config.sections.company import StaffMember
from worker.config.settings import Settings
from worker.config.words import Words


class AccountProblems(Exception):
    """Names of the settings that the account does not have: the start stops."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def resolve(settings: Settings, dictionaries: Dictionaries) -> Account:
    """Find everything that the settings name; what is missing stands in `problems` or `warnings`."""
    look, facts = Lookup(settings, dictionaries), dictionaries.account
    complaints = look.pipeline("complaints.pipeline", settings.complaints.pipeline, is_needed=True)
    ids = FieldIds(**{item.name: _deal_field(look, item.name) for item in fields(DealFields)})
    account = Account(
        account_id=facts.id,
        host=urlsplit(settings.amocrm.base_url).hostname or "",
        currency=facts.currency,
        current_user_id=facts.current_user_id,
        is_filter_enabled=facts.is_filter_enabled is not False,
        fields=ids,
        topic_field=look.deal_field_id("complaints.topic_field", settings.complaints.topic_field),
        consent_field=_checkbox(look, "amocrm.consent_field", settings.amocrm.consent_field),
        advertising_consent_field=_checkbox(
            look, "amocrm.advertising_consent_field", settings.amocrm.advertising_consent_field
        ),
        referral_enum=_referral_enum(look, ids.referral),
        pipelines={pipeline.id: pipeline.name for pipeline in dictionaries.pipelines},
        sales_pipelines=look.pipelines("amocrm.sales_pipelines", settings.amocrm.sales_pipelines),
        complaints_pipeline=complaints.id if complaints is not None else None,
        complaints_status=_complaints_status(look, complaints) if complaints is not None else None,
        complaint_responsible=_responsible(look),
        rules=tuple(survey_rules(look, ids, complaints)),
        listed=tuple(_person(look, person) for person in settings.staff),
        users=None if dictionaries.users is None else {user.id: user for user in dictionaries.users},
    )
    _compare_zones(look)
    return replace(account, problems=tuple(look.problems), warnings=tuple(look.warnings))


def _deal_field(look: Lookup, name: str) -> int | None:
    """Of `[amocrm.fields]`. A default that nothing would be written to is not missed."""
    settings = look.settings
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
    return look.deal_field_id(key, getattr(settings.amocrm.fields, name))


def _checkbox(look: Lookup, key: str, wanted: str) -> int | None:
    row = look.find(key, wanted, look.known.contact_fields, CONTACT_FIELD)
    if row is None:
        return None
    if row.type != "checkbox":
        look.warn(key, Words(
            f"поле «{wanted}» — не флажок ({row.type}): согласие в нём не прочитать",
            f"the field «{wanted}» is no checkbox ({row.type}): no consent can be read there",
        ))  # fmt: skip
    return row.id


def _referral_enum(look: Lookup, field_id: int | None) -> int | None:
    """The option that means a friend; a field of free text has none, and is compared by its words."""
    wanted = look.settings.referral.value
    row = look.deal_field_with(field_id)
    if row is None or not row.enums or not wanted:
        return None
    found = next((enum.id for enum in row.enums if folded(enum.value) == folded(wanted)), None)
    if found is None:
        like = ", ".join(nearest(wanted, (enum.value for enum in row.enums)))
        look.warn("referral.value", Words(
            f"в поле «{row.name}» нет варианта «{wanted}»: по нему рекомендаций не узнать."
            + (f" Похоже на: {like}." if like else ""),
            f"the field «{row.name}» has no option «{wanted}»: no referral is recognised by it."
            + (f" The nearest: {like}." if like else ""),
        ))  # fmt: skip
    return found


def _complaints_status(look: Lookup, pipeline: Pipeline) -> int | None:
    """Where new complaints go: the named status, else the first that is neither unsorted nor closed."""
    open_ = [row for row in pipeline.statuses if row.type == 0 and row.id not in (WON, LOST)]
    if wanted := look.settings.complaints.status:
        found = look.find("complaints.status", wanted, open_, COMPLAINTS_STATUS)
        return found.id if found is not None else None
    if not open_:
        look.fail("complaints.pipeline", Words(
            f"в воронке «{pipeline.name}» нет ни одного открытого статуса. Добавьте его в amoCRM",
            f"the pipeline «{pipeline.name}» has no open status. Add one in amoCRM",
        ))  # fmt: skip
        return None
    return min(open_, key=lambda row: row.sort).id


def _responsible(look: Lookup) -> Literal["head", "deal"] | int:
    wanted = look.settings.complaints.responsible
    if wanted == "head":
        return "head"
    if wanted == "deal":
        return "deal"
    return look.user("complaints.responsible", wanted) or "head"


def _person(look: Lookup, person: StaffMember) -> Staff:
    key = f"staff.{person.name}"
    managers = (look.user(f"{key}.managers", name) for name in person.managers)
    return Staff(
        telegram_id=person.telegram_id,
        max_id=person.max_id,
        name=person.name,
        role=person.role,
        pipelines=look.pipelines(f"{key}.pipelines", person.pipelines),
        managers=frozenset(user for user in managers if user is not None),
        amocrm_user=look.user(f"{key}.amocrm_user", person.amocrm_user),
    )


def _compare_zones(look: Lookup) -> None:
    ours, theirs = look.settings.company.timezone.key, look.known.account.timezone
    if "company.timezone" not in look.settings.given and theirs and theirs != ours:
        look.warn("company.timezone", Words(
            f"не указан, взят {ours}, а в amoCRM {theirs}: укажите, по какому времени писать клиентам",
            f"is not given, {ours} is taken, amoCRM has {theirs}: say by which clock to write to clients",
        ))  # fmt: skip
