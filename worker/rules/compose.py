"""Messages to clients and alerts to staff, put together from their texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from worker.rules.kinds.registry import KINDS
from worker.rules.scale import Band, Scale
from worker.rules.wording import OF_AN_ANSWER, Texts, Value

Values = Mapping[str, Value]

AFTER_COMPLAINT = "complaint_closed"
NO_TEXTS: Mapping[str, str] = MappingProxyType({})

# The longest question that a WhatsApp poll takes, by Green-API's sendPoll: https://green-api.com/docs/api/sending/
POLL_LIMIT = 255


class Form(StrEnum):
    """How the client can answer."""

    BUTTONS = "buttons"
    POLL = "poll"
    TYPED = "typed"


class Occasion(StrEnum):
    """What the client has just done."""

    SCORED = "scored"
    WORDS = "words"  # added words to an earlier score
    CHANGED = "changed"  # corrected the score
    LATE = "late"  # answered after expiry
    CHECK = "check"  # typed a bare number that may be a school mark
    END = "end"  # nothing is left to ask


class Promo(StrEnum):
    """What the thanks say about the friend code, where it may go to this person by this channel."""

    NONE = ""
    OFFER = "offer"  # «ответьте „код“», where no button says it
    CARD = "card"  # the code itself, made to be forwarded, to the happy
    OWED = "owed"  # the same, where the question was to carry it and could not


class Asked(Protocol):
    """What the texts depend on: a SurveyRule has it all."""

    @property
    def metric(self) -> str: ...
    @property
    def trigger(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def scale(self) -> Scale: ...
    @property
    def promo_in(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Composed:
    """A message; `variant` names its texts, joined by «+», `form` how the client is told to answer."""

    text: str
    variant: str
    form: Form = Form.TYPED


def compose_question(
    texts: Texts,
    spec: Asked,
    form: Form,
    values: Values,
    *,
    is_first: bool,
    is_last: bool = True,
    is_reminder: bool = False,
    is_thanked: bool = False,
    survey_texts: Mapping[str, str] = NO_TEXTS,
    poll_limit: int = POLL_LIMIT,
) -> Composed:
    """Opening or `next`, the question, its tails: as `texts.ru.md` 1 puts them together.

    `values` may leave out whatever is not known. `is_first`: of a conversation. `is_last`: nothing waits
    behind. `is_thanked`: the thanks for the answer before stand above in the same message, so «Спасибо» is
    not said twice.
    A poll that grows over `poll_limit` becomes a typed question: look at `form` of what comes back.
    """
    said = _Said(texts, {**scale_values(spec.scale), **values})
    if opening := _opening(
        spec, is_first=is_first, is_last=is_last, is_reminder=is_reminder, is_thanked=is_thanked
    ):
        said.add(opening)
    own = survey_texts.get("question", "")
    said.add(KINDS[spec.metric].question_key(spec.trigger, spec.subject, spec.scale), own, "own.question")
    for tail in _tails(spec, form, is_first=is_first):
        said.add(tail)
    # A reminder repeats the question, not the advertising.
    if spec.promo_in == "question" and values.get("promo_code") and not is_reminder:
        said.add("promo.in_question")
    composed = said.joined(" ", form)
    if form is Form.POLL and len(composed.text) > poll_limit:
        return compose_question(
            texts, spec, Form.TYPED, values, is_first=is_first, is_last=is_last, is_reminder=is_reminder,
            is_thanked=is_thanked, survey_texts=survey_texts,
        )  # fmt: skip
    return composed


def compose_thanks(
    texts: Texts,
    spec: Asked,
    form: Form,
    values: Values,
    *,
    score: int,
    band: Band,
    occasion: Occasion = Occasion.SCORED,
    has_words: bool = False,
    promo: Promo = Promo.NONE,
    asks_review: bool = False,
    has_reasons: bool = False,
    survey_texts: Mapping[str, str] = NO_TEXTS,
    next_question: Composed | None = None,
) -> Composed:
    """The one message back: thanks, follow-up, code, review and the next question, parted by empty lines.

    `form` is how this client answers. `has_words`: the message held words besides the score. `has_reasons`:
    buttons with reasons stand below. A survey's own `thanks_…` take the place of the thanks for a score
    alone; one that needs an empty value gives way to ours.
    """
    said = _Said(texts, {**score_values(spec.scale, score), **values})
    if occasion is Occasion.CHECK:
        said.values = {**said.values, "score": score, "scale_max": spec.scale.last}
        said.add("nps.check_low")
        return said.joined("\n\n", form)
    words = has_words or occasion is Occasion.WORDS
    key = _thanks_key(
        spec, band, occasion, words=words, promises=bool(values.get("contact_by")), has_reasons=has_reasons
    )
    is_for_score = not words and ".thanks" in key and key != "late.thanks"
    said.add(key, survey_texts.get(f"thanks_{band}", "") if is_for_score else "", f"own.thanks_{band}")
    if is_for_score:
        name = f"follow_up_{band}" if survey_texts.get(f"follow_up_{band}") else "follow_up"
        said.add("", survey_texts.get(name, ""), f"own.{name}")
    said.add(_promo_key(band, promo, values))
    if asks_review:
        said.add(_review_key(spec, band))
    return said.joined("\n\n", form, next_question)


def compose_alert(
    texts: Texts,
    values: Values,
    *,
    added: Sequence[str] = (),
    states: Sequence[str] = (),
    late: str = "",
    is_raised: bool = False,
    limit: int = 900,
) -> str:
    """The alert about a low score: who, score, words, whose deal, which complaint.

    `values["words"]` are those that came with the score, `added` those that came later (the last ones stay
    where not all find room), `states` lines of `alert.state.…` (the last ones stay as well), `late` the line
    of `alert.late`.
    `is_raised`: the score was low once.
    """
    if values.get("words"):
        words = [texts.fill("alert.quote", **values)]
    else:
        words = [] if added else [texts.fill("alert.no_words")]
    later = [texts.fill("alert.words", words=one) for one in added]
    head_key = "alert.head.raised" if is_raised else "alert.head"
    foot_key = "alert.foot" if values.get("no") else "alert.foot.no_complaint"
    while True:
        head = "\n".join([*filter(None, [late]), texts.fill(head_key, **values), *words, *later])
        foot = "\n".join([texts.fill(foot_key, **values), *states])
        if len(head) + len(foot) + 2 <= limit or not (later or len(states) > 1):
            return f"{head}\n\n{foot}"
        # What became of it is short, and the client's words are in the card as well.
        later, states = later[1:], states if later else states[1:]


def scale_values(scale: Scale) -> dict[str, Value]:
    """`scale_min`, `scale_max` and `options`; labelled answers have no ends to explain."""
    if scale.options:
        labels = ", ".join(option.label for option in scale.options)
        return {"scale_min": None, "scale_max": None, "options": labels}
    return {"scale_min": scale.first, "scale_max": scale.last, "options": None}


def score_values(scale: Scale, score: int) -> dict[str, Value]:
    """The same with `score`, as the client gave it: a number, or the label of the option."""
    option = scale.option(score)
    return {**scale_values(scale), "score": option.label if option else score}


class _Said:
    """Texts of one message in the making."""

    def __init__(self, texts: Texts, values: Values) -> None:
        self.texts = texts
        # What a company's own text may name is always at hand, if only as an empty word.
        self.values: Values = {
            **dict.fromkeys(OF_AN_ANSWER - texts.constants.keys()),
            "review_links": "",
            **values,
        }
        self.parts: list[str] = []
        self.keys: list[str] = []

    def add(self, key: str, own: str = "", own_key: str = "") -> None:
        """The company's own text; ours if theirs needs a value that is empty, as a promise its date."""
        if own and not self.texts.lacks(own, self.values):
            text, key = self.texts.fill_template(own, self.values), own_key
        else:
            text = self.texts.fill(key, **self.values) if key else ""
        if text:
            self.parts.append(text)
            self.keys.append(key)

    def joined(self, by: str, form: Form, then: Composed | None = None) -> Composed:
        parts, keys = (
            ([*self.parts, then.text], [*self.keys, then.variant]) if then else (self.parts, self.keys)
        )
        return Composed(by.join(parts), "+".join(keys), form)


