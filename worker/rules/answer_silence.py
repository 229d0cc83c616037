"""A wish for silence: «стоп», «больше не пишите», alone, beside a score or among other words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from worker.rules.answer_wishes import bare_words, clauses, plain
from worker.rules.answer_words import NUMBER, is_courtesy, is_marker
from worker.rules.pattern import Pattern

_MORE = (
    r"(?:больше|ничего|боле|мне|нам|сюда|вообще|никогда|впредь|уже|пожалуйста|прошу|просим|просьба"
    r"|просил[аи]?|же|вас|наконец|наконец-то|да|мени|бильше|please|me|again|any ?more)"
)
_WHAT = (
    r"(?:ничего|(?:такие|эти|ваши|такое|это|свои|всякие|никаких|ваших|таких|этих"
    r"|всякую)?\s*(?:сообщени\w+|смс|sms|вопрос\w*|опрос\w*|рассылк\w+|спам\w*|реклам\w+|messages?"
    r"|questions?|surveys?|texts)|(?:эту|всякую|свою|вашу) (?:ерунду|чушь|фигню|хрень|гадость)"
    r")"
)


def _said(*phrases: str) -> Pattern:
    """Any of the phrases as a whole clause, with «больше», «мне», «пожалуйста» anywhere around."""
    # «непишите» in one word is as common as in two.
    glued = (phrase.replace("не ", "не§") for phrase in phrases)
    joined = "|".join(phrase.replace(" ", rf"(?:\s+{_MORE})*\s+") for phrase in glued)
    joined = joined.replace("§", rf"(?:(?:\s+{_MORE})*\s+)?")
    return Pattern(rf"(?:я\s+)?(?:{_MORE}\s+)*(?:{joined})(?:\s+{_MORE})*(?:\s+{_WHAT})?(?:\s+{_MORE})*")


# A sentence that can mean nothing else: it may stand beside other words.
_LEAVE_ME = _said(
    r"не (?:пиши|пишите|пешите|пишить|писать|присылай|присылайте|присылать|шли|шлите|слать|отправляйте"
    r"|отправлять"
    r"|спрашивай|спрашивайте|спрашивать|беспокой|беспокойте|беспокоить|тревожьте|доставайте|спамьте"
    r"|спамить|рассылайте|опрашивайте)(?: меня| нас)?",
    r"не (?:присылай|присылайте|присылать|шли|шлите|слать) (?:это|такое)",
    r"не (?:надо|нужно|стоит)(?: меня)? (?:писать|присылать|слать|беспокоить|спрашивать|опрашивать|отправлять"
    r"|спамить)(?: меня)?",
    r"не (?:задавай|задавайте|задавать) (?:вопрос\w*|опрос\w*)",
    r"(?:не (?:надо|нужно)|хватит|довольно) (?:ваших |этих |таких )?(?:вопросов|сообщений|опросов|рассылок)",
    r"(?:вопрос\w*|сообщени\w+|опрос\w*|рассылк\w+) не (?:надо|нужно|присылайте|присылать|шлите|слать"
    r"|задавайте)",
    r"(?:прекратите|прекратить|перестаньте|перестать|хватит|кончайте|прекращайте|довольно|остановите"
    r"|отмените)(?: меня)?"
    r" (?:писать|слать|присылать|спамить|спам|рассылку|беспокоить|опросы|спрашивать|опрашивать|отправлять"
    r"|надоедать)(?: меня| нас)?",
    r"(?:отпиши|отпишите|исключи|исключите|удали|удалите|убери|уберите|вычеркни|вычеркните|выпишите|отключите"
    r"|отписать|исключить|удалить"
    r"|убрать) (?:меня|нас|мой номер|мой телефон|мои контакты)(?: телефона)?(?: (?:из"
    r"|от) (?:\w+ )?(?:рассылк\w+|баз\w+|списк\w+|опрос\w*|контакт\w+|подписк\w+)| (?:от этого|отсюда))?",
    r"(?:писать|спамить|слать) (?:хватит|довольно)",
    r"(?:писать|присылать|слать|спрашивать|беспокоить)(?: меня)? не (?:надо|нужно|стоит)",
    r"не хочу чтобы (?:вы )?(?:писали|присылали|беспокоили|спрашивали)",
    r"можно не (?:писать|присылать|слать|беспокоить)",
    # Not «никаких вопросов»: that praises.
    r"никаких (?:опросов|сообщений|рассылок|смс)",
    r"не нужны (?:ваши |эти |такие )?(?:опросы|сообщения|рассылки)",
    r"(?:ваши |эти |такие )?(?:опросы|сообщения|рассылки) не нужны",
    r"чтобы (?:вы )?не (?:писали|присылали|беспокоили|спрашивали)",
    r"(?:прекратите|перестаньте|хватит) это (?:присылать|слать|отправлять|писать)",
    r"отпишитесь от меня",
    r"(?:удалите|сотрите|забудьте|уберите|удалить) (?:этот номер|мой номер|номер)",
    r"(?:отстань|отстаньте|отвали|отвалите|отвяжись|отвяжитесь)(?: вы)?(?: от меня)?",
    r"оставьте (?:меня|нас) в покое",
    r"(?:я )?не хочу (?:получать|отвечать|участвовать|видеть)(?: от вас)?(?: на)?(?: в)?",
    r"(?:я )?не (?:желаю|буду) (?:получать|участвовать|отвечать)(?: от вас)?(?: на)?(?: в)?",
    r"(?:я )?отказываюсь (?:от|получать|участвовать|отвечать)(?: на)?(?: в)?",
    r"(?:я )?(?:против|не согласен на|не согласна на) (?:рассылк\w+|опрос\w*|сообщени\w+)",
    r"(?:я )?(?:хочу|прошу|как|можно)(?: от (?:вас|этого|рассылки))? отписаться(?: от)?",
    r"(?:отменить|отмените|отменяю|отмена) (?:подписк[уи]|рассылк[уи])",
    r"(?:снимите|снять) (?:меня|нас|мой номер)(?: с| со)? (?:\w+ )?(?:рассылк\w+|подписк\w+|опрос\w*|учета)",
    r"(?:вы )?(?:достали|задолбали|замучили|надоели)(?: уже)?(?: вы)?(?: меня| нас)?(?: со| с)?"
    r" (?:своими|вашими|этими|этой|своей|вашей) (?:сообщениями|смсками|опросами|вопросами"
    r"|рассылками|рассылкой|спамом)",
    r"(?:(?:хочу|хотим|хотел бы|хотела бы) )?(?:отписаться|отписка|отказаться|откажусь|отказ) от",
    r"(?:избавь|избавьте) (?:меня|нас) от",
    r"не смей(?:те)? (?:писать|присылать|слать|отправлять|беспокоить)",
    r"запрещаю (?:вам )?(?:писать|присылать|слать|отправлять|беспокоить)",
    r"(?:отзываю|отозвать) (?:свое |мое )?согласие на",
    r"остановить (?:подписку|рассылку|опросы|сообщения)",
    r"stop (?:the )?promotions?",
    r"отключите? (?:рассылку|опросы|уведомления|сообщения)",
    r"не звоните",
    r"(?:please )?(?:do not|dont|don t|never|stop) (?:text|message|write|write to|contact|messaging"
    r"|texting|writing|writing to|contacting|sending|send|ask|asking|bother"
    r"|bothering)(?: me)?(?: messages)?",
    r"(?:please )?stop (?:(?:sending|texting) (?:this|these|stuff)|spam(?:ming)?(?: me)?)",
    r"(?:please )?quit (?:texting|messaging|contacting|writing)(?: me)?",
    r"(?:please )?do not disturb(?: me)?",
    r"(?:please )?take my number off(?: (?:your|the) (?:list|base|database))?",
    r"(?:please )?(?:remove|delete|forget|lose) my (?:phone )?number(?: (?:from|off) (?:your|the) \w+)?",
    r"(?:please )?(?:remove|delete|take) me(?: off| out)?(?: (?:from|of))?(?: (?:your|the"
    r"|this))?(?: (?:list|mailing list|base|database))?",
    r"(?:please )?unsubscribe(?: me)?(?: from (?:this|your|the) list)?",
    r"leave me alone",
    r"no more (?:messages|questions|surveys|texts)",
    r"(?:i )?(?:(?:want|wish|would like) to )?(?:opt out|unsubscribe)",
    r"(?:i )?(?:do not|dont|don t) want (?:to (?:receive|get) )?(?:any )?(?:your |these )?"
    r"(?:messages|surveys|texts|questions)",
)
# Words that mean it only if nothing else is said; «хватит» alone may as well answer somebody's «Хватит двух?»
# and goes to a person. «Cnjg» is «стоп» on the wrong keyboard.
_STOP = Pattern(
    r"(?:(?:да|ну)\s+)?(?:сто+п+|stop+|stop all|stop it|stop this|cnjg|отписка|отписаться|отписатся|отписать"
    r"|отпишите|отпишись"
    r"|отписываюсь|отписывайте|отпишитесь|хватит уже|прекратите|прекратите это|перестаньте|остановитесь"
    r"|не спрашивать|не беспокоить|(?:больше )?не (?:надо|нужно) больше|больше не (?:надо|нужно)"
    r"|(?:это )?спам|спам стоп|стоп (?:спам|рассылка|опросы?|вопросы)|unsubscribe|unsub|quit|cancel|end"
    r"|opt ?-?out|do not ask)(?:\s+(?:стоп|stop|уже|пожалуйста|please))*"
)
# Right beside a number the others may count or mean something: «хватит 2».
_BESIDE_NUMBER = Pattern(r"(?:стоп|stop|cnjg|отпи|unsub|opt).*")
_NO_CALLS = Pattern(r"(?:больше )?не ?звоните(?: мне)?(?: больше)?")
# With these beside it «не пишите» is about the way or the time, not about us: a plea for another way wherever
# it stands, a word about a way or a time in the clause before or after.
_PLEA = Pattern(
    r"(?<!не )\b(?:позвон|перезвон|набер|звон|напиш|пиш|спрос)(?!\w*л[аои]?\b|к|\w*ете\b)\w*|\bcall\b|instead"
)
_WAY_OR_TIME = Pattern(
    r"лучше|почт[уеа]|e-?mail|телеграм\w*|ватсап\w*|вацап\w*|вотсап\w*|whatsapp|telegram|вечером|утром|ночью"
    r"|завтра|сегодня|сейчас|пока|если|рабочее|выходн\w+|mail|tonight|night"
)
# «Не присылайте, сам заберу» is about a thing, unless it says which messages, or that they are all of them.
_SENDING = Pattern(r"\b(?:присыл|отправл|шли|сла)\w*")
_MESSAGES = Pattern(r"сообщ|смс|sms|вопрос|опрос|рассыл|спам|реклам|больше|ничего|никогда")
_MYSELF = Pattern(r"\bсам[аи]?\b")
# Beside these «stop» is still all that is said: «not interested, stop».
_REFUSED = Pattern(
    r"(?:i m |i am )?not interested|wrong number|no(?: thanks| thank you)?|нет|(?:мне |нам )?не интересно"
    r"|(?:вы )?(?:ошиблись|не туда попали)(?: номером)?|я не ваш клиент"
)
# «Олег сказал, не пишите больше» tells what somebody else wants; «я уже сказал» is the client's own wish.
_REPORTED = Pattern(
    r".*\b(?:сказал[аи]?|говорит|говорят|пишет|написал[аи]?|ответил[аи]?|передал[аи]?|said|says|told me)"
)
_OWN = Pattern(r"\b(?:я|мы|вам|уже|i|we|you)\b")
_SHORT = 2  # words: «Пока рано, не пишите» is about the time, «Вчера вечером приехали пьяные, …» is not
# What people exclaim in the same breath: «2 больше не пишите ужас».
_EXCLAIMED = Pattern(
    r"ужас|кошмар|жуть|позор|отстой|безобразие|достали|надоели|надоело|блин|уже|теперь|из|of|на"
)
_WORD = Pattern(rf"{NUMBER}|[^\W_](?:[\w-]*\w)?")


@dataclass(frozen=True, slots=True)
class _Clause:
    """A clause without the numbers, thanks and exclamations at its ends, and where the rest stands."""

    start: int
    end: int
    words: str
    whole: str
    has_number: bool

    @property
    def is_strong(self) -> bool:
        without = " ".join(word for word in self.words.split() if not is_courtesy(word) or word == "всем")
        return any(_LEAVE_ME.fullmatch(words) for words in (self.words, self.whole, without))

    @property
    def is_weak(self) -> bool:
        is_said = _STOP.fullmatch(self.words) is not None
        return is_said and (not self.has_number or _BESIDE_NUMBER.fullmatch(self.words) is not None)


def opt_out_spans(folded: str) -> list[tuple[int, int]] | None:
    """Where a wish for no more questions is said, or None if nobody wishes that.

    The caller sees to what is left: with a single word («стоп») that may only be a score or a courtesy.
    """
    if _STOP.fullmatch(bare_words(folded)) or _STOP.fullmatch(plain(folded)):
        return [(0, len(folded))]
    said = [_read(folded, start, end) for start, end in clauses(folded)]
    strong = [index for index, clause in enumerate(said) if clause.is_strong]
    if strong and _is_meant(folded, said, strong):
        return [(said[index].start, said[index].end) for index in strong]
    weak = [index for index, clause in enumerate(said) if clause.is_weak]
    rest = [clause for index, clause in enumerate(said) if index not in weak]
    if weak and "?" not in folded and all(map(_adds_nothing, rest)):
        return [(said[index].start, said[index].end) for index in weak]
    return None


def _read(folded: str, start: int, end: int) -> _Clause:
    words = list(_WORD.finditer(folded, start, end))
    first, last = 0, len(words)
    while first < last and _is_beside(words[first][0]):
        first += 1
    while last > first and _is_beside(words[last - 1][0]):
        last -= 1
    cut = (words[first].start(), words[last - 1].end()) if first < last else (start, end)
    left = [word[0] for word in (*words[:first], *words[last:])]
    return _Clause(
        *cut,
        words=plain(folded[cut[0] : cut[1]]),
        whole=plain(folded[start:end]),
        has_number=any(_is_number(word) for word in left),
    )


def _is_beside(word: str) -> bool:
    return bool(_is_number(word) or is_courtesy(word) or is_marker(word) or _EXCLAIMED.fullmatch(word))


def _is_number(word: str) -> bool:
    return re.fullmatch(NUMBER, word) is not None


def _is_meant(folded: str, said: Sequence[_Clause], strong: Sequence[int]) -> bool:
    if all(_NO_CALLS.fullmatch(said[index].words) for index in strong):
        return False  # «Не звоните» alone asks for letters, not for silence.
    telling = [index for index, clause in enumerate(said) if not _says_nothing(clause)]
    is_at_edge = strong[0] == telling[0] or strong[-1] == telling[-1]
    if "?" in folded and not is_at_edge:
        return False  # «Сюда не пишите, что ли, где акт?»
    rest = [clause.whole for index, clause in enumerate(said) if index not in strong]
    if any(_PLEA.search(words) for words in rest):
        return False
    return not any(_is_another_way(said, index) or _is_reported(said, index) for index in strong)


def _is_another_way(said: Sequence[_Clause], index: int) -> bool:
    before = said[index - 1].whole if index else ""
    after = said[index + 1].whole if index + 1 < len(said) else ""
    words = said[index].words
    if _SENDING.search(words) and not _MESSAGES.search(words) and _MYSELF.search(f"{before} {after}"):
        return True
    is_short = len(before.split()) <= _SHORT
    return bool(_WAY_OR_TIME.search(after) or (is_short and _WAY_OR_TIME.search(before)))


def _is_reported(said: Sequence[_Clause], index: int) -> bool:
    before = said[index - 1].whole if index else ""
    return _REPORTED.fullmatch(before) is not None and " " in before and not _OWN.search(before)


def _says_nothing(clause: _Clause) -> bool:
    return all(_is_beside(word) or len(word) == 1 for word in clause.whole.split())


def _adds_nothing(clause: _Clause) -> bool:
    return _says_nothing(clause) or _REFUSED.fullmatch(clause.whole) is not None
