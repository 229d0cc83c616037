"""A score in a reply: in stars, in words of the options or as a number; rather asked than guessed."""

import re
from collections.abc import Callable, Mapping

from worker.rules import answer_wishes as wishes
from worker.rules import answer_words as vocabulary
from worker.rules.answer_amend import corrected
from worker.rules.answer_numbers import Number, Scan, clauses, scan
from worker.rules.answer_readings import Ask, Score
from worker.rules.answer_text import fold, tidy
from worker.rules.answer_weigh import Candidate, weigh
from worker.rules.answer_words import NUMBER
from worker.rules.pattern import Pattern
from worker.rules.scale import Band, Scale


def read_score(shown: str, folded: str, scale: Scale) -> Score | Ask:
    """By the first rule that has something to say. `folded` is `fold(shown)`."""
    for rule in WITHOUT_NUMBER:
        if (score := rule(shown, folded, scale)) is not None:
            return score
    return _number(shown, folded, scale)


def _number(shown: str, folded: str, scale: Scale) -> Score | Ask:
    """«не 5, а 4» first; else by a denominator, a marker or its place: `answer_weigh` names which."""
    found = scan(folded, scale)
    parts = clauses(found)
    if new := corrected(found, parts):
        return _score(new, shown) if new.value in scale else Ask("outside")
    candidates, doubts = weigh(found, parts)
    return _decide(found, candidates, doubts, shown)


def _decide(found: Scan, candidates: list[Candidate], doubts: list[Number], shown: str) -> Score | Ask:
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


_CONDITION = Pattern(
    r"если\s+бы|\bшутка\b|\bшучу\b|kidding|joking|был[аои]?\s+бы|могл[аои]\s+быть(?!\s+(?:и\s+)?(?:лучше|быстрее))"
    r"|мог\s+быть|would\s+(?:be|have)|could\s+have|if\s+(?:not|only)"
)
_NOT_MEANT = Pattern(
    r"никто\s+не\s+(?:постав|дас)\w+|\bобычно\s+(?:ставлю|даю)\b|\bага\s*,?\s*(?:щас|сейчас)\b|издева\w+"
)
_VERB = r"(?:\w+\s+){0,3}?\w+(?:ет|ит|ут|ют|ят|ат)(?:е|ся)?\b"
_IF_YOU = Pattern(
    r"\bесли\s+(?!не\b|что\b|хотите\b|можете\b|честно\b)(?:\w+\s+){0,3}?\w+(?:ете|ите)\b"
    r"|\b(?:when|once|if|after|as\s+soon\s+as)\s+you\s+(?:come|fix|finish|bring|call|return|do)\b"
)
_LATER = Pattern(
    rf"\b(?:когда|если(?!\s+(?:что|хотите|можете)\b)|как\s+только|после\s+того\s*,?\s*как)\s+{_VERB}|\b(?:только|лишь)\s+после\b"
    r"|\b(?:доделай|сделай|привези|приезжай|приедь|почини|исправь|верни|замени|переделай|убери|установи|настрой"
    r"|перезвони|позвони|закончи|доставь|пришли)те\b"
)
# Of a score: «10, если спросят, дам ваш телефон» promises none.
_THE_SCORE = rf"(?:{NUMBER}|{vocabulary.MARK})"
_SHALL = Pattern(
    r"\b(?:поставлю|поставим|изменю|исправлю)\b"
    rf"|\b(?:дам|дадим|будет)\s+(?:\w+\s+){{0,2}}{_THE_SCORE}"
    rf"|{_THE_SCORE}(?:\s*,\s*|\s+(?:\w+\s+){{0,2}})(?:дам|дадим|будет)\b"
)


