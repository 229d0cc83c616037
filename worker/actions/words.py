"""What is said about this survey, this deal and this person: the values that texts are filled with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from integrations.channels.base import Button, Channel, Outgoing, Templated
from storage import asked, people, surveys
from storage.tables import Client, Complaint, Deal, Reply, Survey
from worker.actions.base import Hands
from worker.actions.promising import answer_by
from worker.rules.compose import (
    AFTER_COMPLAINT,
    Form,
    Occasion,
    Promo,
    compose_alert,
    compose_question,
    compose_thanks,
)
from worker.rules.compose import score_values as values_of_score
from worker.rules.formats import amount, cut_words, discount, join_words
from worker.rules.moments import closed_ago, contact_by, deadline_text, moment_text
from worker.rules.people import client_name, public_name
from worker.rules.planning import SurveyRule
from worker.rules.scale import Band
from worker.rules.wording import Value

Values = dict[str, Value]

FEW_BUTTONS = 10
BUTTONS_A_ROW = 5  # ten buttons read well in two rows
LATE = timedelta(minutes=30)  # an alert that comes later than this tells when the score came
REVIEW_SEPARATOR = "\n"


@dataclass(frozen=True, slots=True)
class Question:
    """A question as this channel shows it."""

    message: Outgoing
    variant: str


@dataclass(frozen=True, slots=True)
class Thanks:
    """The one message back; what it carried besides words."""

    text: str
    variant: str
    buttons: tuple[tuple[Button, ...], ...] = ()
    promo_code: str = ""
    is_review: bool = False


NO_THANKS = Thanks("", "")

# --- questions -------------------------------------------------------------------------------------------


def question_for(
    hands: Hands,
    survey: Survey,
    rule: SurveyRule,
    deal: Deal,
    client: Client,
    channel: Channel,
    *,
    code: str,
    thanks: str,
    is_first: bool,
    is_last: bool,
    is_reminder: bool = False,
) -> Question:
    """Buttons where the channel has them, else a poll where it fits, else words that tell what to reply."""
    values: Values = {
        "client_name": client_name(client.name),
        "about": _about(hands, deal),
        "manager": public_name(survey.manager, hands.names),
        "crew": public_name(survey.subject, hands.names, is_person=False),
        "promo_code": code,
        "discount": discount(hands.referral.discount, hands.company.language),
        "promo_terms": hands.referral.terms,
    }
    fits_buttons = channel.has_buttons and len(rule.scale.values) <= channel.button_limit
    form = Form.BUTTONS if fits_buttons else (Form.POLL if _fits_poll(rule, channel) else Form.TYPED)
    # Thanks before the question would make a poll's title of it.
    form = Form.TYPED if form is Form.POLL and thanks else form
    composed = compose_question(
        hands.texts, rule, form, values,
        is_first=is_first, is_last=is_last, is_reminder=is_reminder, is_thanked=bool(thanks),
        survey_texts=survey_texts(hands, rule.key), poll_limit=channel.poll_limit,
    )  # fmt: skip
    text = f"{thanks}\n\n{composed.text}" if thanks else composed.text
    message = Outgoing(
        text=text,
        buttons=keyboard(hands, survey, rule, channel) if composed.form is Form.BUTTONS else (),
        poll=_poll_options(hands, rule) if composed.form is Form.POLL else (),
        topic=survey.survey_key,
        values={"company": hands.company.name, **{name: str(value or "") for name, value in values.items()}},
    )
    return Question(message, composed.variant)


def _fits_poll(rule: SurveyRule, channel: Channel) -> bool:
    return channel.poll_limit > 0 and 2 <= len(rule.scale.values) <= 11  # and one for «Не спрашивать»


def _labels(rule: SurveyRule) -> list[tuple[str, int]]:
    if rule.scale.options:
        return [(option.label, option.value) for option in rule.scale.options]
    return [(str(value), value) for value in rule.scale.values]


def _poll_options(hands: Hands, rule: SurveyRule) -> tuple[str, ...]:
    return (*(label for label, _ in _labels(rule)), stop_label(hands))


def stop_label(hands: Hands) -> str:
    return hands.texts.fill("button.stop")


def keyboard(
    hands: Hands, survey: Survey, rule: SurveyRule, channel: Channel
) -> tuple[tuple[Button, ...], ...]:
    """The survey's identity stands in the button itself: old keyboards live for ever.

    Where a messenger gives few, they are for the scale, and for «Не спрашивать» if it fits: the rest can be
    typed.
    """
    buttons = [Button(label, data=f"s:{survey.id}:{value}") for label, value in _labels(rule)]
    a_row = 2 if rule.scale.options else BUTTONS_A_ROW
    rows = [tuple(buttons[start : start + a_row]) for start in range(0, len(buttons), a_row)]
    if rule.trigger == AFTER_COMPLAINT:
        rows.append((Button(hands.texts.fill("button.uncalled"), data=f"s:{survey.id}:uncalled"),))
    room = channel.button_limit - sum(map(len, rows))
    call_me = Button(hands.texts.fill("button.call_me"), data=f"s:{survey.id}:call")
    stop = Button(stop_label(hands), data=f"s:{survey.id}:stop")
    if channel.button_limit > FEW_BUTTONS:
        rows.append((call_me, stop))
    elif room > 0:
        rows.append((stop,))
    return tuple(rows)


def _about(hands: Hands, deal: Deal) -> str:
    field_id = hands.known.fields.about
    values = deal.fields.get(str(field_id), []) if field_id is not None else []
    return str(values[0].get("value") or "").strip() if values else ""


def survey_texts(hands: Hands, key: str) -> Mapping[str, str]:
    """The survey's own texts of the config, where it has any."""
    survey = hands.surveys.get(key)
    names = (
        "question", "thanks_high", "thanks_neutral", "thanks_low",
        "follow_up", "follow_up_low", "follow_up_neutral", "follow_up_high",
    )  # fmt: skip
    return {name: text for name in names if survey is not None and (text := getattr(survey, name))}


