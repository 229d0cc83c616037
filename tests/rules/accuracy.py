"""How well labelled replies are read: `make accuracy` prints it, and fails below the goals."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TextIO

from tests.rules import held_out, replies, said
from worker.rules.answer_place import ASKED, Place, is_school_mark, read_reply
from worker.rules.answer_readings import Ask, Command, Comment, OptIn, OptOut, Reading, Score
from worker.rules.scale import Option, Scale

TEN = Scale(first=1, last=10, low=5, high=9)
ZERO_TEN = Scale(first=0, last=10, low=6, high=9)
FIVE = Scale(first=1, last=5, low=3, high=5)
OPTIONS = Scale(
    first=2,
    last=5,
    low=2,
    high=5,
    options=(Option("Отлично", 5), Option("Удовлетворительно", 3), Option("Плохо", 2)),
)

AFTER_MANAGER = Place(is_ours_last=False)
QUOTED = Place(is_exact=True, is_ours_last=False, expired=timedelta(days=20))
LATE = Place(expired=timedelta(days=3))
GONE = Place(expired=timedelta(days=8))
ANSWERED = Place(answered=timedelta(minutes=10))
ANSWERED_LONG = Place(answered=timedelta(hours=2))

LANGUAGES = ("ru", "en")
NO_STOP = "no stop"
ASKS = ("range", "outside", "two", "none")
MOST_NEEDLESS = 3.0  # percent of the replies that leave nothing to ask


@dataclass(frozen=True, slots=True)
class Table:
    """Labelled replies of one language, to one question, at one place of the conversation.

    Those of `NO_OPT_OUT` have no label: they may be anything else.
    """

    language: str
    lines: str
    scale: Scale | None = TEN
    place: Place = ASKED
    is_labelled: bool = True

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Label and reply."""
        for line in self.lines.strip("\n").split("\n"):
            label, text = line.split("\t", 1) if self.is_labelled else (NO_STOP, line)
            yield label, text.replace("\\n", "\n")

    def outcome(self, text: str) -> str:
        """What the reader makes of a reply, in the words of the labels."""
        return label_of(read_reply(text, self.scale, self.place), self.scale)


TABLES: tuple[Table, ...] = (
    Table("ru", replies.TEN),
    Table("ru", replies.SILENCE),
    Table("ru", replies.UNSEEN),
    Table("ru", replies.SILENCE_BESIDE),
    Table("ru", replies.AMENDED),
    Table("ru", replies.HEARD),
    Table("ru", replies.FIVE, FIVE),
    Table("ru", replies.OPTIONS, OPTIONS),
    Table("ru", replies.NOTHING, None),
    Table("ru", replies.NO_OPT_OUT, is_labelled=False),
    Table("ru", replies.NO_OPT_OUT, None, is_labelled=False),
    Table("ru", held_out.FOURTH_NO_OPT_OUT, is_labelled=False),
    Table("ru", said.TEN_RU),
    Table("ru", said.ACTS_RU),
    Table("ru", said.TRAPS_RU),
    Table("ru", said.MORE_RU),
    Table("ru", said.FIVE_RU, FIVE),
    Table("ru", said.ZERO_TEN_RU, ZERO_TEN),
    Table("ru", said.OPTIONS_RU, OPTIONS),
    Table("ru", said.AFTER_MANAGER_RU, place=AFTER_MANAGER),
    Table("ru", said.QUOTED_RU, place=QUOTED),
    Table("ru", said.LATE_RU, place=LATE),
    Table("ru", said.GONE_RU, place=GONE),
    Table("ru", said.ANSWERED_RU, place=ANSWERED),
    Table("ru", said.ANSWERED_LONG_RU, place=ANSWERED_LONG),
    Table("en", said.TEN_EN),
    Table("en", said.ACTS_EN),
    Table("en", said.FIVE_EN, FIVE),
    Table("en", said.AFTER_MANAGER_EN, place=AFTER_MANAGER),
    Table("en", said.ANSWERED_EN, place=ANSWERED),
    *(
        Table(language, lines, scale)
        for language, lines, scale in (
            ("ru", held_out.TEN_RU, TEN),
            ("ru", held_out.FIVE_RU, FIVE),
            ("ru", held_out.AGAIN_TEN_RU, TEN),
            ("ru", held_out.AGAIN_FIVE_RU, FIVE),
            ("ru", held_out.FOURTH_TEN_RU, TEN),
            ("ru", held_out.FOURTH_FIVE_RU, FIVE),
            ("en", held_out.FOURTH_TEN_EN, TEN),
            ("ru", held_out.FIFTH_TEN_RU, TEN),
            ("ru", held_out.FIFTH_FIVE_RU, FIVE),
            ("ru", held_out.FIFTH_OPTIONS_RU, OPTIONS),
            ("ru", held_out.FIFTH_ZERO_TEN_RU, ZERO_TEN),
            ("en", held_out.FIFTH_TEN_EN, TEN),
            ("ru", held_out.THIRD_TEN_RU, TEN),
            ("ru", held_out.THIRD_FIVE_RU, FIVE),
            ("en", held_out.THIRD_TEN_EN, TEN),
            ("en", held_out.AGAIN_TEN_EN, TEN),
            ("en", held_out.TEN_EN, TEN),
            ("en", held_out.FIVE_EN, FIVE),
        )
    ),
)


