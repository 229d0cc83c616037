"""Names as people see them in amoCRM, resolved to ids; a name that is not there gets the nearest that are."""

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Protocol


class Named(Protocol):
    """Anything with an id and a name: a pipeline, a status, a field, a user."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...


class NameProblem(ValueError):
    """`found` names nothing, or several things: then `twins` are their ids."""

    def __init__(self, found: str, nearest: tuple[str, ...], twins: tuple[int, ...] = ()) -> None:
        if twins:
            text = f"«{found}» is the name of several: {', '.join(map(str, twins))}; give the id instead"
        elif nearest:
            text = (
                f"nothing is called «{found}»; the nearest are {', '.join(f'«{name}»' for name in nearest)}"
            )
        else:
            text = f"nothing is called «{found}»"
        super().__init__(text)
        self.found = found
        self.nearest = nearest
        self.twins = twins


def folded(name: str) -> str:
    """What counts when names are compared: neither case nor outer spaces do."""
    return unicodedata.normalize("NFC", name).strip().casefold()


def nearest(wanted: str, names: Iterable[str]) -> tuple[str, ...]:
    """Up to three names that look like the wanted one, the likest first.

    >>> nearest("NSP", ["NPS", "Бюджет", "CSAT"])
    ('NPS',)
    """
    by_fold = {folded(name): name for name in names}
    return tuple(
        by_fold[fold] for fold in difflib.get_close_matches(folded(wanted), by_fold, n=3, cutoff=0.5)
    )


def resolve(wanted: str, candidates: Sequence[Named]) -> int:
    """The id of the one that is called so, or has this id. Raises NameProblem."""
    same = [candidate.id for candidate in candidates if folded(candidate.name) == folded(wanted)]
    if len(same) == 1:
        return same[0]
    if same:
        raise NameProblem(wanted, (), tuple(same))
    for candidate in candidates:
        if str(candidate.id) == wanted.strip():
            return candidate.id
    raise NameProblem(wanted, nearest(wanted, (candidate.name for candidate in candidates)))
