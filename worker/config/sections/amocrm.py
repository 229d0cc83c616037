"""The account in amoCRM, and its fields that are read and written."""

# ruff: noqa: RUF009 — the calls in defaults give values that cannot change

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from pydantic import SecretStr

from worker.config.addresses import Secret, Site
from worker.config.sections.surveys import Metric
from worker.config.values import FORBID, Named, Rate, Since, SinceOrNone, Some, Span, SpanOrNone


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

    def of_metric(self, metric: Metric) -> str:
        """Where scores of this metric are written, unless a survey has a field of its own."""
        return {"nps": self.nps, "csat": self.csat, "ces": self.ces}[metric]


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

    @property
    def oauth(self) -> Mapping[str, str]:
        """The keys that together take the place of a long-lived token."""
        return {
            "client_id": self.client_id,
            "client_secret": self.client_secret.get_secret_value(),
            "redirect_uri": self.redirect_uri,
        }
