"""What a client meant, in Russian or English: a score, a wish or words; rather asked than guessed."""

import re
from dataclasses import dataclass, replace

from worker.rules import answer_wishes as wishes
from worker.rules import answer_words as vocabulary
from worker.rules.answer_numbers import Clause, Number, Scan, Token, clauses, scan
from worker.rules.answer_text import fold, tidy
from worker.rules.answer_words import NUMBER
from worker.rules.scale import Scale


@dataclass(frozen=True, slots=True)
class Score:
    """`rule` names how it was found. `is_bare`: nothing but the number and courtesies.

    `has_marker`: something says that it is a score («из 10», «ставлю»).
    """

    value: int
    comment: str = ""
    rule: str = ""
    is_bare: bool = False
    has_marker: bool = False
    wants_reply: bool = False


@dataclass(frozen=True, slots=True)
class OptOut:
    """No more questions; `value` if a score stands beside it («10, но больше не пишите»)."""

    value: int | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class OptIn:
    """«вернуться»."""


@dataclass(frozen=True, slots=True)
class Command:
    """`name` is code, call or erase."""

    name: str


@dataclass(frozen=True, slots=True)
class Ask:
    """It looks like an answer and is none: ask again. `why` is none, range, outside or two."""

    why: str
    a: int | None = None
    b: int | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Comment:
    """Words. `wants_reply`: a question, a request or a problem. `is_uncalled`: nobody called the client."""

    text: str
    wants_reply: bool = False
    is_uncalled: bool = False


Reading = Score | OptOut | OptIn | Command | Ask | Comment


@dataclass(frozen=True, slots=True)
class _Candidate:
    number: Number
    rule: str
    start: int  # of what is taken out of the comment
    end: int
    has_marker: bool = False

    @property
    def value(self) -> int:
        return self.number.value


def read_answer(text: str, scale: Scale | None) -> Reading:
    """Read a typed reply. `scale` None: no question is open, so nothing is a score.

    The reader is total: every text has a reading, and no score leaves the scale. A wrong score is worse than
    a question, so whatever can be read in two ways is an Ask.
    """
    shown = tidy(text)
    folded = fold(shown)
    if spans := wishes.opt_out_spans(folded):
        return _opted_out(shown, spans, scale)
    if wishes.is_opt_in(folded):
        return OptIn()
    if name := wishes.command(folded):
        return Command(name)
    score = _read_score(shown, folded, scale) if scale is not None else None
    if isinstance(score, Score):
        return score
    if wishes.is_uncalled(folded):
        return Comment(shown, wants_reply=True, is_uncalled=True)
    if wishes.is_auto_reply(folded):
        return Comment(shown)
    wants_reply = wishes.wants_reply(folded)
    if score is None or (wants_reply and score.why == "none"):
        return Comment(shown, wants_reply=wants_reply)
    return replace(score, comment=shown)


def _opted_out(shown: str, spans: list[tuple[int, int]], scale: Scale | None) -> OptOut:
    rest, at = "", 0
    for start, end in spans:
        rest, at = rest + shown[at:start], end
    rest = re.sub(
        r"(?i)^(?:но|а|и|только|but|and)\b|\b(?:но|а|и|but|and)$", "", _trimmed(rest + shown[at:])
    ).strip(" ,")
    score = _read_score(rest, fold(rest), scale) if scale is not None and rest else None
    if isinstance(score, Score):
        return OptOut(score.value, score.comment)
    return OptOut(comment=rest if _has_words(rest) else "")


def _read_score(shown: str, folded: str, scale: Scale) -> Score | Ask:
    if stars := _stars(shown, folded, scale):
        return stars
    if labelled := _labelled(shown, folded, scale):
        return labelled
    found = scan(folded, scale)
    parts = clauses(found)
    if corrected := _corrected(found, parts):
        return _score(corrected, shown) if corrected.value in scale else Ask("outside")
    candidates, doubts = _weigh(found, parts)
    return _decide(found, candidates, doubts, shown)


