"""The people of the company who are staff, and the chats in which they are met."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from worker.config.settings import Settings
from worker.config.words import Words, nearest


class Place(NamedTuple):
    """A chat in which staff are met."""

    channel: str
    chat_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """A person of the company with ids for names."""

    telegram_id: int = 0  # 0: not met there
    max_id: int = 0
    name: str
    role: str
    pipelines: frozenset[int] = frozenset()  # empty = all
    managers: frozenset[int] = frozenset()
    amocrm_user: int | None = None

    @property
    def places(self) -> tuple[Place, ...]:
        """Where this person is met, the preferred place first."""
        ids = {"telegram": self.telegram_id, "max": self.max_id}
        return tuple(Place(channel, str(number)) for channel, number in ids.items() if number)

    @property
    def key(self) -> str:
        """Names this person for as long as the place stays."""
        return ":".join(self.places[0]) if self.places else self.name

    def chat_in(self, channel: str) -> str:
        """Where we meet in private there; "" if we do not."""
        return next((place.chat_id for place in self.places if place.channel == channel), "")

    def follows(self, pipeline: int, manager: int) -> bool:
        in_pipeline = not self.pipelines or pipeline in self.pipelines
        return in_pipeline and (not self.managers or manager in self.managers)


def named_staff(settings: Settings) -> tuple[Staff, ...]:
    """The people of the settings as far as nothing of them has to be found in amoCRM."""
    return tuple(
        Staff(telegram_id=one.telegram_id, max_id=one.max_id, name=one.name, role=one.role)
        for one in settings.staff
    )


def unknown_superior(wanted: str, names: Iterable[str]) -> Words | None:
    """`[complaints] escalate_to` where nobody has that name, and the owners hear of it instead."""
    known = {name.strip().casefold(): name for name in names}
    if wanted.strip().casefold() in {"owner", *known}:
        return None
    like = nearest(wanted, known.values())
    return Words(
        f"сотрудника «{wanted}» нет{f', похоже на «{like}»' if like else ''}. Пока пишем владельцу. "
        f'Поправьте имя или пригласите: sarafan staff invite --role head --name "{wanted}".',
        f"nobody of the staff is called «{wanted}»{f', the nearest is «{like}»' if like else ''}. Till then "
        f'the owner is told. Mend the name, or invite: sarafan staff invite --role head --name "{wanted}".',
    )
