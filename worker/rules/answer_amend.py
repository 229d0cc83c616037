"""A number that takes the place of another: «не 5, а 4», «ой, 8», «я ошибся, 10»."""

import re

from worker.rules import answer_words as vocabulary
from worker.rules.answer_numbers import Clause, Scan
from worker.rules.answer_weigh import Candidate
from worker.rules.answer_words import NUMBER
from worker.rules.pattern import Pattern

AMENDED = "amended"  # the rule of a score that takes the place of one in an earlier message

# What people begin with who take back what they sent before; the words of the second list stand between.
_TAKEN_BACK = (
    r"(?:ой|упс|не+т|хотя|все ?(?:-?таки|же)|беру (?:свои )?слова (?:назад|обратно)|лучше"
    r"|передумал[аи]?|подумал[аи]?"
    r"|ошиб(?:ся|лась|лись|очка|очно|ка)"
    r"|опечат\w+|промахнул\w+|промазал[аи]?"
    r"|не (?:туда|то|ту|тот|там) (?:нажал|ткнул|написал|отправил|набрал)[аи]?"
    r"|(?:нажал|ткнул|написал|отправил|набрал)[аи]? не (?:туда|то|ту|тот)"
    r"|хотел[аи]? (?:поставить|написать|сказать|нажать)|хотел[аи]?|хочу поставить|имел[аи]? в виду|в смысле"
    r"|то есть|т\.? ?е\.?|точнее|вернее|исправл\w+|upd|update|sorry|oops|actually|i meant?|make it|no|wait)"
)
_BETWEEN = (
    r"(?:я же|я|и|а|это|на|ну|да|там|вам|тогда|пусть|будет|ставлю|поставлю|оценка|оценку|моя|кнопк\w+|цифр\w+"
    r"|пальцем|случайно|извин\w+|простите|пожалуйста|it s|a)"
)
_GAP = r"[\s,.:;!*()…-]+"
# So said it is a correction and nothing else: it may come hours after the score, and needs no second look.
_CERTAIN = Pattern(
    r"хотя нет|беру|передумал|ошиб|опечат|промах|промаз|нажал|ткнул|исправл"
    r"|поставить|в виду"
    r"|upd|oops|mean|make it"
)

_CORRECTIONS = tuple(
    Pattern(pattern)
    for pattern in (
        rf"(?<!\w)не (?:на )?{NUMBER}[ ,]*(?:конечно|увы)?[ ,]*\b(?:а|но) (?:на )?(?P<to>{NUMBER})",
        rf"{NUMBER}[^\w\d]*(?:то есть|т\.?е\.?|точнее|вернее|ой|упс|ошиб\w+|исправляю|пусть будет"
        rf"|хотя нет|нет|опечат\w+|хотел\w* написать|имел\w* в виду|в смысле|i mean|sorry|actually|oops"
        rf"|make it|no,? wait|no)[^\w\d]*(?:(?:это|на|ставлю|поставлю|лучше|все|таки|все-таки|извините"
        rf"|простите"
        rf"|пусть|будет) *,? *)*(?P<to>{NUMBER})",
        rf"(?:хотел\w*|думал\w*|собирал\w+|могл?[ао]? бы|был\w? бы|мог бы|поставил\w? бы|планировал\w*"
        rf"|wanted|would)(?: [а-яa-z]+)*? {NUMBER}[^\d]{{0,30}}?(?:но|а"
        rf"|but)(?! не )(?: [а-яa-z]+){{0,4}}? (?P<to>{NUMBER})",
        rf"скорее (?P<to>{NUMBER}) *,? *чем {NUMBER}",
        rf"(?P<to>{NUMBER}) *,? *(?:а не|вместо|not|instead of) {NUMBER}",
        rf"(?:исправ\w+|поменя\w+|измен\w+|замен\w+|меняю|change)(?: (?:мою|свою|оценку|my|it|rating"
        rf"|score|с|from)| {NUMBER}|[ \ue000]+)* (?:на|to) (?P<to>{NUMBER})",
        rf"(?<!\w)not (?:a )?{NUMBER} *(?:,|,? *but) *(?:a )?(?P<to>{NUMBER})",
        rf"(?:снижаю|понижаю|повышаю|поднимаю)(?: (?:мою|свою|оценку))* до (?P<to>{NUMBER})",
    )
)
# Atomic and possessive: «нет, нет, нет, …» without a number is not tried in every way to cut it.
_OPENING = Pattern(
    rf"\W*(?>{_BETWEEN}{_GAP})*+{_TAKEN_BACK}{_GAP}(?>(?:{_BETWEEN}|{_TAKEN_BACK}){_GAP})*+(?P<to>{NUMBER})"
)
# What only says once more that the number is a score: «3 балла», «3 из 10 возможных», «3 из 10 баллов».
_UNIT_AFTER = Pattern(rf" *(?:{vocabulary.UNIT_OF_SCORE.pattern}|возможн\w+(?: бал+ов)?|possible)(?!\w)")


def corrected(found: Scan, parts: list[Clause]) -> Candidate | None:
    """«не 5, а 4»: the number that takes the place of the other, where no third number stands by."""
    for pattern in _CORRECTIONS:
        if match := pattern.search(found.text):
            return _candidate(found, parts, match, is_certain=True)
    if match := _OPENING.match(found.text):
        return _candidate(found, parts, match, is_certain=_CERTAIN.search(found.text) is not None)
    return None


def _candidate(
    found: Scan, parts: list[Clause], match: re.Match[str], *, is_certain: bool
) -> Candidate | None:
    numbers = [n for part in parts for n in part.numbers]
    own = [n for n in numbers if match.start() <= n.start < match.end()]
    others = [n for n in numbers if n not in own]
    inside = [n for n in own if n.start == match.start("to")]
    if others or found.ranges or not inside or inside[0].is_school:
        return None
    after = re.match(r" *([a-zа-я]+)", found.text[match.end() :])
    if after and not inside[0].is_out_of_top and not vocabulary.may_follow(after[1], 0):
        return None
    start = 0 if not re.search(r"\w", found.text[: match.start()]) else match.start()
    # «Я ошибся, 10» amends what was sent before, «не 5, а 4» corrects itself.
    rule = AMENDED if len(own) == 1 else "correction"
    end = max(match.end(), inside[0].end)  # «3 из 10» ends with the ten
    if unit := _UNIT_AFTER.match(found.text, end):
        end = unit.end()
    return Candidate(inside[0], rule, start, end, has_marker=is_certain)
