"""What a good answer brings: friends by a code, and reviews."""

from dataclasses import dataclass
from typing import Literal

from worker.config.addresses import Url
from worker.config.values import FORBID, Bool, Channel, Prefix, Some


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
