"""The company's account as its settings mean it: fields, pipelines, rules and people by their ids."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from integrations.amocrm.models import User
from worker.account.people import Place, Staff
from worker.config.problems import Problem
from worker.config.sections.surveys import Metric
from worker.rules.planning import SurveyRule


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldIds:
    """`[amocrm.fields]` as ids; None: not used, or not there."""

    nps: int | None = None
    csat: int | None = None
    ces: int | None = None
    promo_code: int | None = None
    telegram_link: int | None = None
    max_link: int | None = None
    survey_state: int | None = None
    about: int | None = None
    referral: int | None = None
    referral_code: int | None = None

    def of_metric(self, metric: Metric) -> int | None:
        """Where scores of this metric are written, unless a survey has a field of its own."""
        return {"nps": self.nps, "csat": self.csat, "ces": self.ces}[metric]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Everything that the settings name, found in the account. `problems` stop the start."""

    account_id: int
    host: str
    currency: str
    current_user_id: int
    is_filter_enabled: bool  # as far as it is known; the client notices a filter that is ignored
    fields: FieldIds
    topic_field: int | None
    consent_field: int | None
    advertising_consent_field: int | None
    referral_enum: int | None
    pipelines: Mapping[int, str]
    sales_pipelines: frozenset[int]  # empty = all but complaints
    complaints_pipeline: int | None
    complaints_status: int | None
    complaint_responsible: Literal["head", "deal"] | int
    rules: tuple[SurveyRule, ...]
    listed: tuple[Staff, ...]  # of the settings
    users: Mapping[int, User] | None  # None: the token may not see them
    invited: tuple[Staff, ...] = ()  # by a link
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def staff(self) -> tuple[Staff, ...]:
        """The settings come first, also for whoever opened a link as well."""
        known = {place for person in self.listed for place in person.places}
        return (*self.listed, *(person for person in self.invited if not known.intersection(person.places)))

    def rule(self, key: str) -> SurveyRule | None:
        """None for a survey that is no longer in the settings."""
        return next((rule for rule in self.rules if rule.key == key), None)

    def user_name(self, user_id: int | None) -> str:
        """As in amoCRM; the id where the name cannot be seen."""
        if not user_id:
            return ""
        user = (self.users or {}).get(user_id)
        return user.name if user is not None and user.name else str(user_id)

    def is_active(self, user_id: int | None) -> bool:
        """May something be given to this user? amoCRM refuses those who were switched off or deleted."""
        if not user_id:
            return False
        if self.users is None:
            return True
        return user_id in self.users and self.users[user_id].is_active

    def heads_of(self, pipeline: int, manager: int) -> tuple[int, ...]:
        """The amoCRM users who are heads of this deal, those who follow the fewest first."""
        heads = [person for person in self._heads() if person.follows(pipeline, manager)]
        return tuple(person.amocrm_user for person in heads if person.amocrm_user)

    def alerted(self, *, pipeline: int, manager: int, but: int | None) -> tuple[tuple[Staff, ...], ...]:
        """Heads of the deal; where none of them can be reached, owners; else any head.

        Never `but`, whom the score is about.
        """
        heads = [person for person in self._heads() if person.follows(pipeline, manager)]
        ranks = (heads, self._with_role("owner"), self._heads())
        found = (tuple(one for one in people if not but or one.amocrm_user != but) for people in ranks)
        return tuple(people for people in found if people)

    def anybody(self) -> tuple[int, ...]:
        """Every amoCRM user, those first who answer for more: for what must not go to one of them."""
        staff = [person.amocrm_user for person in (*self._with_role("owner"), *self._heads())]
        users = sorted((self.users or {}).values(), key=lambda user: (not user.is_admin, user.id))
        return (*filter(None, staff), self.current_user_id, *(user.id for user in users))

    def owners(self) -> tuple[Staff, ...]:
        """Owners; in a company without any, its heads."""
        return tuple(self._with_role("owner") or self._heads())

    def staff_member(self, channel: str, sender_id: str) -> Staff | None:
        place = Place(channel, sender_id)
        return next((person for person in self.staff if place in person.places), None)

    def is_staff_chat(self, channel: str, chat_id: str) -> bool:
        return self.staff_member(channel, chat_id) is not None

    def _with_role(self, role: str) -> list[Staff]:
        return [person for person in self.staff if person.role == role]

    def _heads(self) -> list[Staff]:
        # One who follows a single pipeline is nearer to the deal than one who follows all.
        return sorted(self._with_role("head"), key=lambda head: not (head.pipelines or head.managers))


def with_invited(account: Account, invited: tuple[Staff, ...]) -> Account:
    return account if account.invited == invited else replace(account, invited=invited)