def label_of(reading: Reading, scale: Scale | None) -> str:
    match reading:
        case Score(value):
            is_doubted = scale is not None and is_school_mark(reading, scale)
            return f"{value}?" if is_doubted else str(value)
        case OptOut(value):
            return "stop" if value is None else f"stop:{value}"
        case OptIn():
            return "back"
        case Command(name):
            return name
        case Ask(why):
            return why
        case Comment():
            return "reply" if reading.wants_reply else "words"


@dataclass(slots=True)
class Accuracy:
    """What was read otherwise than it is labelled, each as a line with the reply."""

    replies: int = 0
    tellings: int = 0  # replies that leave nothing to ask
    wrong_scores: list[str] = field(default_factory=list)
    needless_questions: list[str] = field(default_factory=list)
    missed_opt_outs: list[str] = field(default_factory=list)
    false_opt_outs: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    @property
    def right(self) -> int:
        return self.replies - sum(len(lines) for _, lines in self.kinds)

    @property
    def kinds(self) -> tuple[tuple[str, list[str]], ...]:
        return (
            ("wrong scores", self.wrong_scores),
            ("missed opt-outs", self.missed_opt_outs),
            ("false opt-outs", self.false_opt_outs),
            ("needless questions", self.needless_questions),
            ("wrong other outcomes", self.others),
        )

    @property
    def needless_share(self) -> float:
        """Percent, 0 to 100."""
        return 100 * len(self.needless_questions) / self.tellings if self.tellings else 0.0

    @property
    def is_good(self) -> bool:
        never = (self.wrong_scores, self.missed_opt_outs, self.false_opt_outs)
        return not any(never) and self.needless_share <= MOST_NEEDLESS


def measured(tables: Sequence[Table] = TABLES) -> Accuracy:
    accuracy = Accuracy()
    for table in tables:
        for label, text in table:
            accuracy.replies += 1
            accuracy.tellings += label not in (*ASKS, NO_STOP)
            got = table.outcome(text)
            is_right = got == label or (label == NO_STOP and not got.startswith("stop"))
            if not is_right:
                _of_its_kind(accuracy, label, got).append(f"{label:>8} read as {got:<8} {text!r}")
    return accuracy


def _of_its_kind(accuracy: Accuracy, label: str, got: str) -> list[str]:
    now = _score(got)
    if now and now != _score(label):
        return accuracy.wrong_scores
    if label.startswith("stop") != got.startswith("stop"):
        return accuracy.missed_opt_outs if label.startswith("stop") else accuracy.false_opt_outs
    is_asked = got in ASKS or got.endswith("?")
    if is_asked and label not in ASKS and not label.endswith("?"):
        return accuracy.needless_questions
    return accuracy.others


def _score(label: str) -> str:
    """The number that a label records, "" if none."""
    number = label.removeprefix("stop:").removesuffix("?")
    return number if number.isdecimal() else ""


def written(accuracy: Accuracy, out: TextIO) -> None:
    total = accuracy.replies
    out.write(f"{total} labelled replies, {accuracy.right} read right ({_percent(accuracy.right, total)})\n")
    for name, lines in accuracy.kinds:
        of = accuracy.tellings if lines is accuracy.needless_questions else total
        out.write(f"{name}: {len(lines)} ({_percent(len(lines), of)})\n")
        out.writelines(f"  {line}\n" for line in lines)


def _percent(count: int, of: int) -> str:
    return f"{100 * count / max(of, 1):.1f} %"


def in_language(language: str) -> Accuracy:
    return measured([table for table in TABLES if table.language == language])


def main() -> int:
    """The exit code: 1 if the goals are missed in either language."""
    is_good = True
    for language in LANGUAGES:
        accuracy = in_language(language)
        sys.stdout.write(f"{language}: ")
        written(accuracy, sys.stdout)
        is_good = is_good and accuracy.is_good
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
