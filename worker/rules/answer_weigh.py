"""Which numbers of a reply may be its score: by a marker, a denominator, a correction or their place."""

import re
from dataclasses import dataclass

from worker.rules import answer_words as vocabulary
from worker.rules.answer_numbers import Clause, Number, Scan, Token


@dataclass(frozen=True, slots=True)
class Candidate:
    number: Number
    rule: str
    start: int  # of what is taken out of the comment
    end: int
    has_marker: bool = False

    @property
    def value(self) -> int:
        return self.number.value


def weigh(found: Scan, parts: list[Clause]) -> tuple[list[Candidate], list[Number]]:
    """Candidates, and numbers that may be scores but have nothing to show for it."""
    telling = [part for part in parts if not _is_courtesy(part)]
    candidates: list[Candidate] = []
    doubts: list[Number] = []
    asked = next((index for index, part in enumerate(telling) if part.is_question), len(telling))
    for index, part in enumerate(telling):
        chosen = _candidate(found, index, telling, is_asked_before=asked < index)
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


def _candidate(found: Scan, index: int, telling: list[Clause], *, is_asked_before: bool) -> Candidate | None:
    """The score that this clause gives, if it is one."""
    part = telling[index]
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
        if _is_announced(index, telling):
            return _taken(part, number, "marker", has_marker=True)
        is_at_edge = _is_at_edge(found, index, telling, is_asked_before=is_asked_before)
        return _taken(part, number, "whole" if is_alone else "edge") if is_at_edge else None
    if part is telling[0] and _leads(part, number, found.top):
        return _taken(part, number, "edge")
    if part is telling[-1] and _concludes(part, number):
        return _taken(part, number, "edge")
    if (
        part is telling[-1]
        and _trails(part, number, found.top)
        and sum(len(other.numbers) for other in telling) == 1
    ):
        return _taken(part, number, "edge")
    return None


def _marked(found: Scan, part: Clause, *, is_alone: bool) -> Candidate | None:
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


_THEREFORE = frozenset({"поэтому", "итого", "короче", "вобщем", "вообщем"})


def _concludes(part: Clause, number: Number) -> bool:
    """«ворота хорошие, но долго ждали поэтому девять»: the last word after what was thought of it."""
    if part.tokens[-1].number is not number or len(part.tokens) < 2:
        return False
    return part.tokens[-2].word in _THEREFORE and any(map(vocabulary.is_verdict, part.words))


_SUBTRACTED = re.compile(
    r"не|хвата\w*|минус|снял\w*|сним\w+|отня\w+|скин\w+|меньше|больше|less|more|minus|not"
)
_OTHER_POINTS = re.compile(r"пробк\w+|ветер|ветр\w+|шторм\w*|тайфун\w*|волн\w+|землетряс\w+|давлени\w+|егэ")


def _is_measured(part: Clause) -> bool:
    """«не хватает 2 баллов», «минус 2 балла», «пробки 8 баллов»: points, but not the score."""
    return any(_SUBTRACTED.fullmatch(word) or _OTHER_POINTS.fullmatch(word) for word in part.words)


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


def _is_announced(index: int, telling: list[Clause]) -> bool:
    """«… Моя оценка - 9. …» is a score wherever it stands."""
    words = telling[index - 1].words if index and telling[index].parted == "dash" else []
    return bool(words) and vocabulary.is_marker(words[-1]) and not telling[index - 1].numbers


def _is_at_edge(found: Scan, index: int, telling: list[Clause], *, is_asked_before: bool) -> bool:
    """The first thing said, the last, or a line of its own; what stands at the end must be surer."""
    part = telling[index]
    value = part.numbers[0].value
    if index == 0:
        following = telling[1].tokens[0].number if len(telling) > 1 and telling[1].parted != "line" else None
        # «пять, шесть дней ждали» is no five.
        is_listed = following is not None and 0 < following.value - value <= 2 and len(telling[1].tokens) > 1
        return not is_listed
    if is_asked_before:
        return False
    if part.parted == "line" and (index + 1 == len(telling) or telling[index + 1].parted == "line"):
        return True
    if index + 1 < len(telling):
        return False
    others = telling[:index]
    has_others = any(other.numbers and other.numbers[0].value != value for other in others) or any(
        token.is_cover for other in others for token in other.tokens
    )
    if part.parted == "sentence":
        return not (has_others and part.numbers[0].is_word)
    if has_others and not _is_verdict(found, part, others):
        return False
    if part.numbers[0].is_noun:
        return True
    if part.parted in ("dash", "conj") or has_others:
        last = telling[index - 1].words[-1:]
        return _is_verdict(found, part, others) or (bool(last) and _may_precede(last[0]))
    # «Всё понравилось, 10», but not «улица Русская, 5».
    words = [word for other in telling[:index] for word in other.words]
    if any(map(_WISHED.fullmatch, words)):
        return False  # «нужны аккуратные мастера, 2»
    is_opinion = any(vocabulary.is_opinion(word) or vocabulary.is_receiver(word) for word in words)
    return (
        is_opinion
        or vocabulary.OPINIONS.search(" ".join(words)) is not None
        or (len(words) == 1 and vocabulary.is_name(words[0]))
        or all(w in vocabulary.BEFORE for w in words)
    )


