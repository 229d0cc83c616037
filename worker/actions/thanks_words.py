"""The one message back to a client who answered: thanks, the code for friends, a public review."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from integrations.channels.base import Button, Templated
from storage import people, surveys
from storage.tables.surveys import Reply, Survey
from worker.actions.base import Hands
from worker.actions.promising import answer_by
from worker.actions.words import Values, survey_texts
from worker.rules.compose import Form, Occasion, Promo, compose_thanks
from worker.rules.formats import discount
from worker.rules.moments import contact_by
from worker.rules.people import public_name
from worker.rules.planning import SurveyRule
from worker.rules.scale import Band

REVIEW_SEPARATOR = "\n"


@dataclass(frozen=True, slots=True)
class Thanks:
    """The one message back; what it carried besides words."""

    text: str
    variant: str
    buttons: tuple[tuple[Button, ...], ...] = ()
    promo_code: str = ""
    is_review: bool = False


NO_THANKS = Thanks("", "")


async def thanks_for(
    hands: Hands,
    survey: Survey,
    rule: SurveyRule,
    reply: Reply,
    *,
    is_words: bool,
    wants_reply: bool,
    has_next: bool,
    deadline: datetime | None,
    may_carry_code: bool,
) -> Thanks:
    """In the words of the band; empty where the next question's own «Спасибо» is enough."""
    if _needs_no_thanks(survey, reply, has_next=has_next):
        return NO_THANKS
    async with hands.db.reading() as tx:
        code = await people.code_of(tx, survey.client_id) if survey.client_id is not None else None
        others = await surveys.of_root(tx, survey.root_deal_id)
    return thanks_of(
        hands, survey, rule, reply, code=code.code if code is not None else "", others=others,
        is_words=is_words, wants_reply=wants_reply, has_next=has_next, deadline=deadline,
        may_carry_code=may_carry_code,
    )  # fmt: skip


def _needs_no_thanks(survey: Survey, reply: Reply, *, has_next: bool) -> bool:
    return has_next and survey.band != Band.LOW and not reply.text and survey.revision == 1


def thanks_of(
    hands: Hands,
    survey: Survey,
    rule: SurveyRule,
    reply: Reply,
    *,
    code: str,
    others: Sequence[Survey],
    is_words: bool,
    wants_reply: bool,
    has_next: bool,
    deadline: datetime | None,
    may_carry_code: bool,
) -> Thanks:
    """The same with all that the storage tells: the person's `code`, and the `others` about the same deal."""
    if _needs_no_thanks(survey, reply, has_next=has_next):
        return NO_THANKS
    now = hands.now()
    band = Band(survey.band)
    is_checked = survey.confirm_until is not None and survey.confirm_until > now
    channel = hands.channels[reply.channel]
    # Where the question had to be a template, the code could not go with it: it follows the answer.
    owes_code = (
        rule.promo_in == "question" and isinstance(channel, Templated)
        and not has_next and not any(other.promo_code for other in others)
    )  # fmt: skip
    hands_out = bool(code) and may_carry_code
    values: Values = {
        "client_name": "",
        "contact_by": contact_by(hands.texts, deadline, now, hands.calendar.zone),
        "promo_code": code if hands_out else "",
        "discount": discount(hands.referral.discount, hands.company.language),
        "promo_terms": hands.referral.terms,
        "manager": public_name(survey.manager, hands.names),
        "crew": public_name(survey.subject, hands.names, is_person=False),
        "review_links": REVIEW_SEPARATOR.join(f"{link.name}: {link.url}" for link in hands.reviews.links),
    }
    promo = Promo.NONE
    if hands_out and owes_code and band is not Band.LOW:
        promo = Promo.OWED
    elif hands_out and rule.promo_in == "thanks_high" and band is Band.HIGH:
        promo = Promo.CARD
    elif rule.promo_in == "on_request" and may_carry_code and not has_next:
        promo = Promo.OFFER if not channel.has_buttons else Promo.NONE
    asks_review = (
        not has_next and not is_checked and not is_words and _asks_review(hands, survey, band, others)
    )
    occasion = Occasion.SCORED
    if is_checked:
        occasion = Occasion.CHECK
    elif is_words:
        occasion = Occasion.WORDS
    elif survey.late:
        occasion = Occasion.LATE
    elif survey.revision > 1:
        occasion = Occasion.CHANGED
    composed = compose_thanks(
        hands.texts, rule, Form.BUTTONS if channel.has_buttons else Form.TYPED, values,
        score=survey.score or 0, band=band, occasion=occasion, has_words=bool(reply.text), promo=promo,
        asks_review=asks_review, survey_texts=survey_texts(hands, rule.key),
    )  # fmt: skip
    text, variant = composed.text, composed.variant
    if wants_reply and band is not Band.LOW:
        # Words that ask or complain under a good score: the client is told when somebody answers.
        by = contact_by(hands.texts, answer_by(hands, reply.received_at), now, hands.calendar.zone)
        text, variant = hands.texts.fill("forwarded", contact_by=by), "forwarded"
    return Thanks(
        text=text,
        variant=variant,
        buttons=_code_button(hands, survey, rule, band, may_carry_code and not has_next),
        promo_code=code if promo in (Promo.CARD, Promo.OWED) else "",
        is_review=asks_review,
    )


def _code_button(
    hands: Hands, survey: Survey, rule: SurveyRule, band: Band, may: bool
) -> tuple[tuple[Button, ...], ...]:
    if rule.promo_in != "on_request" or band is Band.LOW or not may:
        return ()
    return ((Button(hands.texts.fill("button.promo"), data=f"s:{survey.id}:code"),),)


def _asks_review(hands: Hands, survey: Survey, band: Band, others: Sequence[Survey]) -> bool:
    """Everybody who answered, once per deal, after its last question; who is unhappy another time."""
    if not hands.reviews.links or band is Band.LOW or any(other.reviewed for other in others):
        return False
    if hands.reviews.ask == "high" and band is not Band.HIGH:
        return False
    if hands.reviews.after:
        return survey.survey_key == hands.reviews.after
    return all(other.id == survey.id or other.state != "planned" for other in others)


def code_card(hands: Hands, code: str) -> str:
    """Written to be forwarded as it is."""
    return hands.texts.fill(
        "promo.card",
        promo_code=code,
        discount=discount(hands.referral.discount, hands.company.language),
        promo_terms=hands.referral.terms,
    )
