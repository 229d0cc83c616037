"""The part of `init` about deals: complaints, when the work is done, fields, the code for friends."""

import re
from collections.abc import Iterator, Mapping, Sequence

import typer

from integrations.amocrm.models import LOST, WON, CustomField, Pipeline, Status
from integrations.amocrm.names import NameProblem, folded, resolve
from worker.account.dictionaries import Dictionaries
from worker.account.survey_rules import DATE_TYPES
from worker.cli.config_text import Answers, settings_of
from worker.cli.dialog import Dialog
from worker.cli.lacking import wanted_fields

FITTING = {  # which types of existing fields can take the place of one that would be made
    "numeric": ("numeric", "text"),
    "text": ("text", "textarea"),
    "url": ("url", "text", "textarea"),
    "select": ("select", "radiobutton", "text"),
}
LIKELY_COMPLAINTS = re.compile(r"реклам|жалоб|претенз|complain|claim", re.I)
LIKELY_FRIEND = re.compile(r"друг|friend|реком", re.I)


def ask_complaints(dialog: Dialog, answers: Answers, known: Dictionaries) -> None:
    living = [pipeline for pipeline in known.pipelines if not pipeline.is_archive]
    wanted = dialog.say("Рекламации", "Complaints")
    options = [_named(pipeline, living) for pipeline in living]
    titles = [f"«{pipeline.name}»" for pipeline in living]
    likely = next((at for at, pipeline in enumerate(living) if LIKELY_COMPLAINTS.search(pipeline.name)), None)
    if not any(folded(pipeline.name) == folded(wanted) for pipeline in living):
        options.append(wanted)
        titles.append(
            dialog.say(
                f"новая, «{wanted}» (создаст sarafan setup)",
                f"a new one, «{wanted}» (sarafan setup makes it)",
            )
        )
    default = likely if likely is not None else len(options) - 1
    question = dialog.say(
        "В какую воронку класть рекламации (низкие оценки)?", "Which pipeline takes complaints (low scores)?"
    )
    answers.complaints_pipeline = options[dialog.choose(question, titles, default)]


def _sales(answers: Answers, known: Dictionaries) -> list[Pipeline]:
    taken = folded(answers.complaints_pipeline)
    return [
        pipeline
        for pipeline in known.pipelines
        if not pipeline.is_archive and taken not in (folded(pipeline.name), str(pipeline.id))
    ]


def ask_event(dialog: Dialog, answers: Answers, known: Dictionaries) -> None:
    sales = _sales(answers, known)
    stages = [(pipeline, status) for pipeline in sales for status in _open(pipeline)]
    dates = [field for field in known.lead_fields if field.type in DATE_TYPES]
    ways = [("won", dialog.say("сделка успешно закрыта", "the deal is won"))]
    if stages:
        ways.append(("stage", dialog.say(
            "сделка дошла до этапа (например, «Монтаж завершён»)",
            "the deal reached a status (such as «Installed»)",
        )))  # fmt: skip
    if dates:
        ways.append(("date", dialog.say(
            "наступила дата из поля сделки (монтаж, сдача)", "a date in a field of the deal has come"
        )))  # fmt: skip
    question = dialog.say(
        "После чего работа для клиента действительно сделана?", "After what is the work really done?"
    )
    way = ways[dialog.choose(question, [words for _, words in ways])][0]
    if way == "stage":
        titles = [f"{pipeline.name} → {status.name}" for pipeline, status in stages]
        pipeline, status = stages[dialog.choose(dialog.say("Какой этап?", "Which status?"), titles)]
        answers.trigger, answers.base = "deal_status", "entered"
        answers.pipelines = (_named(pipeline, known.pipelines),)
        answers.statuses = (_named(status, pipeline.statuses),)
        return
    if way == "date":
        titles = [f"«{field.name}»" for field in dates]
        field = dates[dialog.choose(dialog.say("Какое поле?", "Which field?"), titles)]
        answers.base = f"field:{_named(field, known.lead_fields)}"
    if len(sales) > 1:
        answers.pipelines = _asked_about(dialog, sales, known)