_WISHED = re.compile(r"нуж\w+|надо|хочу|хотим|хотел\w*|можно|давайте|приез\w+те|привез\w+те|need|want|please")
_BUT = re.compile(r"(?:но|зато|but)\s*$")
_PROMISED = re.compile(
    r"обеща\w+|заказ\w*|должн\w*|договор\w*|план\w*|сказал\w*|говорил\w*|хотел\w*|прос\w+|нуж\w+|promised|ordered|said|wanted"
)


def _is_verdict(found: Scan, part: Clause, others: list[Clause]) -> bool:
    """«3 дня ждали, но 9» sums up; «обещали 3 дня, но 9» goes on counting."""
    words = [word for other in others for word in other.words]
    is_counting = any(other.numbers for other in others) or any(map(_PROMISED.fullmatch, words))
    return bool(words) and not is_counting and _BUT.search(found.text, 0, part.start) is not None


def _may_precede(word: str) -> bool:
    """May a dash part this word from a score? «Монтаж — 5», but not «створок — 5»."""
    return bool(
        vocabulary.is_marker(word)
        or vocabulary.is_praise(word)
        or vocabulary.is_courtesy(word)
        or vocabulary.SUBJECTS.fullmatch(word)
        or vocabulary.is_receiver(word)
    )


def _leads(part: Clause, number: Number, top: int) -> bool:
    """«9 всё супер»: the first word of all is a number, and what follows is nothing that is counted."""
    index = next(at for at, token in enumerate(part.tokens) if token.number is number)
    if any(not _leaves_bare(token.word, is_after=False) for token in part.tokens[:index]):
        return False
    after = part.tokens[index + 1 :]
    if not after or not after[0].word or vocabulary.UNIT_OF_SCORE.fullmatch(after[0].word):
        return False
    word = after[0].word
    is_praise = 2 * number.value > top and _praises(after)
    if is_praise or all(vocabulary.CURSES.fullmatch(token.word) for token in after):
        return True
    if number.is_word and not number.is_noun:
        return vocabulary.is_courtesy(word) or vocabulary.is_praise(word)
    return vocabulary.may_follow(word, number.value)


def _praises(after: tuple[Token, ...]) -> bool:
    """«5 Олег молодец», «10 вы лучшие»."""
    words = [token.word for token in after[:2]]
    is_person = words[0] in ("вы", "ребята", "парни", "ворота") or vocabulary.is_name(words[0])
    return is_person and len(words) > 1 and vocabulary.is_praise(words[1])


def _trails(part: Clause, number: Number, top: int) -> bool:
    """«спасибо Олегу 10»: thanks or praise, and the number at the very end."""
    if number.is_word or part.tokens[-1].number is not number or any(token.is_cover for token in part.tokens):
        return False
    words = part.words
    if words[:1] == ["за"] and len(words) == 2 and 2 * number.value > top:
        return vocabulary.SUBJECTS.fullmatch(words[1]) is not None  # «за монтаж 8»; 2 may be its price
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
    is_before_word = (
        bool(after) and bool(after[0].word) and not vocabulary.may_follow(after[0].word, number.value)
    )
    return is_before_word and not is_first


def _taken(part: Clause, number: Number, rule: str, *, has_marker: bool = False) -> Candidate:
    """A clause that holds no other words leaves the comment whole, else only the number does."""
    has_marker = has_marker or any(vocabulary.is_marker(word) for word in part.words)
    rule = "marker" if has_marker and rule in ("whole", "edge") else rule
    is_only = _is_pure(part) and not any(
        vocabulary.is_courtesy(word) or vocabulary.is_praise(word) for word in part.words
    )
    start, end = (part.start, part.end) if is_only else (number.start, number.end)
    return Candidate(number, rule, start, end, has_marker)
