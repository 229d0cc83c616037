"""What a client meant, in Russian or English: a score, a wish or words; rather asked than guessed."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from worker.rules import answer_wishes as wishes
from worker.rules.answer_readings import Ask, Command, Comment, OptIn, OptOut, Reading, Score
from worker.rules.answer_score import has_words, read_score, trimmed
from worker.rules.answer_silence import opt_out_spans
from worker.rules.answer_text import fold, tidy
from worker.rules.scale import Scale


@dataclass(frozen=True)
class Typed:
    """A reply in the two forms that the rules look at, and the scale that is open, if any."""

    shown: str
    scale: Scale | None

    @cached_property
    def folded(self) -> str:
        return fold(self.shown)

    @cached_property
    def score(self) -> Score | Ask | None:
        """None where nothing is asked."""
        return read_score(self.shown, self.folded, self.scale) if self.scale is not None else None


def read_answer(text: str, scale: Scale | None) -> Reading:
    """Read a typed reply. `scale` None: no question is open, so nothing is a score.

    The reader is total: every text has a reading, and no score leaves the scale. A wrong score is worse than
    a question, so whatever can be read in two ways is an Ask.
    """
    typed = Typed(tidy(text), scale)
    for rule in RULES:
        if (reading := rule(typed)) is not None:
            return reading
    return Comment(typed.shown)


# --- the rules, in their order: the end of this file lists them ----------------------------------


def _silence(typed: Typed) -> OptOut | None:
    """«стоп», also beside a score or other words."""
    spans = opt_out_spans(typed.folded)
    return _opted_out(typed.shown, spans, typed.scale) if spans else None


def _back(typed: Typed) -> OptIn | None:
    return OptIn() if wishes.is_opt_in(typed.folded) else None


def _command(typed: Typed) -> Command | None:
    """«код», «позвоните», «удалите мои данные», if that is all."""
    name = wishes.command(typed.folded)
    return Command(name) if name else None


def _scored(typed: Typed) -> Score | None:
    return typed.score if isinstance(typed.score, Score) else None


def _uncalled(typed: Typed) -> Comment | None:
    if not wishes.is_uncalled(typed.folded):
        return None
    return Comment(typed.shown, wants_reply=True, is_uncalled=True, rule="uncalled")


def _machine(typed: Typed) -> Comment | None:
    """A business account answers by itself."""
    return Comment(typed.shown, rule="machine") if wishes.is_auto_reply(typed.folded) else None


def _request(typed: Typed) -> Comment | None:
    """A question, a request or a problem; beside a doubtful number that number is asked about first."""
    is_doubtful = isinstance(typed.score, Ask) and typed.score.why != "none"
    if is_doubtful or not wishes.wants_reply(typed.folded):
        return None
    return Comment(typed.shown, wants_reply=True, rule="request")


def _unclear(typed: Typed) -> Ask | None:
    if not isinstance(typed.score, Ask):
        return None
    return replace(typed.score, comment=typed.shown, wants_reply=wishes.wants_reply(typed.folded))


def _opted_out(shown: str, spans: list[tuple[int, int]], scale: Scale | None) -> OptOut:
    rest, at = "", 0
    for start, end in spans:
        rest, at = rest + shown[at:start], end
    rest = _closed_up(rest + shown[at:])
    score = Typed(rest, scale).score if rest else None
    if isinstance(score, Score):
        return OptOut(score.value, score.comment)
    return OptOut(comment=rest if has_words(rest) else "")


def _closed_up(rest: str) -> str:
    """What stood around a clause that was taken out: no «но» before nothing, no two commas in a row."""
    rest = re.sub(r"(?i)([,.;!\n])(?:\s*\b(?:но|а|и|только|but|and)\b)?\s*[,;.!]+", r"\1", rest)
    return re.sub(r"(?i)^(?:но|а|и|только|but|and)\b|\b(?:но|а|и|только|but|and)$", "", trimmed(rest)).strip(
        " ,"
    )


# --- in order: the first that has something to say is the reading, and what is left are words -----

# A refusal is heard before anything else, and a score before the words beside it.
RULES: tuple[Callable[[Typed], Reading | None], ...] = (
    _silence, _back, _command, _scored, _uncalled, _machine, _request, _unclear,
)  # fmt: skip