def _decide(found: Scan, candidates: list[_Candidate], doubts: list[Number], shown: str) -> Score | Ask:
    """One score that nothing speaks against, or a question that says what is unclear."""
    if found.ranges:
        a, b = found.ranges[0]
        return Ask("range", a, b) if len(set(found.ranges)) == 1 and not candidates else Ask("none")
    fits = [candidate for candidate in candidates if candidate.value in found.scale]
    values = sorted({candidate.value for candidate in fits}, key=[c.value for c in fits].index)
    # A ten beside a five-point score is no less doubtful than a four; a twelve is not.
    near = [number.value for number in doubts if number.value in found.scale or 0 <= number.value <= 10]
    doubted = [value for value in near if value not in values]
    if len(values) == 1 and not doubted and not found.is_doubtful and len(fits) == len(candidates):
        # The one with a marker, else the first: the others only repeat it.
        best = max(fits, key=lambda candidate: candidate.has_marker)
        score = _score(best, shown)
        return Ask("none") if _is_contradicted(score, best, found) else score
    both = [value for value in dict.fromkeys([*values, *doubted]) if value in found.scale]
    if len(both) == 2:
        return Ask("two", both[0], both[1])
    if candidates and not fits:
        return Ask("outside")
    return Ask("two" if len(both) > 2 else "none")


_CONDITION = re.compile(
    r"если\s+бы|был[аои]?\s+бы|могл[аои]\s+быть|мог\s+быть|would\s+(?:be|have)|could\s+have|if\s+(?:not|only)"
)


def _is_contradicted(score: Score, chosen: _Candidate, found: Scan) -> bool:
    """«10, если бы не грязь» is no ten, and «1, отлично» most likely no one."""
    starts = [end.end() for end in re.finditer(r"[.!?\n]", found.text[: chosen.start])]
    ends = re.search(r"[.!?\n]", found.text[chosen.end :])
    stop = chosen.end + ends.start() if ends else len(found.text)
    if _CONDITION.search(found.text, starts[-1] if starts else 0, stop):
        return True
    words = wishes.plain(fold(score.comment)).split()
    is_praised = any(vocabulary.is_praise(word) for word in words) and _is_bare(score.comment)
    return is_praised and 3 * score.value <= found.top


# --- what each number may be ------------------------------------------------------------------------------


def _weigh(found: Scan, parts: list[Clause]) -> tuple[list[_Candidate], list[Number]]:
    """Candidates, and numbers that may be scores but have nothing to show for it."""
    telling = [part for part in parts if not _is_courtesy(part)]
    candidates: list[_Candidate] = []
    doubts: list[Number] = []
    for part in telling:
        chosen = _candidate(found, part, telling)
        if chosen is not None:
            candidates.append(chosen)
        for number in part.numbers:
            if chosen is not None and number.value == chosen.value:
                continue
            if not _counts_something(part, number, is_first=part is telling[0]):
                doubts.append(number)
    return candidates, doubts


def _is_courtesy(part: Clause) -> bool:
    return bool(part.words) and not part.numbers and all(vocabulary.is_courtesy(word) for word in part.words)


def _candidate(found: Scan, part: Clause, telling: list[Clause]) -> _Candidate | None:
    """The score that this clause gives, if it is one."""
    numbers = part.numbers
    if not numbers or part.is_question:
        return None
    number = numbers[0]
    if any(number.is_school for number in numbers) or _is_denied(part, number):
        return None
    for fraction in numbers:
        if fraction.is_out_of_top:
            return _taken(part, fraction, "denominator", has_marker=True)
    is_alone = len(telling) == 1
    if marked := _marked(found, part, is_alone=is_alone):
        return marked
    if len({number.value for number in numbers}) > 1:
        return None
    if _is_pure(part):
        return _taken(part, number, "whole" if is_alone else "edge") if _is_at_edge(part, telling) else None
    if part is telling[0] and _leads(part, number):
        return _taken(part, number, "edge")
    if part is telling[-1] and _trails(part, number) and sum(len(other.numbers) for other in telling) == 1:
        return _taken(part, number, "edge")
    return None


def _marked(found: Scan, part: Clause, *, is_alone: bool) -> _Candidate | None:
    """«ставлю вам 8», «8 баллов»."""
    for index, token in enumerate(part.tokens):
        if token.number is None:
            continue
        after = part.tokens[index + 1].word if index + 1 < len(part.tokens) else ""
        is_followed = index + 1 < len(part.tokens)
        if vocabulary.STARS.fullmatch(after) and found.top != 5:
            found.is_doubtful = True
            return None
        is_unit = bool(after and vocabulary.UNIT_OF_SCORE.fullmatch(after))
        before = part.tokens[max(0, index - 4) : index]
        has_marker = _marker_before(before) and (not is_followed or vocabulary.may_follow(after, 0))
        if (is_unit and not _is_measured(part)) or has_marker:
            if "бы" in part.words and not is_alone:
                return None  # «поставила бы 10, если бы не …»
            return _taken(part, token.number, "marker", has_marker=True)
    return None


