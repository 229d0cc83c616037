"""/help and the greeting: what somebody of this role may ask the bot for."""

from worker.staff.commands import LEADERS, OWNER, may
from worker.staff.desk import Answer, Desk


def help_text(desk: Desk) -> str:
    role = desk.person.role
    keys = ["help.head" if role in LEADERS else f"help.{role}"]
    keys += ["help.people"] if role in LEADERS else []
    keys += ["help.try"] if may(role, "try") else []
    keys += ["help.owner"] if role == OWNER else []
    return "\n".join(map(desk.texts.fill, keys))


def help_answer(desk: Desk) -> Answer:
    return Answer(text=help_text(desk))


def refusal(desk: Desk) -> Answer:
    """A command that nobody has, or not this role."""
    return Answer(text=f"{desk.texts.fill('help.other')}\n{help_text(desk)}")


def greeting(desk: Desk) -> Answer:
    """Low scores come only to those who lead."""
    role = desk.person.role
    key = "staff.hello" if role in LEADERS else "staff.hello.plain"
    hello = desk.texts.fill(key, staff=desk.person.name, name=desk.texts.fill(f"role.{role}"))
    return Answer(text=f"{hello}\n\n{help_text(desk)}")
