"""The menu of commands in the chat of each of the staff: what a person of this role may use."""

from collections.abc import Iterable, Mapping

from worker.account.people import Staff
from worker.rules.wording import Texts
from worker.staff.commands import commands_of

Menu = tuple[tuple[str, str], ...]  # command, what it is for


def menu_of(role: str, texts: Texts) -> Menu:
    return tuple((name, texts.fill(f"menu.{name}")) for name in commands_of(role))


def changed(
    kept: Mapping[str, str], staff: Iterable[Staff], channel: str, texts: Texts
) -> tuple[dict[str, str], list[str]]:
    """What is to be kept by chat, and the chats whose menu is another than it was, or is to go."""
    wanted = {
        chat: _shown(menu_of(person.role, texts)) for person in staff if (chat := person.chat_in(channel))
    }
    chats = [chat for chat in {**kept, **wanted} if kept.get(chat) != wanted.get(chat)]
    return wanted, chats


def _shown(menu: Menu) -> str:
    return "\n".join(f"{name} {about}" for name, about in menu)
