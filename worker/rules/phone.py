"""Phone numbers as people type them, made into the one form by which a client is known."""

import re
from collections.abc import Iterator, Sequence

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType

MOBILE_TYPES = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)

# «+8 914 …»: the trunk prefix with a plus, in Russia the commonest slip. No country code +89 exists.
PLUS_EIGHT = re.compile(r"\+\s?8(?=[\s(-]*9\d\d)")
DIGITS = re.compile(r"\d+")


def normalise(text: str, region: str = "RU") -> str | None:
    """The first valid number of a free text as E.164, without an extension; None if there is none.

    >>> normalise("тел. 8 (914) 555-12-34 доб. 12")
    '+79145551234'
    """
    return next((_e164(number) for number in _numbers(text, region)), None)


def best_phone(values: Sequence[tuple[str, str]], region: str = "RU") -> str | None:
    """The number to write to, of a contact's (text, enum code) pairs: a mobile one, and MOB before others."""
    found = [(number, code.upper() == "MOB") for text, code in values for number in _numbers(text, region)]
    # sorted() is stable: among equals the first in the card wins.
    ranked = sorted(found, key=lambda pair: (not _is_mobile(pair[0]), not pair[1]))
    return _e164(ranked[0][0]) if ranked else None


def mask(phone: str | None) -> str:
    """For logs and groups: country code and the last four digits.

    >>> mask("+79145551234")
    '+7***1234'
    """
    digits = "".join(DIGITS.findall(phone or ""))
    if len(digits) < 8:  # Too short to hide anything by leaving the ends.
        return "***" if digits else ""
    try:
        country = str(phonenumbers.parse(f"+{digits}").country_code)
    except phonenumbers.NumberParseException:
        country = ""
    return f"+{country}***{digits[-4:]}"


def masked_words(text: str, region: str = "RU") -> str:
    """What somebody wrote, with the numbers in it masked.

    >>> masked_words("звоните: 8 914 555-12-34, до шести")
    'звоните: +7***1234, до шести'
    """
    readable = PLUS_EIGHT.sub("+7" if region == "RU" else r"\g<0>", text)
    parts, done = [], 0
    for match in phonenumbers.PhoneNumberMatcher(readable, region):
        parts += [readable[done : match.start], mask(_e164(match.number))]
        done = match.end
    return "".join([*parts, readable[done:]])


def matches(one: str, other: str, region: str = "RU") -> bool:
    """Do two texts name the same number?"""
    number = normalise(one, region)
    return number is not None and number == normalise(other, region)


def _numbers(text: str, region: str) -> Iterator[PhoneNumber]:
    readable = PLUS_EIGHT.sub("+7" if region == "RU" else r"\g<0>", text)
    found = False
    for match in phonenumbers.PhoneNumberMatcher(readable, region):
        found = True
        yield match.number
    if not found and (whole := _parsed(readable, region)):
        yield whole


def _parsed(text: str, region: str) -> PhoneNumber | None:
    """The whole text as one number: the matcher passes over digits that stand close to letters or slashes."""
    digits = "".join(DIGITS.findall(text))
    if not 10 <= len(digits) <= 15 or len(DIGITS.findall(text)) > 6:
        return None
    try:
        number = phonenumbers.parse(f"+{digits}" if text.strip().startswith("+") else digits, region)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None


def _is_mobile(number: PhoneNumber) -> bool:
    return phonenumbers.number_type(number) in MOBILE_TYPES


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
