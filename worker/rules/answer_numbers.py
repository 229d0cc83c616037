"""Numbers in a reply: what is certainly no score is covered, what is left is told apart clause by clause."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from worker.rules import answer_words as vocabulary
from worker.rules.answer_words import (
    GLUED_NUMBER,
    LABELS,
    MARK,
    NUMBER,
    OBLIQUE,
    PREPOSITIONS,
    ROUGHLY,
    UNITS,
    WORD_VALUES,
)
from worker.rules.pattern import Pattern
from worker.rules.scale import Scale

COVER = "\ue000"  # stands for each character of a number that is no score
_ANY = WORD_VALUES | OBLIQUE
_EDGE = r"(?<![\w.,/])"

# Looked for where a word begins: from each of its letters a long one would take minutes.
_LINK = Pattern(
    r"(?:https?://|www\.)\S+|(?<!\S)\S+@\S+|@\w+"
    r"|\b(?<!\w)(?<!\w-)[\w-]+\.(?:ru|com|рф|me|org|net|su|info)\b\S*"
)
_EMOTICON = Pattern(r"(?<!\w)[:;=]-?[)(]+|[:;=]-?[)(dp]+(?!\w)|\bxd\b")
_DATE = Pattern(
    rf"{_EDGE}\d{{1,4}}[./-]\d{{1,2}}[./-]\d{{2,4}}(?!\d)|{_EDGE}\d{{1,2}}[.]0\d(?!\d)"
    rf"|{_EDGE}0\d[./]\d{{1,2}}(?!\d)"
)
_TIME = Pattern(r"\d{1,2}:\d{2}(?::\d{2})?")
_PHONE = Pattern(r"\+?\d(?:[ ()-]{0,2}\d){6,}|(?<!\d)\d{2,3}-\d{2}-\d{2}(?!\d)|\+\d[\d ()-]{4,}\d")
_GLUED = Pattern(
    r"[a-zа-я_]{2,}-\d+[\w-]*|\d+-?(?:й|я|е|ый|ая|ое|ий|го|му|ого|ом|ка|ку|ки|th|st|nd|rd)(?![a-zа-я])"
    r"|[a-zа-я_]\d[\w-]*|\d+(?!\s*(?:бал|из|of))[a-zа-я_]\w*"
)
_SUMS = Pattern(r"[$€₽№#]\s?\d[\d\s]*|\d[\d ]*\s?[%$€₽]|(?<![\d.,])\d{1,3}(?: \d{3})+(?!\d)")
_UNIT_AFTER = rf" *-? *(?:\w+[ыи]х +)?{UNITS}"
_SPAN = Pattern(rf"({NUMBER}) *(-|или|,|и|до) *({NUMBER}){_UNIT_AFTER}")
_UNIT = Pattern(rf"{NUMBER}(?:[.,]\d+)?{_UNIT_AFTER}")
_ROUGH = Pattern(rf"(?<![\w]){ROUGHLY}\s+{NUMBER}")
_LABELLED = Pattern(rf"(?<![\w]){LABELS}\s*[:#№-]?\s*{NUMBER}")
_SCHEDULE = Pattern(rf"(?<![\w])(?:с|со|from)\s+{NUMBER}\s+(?:до|по|to|till|until)\s+{NUMBER}")
_AFTER_PREPOSITION = Pattern(
    rf"(?<![\w]){PREPOSITIONS}\s+{NUMBER}(?:\s*(?:-|до|и)\s*{NUMBER})?(?!\s*(?:бал|из\b))"
)
_RATED = Pattern(
    r"(?:(?:оцен\w+|ставлю|поставлю)(?:\s+\w+){0,3}|снижаю|понижаю|повышаю|поднимаю"
    r"|\bchange(?:\s+\w+){0,2})\s*$"
)
_SCALE_ENDS = Pattern(
    rf"(?:on a scale\s+)?(?:по\s+)?(?:шкал\w+\s+)?(?:от|from|of)\s+({NUMBER})\s+(?:до|to)\s+({NUMBER})"
)
# «100% 10» is a ten without a doubt, «на 10 не тянет» is none, and a signature says nothing about either.
_CERTAINLY = Pattern(
    r"(?<!\w)(?:(?:100+|сто) ?(?:%|процентов(?!\w))|(?:на все (?:100|сто)"
    r"|(?:если )?честно(?: говоря| сказать)?"
    r"|от (?:меня|нас)(?: лично)?|от (?:нашей|всей) семьи|на мой взгляд|по[- ]моему(?: мнению)?|с меня"
    r"|я бы? сказал[аи]?"
    r"|по (?:вашей|этой|такой) шкале|i(?: d| ll| would| will)? go with|going with|overall|honestly|all in all"
    r"|в (?:общем|итоге)|i (?:guess|think|suppose|believe|reckon)|for sure|скажу честно"
    r"|без (?:сомнени[йя]|вопросов|раздумий)|конечно же)(?!\w))"
)
_NOT_REACHED = Pattern(
    rf"(?<!\w)почти\s+{NUMBER}(?=\s*,?\s*но\b)|(?:(?<!\w)(?:на|до)\s+)?(?:{NUMBER}|{MARK})\s+не\s+(?:\w{{0,2}}тя[нг]\w+|\w{{0,2}}став\w+|заслуж\w+|хватило"
    rf"|выходит|быва\w+)"
)
# «9, было бы 10, если бы не грязь»: what it would have been, up to the end of the clause.
_WOULD_BE = Pattern(
    rf"(?<=[\s,.;(-])(?:был[аои]?\s+бы|(?:it\s+)?would\s+(?:be|have\s+been)\s+(?:an?\s+)?)\s*{NUMBER}"
    r"(?:,?\s*(?:если|if)[^.!?\n,]*)?"
)
_SLIPPED = Pattern(r"(?<=!!)1+(?!\S)")  # «10!!!1»: the finger left the key
_MINUS_FOR = Pattern(r"(?<!\w)минус(?=\s+за\s)")  # «8 минус за опоздание»
# «1) замер хорошо 2) монтаж плохо»: a list; which of its numbers is meant nobody knows.
_LIST = Pattern(r"(?s)\A\s*1[.)]\s*\S.*\s2[.)]\s*\S")
_LIST_NUMBER = Pattern(r"(?<!\S)[1-9][.)](?!\d)")
# Below the score, on lines of their own: «Оценка 7\n1. Опоздали\n2. Не убрали».
_LIST_BELOW = Pattern(r"(?s)\S\s*\n\s*1[.)]\s*\S.*\n\s*2[.)]\s*\S")
_LINE_NUMBER = Pattern(r"(?<=\n)[ ]*[1-9][.)](?!\d)")
_SIZE = Pattern(
    rf"{_EDGE}{NUMBER}\s+на\s+{NUMBER}|{_EDGE}\d+(?:[.,]\d+)?(?:\s*[xх×]\s*\d+(?:[.,]\d+)?){{1,2}}(?!\w|[.,]\d)"
)
_CHANGED = Pattern(r"(?:исправ|поменя|измен|замен|меня)\w*(?:\s+\w+)?(?:\s+с)?\s*$")
_SIGNATURE = Pattern(r"(?<!\w)с\s+уважением(?!\w)[^\d\n]{0,40}$")
_CARDINAL_ENDING = Pattern(r"(?<=\d)-?(?:мь|ть)(?![a-zа-я])|(?:(?<=[6-9])|(?<=10))-?к[ау](?![a-zа-я])")
_SYSTEM = Pattern(
    r"(?:по\s+)?(?:(\d+)\s*-?\s*(?:ти|х)?-?\s*|(пяти|десяти|сто)-?)бал+ьн\w*(?:\s+(?:шкал\w+|систем\w+))?"
)
_OUT_OF = Pattern(
    rf"{_EDGE}(?P<sign>-)?(?P<n>{GLUED_NUMBER}|{MARK}) *(?:бал+\w* *|points? *|звезд\w* *)?\(? *(?:из|iz|of"
    rf"|out +of|outta"
    rf"|/) *(?P<m>{GLUED_NUMBER}|max\b|максимум\w*)(?: *-?(?:ти|х)|-?и)?(?!\w|[/.,-]\d)\)?"
)
_RANGE = Pattern(
    rf"{_EDGE}({NUMBER}) *(?:-+|\.\.+|,? *(?:ну|а)? *(?:или|либо)|or|to) *({NUMBER})(?![\d-])(?![.,/:]\d)"
)
_FROM_TO = Pattern(
    rf"(?:от|from) +({NUMBER}) +(?:до|to) +({NUMBER})|(?:между|between) +({NUMBER}) +(?:и|and) +({NUMBER})"
)
_TIME_WITH_DOT = Pattern(rf"(?<!\w){PREPOSITIONS} +\d+[.,]\d+")
_OF_TOP_FIRST = Pattern(
    rf"(?<!\w)из\s+({NUMBER})\s+(?:возможных\s+)?бал+ов(?=[\s:-]+(?:\w+\s+)?{NUMBER})"
)  # «из 10 баллов 9»
_DECIMAL = Pattern(
    rf"{_EDGE}(?P<n>\d{{1,3}})(?:[.,]\d+|\s*[½¼¾⅓⅔⅛])(?![\d:])|{_EDGE}(?P<w>{NUMBER})\s+с\s+половин\w+"
)

TOKEN = Pattern(
    r"(?P<minus>(?<![\w)])-)?(?P<num>\d+)(?P<sign>\s?\++(?!\s?\d)|-+(?=[\s.,!)?]|$))?"
    rf"|(?P<word>[a-zа-я][a-zа-я]*(?:-[a-zа-я]+)*)|(?P<cover>{COVER}+)|(?P<plus>\+)"
)
# «пять с плюсом», «4 с минусом», and the same in signs.
_WITH_SIGN = Pattern(r"\s+с\s+(?:большим\s+|жирным\s+)?(плюс\w*|минус\w*)")


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a reply: where it stands, and how it was written."""

    value: int
    start: int
    end: int
    is_word: bool = False
    is_noun: bool = False  # «троечка», «девятка»: a mark, whatever stands around it
    is_school: bool = False  # «пятёрка», «5+»: on a ten-point scale nobody knows what is meant
    is_out_of_top: bool = False  # «9 из 10»


