"""What amoCRM's refusals mean: 402, both kinds of 403, both shapes of a failed validation."""

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from integrations.errors import AccessDenied, OutsideError, Permanent, Rejected, Temporary
from integrations.http import Answer

SERVICE = "amocrm"
BLOCK = timedelta(minutes=15)


class Unpaid(AccessDenied):
    """402: the account's subscription is over; writes are refused at once, reads a month later.

    As with a token that ran out, a person mends it, and what waits is done afterwards.
    """


class Blocked(Temporary):
    """403 without JSON: amoCRM answers nobody any more, until its support lifts the block."""


class Gone(Permanent):
    """404 in JSON: what was asked for does not exist."""


class FiltersIgnored(Permanent):
    """A row contradicts the filter it was asked by: the account has not bought the filters."""


class Unsorted(Permanent):
    """A list did not come in the order it was asked in, so a walk through it would lose rows."""


class _Problem(BaseModel):
    """One complaint about one element. The text is amoCRM's own and quotes no value."""

    model_config = ConfigDict(extra="ignore")

    code: str = ""
    path: str = ""
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.code or self.detail} at {self.path}" if self.path else self.code or self.detail


def _object(value: object) -> object:
    return value or {}  # PHP writes an empty object as []


class _Element(BaseModel):
    request_id: str | int = "0"
    errors: list[_Problem] = []


class _Refusal(BaseModel):
    """https://www.amocrm.ru/developers/content/crm_platform/error-codes; `errors`: a rule of business."""

    model_config = ConfigDict(extra="ignore")

    validation: list[_Element] = Field(default=[], alias="validation-errors")
    errors: Annotated[dict[str, str | list[str]], BeforeValidator(_object)] = {}
    title: str = ""
    detail: str = ""


def explain(answer: Answer) -> OutsideError | None:
    """amoCRM's own reading of a refusal; None where the common rules are enough."""
    match answer.status:
        case 400 | 422:
            return _refused(answer)
        case 401:
            return AccessDenied(
                SERVICE,
                _at("does not accept the token (401)", answer),
                remedy="Issue a long-lived token (integration, «Ключи») and put it into amocrm.token.",
                status=401,
            )
        case 402:
            return unpaid(answer.what)
        case 403 if answer.is_json:
            return AccessDenied(
                SERVICE,
                _at("gives the token no right to this (403)", answer),
                remedy="Let an administrator of amoCRM issue the token.",
                status=403,
            )
        case 403:
            return Blocked(
                SERVICE,
                _at("has blocked us (403)", answer),
                retry_after=BLOCK,
                remedy="Write to amoCRM's support: only they lift a block for too many requests.",
                status=403,
            )
        case 404 if answer.is_json:
            return Gone(SERVICE, _at("knows nothing of the kind (404)", answer), status=404)
        case 404:
            return Permanent(
                SERVICE,
                _at("knows no such address (404)", answer),
                remedy="Check amocrm.base_url: it is the account's own host, https://….amocrm.ru.",
                status=404,
            )
        case _:
            return None


def unpaid(what: str) -> Unpaid:
    return Unpaid(
        SERVICE,
        f"says that the subscription is over (402): {what}".removesuffix(": "),
        remedy="Pay for amoCRM; nothing is written until then.",
        status=402,
    )


def _refused(answer: Answer) -> OutsideError:
    """The elements that were refused, by their `request_id`; the whole list was refused because of them."""
    try:
        refusal = _Refusal.model_validate_json(answer.content)
    except ValidationError:
        return Permanent(SERVICE, _at(f"refused the request ({answer.status})", answer), status=answer.status)
    elements = {
        str(element.request_id): "; ".join(map(str, element.errors)) for element in refusal.validation
    }
    elements |= {
        key: text if isinstance(text, str) else "; ".join(text) for key, text in refusal.errors.items()
    }
    if not elements:
        detail = refusal.detail or refusal.title or "no reason given"
        return Permanent(
            SERVICE, _at(f"refused the request ({answer.status}, {detail})", answer), status=answer.status
        )
    reasons = ", ".join(f"element {key}: {text}" for key, text in elements.items())
    return Rejected(SERVICE, _at(f"refused {reasons}", answer), elements, status=answer.status)


def _at(detail: str, answer: Answer) -> str:
    return f"{detail}: {answer.what}" if answer.what else detail