def _marker_before(before: tuple[Token, ...]) -> bool:
    """A marker with at most two strange words between it and the number."""
    strange = 0
    for token in reversed(before):
        if token.number is not None or token.is_cover or token.word in ("не", "not", "me"):
            return False
        if vocabulary.is_marker(token.word):
            return True
        strange += token.word not in vocabulary.BEFORE and not vocabulary.is_courtesy(token.word)
        if strange > 2:
            return False
    return False


_SUBTRACTED = re.compile(
    r"не|хвата\w*|минус|снял\w*|сним\w+|отня\w+|скин\w+|меньше|больше|less|more|minus|not"
)


def _is_measured(part: Clause) -> bool:
    """«не хватает 2 баллов», «минус 2 балла»: points, but not the score."""
    return any(_SUBTRACTED.fullmatch(word) for word in part.words)


def _is_pure(part: Clause) -> bool:
    """Nothing but the number (or the same number again) and words that leave it bare."""
    is_after = False
    for token in part.tokens:
        if token.is_cover:
            return False
        if token.number is not None:
            is_after = True
        elif not _leaves_bare(token.word, is_after=is_after):
            return False
    return True


def _leaves_bare(word: str, *, is_after: bool) -> bool:
    if vocabulary.is_courtesy(word) or vocabulary.is_praise(word) or vocabulary.is_marker(word):
        return True
    if is_after:
        return word in vocabulary.AFTER
    return word in vocabulary.BEFORE or vocabulary.is_receiver(word)


def _is_at_edge(part: Clause, telling: list[Clause]) -> bool:
    """The first thing said, the last, or a line of its own; what stands at the end must be surer."""
    index = telling.index(part)
    value = part.numbers[0].value
    if index == 0:
        following = telling[1].tokens[0].number if len(telling) > 1 and telling[1].parted != "line" else None
        # «пять, шесть дней ждали» is no five.
        is_listed = following is not None and 0 < following.value - value <= 2 and len(telling[1].tokens) > 1
        return not is_listed
    others = [other for other in telling if other is not part]
    if any(other.is_question for other in telling[:index]):
        return False
    if part.parted == "line" and (index + 1 == len(telling) or telling[index + 1].parted == "line"):
        return True
    if index + 1 < len(telling):
        return False
    has_others = any(other.numbers and other.numbers[0].value != value for other in others) or any(
        token.is_cover for other in others for token in other.tokens
    )
    if part.parted == "sentence":
        return not (has_others and part.numbers[0].is_word)
    if has_others:
        return False
    if part.parted in ("dash", "conj"):
        last = telling[index - 1].words[-1:]
        return bool(last) and _may_precede(last[0])
    # «Всё понравилось, 10», but not «улица Русская, 5».
    words = [word for other in telling[:index] for word in other.words]
    is_opinion = any(vocabulary.is_opinion(word) or vocabulary.is_receiver(word) for word in words)
    return (
        is_opinion
        or (len(words) == 1 and vocabulary.is_name(words[0]))
        or all(w in vocabulary.BEFORE for w in words)
    )


def _may_precede(word: str) -> bool:
    """May a dash part this word from a score? «Монтаж — 5», but not «створок — 5»."""
    return bool(
        vocabulary.is_marker(word)
        or vocabulary.is_praise(word)
        or vocabulary.is_courtesy(word)
        or vocabulary.SUBJECTS.fullmatch(word)
        or vocabulary.is_receiver(word)
    )


def _leads(part: Clause, number: Number) -> bool:
    """«9 всё супер»: the first word of all is a number, and what follows is nothing that is counted."""
    index = next(at for at, token in enumerate(part.tokens) if token.number is number)
    if any(not _leaves_bare(token.word, is_after=False) for token in part.tokens[:index]):
        return False
    after = part.tokens[index + 1 :]
    if not after or not after[0].word or vocabulary.UNIT_OF_SCORE.fullmatch(after[0].word):
        return False
    word = after[0].word
    if number.is_word:
        return vocabulary.is_courtesy(word) or vocabulary.is_praise(word)
    return vocabulary.may_follow(word, number.value)


