"""A question as its channel shows it, with buttons, as a poll or typed: asked, repeated, answered."""

from dataclasses import dataclass

from integrations.channels.base import Button, Channel, Outgoing
from storage.tables.deals import Deal
from storage.tables.people import Client
from storage.tables.surveys import Survey
from worker.actions.base import Hands
from worker.actions.words import Values, survey_texts
from worker.rules.compose import AFTER_COMPLAINT, Form, compose_question
from worker.rules.compose import score_values as values_of_score
from worker.rules.formats import discount
from worker.rules.people import client_name, public_name
from worker.rules.planning import SurveyRule

FEW_BUTTONS = 10
BUTTONS_A_ROW = 5  # ten buttons read well in two rows


@dataclass(frozen=True, slots=True)
class Question:
    """A question as this channel shows it."""

    message: Outgoing
    variant: str


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
