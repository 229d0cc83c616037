"""All settings: one field for each table of config.toml."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from integrations.channels.base import BotSettings, GatewaySettings
from worker.config.sections.amocrm import AmoCrm
from worker.config.sections.channels import Delivery, Max, Telegram, UserAccount, WhatsApp, is_configured
from worker.config.sections.company import Company, StaffMember
from worker.config.sections.complaints import Alerts, Complaints
from worker.config.sections.friends import Referral, Reviews
from worker.config.sections.program import Http, Log, Privacy, Storage
from worker.config.sections.reports import Frt, Goal, Iqs, Reports
from worker.config.sections.surveys import SurveySettings, with_usual
from worker.config.values import joined
from worker.rules.calendar import Calendar, SendWindow
from worker.rules.wording import Texts

PREFIX = "SARAFAN_"  # of the variables that mean keys
NESTED = "__"


def _own_texts(tables: Any) -> Any:
    """The company's own. worker/config/load.py, which tells what is wrong with them, puts ours under them."""
    return Texts("", dict[str, Any](joined("", tables))) if isinstance(tables, dict) else tables


class Settings(BaseSettings):
    """Everything that the program was told, read and checked; one field for each table of the file."""

    model_config = SettingsConfigDict(
        frozen=True, case_sensitive=True, env_prefix=PREFIX, env_nested_delimiter=NESTED
    )

    company: Company = Company()  # first: dates and texts follow it
    storage: Storage = Storage()
    http: Http = Http()
    amocrm: AmoCrm = AmoCrm()
    referral: Referral = Referral()
    telegram: Telegram = Telegram()
    whatsapp: WhatsApp = WhatsApp()
    max: Max = Max()
    max_account: UserAccount = UserAccount()
    telegram_account: UserAccount = UserAccount()
    delivery: Delivery = Delivery()
    surveys: tuple[Annotated[SurveySettings, BeforeValidator(with_usual)], ...] = Field(
        default=(SurveySettings(key="nps", metric="nps", base="closed"),), alias="survey"
    )
    complaints: Complaints = Complaints()
    reviews: Reviews = Reviews()
    alerts: Alerts = Alerts()
    staff: tuple[StaffMember, ...] = ()
    names: dict[str, str] = Field(default_factory=dict)
    texts: Annotated[Texts, BeforeValidator(_own_texts)] = Field(default_factory=lambda: Texts("", {}))
    log: Log = Log()
    reports: Reports = Reports()
    goals: dict[Literal["nps", "csat", "ces", "referral_share"], Goal] = Field(default_factory=dict)
    privacy: Privacy = Privacy()
    frt: Frt = Frt()
    iqs: Iqs = Iqs()

    # Put in by worker/config/load.py: no keys of the file.
    _places: Mapping[str, str] = {}
    _warnings: tuple[str, ...] = ()

    @classmethod
    def settings_customise_sources(cls, *_: Any, **usual: Any) -> tuple[PydanticBaseSettingsSource, ...]:
        """The `sources` that worker/config/load.py hands over, else plain values; never os.environ itself."""
        handed: InitSettingsSource = usual["init_settings"]
        return tuple(handed.init_kwargs.pop("sources", [handed]))

    @field_validator("amocrm")
    @classmethod
    def _begin_at_midnight(cls, amocrm: AmoCrm, info: ValidationInfo) -> AmoCrm:
        """A date is the day where the company is."""
        zone = info.data.get("company", Company()).timezone
        dates = (amocrm.surveys_since, amocrm.history_since)
        since, history = (date and date.replace(tzinfo=zone) for date in dates)
        return replace(amocrm, surveys_since=since, history_since=history)

    @property
    def places(self) -> Mapping[str, str]:
        """Where each dotted key was given, survey.<key>.field too: «config.toml:12», or a variable."""
        return self._places

    @property
    def given(self) -> frozenset[str]:
        return frozenset(self._places)

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._warnings

    @property
    def calendar(self) -> Calendar:
        company = self.company
        return Calendar(
            zone=company.timezone,
            work_days=company.work_days,
            work_hours=company.work_hours,
            country=company.holidays,
            extra_holidays=company.extra_holidays,
        )

    @property
    def window(self) -> SendWindow:
        return SendWindow(
            calendar=self.calendar, hours=self.delivery.send_window, days=self.delivery.send_days
        )

    @property
    def configured_channels(self) -> tuple[str, ...]:
        """Every channel that has credentials, in the order of the contract."""
        sections: dict[str, BotSettings | GatewaySettings] = {
            "telegram": self.telegram,
            "max": self.max,
            "max_account": self.max_account,
            "telegram_account": self.telegram_account,
            "whatsapp": self.whatsapp,
        }
        return tuple(name for name, section in sections.items() if is_configured(section))

    @property
    def channels(self) -> tuple[str, ...]:
        """`delivery.channels` without those that are not configured."""
        return tuple(name for name in self.delivery.channels if name in self.configured_channels)

    def score_field(self, survey: SurveySettings) -> str:
        """The deal field that takes this survey's score; empty = none."""
        return survey.field or self.amocrm.fields.of_metric(survey.metric)

    def secrets(self) -> tuple[str, ...]:
        """Everything that must never be printed; for the log's mask."""
        found = [self._secret(*key.split(".")) for key in SECRETS]
        found += [urlsplit(url).password or "" for url in (self.storage.url, self.telegram.proxy)]
        return tuple(dict.fromkeys(secret for secret in found if secret))

    def _secret(self, section: str, key: str) -> str:
        value: SecretStr | str = getattr(getattr(self, section), key)
        return value.get_secret_value() if isinstance(value, SecretStr) else value


# The tables of the file and what each is read as; [[survey]] and [[staff]] may stand there several times.
LISTED: Mapping[str, Any] = {"survey": SurveySettings, "staff": StaffMember}
SECTIONS: Mapping[str, Any] = {
    name: field.annotation
    for name, field in Settings.model_fields.items()
    if name not in {"surveys", "staff"}
} | {"texts": dict[str, str]}

SECRETS = frozenset(
    {
        "http.webhook_secret",
        "amocrm.token",
        "amocrm.client_secret",
        "telegram.token",
        "max.token",
        "whatsapp.access_token",
        "whatsapp.app_secret",
        "whatsapp.verify_token",
        *(
            f"{section}.{key}"
            for section in ("whatsapp", "max_account", "telegram_account")
            for key in ("api_token", "api_key")
        ),
    }
)