@dataclass(frozen=True, slots=True)
class Token:
    start: int
    end: int
    word: str = ""
    number: Number | None = None
    is_cover: bool = False


@dataclass(frozen=True, slots=True)
class Clause:
    """`parted` is what stands before it: start, sentence, line, comma, dash or conj."""

    start: int
    end: int
    parted: str
    tokens: tuple[Token, ...]
    is_question: bool = False

    @property
    def numbers(self) -> list[Number]:
        return [token.number for token in self.tokens if token.number is not None]

    @property
    def words(self) -> list[str]:
        return [token.word for token in self.tokens if token.word]


@dataclass(slots=True)
class Scan:
    """A folded reply with whatever is certainly no score covered."""

    scale: Scale
    text: str
    ranges: list[tuple[int, int]] = field(default_factory=list)  # «8-9», «7 или 8», «8,5»
    is_doubtful: bool = False  # «4 из 5» on a ten-point scale: a score, but of another scale
    fractions: dict[int, Number] = field(default_factory=dict)  # «9 из 10», by where it starts

    @property
    def top(self) -> int:
        return self.scale.last


def scan(folded: str, scale: Scale) -> Scan:
    """Cover links, phones, dates, sums, units and the like; note ranges, fractions and other scales.

    The order matters: «8-9 дней» is a span before it is a range, and a range before «9» is a score.
    """
    found = Scan(scale, _EMOTICON.sub(lambda match: " " * len(match[0]), folded))
    if _LIST.search(found.text):
        found.is_doubtful = True
        _cover(found, _LIST_NUMBER, fill=" ")
    elif _LIST_BELOW.search(found.text):
        _cover(found, _LINE_NUMBER, fill=" ")
    if re.match(rf"\W*{NUMBER}", found.text):
        _cover(found, _WOULD_BE, fill=" ")
    for pattern in (_CERTAINLY, _SLIPPED, _MINUS_FOR, _SIGNATURE, _CARDINAL_ENDING):
        _cover(found, pattern, fill=" ")
    for pattern in (_LINK, _TIME, _PHONE, _DATE, _SUMS):
        _cover(found, pattern)
    _cover(found, _OF_TOP_FIRST, lambda match: _value(match[1]) == found.top, fill=" ")
    _cover(found, _SCALE_ENDS, lambda match: _is_whole_scale(found, match), fill=" ")
    _cover(found, _SCHEDULE)
    _cover(found, _SYSTEM, lambda match: _check_system(found, match), fill=" ")
    _cover(found, _SPAN, _is_span)
    _cover(found, _SIZE, lambda match: not _CHANGED.search(found.text[: match.start()]))
    _cover(found, _UNIT, lambda match: not _is_gate_praised(found, match))
    for pattern in (_ROUGH, _LABELLED, _TIME_WITH_DOT):
        _cover(found, pattern)
    _cover(found, _NOT_REACHED, fill=" ")
    _cover(found, _DECIMAL, lambda match: _note_range(found, _value(match["n"] or match["w"]), None))
    _cover(found, _FROM_TO, lambda match: _note_range(found, *_pair(match)))
    _cover(found, _RANGE, lambda match: _note_range(found, *_pair(match)))
    _cover(found, _OUT_OF, lambda match: _note_fraction(found, match))
    _cover(found, _GLUED, lambda match: not _is_only_glued(match[0]))
    _cover(found, _AFTER_PREPOSITION, lambda match: not _RATED.search(found.text[: match.start()]))
    return found


