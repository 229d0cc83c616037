"""What a reply may turn out to be; `rule` says by what it was read, and is stored with the reply."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Score:
    """`is_bare`: nothing but the number and courtesies.

    `has_marker`: something says that it is a score («из 10», «ставлю»).
    """

    value: int
    comment: str = ""
    rule: str = "tap"
    is_bare: bool = False
    has_marker: bool = False
    wants_reply: bool = False


@dataclass(frozen=True, slots=True)
class OptOut:
    """No more questions; `value` if a score stands beside it («10, но больше не пишите»)."""

    value: int | None = None
    comment: str = ""
    rule: str = "optout"


@dataclass(frozen=True, slots=True)
class OptIn:
    """«вернуться»."""

    rule: str = "optin"


@dataclass(frozen=True, slots=True)
class Command:
    """`name` is code, call or erase."""

    name: str
    rule: str = "command"


@dataclass(frozen=True, slots=True)
class Ask:
    """It looks like an answer and is none: ask again. `why` is none, range, outside, two or voice.

    `wants_reply`: besides, the words ask, request or complain.
    """

    why: str
    a: int | None = None
    b: int | None = None
    comment: str = ""
    wants_reply: bool = False

    @property
    def rule(self) -> str:
        return f"ask_{self.why}"


@dataclass(frozen=True, slots=True)
class Comment:
    """Words. `wants_reply`: a question, a request or a problem. `is_uncalled`: nobody called the client."""

    text: str
    wants_reply: bool = False
    is_uncalled: bool = False
    rule: str = "words"


Reading = Score | OptOut | OptIn | Command | Ask | Comment