def _trails(part: Clause, number: Number) -> bool:
    """«спасибо Олегу 10»: thanks or praise, and the number at the very end."""
    if number.is_word or part.tokens[-1].number is not number or any(token.is_cover for token in part.tokens):
        return False
    words = part.words
    if words and (vocabulary.is_praise(words[-1]) or vocabulary.is_courtesy(words[-1])):
        return True
    strange = [word for word in words if not vocabulary.is_courtesy(word)]
    return len(strange) < len(words) and len(strange) <= 1


def _is_denied(part: Clause, number: Number) -> bool:
    before = [token.word for token in part.tokens if token.start < number.start]
    return any(word in ("не", "ни", "not", "никаких", "never") for word in before)


def _counts_something(part: Clause, number: Number, *, is_first: bool) -> bool:
    """«2 пульта» later in the text: a number before a strange word is no score that needs doubting."""
    index = next(at for at, token in enumerate(part.tokens) if token.number is number)
    after = part.tokens[index + 1 : index + 2]
    is_before_word = bool(after) and bool(after[0].word) and not vocabulary.may_follow(after[0].word, 0)
    return is_before_word and not is_first


def _taken(part: Clause, number: Number, rule: str, *, has_marker: bool = False) -> _Candidate:
    """A clause that holds no other words leaves the comment whole, else only the number does."""
    has_marker = has_marker or any(vocabulary.is_marker(word) for word in part.words)
    rule = "marker" if has_marker and rule in ("whole", "edge") else rule
    is_only = _is_pure(part) and not any(
        vocabulary.is_courtesy(word) or vocabulary.is_praise(word) for word in part.words
    )
    start, end = (part.start, part.end) if is_only else (number.start, number.end)
    return _Candidate(number, rule, start, end, has_marker)


# --- corrections, stars, labels ---------------------------------------------------------------------------

_CORRECTIONS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?<!\w)не (?:на )?{NUMBER} *,? *а (?:на )?(?P<to>{NUMBER})",
        rf"{NUMBER}[^\w\d]*(?:то есть|т\.?е\.?|точнее|вернее|ой|упс|ошиб\w+|исправляю|пусть будет|хотя нет"
        rf"|нет|опечат\w+"
        rf"|хотел\w* написать|имел\w* в виду|в смысле|i mean|sorry|actually|oops|make it|no)[^\w\d]*"
        rf"(?:(?:это|на|ставлю|поставлю|лучше|все|таки|все-таки|извините|простите|пусть"
        rf"|будет) *,? *)*(?P<to>{NUMBER})",
        rf"(?:хотел\w*|думал\w*|собирал\w+|могл?[ао]? бы|был\w? бы|мог бы|поставил\w? бы|планировал\w*"
        rf"|wanted|would)(?: [а-яa-z]+)*? "
        rf"{NUMBER}[^\d]{{0,30}}?(?:но|а|but)(?: [а-яa-z]+){{0,4}}? (?P<to>{NUMBER})",
        rf"(?P<to>{NUMBER}) *,? *(?:а не|вместо|not|instead of) {NUMBER}",
        rf"(?:исправ\w+|поменя\w+|измен\w+|замен\w+|меняю|change)(?: (?:мою|свою|оценку|my|it|rating|score"
        rf"|с|from)| {NUMBER}|[ \ue000]+)*"
        rf" (?:на|to) (?P<to>{NUMBER})",
        rf"(?<!\w)not (?:a )?{NUMBER} *,? *but (?:a )?(?P<to>{NUMBER})",
    )
)


def _corrected(found: Scan, parts: list[Clause]) -> _Candidate | None:
    """«не 5, а 4»: the number that takes the place of the other, where no third number stands by."""
    for pattern in _CORRECTIONS:
        if not (match := pattern.search(found.text)):
            continue
        after = re.match(r" *([a-zа-я]+)", found.text[match.end() :])
        if after and not vocabulary.may_follow(after[1], 0):
            return None
        others = [n for part in parts for n in part.numbers if not match.start() <= n.start < match.end()]
        inside = [n for part in parts for n in part.numbers if n.start == match.start("to")]
        if others or found.ranges or not inside or inside[0].is_school:
            return None
        start = 0 if not re.search(r"\w", found.text[: match.start()]) else match.start()
        return _Candidate(inside[0], "correction", start, match.end(), has_marker=True)
    return None


