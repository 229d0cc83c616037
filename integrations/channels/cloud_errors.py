"""What Meta's error codes ask for: the same ones refuse a request and tell in a status why it failed.

Codes: https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

from integrations.channels.lenient import Block, Flag, Number, Part
from integrations.channels.whatsapp_rules import Failure, WindowClosedError
from integrations.errors import AccessDenied, OutsideError, Permanent, Temporary, Unreachable
from integrations.http import Answer

HELD_BACK_FOR = timedelta(hours=1)
PAIR_PAUSE = timedelta(seconds=6)  # one message in six seconds to one person, on average


class Reaction(Enum):
    """Who or what has to wait, or is out of the question."""

    DENIED = auto()  # token, right, billing, the number itself: a person has to look before anything goes out
    HELD_BACK = auto()  # the number may not write to anybody for a while
    BUSY = auto()  # too fast for the number or its account
    PAIR = auto()  # too fast for this one person
    TROUBLE = auto()  # at Meta; nothing was sent
    GONE = auto()  # this person is not to be reached here
    WITHHELD = auto()  # not this time, by Meta's choice: another channel
    WINDOW = auto()  # the time for free words is over
    TEMPLATE = auto()  # this one template; others go on
    REQUEST = auto()  # wrong by our mistake or by the settings


@dataclass(frozen=True, slots=True)
class Meaning:
    reaction: Reaction
    says: str  # continues «whatsapp …»
    remedy: str = ""


class TooFastError(Temporary):
    """Too many messages at once, whoever they are for."""


class PairRateError(Temporary):
    """Too many messages to this one person; others can be written to."""


NEW_TOKEN = (
    "Make a permanent token of a system user with whatsapp_business_messaging and "  # noqa: S105 no token
    "whatsapp_business_management (Business settings → System users) and put it into whatsapp.access_token."
)
RIGHTS = (
    "Give the system user of whatsapp.access_token full control of the app and of the WhatsApp account, and "
    "the token the rights whatsapp_business_messaging and whatsapp_business_management."
)
NUMBER_ID = (
    "Check whatsapp.phone_number_id: the Phone number ID of WhatsApp → API Setup, not the number and not the "
    "account's ID; the token has to have access to it."
)
LOOK_INTO_ACCOUNT = "See in WhatsApp Manager (Account overview) what Meta wants."
TEMPLATE_TEXT = (
    "Compare `parameters` of the template's section in the settings with the template's variables."
)

_REFUSES = Meaning(Reaction.REQUEST, "refuses the request")

MEANINGS: dict[int, Meaning] = {
    0: Meaning(Reaction.DENIED, "does not accept the token", NEW_TOKEN),
    3: Meaning(Reaction.DENIED, "says that the token lacks a right", RIGHTS),
    10: Meaning(Reaction.DENIED, "says that the token lacks a right", RIGHTS),
    190: Meaning(Reaction.DENIED, "does not accept the token", NEW_TOKEN),
    4: Meaning(Reaction.BUSY, "is asked too often by this app"),
    80007: Meaning(Reaction.BUSY, "is asked too often by this account"),
    130429: Meaning(Reaction.BUSY, "cannot take so many messages at once"),
    131056: Meaning(Reaction.PAIR, "lets no more messages through to this person for now"),
    368: Meaning(Reaction.HELD_BACK, "has blocked the account over its rules", LOOK_INTO_ACCOUNT),
    131031: Meaning(Reaction.HELD_BACK, "has locked the account", LOOK_INTO_ACCOUNT),
    131048: Meaning(
        Reaction.HELD_BACK,
        "holds the number back, because people blocked it or reported spam",
        "See the number's quality in WhatsApp Manager, and write to fewer people until it has recovered.",
    ),
    131064: Meaning(Reaction.HELD_BACK, "has put a limit on the account", LOOK_INTO_ACCOUNT),
    131026: Meaning(
        Reaction.GONE, "cannot deliver to this number: it is not on WhatsApp, or Meta does not say"
    ),
    131050: Meaning(Reaction.GONE, "says that this person wants no marketing messages from the company"),
    131049: Meaning(Reaction.WITHHELD, "did not deliver, to spare this person more marketing"),
    130472: Meaning(Reaction.WITHHELD, "did not deliver: this person is in an experiment of Meta's"),
    130497: Meaning(Reaction.WITHHELD, "does not let this account write to that country"),
    131047: Meaning(Reaction.WINDOW, "takes only a template: this person last wrote over 24 hours ago"),
    131021: Meaning(Reaction.REQUEST, "cannot write from a number to itself"),
    131030: Meaning(
        Reaction.REQUEST,
        "writes from a test number, and only to the people on its list",
        "Use a number of your own, or add the recipient to the list under WhatsApp → API Setup.",
    ),
    131062: Meaning(
        Reaction.REQUEST, "does not send this kind of message to a person without a known number"
    ),
    132000: Meaning(Reaction.TEMPLATE, "counts other variables in the template", TEMPLATE_TEXT),
    132001: Meaning(
        Reaction.TEMPLATE,
        "has no approved template of this name in this language",
        "Compare name and language with WhatsApp Manager → Message templates; it has to be «Active» there.",
    ),
    132005: Meaning(Reaction.TEMPLATE, "finds the template too long with these values"),
    132007: Meaning(
        Reaction.TEMPLATE,
        "finds the template against its rules",
        "Word the template anew in WhatsApp Manager and put its name into the settings.",
    ),
    132008: Meaning(Reaction.TEMPLATE, "does not take a value of the template", TEMPLATE_TEXT),
    132012: Meaning(Reaction.TEMPLATE, "does not take a value of the template", TEMPLATE_TEXT),
    132015: Meaning(
        Reaction.TEMPLATE,
        "has paused the template, because people disliked it",
        "It comes back by itself after some hours; word it better before it is disabled for good.",
    ),
    132016: Meaning(
        Reaction.TEMPLATE,
        "has disabled the template for good",
        "Make a new template in WhatsApp Manager and put its name into the settings.",
    ),
    131063: Meaning(
        Reaction.TEMPLATE,
        "sends no marketing templates this way",
        "Allow marketing templates on Cloud API in WhatsApp Manager, or have the template made UTILITY.",
    ),
    100: Meaning(Reaction.REQUEST, "does not understand the request"),
    131008: Meaning(Reaction.REQUEST, "misses something in the request"),
    131009: Meaning(Reaction.REQUEST, "does not take a value of the request"),
    131051: Meaning(Reaction.REQUEST, "does not know this type of message"),
    131052: Meaning(Reaction.REQUEST, "could not fetch a file"),
    131053: Meaning(Reaction.REQUEST, "could not take a file"),
    135000: Meaning(Reaction.REQUEST, "does not understand the request"),
    2: Meaning(Reaction.TROUBLE, "is out of order for now"),
    131000: Meaning(Reaction.TROUBLE, "could not send, for a reason of its own"),
    131016: Meaning(Reaction.TROUBLE, "is out of order for now"),
    131057: Meaning(Reaction.TROUBLE, "is doing maintenance on the account"),
    131005: Meaning(Reaction.DENIED, "says that the token lacks a right", RIGHTS),
    131037: Meaning(
        Reaction.DENIED,
        "has not approved the name of the number",
        "Have the display name approved: WhatsApp Manager → Phone numbers.",
    ),
    131042: Meaning(
        Reaction.DENIED,
        "sends nothing because of the billing",
        "Put the payment method in order: WhatsApp Manager → Payment settings.",
    ),
    131045: Meaning(
        Reaction.DENIED, "does not accept the number's certificate", "Register the number again."
    ),
    133010: Meaning(
        Reaction.DENIED,
        "does not know the number as registered",
        "Register the number for Cloud API: POST /<phone number id>/register with its PIN.",
    ),
}
RIGHTS_CODES = range(200, 300)
UNKNOWN_OBJECT = 33  # subcode of 100: there is no such id, or it is not shown to this token
EXPIRED = 463  # subcode of 190


def meaning_of(code: int, subcode: int = 0) -> Meaning | None:
    if code in RIGHTS_CODES:
        return MEANINGS[10]
    if code == 100 and subcode == UNKNOWN_OBJECT:
        return Meaning(Reaction.DENIED, "does not know the number's id", NUMBER_ID)
    if code == 190 and subcode == EXPIRED:
        return Meaning(Reaction.DENIED, "says that the token has expired", NEW_TOKEN)
    return MEANINGS.get(code)


class _Error(Part):
    code: Number = None
    error_subcode: Number = None
    is_transient: Flag = False


class _Body(Part):
    error: Block[_Error] = _Error()


def refusal_of(service: str, answer: Answer, busy_for: timedelta) -> OutsideError | None:
    """Meta's own reading of a refusal; None leaves it to the common rules.

    `busy_for`: how long the whole channel pauses if it was too fast. Meta's words are not repeated: they may
    quote a number.
    """
    try:
        body = answer.json()
    except ValueError:
        return None
    error = _Body.model_validate(body).error if isinstance(body, dict) else _Error()
    if error.code is None:
        return None
    meaning = meaning_of(error.code, error.error_subcode or 0)
    if meaning is None and 400 <= answer.status < 500 and answer.status not in (401, 403, 408, 429):
        meaning = Meaning(Reaction.TROUBLE, "is out of order for now") if error.is_transient else _REFUSES
    if meaning is None:
        return None
    detail = f"{meaning.says} (error {error.code})" + (f": {answer.what}" if answer.what else "")
    return _error(service, meaning, detail, answer, busy_for)


def _error(service: str, meaning: Meaning, detail: str, answer: Answer, busy_for: timedelta) -> OutsideError:
    status, remedy = answer.status, meaning.remedy
    match meaning.reaction:
        case Reaction.DENIED:
            return AccessDenied(service, detail, remedy=remedy, status=status)
        case Reaction.HELD_BACK:
            return Temporary(service, detail, retry_after=HELD_BACK_FOR, remedy=remedy, status=status)
        case Reaction.BUSY:
            wait = answer.retry_after or busy_for
            return TooFastError(service, detail, retry_after=wait, status=status)
        case Reaction.PAIR:
            return PairRateError(service, detail, status=status)
        case Reaction.TROUBLE:
            return Temporary(service, detail, status=status)
        case Reaction.GONE:
            return Unreachable(service, detail, status=status)
        case Reaction.WINDOW:
            return WindowClosedError(service, detail, status=status)
        case Reaction.WITHHELD | Reaction.TEMPLATE | Reaction.REQUEST:
            return Permanent(service, detail, remedy=remedy, status=status)


def failure_of(codes: Iterable[int | None]) -> Failure:
    """Of the codes in a failed status; the first that we know counts."""
    told = [code for code in codes if code is not None]
    for code in told:
        if meaning := meaning_of(code):
            return Failure(
                f"{code} {meaning.says}",
                is_gone=meaning.reaction is Reaction.GONE,
                wants_template=meaning.reaction is Reaction.WINDOW,
            )
    return Failure(f"{told[0]} unknown code" if told else "no code")
