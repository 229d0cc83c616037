"""What Wazzup's error codes ask for: the same ones refuse a request and tell in a status why it failed.

Codes: https://wazzup24.ru/help/api-ru/otpravka-soobshhenij/, https://wazzup24.ru/help/api-ru/webhooks-2/
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

from integrations.channels.lenient import Block, Part, Words
from integrations.channels.whatsapp_rules import Failure, WindowClosedError
from integrations.errors import AccessDenied, OutsideError, Permanent, Temporary, Uncertain, Unreachable
from integrations.http import Answer

CODE = re.compile(r"(?!\d+$)[A-Za-z0-9_]{3,60}")  # no number of somebody
STOPPED_FOR = timedelta(minutes=5)  # before a channel that may not send is tried again
HELD_BACK_FOR = timedelta(hours=1)
BUSY_FOR = timedelta(minutes=1)


class RepeatedError(Permanent):
    """A message of this `crmMessageId` was taken within the last minute; nothing more was sent."""


class NoQuoteError(Permanent):
    """The quoted message is not there any more; nothing was sent."""


class Reaction(Enum):
    """Who or what has to wait, or is out of the question."""

    DENIED = auto()  # key or channel: a person has to look before anything goes out
    STOPPED = auto()  # the channel does not send for now
    HELD_BACK = auto()  # the messenger grows suspicious of the number
    BUSY = auto()
    TROUBLE = auto()  # at Wazzup; nothing was sent
    UNKNOWN = auto()  # they do not say what became of it
    GONE = auto()  # this person is not to be reached here
    REFUSED = auto()  # this message, or writing first at all; others may go
    REPEATED = auto()
    WINDOW = auto()
    NO_QUOTE = auto()


@dataclass(frozen=True, slots=True)
class Meaning:
    reaction: Reaction
    says: str  # continues «whatsapp …»
    remedy: str = ""


PAY = "Pay for the channel in the cabinet of Wazzup (Subscription)."
TOP_UP = "Top up the balance of the WABA subscription in the cabinet of Wazzup."
CHOOSE = (
    "Compare channel_id with the cabinet of Wazzup (Channels): the channel has to be there, and be switched "
    "on in the integration whose API key we have."
)
SWITCH_ON = "Switch the channel on in the cabinet of Wazzup (Channels)."
ASK_META = "See in the cabinet of Wazzup (Channels) why Meta does not let the channel write."
MESSENGER = "Set channel_id to a channel of this messenger: the cabinet of Wazzup (Channels) lists them."
TARIFF = "Choose a tariff of Wazzup that may write first (Start, Pro, Max)."
CALM = (
    "Write to fewer people who do not expect it, raise `gap`, and see in the cabinet of Wazzup whether the "
    "number is limited."
)
CONNECT = "See in the cabinet of Wazzup (Channels) what the channel needs."

_TOO_LONG = Meaning(Reaction.REFUSED, "finds the text too long for this messenger")
_FIELDS = Meaning(Reaction.REFUSED, "does not take the request as it is")
_ELSEWHERE = Meaning(Reaction.REFUSED, "has another messenger behind this channel", MESSENGER)
_META_REFUSES = Meaning(Reaction.STOPPED, "is stopped: Meta has blocked the WABA channel", ASK_META)

MEANINGS: dict[str, Meaning] = {
    "INVALID_MESSAGE_DATA": _FIELDS,
    "VALIDATION_ERROR": _FIELDS,
    "MESSAGE_NOTHING_TO_SEND": _FIELDS,
    "MESSAGES_TEXT_CAN_NOT_BE_BLANK": _FIELDS,
    "MESSAGE_TEXT_TOO_LONG": _TOO_LONG,
    "TOO_LONG_TEXT": _TOO_LONG,
    "WRONG_TRANSPORT": _ELSEWHERE,
    "MESSAGES_ABNORMAL_SEND": _ELSEWHERE,
    "MESSAGES_INVALID_CONTACT_TYPE": _ELSEWHERE,
    "REPEATED_CRM_MESSAGE_ID": Meaning(Reaction.REPEATED, "has taken this message already"),
    "REFERENCE_MESSAGE_NOT_FOUND": Meaning(Reaction.NO_QUOTE, "does not find the quoted message"),
    "CHANNEL_NOT_FOUND": Meaning(Reaction.DENIED, "does not know the channel", CHOOSE),
    "CHANNEL_BLOCKED": Meaning(Reaction.STOPPED, "is stopped: the channel is switched off", SWITCH_ON),
    "CHANNEL_NO_MONEY": Meaning(Reaction.STOPPED, "is stopped: the channel is not paid for", PAY),
    "BALANCE_IS_EMPTY": Meaning(Reaction.STOPPED, "is stopped: the WABA balance is empty", TOP_UP),
    "CHANNEL_WAPI_REJECTED": _META_REFUSES,
    "CHANNEL_REJECTED": _META_REFUSES,
    "MESSAGE_CHANNEL_UNAVAILABLE": Meaning(
        Reaction.STOPPED, "is stopped: the channel has no connection", CONNECT
    ),
    "CHANNEL_LIMIT_EXCEEDED": Meaning(
        Reaction.REFUSED,
        "starts no more dialogues: the limit of the channel is used up",
        "Raise the limit of active dialogues in the cabinet of Wazzup, or wait until it starts anew.",
    ),
    "MESSAGES_NOT_TEXT_FIRST": Meaning(Reaction.REFUSED, "may not write first on this tariff", TARIFF),
    "MESSAGES_IS_SPAM": Meaning(Reaction.HELD_BACK, "took our message for spam", CALM),
    "SPAM": Meaning(Reaction.HELD_BACK, "took our message for spam", CALM),
    "BAD_CONTACT": Meaning(Reaction.GONE, "finds no account of this person"),
    "CHAT_NO_ACCESS": Meaning(Reaction.GONE, "has no access to this chat"),
    "TEMPLATE_REJECTED": Meaning(
        Reaction.REFUSED,
        "does not send the template: Meta has restricted it",
        "See the template in the cabinet of Wazzup, or put another templateGuid into the settings.",
    ),
    "24_HOURS_EXCEEDED": Meaning(
        Reaction.WINDOW, "takes only a template: this person last wrote over 24 hours ago"
    ),
    "TOO_MANY_EXT_REQS": Meaning(Reaction.BUSY, "cannot take so many messages at once"),
    "MESSAGES_CAN_NOT_ADD": Meaning(Reaction.TROUBLE, "is out of order for now"),
    "UNKNOWN_ERROR": Meaning(Reaction.UNKNOWN, "does not say what became of the message"),
    "UNKNOWN_ERROR_WITH_TRACE_ID": Meaning(Reaction.UNKNOWN, "does not say what became of the message"),
    "TOO_MANY_ENTITIES": Meaning(
        Reaction.DENIED,
        "does not let this key do that",
        "Take the API key of the account from the cabinet of Wazzup (Integration with a CRM, API).",
    ),
    "testPostNotPassed": Meaning(
        Reaction.REFUSED,
        "could not reach our address with its trial webhook",
        "Check that http.public_url is reachable from the Internet with a valid certificate, and that the "
        "proxy before it passes /webhooks/ on.",
    ),
    "uriNotValid": Meaning(
        Reaction.REFUSED,
        "does not take our address",
        "Check http.public_url: https, a domain name, at most 200 characters together with the secret.",
    ),
}


def _bare(code: str) -> str:
    """Wazzup spells one code both as `repeatedCrmMessageId` and as `REPEATED_CRM_MESSAGE_ID`."""
    return code.replace("_", "").casefold()


_BY_BARE = {_bare(code): meaning for code, meaning in MEANINGS.items()}


def meaning_of(code: str) -> Meaning | None:
    bare = _bare(code)
    return _BY_BARE.get(bare) or (_TOO_LONG if bare.startswith("messagestoolong") else None)


class _Data(Part):
    fields: object = None


class _Refusal(Part):
    error: Words = ""
    data: Block[_Data] = _Data()

    @property
    def fields(self) -> str:
        """The names of what was wrong in the request."""
        found = self.data.fields if isinstance(self.data.fields, list) else []
        return ", ".join(name for name in found if isinstance(name, str) and name.isidentifier())


def _refusal(answer: Answer) -> _Refusal:
    """Without a code where they give none: the body of an error may be empty, or the page of a proxy."""
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return _Refusal()
    return _Refusal.model_validate(body if isinstance(body, dict) else {})


def refusal_of(service: str, answer: Answer) -> OutsideError | None:
    """Wazzup's own reading of a refusal; None leaves it to the common rules.

    Its words are not repeated: they may quote a number.
    """
    if not 400 <= answer.status < 500 or answer.status in (408, 429):
        return None
    refusal = _refusal(answer)
    meaning = meaning_of(refusal.error)
    if meaning is None and answer.status in (401, 403):
        return AccessDenied(
            service,
            f"refused the key ({answer.status}): {answer.what}",
            remedy=f"Check {service}.api_key: the cabinet of Wazzup shows it under Integration with a CRM, "
            "API.",
            status=answer.status,
        )
    if meaning is None:
        return None
    named = ", ".join(filter(None, (refusal.error, refusal.fields)))
    return _error(service, meaning, f"{meaning.says} ({named}): {answer.what}", answer.status)


def _error(service: str, meaning: Meaning, detail: str, status: int) -> OutsideError:
    remedy = meaning.remedy
    match meaning.reaction:
        case Reaction.DENIED:
            return AccessDenied(service, detail, remedy=remedy, status=status)
        case Reaction.STOPPED:
            return Temporary(service, detail, retry_after=STOPPED_FOR, remedy=remedy, status=status)
        case Reaction.HELD_BACK:
            return Temporary(service, detail, retry_after=HELD_BACK_FOR, remedy=remedy, status=status)
        case Reaction.BUSY:
            return Temporary(service, detail, retry_after=BUSY_FOR, status=status)
        case Reaction.TROUBLE:
            return Temporary(service, detail, status=status)
        case Reaction.UNKNOWN:
            return Uncertain(service, detail, status=status)
        case Reaction.GONE:
            return Unreachable(service, detail, status=status)
        case Reaction.REPEATED:
            return RepeatedError(service, detail, status=status)
        case Reaction.WINDOW:
            return WindowClosedError(service, detail, status=status)
        case Reaction.NO_QUOTE:
            return NoQuoteError(service, detail, status=status)
        case Reaction.REFUSED:
            return Permanent(service, detail, remedy=remedy, status=status)


def failure_of(code: str) -> Failure:
    meaning = meaning_of(code)
    if meaning is None:
        return Failure(f"{code} unknown code" if CODE.fullmatch(code) else "no code")
    return Failure(
        f"{code} {meaning.says}",
        is_gone=meaning.reaction is Reaction.GONE,
        wants_template=meaning.reaction is Reaction.WINDOW,
    )