_STAR = re.compile(r"[⭐🌟★]")
_STARS = re.compile(r"[⭐🌟★☆✩\s]+")


def _stars(shown: str, folded: str, scale: Scale) -> Score | Ask | None:
    """«⭐⭐⭐⭐» is a four where there are five."""
    runs = [run for run in _STARS.findall(shown) if _STAR.search(run)]
    if not runs:
        return None
    count = len(_STAR.findall(runs[0]))
    has_numbers = re.search(rf"{NUMBER}", folded) is not None
    if len(runs) > 1 or has_numbers or scale.last != 5 or count not in scale:
        return None if has_numbers and len(runs) == 1 and count == 1 else Ask("none")
    comment = _trimmed(_STARS.sub(" ", shown))
    words = comment if _has_words(comment) else ""
    return Score(
        count,
        words,
        "stars",
        is_bare=_is_bare(words),
        has_marker=True,
        wants_reply=wishes.wants_reply(fold(words)),
    )


# Beside the label these words change nothing: «в целом всё очень хорошо».
_BESIDE_LABELS = frozenset({
    "все", "было", "в", "целом", "очень", "просто", "ну", "да", "работа", "работу", "монтаж", "менеджер",
    "оценка", "ставлю", "поставлю", "это", "на", "мне", "для", "меня", "it", "was", "is", "very", "say",
})  # fmt: skip


def _labelled(shown: str, folded: str, scale: Scale) -> Score | Ask | None:
    """An answer in the words of the options, as a clause of its own; never one that is denied or doubled."""
    if not scale.options:
        return None
    labels = {wishes.plain(fold(tidy(option.label))): option.value for option in scale.options}
    chosen: list[tuple[int, int, int]] = []
    for start, end in wishes.clauses(folded):
        words = wishes.plain(folded[start:end])
        value = labels.get(words)
        if value is None:
            left = [
                word
                for word in words.split()
                if word not in _BESIDE_LABELS and not vocabulary.is_courtesy(word)
            ]
            value = labels.get(" ".join(left))
        if value is not None:
            chosen.append((value, start, end))
    if (value := labels.get(wishes.plain(folded))) is not None:
        chosen = [(value, 0, len(folded))]
    values = list(dict.fromkeys(value for value, _, _ in chosen))
    if len(values) > 1:
        return Ask("two", values[0], values[1])
    if not values or re.search(r"\d", scan(folded, scale).text):
        return None  # A number beside the word: the reader of numbers sees which it is.
    value, start, end = chosen[0]
    comment = _comment(shown, start, end)
    return Score(
        value,
        comment,
        "label",
        is_bare=_is_bare(comment),
        has_marker=True,
        wants_reply=wishes.wants_reply(fold(comment)),
    )


# --- what is left beside the score ------------------------------------------------------------------------


def _score(chosen: _Candidate, shown: str) -> Score:
    comment = _comment(shown, chosen.start, chosen.end)
    if _repeats(comment, chosen.value):
        comment = ""
    return Score(
        chosen.value,
        comment,
        chosen.rule,
        is_bare=not chosen.has_marker and _is_bare(comment),
        has_marker=chosen.has_marker,
        wants_reply=wishes.wants_reply(fold(comment)),
    )


def _comment(shown: str, start: int, end: int) -> str:
    """The words without the score; whole where the score stands in their middle."""
    before, after = _trimmed(shown[:start]), _trimmed(shown[end:])
    if before and after and _has_words(before) and _has_words(after):
        return shown
    rest = before if _has_words(before) else after
    return rest if _has_words(rest) else ""


def _repeats(comment: str, score: int) -> bool:
    """«10 (десять)»: the rest says the same number again."""
    same = {str(score), *(word for word, value in vocabulary.WORD_VALUES.items() if value == score)}
    return all(word in same for word in wishes.plain(fold(comment)).split())


def _is_bare(comment: str) -> bool:
    return all(
        vocabulary.is_courtesy(word) or vocabulary.is_praise(word) or word in vocabulary.FILLERS
        for word in wishes.plain(fold(comment)).split()
    )


def _trimmed(text: str) -> str:
    return text.strip(" \n\t,.;:!-–—)(").strip()


def _has_words(text: str) -> bool:
    return re.search(r"\w", text) is not None