def _asked_about(dialog: Dialog, sales: Sequence[Pipeline], known: Dictionaries) -> tuple[str, ...]:
    """() for all of them: those that are made later count, too."""
    question = dialog.say(
        "О сделках каких воронок спрашивать? Enter — обо всех, кроме рекламаций.",
        "Deals of which pipelines are asked about? Enter: all but complaints.",
    )
    places = dialog.choose_some(question, [f"«{pipeline.name}»" for pipeline in sales], range(len(sales)))
    if len(places) == len(sales):
        return ()
    return tuple(_named(sales[place], known.pipelines) for place in places)


def _open(pipeline: Pipeline) -> list[Status]:
    own = [status for status in pipeline.statuses if status.type == 0 and status.id not in (WON, LOST)]
    return sorted(own, key=lambda status: status.sort)


def _named(one: Pipeline | Status | CustomField, beside: Sequence[Pipeline | Status | CustomField]) -> str:
    """Its name, or its id where another has the same."""
    twins = sum(folded(other.name) == folded(one.name) for other in beside)
    return one.name if twins == 1 and one.name else str(one.id)


def ask_fields(dialog: Dialog, answers: Answers, known: Dictionaries, environ: Mapping[str, str]) -> None:
    lacking: list[tuple[str, str, str]] = []
    for key, name, type_ in _wanted(answers, environ):
        try:
            resolve(name, known.lead_fields)
        except NameProblem:
            lacking.append((key, name, type_))
    if not lacking:
        dialog.tell("\n✓ Все нужные поля сделки есть.", "\n✓ All deal fields are there.")
        return
    names = ", ".join(f"«{name}»" for _, name, _ in lacking)
    question = dialog.say(f"Полей сделки нет: {names}.", f"Deal fields that are not there: {names}.")
    options = [
        dialog.say("создать (это сделает sarafan setup)", "create them (sarafan setup does it)"),
        dialog.say(
            "выбрать из тех, что есть, или не вести", "choose among those that are there, or do without"
        ),
    ]
    if dialog.choose(question, options) == 0:
        return
    for key, name, type_ in lacking:
        fitting = [field for field in known.lead_fields if field.type in FITTING[type_]]
        titles = [
            dialog.say("создать", "create it"),
            dialog.say("не вести", "do without"),
            *(f"«{field.name}»" for field in fitting),
        ]
        place = dialog.choose(f"«{name}»?", titles)
        if place == 0:
            continue
        value = "" if place == 1 else _named(fitting[place - 2], known.lead_fields)
        section, _, short = key.rpartition(".")
        if section == "complaints":
            answers.topic_field = value
        else:
            answers.fields[short] = value


def _wanted(answers: Answers, environ: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for key, name, type_, _, _ in wanted_fields(settings_of(answers, environ)):
        if not key.startswith("survey."):
            yield key, name, type_


def ask_code(dialog: Dialog, answers: Answers, known: Dictionaries, environ: Mapping[str, str]) -> None:
    settings = settings_of(answers, environ)
    typer.echo(f"\n{settings.texts.fill('law.promo')}")
    ways = ("question", "thanks_high", "on_request", "nowhere")
    options = [
        dialog.say("в самом вопросе: его увидит каждый", "in the question itself: everybody sees it"),
        dialog.say("вместе с благодарностью за высокую оценку", "with the thanks for a high score"),
        dialog.say("только тому, кто попросит", "only to who asks for it"),
        dialog.say("никак, кодов не нужно", "not at all"),
    ]
    question = dialog.say("Как отдавать клиенту код для друзей?", "How is the code for friends handed over?")
    answers.promo_in = ways[dialog.choose(question, options)]
    if answers.promo_in != "nowhere":
        answers.discount = dialog.text(
            dialog.say("Что код даёт другу", "What the code gives to a friend"), "5%"
        )
    name = settings.amocrm.fields.referral
    field = next((field for field in known.lead_fields if name and folded(field.name) == folded(name)), None)
    if field is not None and field.enums:
        options = [f"«{choice.value}»" for choice in field.enums]
        options.append(dialog.say("такого нет", "none of them"))
        question = dialog.say(
            f"Какой вариант поля «{field.name}» значит, что клиент пришёл от друга?",
            f"Which option of the field «{field.name}» means that a friend sent the client?",
        )
        likely = (at for at, choice in enumerate(field.enums) if LIKELY_FRIEND.search(choice.value))
        place = dialog.choose(question, options, next(likely, len(options) - 1))
        answers.referral_value = field.enums[place].value if place < len(field.enums) else ""
