"""Did a friend bring this deal, and whose friend was it?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from worker.rules import promo
from worker.rules.phone import normalise

SELF = "self"  # the client's own code on the client's own deal
UNKNOWN = "unknown"  # something is written there, but nobody's code or number
AMBIGUOUS = "ambiguous"  # a slip that fits several codes

Owner = Callable[[str], int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralFacts:
    """What the deal says. `discounts` and `friend` are the values of the two fields as texts."""

    client_id: int | None
    discounts: Sequence[str] = ()
    discount_enums: Sequence[int] = ()
    friend: Sequence[str] = ()
    wanted: str = ""  # the value that means «came from a friend»; "" = none does
    wanted_enum: int | None = None
    prefix: str = ""
    region: str = "RU"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralDecision:
    """`code` is the friend's code as shown; `typed` what the field holds, for a person to look at."""

    is_referral: bool = False
    by_field: bool = False
    code: str = ""
    referrer_id: int | None = None
    problem: str = ""
    typed: str = ""


def referral_of(facts: ReferralFacts, *, owner_of_code: Owner, owner_of_phone: Owner) -> ReferralDecision:
    """Decide by the discount field or the friend's code.

    `owner_of_code` takes digits, `owner_of_phone` an E.164 number; both give a client or None.
    A client's own code makes no referral, not even with the discount: it is the abuse that the field hides.
    """
    by_field = _has_value(facts)
    typed = "; ".join(value.strip() for value in facts.friend if value.strip())
    if not typed:
        return ReferralDecision(is_referral=by_field, by_field=by_field)
    code, referrer, problem = _referrer(typed, facts, owner_of_code, owner_of_phone)
    if referrer is not None and referrer == facts.client_id:
        return ReferralDecision(by_field=by_field, code=code, problem=SELF, typed=typed)
    return ReferralDecision(
        is_referral=by_field or referrer is not None,
        by_field=by_field,
        code=code,
        referrer_id=referrer,
        problem=problem,
        typed=typed,
    )


def _referrer(
    typed: str, facts: ReferralFacts, owner_of_code: Owner, owner_of_phone: Owner
) -> tuple[str, int | None, str]:
    """Code as shown, client, problem."""
    match promo.find_code(typed, facts.prefix, lambda digits: owner_of_code(digits) is not None):
        case promo.Found(digits) | promo.Mistyped(digits):
            return promo.shown(facts.prefix, digits), owner_of_code(digits), ""
        case promo.Unknown(is_ambiguous=True):
            return "", None, AMBIGUOUS
        case _:
            # People say «мне Иван посоветовал» and give his number in place of a code.
            phone = normalise(typed, facts.region)
            owner = owner_of_phone(phone) if phone else None
            return "", owner, "" if owner is not None else UNKNOWN


def _has_value(facts: ReferralFacts) -> bool:
    if facts.wanted_enum is not None and facts.wanted_enum in facts.discount_enums:
        return True
    wanted = _plain(facts.wanted)
    return bool(wanted) and any(_plain(value) == wanted for value in facts.discounts)


def _plain(text: str) -> str:
    """Case and spaces set aside: «Скидка от друга 5 %» is the value «Скидка от друга 5%»."""
    return "".join(text.casefold().split())