def clauses(found: Scan) -> list[Clause]:
    """The reply, cut at punctuation and at «но», «а», «и»."""
    cut: list[Clause] = []
    at, parted = 0, "start"
    for end in [*_ENDS.finditer(found.text), None]:
        stop = end.start() if end else len(found.text)
        if tokens := tuple(_tokens(found, at, stop)):
            is_question = end is not None and "?" in end[0]
            cut.append(Clause(at, stop, parted, tokens, is_question))
            parted = "conj"
        if end is not None:
            parted = max(parted, _kind(end[0]), key=_STRENGTH.index)
            at = end.end()
    return cut


_ENDS = Pattern(
    r"\n+|[.!?;…]+|[,(]+|(?<=\s)-+(?=\s)|(?<=[a-zа-я])-+(?=\s)|\b(?:но|а|и|зато|однако|but|and)\b"
)
_STRENGTH = ("conj", "dash", "comma", "sentence", "line", "start")


def _kind(separator: str) -> str:
    if "\n" in separator:
        return "line"
    if separator[0] in ".!?;…":
        return "sentence"
    if separator[0] in ",(":
        return "comma"
    return "dash" if separator[0] == "-" else "conj"


def _tokens(found: Scan, start: int, stop: int) -> Iterator[Token]:
    at = start
    while match := TOKEN.search(found.text, at, stop):
        at = match.end()
        if fraction := found.fractions.get(match.start()):
            yield Token(fraction.start, fraction.end, number=fraction)
            at = fraction.end
        elif match["cover"]:
            yield Token(match.start(), match.end(), is_cover=True)
        elif match["num"] or match["word"] in WORD_VALUES:
            number = _number(found, match, stop)
            yield Token(number.start, number.end, number=number)
            at = number.end
        elif match["word"]:
            yield Token(match.start(), match.end(), word=match["word"])
        elif match["plus"] and re.match(r"\s?\d", found.text[at:stop]):
            yield Token(match.start(), match.end(), is_cover=True)  # «+5» is agreement or a phone