def _opening(spec: Asked, *, is_first: bool, is_last: bool, is_reminder: bool, is_thanked: bool) -> str:
    if is_reminder:
        return "opening.reminder"
    if is_first:
        return KINDS[spec.metric].opening_key(spec.trigger)
    if is_thanked:
        return "next.thanked.last" if is_last else ""
    return "next.last" if is_last else "next"


def _tails(spec: Asked, form: Form, *, is_first: bool) -> list[str]:
    """What a client without buttons has to be told. In a poll the opt-out stands among the options."""
    if form is Form.BUTTONS:
        return []
    has_options = bool(spec.scale.options)
    tails = ["tail.poll.options" if has_options else "tail.poll"]
    if form is Form.TYPED:
        tails = ["tail.options" if has_options else "tail.typed"]
    if spec.trigger == AFTER_COMPLAINT:
        tails.append("tail.complaint")
    if form is Form.TYPED and is_first:
        tails.append("tail.stop")
    return tails


def _thanks_key(
    spec: Asked, band: Band, occasion: Occasion, *, words: bool, promises: bool, has_reasons: bool
) -> str:
    if occasion is Occasion.END:
        return "thanks.end"
    # A low score that somebody will call about deserves more than «исправили».
    if not (band is Band.LOW and promises):
        if occasion is Occasion.CHANGED:
            return "score.changed"
        if occasion is Occasion.LATE:
            return "late.thanks"
    if words:
        return f"thanks.words_{band}"
    key = KINDS[spec.metric].thanks_key(spec.trigger, band)
    return f"{key}.typed" if key == "ces.thanks_low" and not has_reasons else key


def _promo_key(band: Band, promo: Promo, values: Values) -> str:
    """Nobody is asked to recommend what they were unhappy with."""
    if band is Band.LOW:
        return ""
    if values.get("promo_code") and (promo is Promo.OWED or (promo is Promo.CARD and band is Band.HIGH)):
        return "promo.card"
    return "promo.offer" if promo is Promo.OFFER else ""


def _review_key(spec: Asked, band: Band) -> str:
    if spec.trigger == AFTER_COMPLAINT:
        return "review.after_complaint"
    return "review.high" if band is Band.HIGH else "review.neutral"