def _is_contradicted(score: Score, chosen: Candidate, found: Scan) -> bool:
    """«10, если бы не грязь» is no ten, and «1, отлично» most likely no one."""
    starts = [end.end() for end in re.finditer(r"[.!?\n]", found.text[: chosen.start])]
    ends = re.search(r"[.!?\n]", found.text[chosen.end :])
    stop = chosen.end + ends.start() if ends else len(found.text)
    start = starts[-1] if starts else 0
    if _CONDITION.search(found.text, start, stop):
        return True
    # «2, если не перезвоните, пойду в суд» and «1, издевательство» mean what they say.
    if 2 * score.value > found.top and (
        _NOT_MEANT.search(found.text, start, stop) or _is_promised(found.text, start, stop)
    ):
        return True
    words = wishes.plain(fold(score.comment)).split()
    is_praised = any(vocabulary.is_praise(word) for word in words) and _is_bare(score.comment)
    return is_praised and 3 * score.value <= found.top


def _is_promised(text: str, start: int, stop: int) -> bool:
    """«поставлю 10, как только привезёте пульт»: for what is still to be done there is no score yet."""
    is_later = _LATER.search(text, start, stop) and _SHALL.search(text, start, stop)
    return bool(is_later or _IF_YOU.search(text, start, stop))


# --- stars and labels --------------------------------------------------------------------------------------

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
    comment = trimmed(_STARS.sub(" ", shown))
    words = comment if has_words(comment) else ""
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
        if folded[end : end + 1] == "?":
            continue  # «отлично? нет»
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
    if (other := _bad_beside(value, labels, folded, scale)) is not None:
        return Ask("two", value, other)
    comment = _comment(shown, start, end)
    return Score(
        value,
        comment,
        "label",
        is_bare=_is_bare(comment),
        has_marker=True,
        wants_reply=wishes.wants_reply(fold(comment)),
    )


def _bad_beside(value: int, labels: Mapping[str, int], folded: str, scale: Scale) -> int | None:
    """«было отлично, стало плохо»: a bad label among the words that belong to a better one."""
    if scale.band(value) is Band.LOW:
        return None
    said = wishes.plain(folded)
    for words, other in labels.items():
        is_said = re.search(rf"(?<!\w)(?<!не ){re.escape(words)}(?!\w)", said) is not None
        if is_said and scale.band(other) is Band.LOW:
            return other
    return None


# --- what is left beside the score ------------------------------------------------------------------------


def _score(chosen: Candidate, shown: str) -> Score:
    comment = _comment(shown, chosen.start, chosen.end)
    if _repeats(comment, chosen.value):
        comment = ""
    return Score(
        chosen.value,
        comment,
        chosen.rule,
        # «5 баллов» says no more than «5»: of the school's five they may be.
        is_bare=(not chosen.has_marker or _is_only_points(shown)) and _is_bare(comment),
        has_marker=chosen.has_marker,
        wants_reply=wishes.wants_reply(fold(comment)),
    )


def _comment(shown: str, start: int, end: int) -> str:
    """The words without the score; whole where the score stands in their middle."""
    before, after = trimmed(shown[:start]), trimmed(shown[end:])
    if before and after and has_words(before) and has_words(after):
        return shown
    rest = before if has_words(before) else after
    return rest if has_words(rest) else ""


def _repeats(comment: str, score: int) -> bool:
    """«10 (десять)»: the rest says the same number again."""
    same = {str(score), *(word for word, value in vocabulary.WORD_VALUES.items() if value == score)}
    return all(word in same for word in wishes.plain(fold(comment)).split())


def _is_only_points(shown: str) -> bool:
    return (
        re.fullmatch(rf"{NUMBER} (?:{vocabulary.UNIT_OF_SCORE.pattern})", wishes.plain(fold(shown)))
        is not None
    )


def _is_bare(comment: str) -> bool:
    return all(
        vocabulary.is_courtesy(word) or vocabulary.is_praise(word) or word in vocabulary.FILLERS
        for word in wishes.plain(fold(comment)).split()
    )


def trimmed(text: str) -> str:
    return text.strip(" \n\t,.;:!-–—)(").strip()


def has_words(text: str) -> bool:
    return re.search(r"\w", text) is not None


WITHOUT_NUMBER: tuple[Callable[[str, str, Scale], Score | Ask | None], ...] = (_stars, _labelled)