def _number(found: Scan, match: re.Match[str], stop: int) -> Number:
    end, sign = match.end(), bool(match["sign"])
    if with_sign := _WITH_SIGN.match(found.text, end, stop):
        end, sign = with_sign.end(), True
    if match["num"]:
        value, is_word = int(match["num"][:9]), False
    else:
        value, is_word = WORD_VALUES[match["word"]], True
    if match["minus"]:
        value = -value
    is_mark = is_word and match["word"] in vocabulary.SCHOOL_MARKS
    is_noun = is_mark or (is_word and match["word"] in vocabulary.NOUNS)
    # «10+» can only be a ten, «5+» on a ten-point scale is a school mark.
    is_school = found.top > 5 and (is_mark or (sign and value <= 5))
    return Number(value, match.start(), end, is_word=is_word, is_noun=is_noun, is_school=is_school)


def _cover(
    found: Scan,
    pattern: Pattern,
    agrees: Callable[[re.Match[str]], bool] | None = None,
    *,
    fill: str = COVER,
) -> None:
    def replace(match: re.Match[str]) -> str:
        return fill * len(match[0]) if agrees is None or agrees(match) else match[0]

    found.text = pattern.sub(replace, found.text)


def _value(text: str) -> int:
    return int(text[:9]) if text.isdecimal() else _ANY[text]


