"""The part of `init` about people: who hears of low scores, and their ids in Telegram."""

from collections.abc import Mapping, Sequence

import typer

from integrations.amocrm.names import folded
from integrations.errors import OutsideError
from worker.account.dictionaries import Dictionaries
from worker.cli.config_text import Answers, Head, settings_of
from worker.cli.dialog import Dialog, NotThat
from worker.cli.interview_channels import Transports, people_of_bot
from worker.cli.outside import explained

SMALLEST_ID = (
    10_000  # ids of people in Telegram have five digits at least; a shorter number is a place in a list
)


def ask_heads(dialog: Dialog, answers: Answers, known: Dictionaries) -> None:
    users = [user for user in known.users or () if user.is_active]
    if not users:
        question = dialog.say(
            "Имя руководителя, которому придут низкие оценки", "The head who hears of low scores"
        )
        answers.heads = [Head(name=dialog.text(question))]
        return
    question = dialog.say("Кому из сотрудников придут низкие оценки?", "Which users hear of low scores?")
    places = dialog.choose_some(question, [user.name or str(user.id) for user in users])
    names = [folded(user.name) for user in users]
    answers.heads = [
        Head(
            name=users[place].name or str(users[place].id),
            amocrm_user=users[place].name
            if names[place] and names.count(names[place]) == 1
            else str(users[place].id),
        )
        for place in places
    ]


def ask_telegram_ids(
    dialog: Dialog, answers: Answers, environ: Mapping[str, str], transports: Transports
) -> None:
    """Who pressed Start is offered by name; whoever did not may be put in later."""
    if not answers.heads or "telegram" not in answers.channels:
        return
    settings = settings_of(answers, environ)
    try:
        address, people = people_of_bot(settings, transports)
        dialog.tell(
            f"\nПусть каждый руководитель откроет {address} и нажмёт «Старт»: первым бот не напишет.",
            f"\nLet each head open {address} and press Start: the bot cannot write first.",
        )
        dialog.text(dialog.say("Нажали? Enter", "Done? Enter"), may_be_empty=True)
        _, people = people_of_bot(settings, transports)
    except OutsideError as error:
        typer.echo(f"✗ {explained(settings, error)}")
        people = ()
    for head in answers.heads:
        taken = {other.telegram_id for other in answers.heads}
        left = [person for person in people if person.telegram_id not in taken]
        titles = [f"{person.name} ({person.telegram_id})" for person in left]
        head.telegram_id = _telegram_id(dialog, head, titles, [person.telegram_id for person in left])


def _telegram_id(dialog: Dialog, head: Head, titles: Sequence[str], ids: Sequence[int]) -> int:
    """By the number in the list, or typed; 0 = later."""
    typer.echo(
        "\n" + dialog.say(f"Кто из них {head.name}?", f"Which of them is {head.name}?") if titles else ""
    )
    for number, title in enumerate(titles, start=1):
        typer.echo(f"  {number}. {title}")

    def check(text: str) -> str:
        is_number = text.isascii() and text.isdecimal() and len(text) < 16
        if not is_number or not (0 < int(text) <= len(ids) or int(text) >= SMALLEST_ID):
            raise NotThat(
                dialog.say(
                    "Номер из списка, id в Telegram или Enter.",
                    "A number of the list, an id in Telegram, or Enter.",
                )
            )
        return text

    hint = dialog.say(
        f"{head.name}: номер, id в Telegram или Enter — позже",
        f"{head.name}: a number, an id in Telegram, or Enter for later",
    )
    # No default, not even where one alone pressed Start: it may be a stranger, and heads read of clients.
    typed = dialog.text(hint, check=check, may_be_empty=True)
    if not typed:
        return 0
    return ids[int(typed) - 1] if int(typed) <= len(ids) else int(typed)
