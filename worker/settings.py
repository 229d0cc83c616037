"""What config.toml may say: one frozen dataclass for each of its tables, with the defaults."""

# ruff: noqa: RUF009 — the calls in defaults give values that cannot change

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from integrations.channels.base import BotSettings, GatewaySettings
from integrations.channels.base import Template as AnyTemplate
from worker.reading import NESTED, PREFIX
from worker.rules.calendar import Calendar, Duration, Hours, SendWindow
from worker.rules.kinds.registry import KINDS
from worker.rules.scale import Option, Scale, parse_range
from worker.rules.wording import Texts
from worker.values import (
    FORBID,
    AtLeastOne,
    Base,
    Bool,
    Channel,
    Clock,
    Count,
    Country,
    Date,
    Days,
    Deadline,
    DeepLink,
    DurationOrNone,
    DurationText,
    HoursText,
    Int,
    KeyText,
    Listen,
    Named,
    Number,
    Prefix,
    Proxy,
    PublicUrl,
    Quiet,
    Rate,
    ScaleText,
    Secret,
    SecretWord,
    Since,
    SinceOrNone,
    Site,
    Some,
    SomeNamed,
    Span,
    SpanOrNone,
    SpanOrZero,
    StorageUrl,
    Subject,
    Token,
    Url,
    UrlOrNone,
    Weight,
    Zone,
    field_of,
    joined,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """`[company]`"""

    __pydantic_config__ = FORBID

    name: str = ""
    timezone: Zone = ZoneInfo("Asia/Vladivostok")
    language: Literal["ru", "en"] = "ru"
    phone: str = ""
    privacy_url: UrlOrNone = ""
    work_days: Days = frozenset(range(5))
    work_hours: HoursText = Hours(9 * 60, 18 * 60)
    holidays: Country = "RU"
    extra_holidays: frozenset[Date] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """`[storage]`"""

    __pydantic_config__ = FORBID

    url: StorageUrl = field(default="sqlite:///data/sarafan.db", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """`[http]`"""

    __pydantic_config__ = FORBID

    listen: Listen = "127.0.0.1:8080"
    public_url: PublicUrl = ""
    webhook_secret: SecretWord = SecretStr("")
    dashboard_link: Span = timedelta(hours=12)

    @property
    def listen_host(self) -> str:
        return urlsplit(f"//{self.listen}").hostname or ""

    @property
    def listen_port(self) -> int:
        return urlsplit(f"//{self.listen}").port or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DealFields:
    """`[amocrm.fields]`: names or ids of deal fields; empty = not used."""

    __pydantic_config__ = FORBID

    nps: Named = "NPS"
    csat: Named = "CSAT"
    ces: Named = "CES"
    promo_code: Named = "Промокод для друзей"
    telegram_link: Named = "Ссылка на Telegram-бота"
    max_link: Named = "Ссылка на MAX-бота"
    survey_state: Named = "Опрос"
    about: Named = ""
    referral: Named = "Скидка"
    referral_code: Named = "Промокод друга"


@dataclass(frozen=True, slots=True, kw_only=True)
class AmoCrm:
    """`[amocrm]`"""

    __pydantic_config__ = FORBID

    base_url: Site = ""
    token: Secret = SecretStr("")
    client_id: str = ""
    client_secret: Secret = SecretStr("")
    redirect_uri: str = ""
    poll_interval: Span = timedelta(minutes=5)
    requests_per_second: Rate = 5
    surveys_since: Since = None  # «now»: the first start with this storage
    max_deal_age: SpanOrNone = timedelta(days=365)
    history_since: SinceOrNone = None
    sales_pipelines: tuple[Named, ...] = ()
    stop_tags: tuple[Some, ...] = ("не опрашивать", "возврат")
    consent_field: Named = ""
    advertising_consent_field: Named = ""
    fields: DealFields = DealFields()


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """`[referral]`"""

    __pydantic_config__ = FORBID

    value: str = "Скидка от друга 5%"
    discount: str = "5%"
    terms: str = ""
    reward: str = ""
    code_prefix: Prefix = "ДРУГ"
    notify_referrer: Bool = False
    bonus_task: Bool = True
    channels: tuple[Channel, ...] = ()  # empty = all
    period: Literal["week", "month", "quarter", "year"] = "quarter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Telegram(BotSettings):
    """`[telegram]`"""

    __pydantic_config__ = FORBID

    token: Token = field(default="", repr=False)
    api_url: Url = "https://api.telegram.org"
    deep_link: DeepLink = "https://t.me/{bot}?start={token}"
    mode: Literal["polling", "webhook"] = "polling"
    proxy: Proxy = field(default="", repr=False)
    ca_file: str = field(default="", init=False)  # MAX's alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Max(BotSettings):
    """`[max]`"""

    __pydantic_config__ = FORBID

    token: Token = field(default="", repr=False)
    api_url: Url = "https://platform-api2.max.ru"
    deep_link: DeepLink = "https://max.ru/{bot}?start={token}"
    mode: Literal["polling", "webhook"] = "polling"
    proxy: str = field(default="", init=False)  # Telegram's alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Template(AnyTemplate):
    """`[whatsapp.templates.<survey key>]`"""

    __pydantic_config__ = FORBID

    buttons: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatsApp(GatewaySettings):
    """`[whatsapp]`"""

    __pydantic_config__ = FORBID

    provider: Literal["none", "cloud", "wazzup", "greenapi"] = "none"
    base_url: UrlOrNone = ""
    instance_id: Named = ""
    api_token: Token = field(default="", repr=False)
    receive: Literal["polling", "webhook"] = "polling"
    gap: SpanOrZero = timedelta(seconds=45)
    channel_id: Named = ""
    api_key: Token = field(default="", repr=False)
    phone_number_id: Named = ""
    access_token: Token = field(default="", repr=False)
    app_secret: Token = field(default="", repr=False)
    verify_token: Token = field(default="", repr=False)
    templates: dict[str, Template] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAccount(WhatsApp):
    """`[max_account]`, `[telegram_account]`: gateways to a user account only, without the keys of Meta's."""

    __pydantic_config__ = FORBID

    provider: Literal["none", "wazzup", "greenapi"] = "none"
    phone_number_id: str = field(default="", init=False)
    access_token: str = field(default="", init=False, repr=False)
    app_secret: str = field(default="", init=False, repr=False)
    verify_token: str = field(default="", init=False, repr=False)
    templates: dict[str, Template] = field(default_factory=dict, init=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """`[delivery]`"""

    __pydantic_config__ = FORBID

    channels: tuple[Channel, ...] = get_args(Channel)
    send_window: HoursText = Hours(10 * 60, 20 * 60)
    send_days: Days = frozenset(range(6))
    min_days_between_surveys: Count = 30
    reminder_after: DurationOrNone = Duration(span=timedelta(days=2))
    expires_after: Span = timedelta(days=7)
    human_pause: SpanOrZero = timedelta(hours=4)
    max_per_hour: Count = 0
    preview: Bool = False
    hold_above: Count = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledOption:
    """One of a survey's `options`."""

    __pydantic_config__ = FORBID

    label: Some
    value: Int


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveySettings:
    """`[[survey]]`. Before it is built, what the file leaves out follows the metric and the scale."""

    __pydantic_config__ = FORBID

    key: KeyText
    metric: Literal["nps", "csat", "ces"]
    trigger: Literal["deal_won", "deal_lost", "deal_status", "complaint_closed"] = "deal_won"
    pipelines: tuple[Named, ...] = ()
    statuses: tuple[Named, ...] = ()
    base: Base = Field(default="closed", alias="from")
    delay: DurationText = Duration(business_days=1)
    scale: ScaleText = "1-10"
    options: tuple[LabelledOption, ...] = ()
    low: Int | None = None
    high: Int | None = None
    on_low: Literal["complaint", "task", "tell", "nothing"] = "complaint"
    confirm_low: DurationOrNone = Duration(span=timedelta(minutes=15))
    field: Named = ""
    subject: Subject = ""
    question: str = ""
    thanks_high: str = ""
    thanks_neutral: str = ""
    thanks_low: str = ""
    follow_up: str = ""
    follow_up_low: str = ""
    follow_up_neutral: str = ""
    follow_up_high: str = ""
    promo_in: Literal["question", "thanks_high", "on_request", "nowhere"] = "question"

    @property
    def answers(self) -> Scale:
        """The scale with its bands and labelled options."""
        options = tuple(Option(option.label, option.value) for option in self.options)
        if options:
            values = [option.value for option in options]
            first, last = min(values), max(values)
        else:
            first, last = parse_range(self.scale)
        low = first - 1 if self.low is None else self.low
        high = last + 1 if self.high is None else self.high
        return Scale(first=first, last=last, low=low, high=high, options=options)

    @property
    def base_field(self) -> str:
        return field_of(self.base)

    @property
    def subject_field(self) -> str:
        return field_of(self.subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaints:
    """`[complaints]`"""

    __pydantic_config__ = FORBID

    pipeline: SomeNamed = "Рекламации"
    status: Named = ""
    responsible: SomeNamed = "head"
    take_within: Deadline = Duration(span=timedelta(hours=1))
    escalate_after: Deadline = Duration(span=timedelta(hours=2))
    task_deadline: Deadline = Duration(business_days=1)
    topic_field: Named = "Причина рекламации"
    escalate_to: str = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewLink:
    """One of `reviews.links`."""

    __pydantic_config__ = FORBID

    name: Some
    url: Url


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviews:
    """`[reviews]`"""

    __pydantic_config__ = FORBID

    links: tuple[ReviewLink, ...] = ()
    after: str = ""
    ask: Literal["everyone", "high"] = "everyone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """`[alerts]`"""

    __pydantic_config__ = FORBID

    quiet_hours: Quiet = Hours(21 * 60, 8 * 60)
    burst: Count = 5
    groups: tuple[Int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    """`[[staff]]`"""

    __pydantic_config__ = FORBID

    telegram_id: Count = 0
    max_id: Count = 0
    name: Some
    role: Literal["owner", "head", "controller", "manager", "admin"]
    pipelines: tuple[Named, ...] = ()
    managers: tuple[Named, ...] = ()
    amocrm_user: Named = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """`[log]`"""

    __pydantic_config__ = FORBID

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """`[reports]`"""

    __pydantic_config__ = FORBID

    daily: Clock = "09:00"
    weekly: Clock = "mon 09:00"
    monthly: Clock = "1 09:00"
    quarterly: Bool = True
    window: Span = timedelta(days=90)
    min_answers: AtLeastOne = 5
    sales_health: Bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One line of `[goals]`."""

    __pydantic_config__ = FORBID

    target: Number
    by: Date


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """`[privacy]`"""

    __pydantic_config__ = FORBID

    keep_words: SpanOrNone = timedelta(days=1095)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frt:
    """`[frt]`"""

    __pydantic_config__ = FORBID

    target: Span = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One of `iqs.criteria`."""

    __pydantic_config__ = FORBID

    key: KeyText
    name: Some
    weight: Weight = 1
    critical: Bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Iqs:
    """`[iqs]`"""

    __pydantic_config__ = FORBID

    calls_per_week: Count = 0
    criteria: tuple[Criterion, ...] = ()


def _own_texts(tables: Any) -> Any:
    """The company's own. worker/config.py, which tells what is wrong with them, puts ours under them."""
    return Texts("", dict[str, Any](joined("", tables))) if isinstance(tables, dict) else tables


def _survey(table: Any) -> Any:
    """What the file leaves out follows the metric."""
    kind = KINDS.get(str(table.get("metric"))) if isinstance(table, dict) else None
    if kind is None:
        return table
    # Who is asked to recommend gets something to recommend with; nobody is who lost or complained.
    is_about_friends = kind.key == "nps" and table.get("trigger") not in ("deal_lost", "complaint_closed")
    promo_in = "question" if is_about_friends else "nowhere"
    return {"scale": kind.default_scale, "delay": kind.default_delay, "promo_in": promo_in, **table}


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
    surveys: tuple[Annotated[SurveySettings, BeforeValidator(_survey)], ...] = Field(
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

    _places: Mapping[str, str] = {}  # this and the next are put in by worker/config.py: no keys of the file
    _warnings: tuple[str, ...] = ()

    @classmethod
    def settings_customise_sources(cls, *_: Any, **usual: Any) -> tuple[PydanticBaseSettingsSource, ...]:
        """The `sources` that worker/config.py hands over, else plain values; never os.environ itself."""
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
        by_metric = {
            "nps": self.amocrm.fields.nps,
            "csat": self.amocrm.fields.csat,
            "ces": self.amocrm.fields.ces,
        }
        return survey.field or by_metric[survey.metric]

    def secrets(self) -> tuple[str, ...]:
        """Everything that must never be printed; for the log's mask."""
        found = [
            self.http.webhook_secret.get_secret_value(),
            self.amocrm.token.get_secret_value(),
            self.amocrm.client_secret.get_secret_value(),
            self.telegram.token,
            self.max.token,
        ]
        for gateway in (self.whatsapp, self.max_account, self.telegram_account):
            found += [gateway.api_token, gateway.api_key, gateway.access_token]
            found += [gateway.app_secret, gateway.verify_token]
        found += [urlsplit(url).password or "" for url in (self.storage.url, self.telegram.proxy)]
        return tuple(dict.fromkeys(secret for secret in found if secret))


def is_configured(section: BotSettings | GatewaySettings) -> bool:
    if isinstance(section, BotSettings):
        return bool(section.token)
    return section.provider != "none"


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