# --- thanks ----------------------------------------------------------------------------------------------


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


def answered_for(hands: Hands, survey: Survey, rule: SurveyRule, *, is_open: bool) -> Outgoing:
    """The question after the tap: the keyboard has given way to the score, until it is wanted again.

    Its words stay: they may carry the code for friends, or the promise of a call.
    """
    if is_open:
        return Outgoing(text="", buttons=keyboard(hands, survey, rule, hands.channels[survey.channel]))
    line = hands.texts.fill("score.line", **values_of_score(rule.scale, survey.score or 0))
    labels = (line, hands.texts.fill("button.change_score"))
    return Outgoing(
        text="", buttons=tuple((Button(label, data=f"s:{survey.id}:change"),) for label in labels)
    )


# --- values ----------------------------------------------------------------------------------------------


def values_for(
    hands: Hands,
    *,
    client: Client | None,
    survey: Survey | None,
    rule: SurveyRule | None,
    now: datetime,
    deadline: datetime | None = None,
) -> Values:
    """For single sentences to a client."""
    values: Values = {
        "client_name": client_name(client.name) if client is not None else "",
        "contact_by": contact_by(hands.texts, deadline, now, hands.calendar.zone),
        "a": None,
        "b": None,
    }
    if rule is not None:
        values |= values_of_score(rule.scale, (survey.score if survey else None) or rule.scale.first)
    return values


def greeting_values(hands: Hands, client: Client | None) -> Values:
    return {"client_name": client_name(client.name) if client is not None else ""}


def title_of(hands: Hands, channel: str) -> str:
    """What people call the messenger."""
    key = f"channel.{channel}"
    return hands.texts.fill(key) if hands.texts.has(key) else channel


def told(hands: Hands, text: str, kind: str) -> str:
    """A client's words, or what came in their place: «голосовое сообщение»."""
    key = f"media.{kind}"
    return text if text or not hands.texts.has(key) else hands.texts.fill(key)


def survey_title(hands: Hands, survey: Survey) -> str:
    words = {"complaint_closed": "survey.complaint", "deal_lost": "survey.lost"}.get(survey.trigger)
    if words is not None:
        return hands.texts.fill(words)
    if survey.metric == "csat" and (survey.subject_is_manager or survey.subject):
        return hands.texts.fill("survey.csat_manager" if survey.subject_is_manager else "survey.csat_field")
    return hands.texts.fill(f"survey.{survey.metric}")


def score_values(hands: Hands, survey: Survey) -> Values:
    """Score and scale for staff: «3 из 10», whatever the client saw."""
    rule = hands.known.rule(survey.survey_key)
    return {"score": survey.score, "scale_max": rule.scale.last if rule is not None else None}