def _is_whole_scale(found: Scan, match: re.Match[str]) -> bool:
    """«от 1 до 10» names the scale; «от 7 до 8» is a range."""
    return (_value(match[1]), _value(match[2])) == (found.scale.first, found.top)


def _check_system(found: Scan, match: re.Match[str]) -> bool:
    of = int(match[1]) if match[1] else {"пяти": 5, "десяти": 10, "сто": 100}[match[2]]
    found.is_doubtful |= of != found.top
    return True


def _is_only_glued(text: str) -> bool:
    """«балл9» and «10спасибо» lack a space; «5а» and «r10» are names of something."""
    word = re.sub(r"^\d+", "", text)
    return vocabulary.is_marker(text.split("-")[0]) or (
        word != text and len(word) > 1 and vocabulary.may_follow(word, 0)
    )


def _is_span(match: re.Match[str]) -> bool:
    """«4, 40 минут ждали» is a score and a time; «2, 3 раза» is a time."""
    return match[2] not in (",", "и") or 0 < _value(match[3]) - _value(match[1]) <= 2


def _is_gate_praised(found: Scan, match: re.Match[str]) -> bool:
    """«10 ворота супер»: ten gates would be «10 ворот»."""
    after = re.match(r" +([a-zа-я]+)", found.text[match.end() :])
    return match[0].endswith(" ворота") and after is not None and vocabulary.is_praise(after[1])


def _pair(match: re.Match[str]) -> tuple[int, int]:
    a, b = (_value(text) for text in match.groups() if text)
    return a, b


def _note_range(found: Scan, a: int, b: int | None) -> bool:
    """`b` None: something between `a` and the next number."""
    if a == b:
        return False  # «9 - девять»
    to = a + 1 if b is None else b
    if a in found.scale and to in found.scale and a != to and (a, to) != (found.scale.first, found.top):
        found.ranges.append((a, to))
    else:
        found.is_doubtful = True
    return True


def _note_fraction(found: Scan, match: re.Match[str]) -> bool:
    of = found.top if match["m"].startswith(("max", "макс")) else _value(match["m"])
    after = re.match(r"\s*([a-zа-я]+)", found.text[match.end() :])
    is_followed = after is not None and not after[1].startswith("возможн")
    counts_things = is_followed and after is not None and not vocabulary.may_follow(after[1], 0)
    value = _value(match["n"]) * (-1 if match["sign"] else 1)
    if counts_things:
        return True  # «9 из 10 пультов»
    if of != found.top:
        if "/" in match[0] and of == value + 1 and value > 5 and of in found.scale:
            found.ranges.append((value, of))  # «8/9», where «4/5» is of another scale
        else:
            found.is_doubtful = True
        return True
    found.fractions[match.start()] = Number(value, match.start(), match.end(), is_out_of_top=True)
    return False