def staff_values(
    hands: Hands,
    *,
    client: Client | None,
    deal: Deal | None,
    survey: Survey | None,
    now: datetime,
    complaint: Complaint | None = None,
    words: Sequence[str] = (),
    deadline: datetime | None = None,
) -> Values:
    """What staff may read: names as in amoCRM, the full number in private chats."""
    texts, zone = hands.texts, hands.calendar.zone
    name = deal.name if deal is not None else ""
    until = deadline or (complaint.deadline if complaint is not None else None)
    return {
        "client": (client.name if client is not None else "") or texts.fill("client.unnamed", deal=name),
        "client_phone": client.phone if client is not None else "",
        "deal": name,
        "deal_url": hands.amocrm.lead_url(deal.deal_id) if deal is not None else "",
        "amount": amount(deal.price, hands.known.currency, hands.company.language)
        if deal is not None
        else "",
        "closed_ago": closed_ago(texts, deal.closed_at if deal is not None else None, now, zone),
        "survey": survey_title(hands, survey) if survey is not None else "",
        "channel": title_of(hands, survey.channel) if survey is not None else "",
        "when": moment_text(texts, survey.answered_at, zone)
        if survey is not None and survey.answered_at
        else "",
        "manager": survey.manager if survey is not None else "",
        "crew": survey.subject if survey is not None and not survey.subject_is_manager else "",
        "words": join_words(words),
        "no": complaint.id if complaint is not None else None,
        "who": hands.known.user_name(complaint.responsible_id) if complaint is not None else "",
        "deadline": deadline_text(texts, until, zone, now) if until is not None else "",
        **(score_values(hands, survey) if survey is not None else {"score": None, "scale_max": None}),
    }


async def reminder_for(
    hands: Hands, survey: Survey, rule: SurveyRule, deal: Deal, client: Client, channel: Channel
) -> Question:
    """The same question once more, without the advertising."""
    return question_for(
        hands,
        survey,
        rule,
        deal,
        client,
        channel,
        code="",
        thanks="",
        is_first=False,
        is_last=True,
        is_reminder=True,
    )


def joined_text(hands: Hands, survey: Survey, words: Sequence[str] = ()) -> str:
    """A second low score, as the complaint's note and alert tell it."""
    values: Values = {"survey": survey_title(hands, survey), **score_values(hands, survey)}
    return hands.texts.fill("complaint.note_joined", **values, words=cut_words(join_words(words)))


def raised_text(hands: Hands, survey: Survey) -> str:
    """What the alert of another survey's complaint says of a score that had joined it."""
    values: Values = {"survey": survey_title(hands, survey), **score_values(hands, survey)}
    return hands.texts.fill("alert.state.raised", **values)


def clock_time(hands: Hands, moment: datetime) -> str:
    return moment_text(hands.texts, moment, hands.calendar.zone, hands.now())


def press_time(hands: Hands, complaint: Complaint, moment: datetime) -> str:
    """For a line under the alert, which is read for days: with its date once it is not the alert's day."""
    return moment_text(hands.texts, moment, hands.calendar.zone, complaint.opened_at)


def late_text(hands: Hands, came_at: datetime) -> str:
    """The first line of what had to wait."""
    when = clock_time(hands, came_at)
    if came_at.astimezone(hands.calendar.zone).date() == hands.now().astimezone(hands.calendar.zone).date():
        when = hands.texts.fill("date.clock", when=when)
    return hands.texts.fill("alert.late", when=when)


def moment_value(hands: Hands, when: datetime | None) -> str:
    """For what is kept and read on another day."""
    return moment_text(hands.texts, when, hands.calendar.zone) if when is not None else ""


def _came_at(complaint: Complaint | None, survey: Survey | None, sent_at: datetime) -> datetime:
    """When staff should have heard of it: of a score, a corrected one, or after «Позвонить позже»."""
    moments = [survey.confirm_until or survey.answered_at] if survey is not None else []
    if complaint is not None:
        moments += [complaint.opened_at, complaint.call_later_at]
    return max((moment for moment in moments if moment is not None and moment <= sent_at), default=sent_at)


async def alert_text(
    hands: Hands,
    complaint: Complaint | None,
    survey: Survey | None,
    deal: Deal | None,
    client: Client | None,
    *,
    sent_at: datetime,
) -> str:
    """One screen; an alert that was sent long after the score says so in its first line."""
    now = hands.now()
    came_at = _came_at(complaint, survey, sent_at)
    late = ""
    if sent_at - came_at > LATE:
        late = late_text(hands, came_at)
    if survey is None:
        values = staff_values(hands, client=client, deal=deal, survey=None, complaint=complaint, now=now)
        return hands.texts.fill("alert.foot", **values)
    async with hands.db.reading() as tx:
        words = await asked.words_of(tx, survey.id or 0)
    values = {
        **staff_values(hands, client=client, deal=deal, survey=survey, complaint=complaint, now=now),
        "words": words[0] if words else "",
    }
    states = list(complaint.lines) if complaint is not None else ()
    is_raised = survey.band != Band.LOW
    return compose_alert(hands.texts, values, added=words[1:], states=states, late=late, is_raised=is_raised)
