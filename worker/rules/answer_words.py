"""The words that the answer reader knows: numbers, markers, courtesies, units, in Russian and English.

All are small letters without ё, as `answer_text.fold` makes them.
"""

import re

from worker.rules.given_names import FEMALE, MALE


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _table(lines: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in lines.strip().splitlines():
        value, words = line.split(maxsplit=1)
        found |= dict.fromkeys(words.split(), int(value))
    return found


# Numbers, with the misspellings that people make.
NUMBERS = _table("""
    0 ноль нуль нолик нулик zero
    1 один one
    2 два two
    3 три three
    4 четыре четырe чотыре читыре четыри four
    5 пять пятъ пъять five
    6 шесть шэсть шесьть six
    7 семь сем симь жети seven
    8 восемь восемъ восем восимь восьмь восьем висим сегиз vosem eight
    9 девять дивять девить девядь деветь деаять девят девть девъять тогыз devyat nine
    10 десять десяь desyat десить десеть дисять десят дестять ten
    11 одиннадцать eleven
    12 двенадцать twelve
    15 пятнадцать
    20 двадцать
    100 сто сотня сотка сотку hundred
    1000 тысяча тысячу миллион
""")

# Of whom nobody says on a ten-point scale that they mean a 5 of 10.
SCHOOL_MARKS = _table("""
    1 кол кола колом
    2 двойка двойку двойки двойкой двоечка двоечку двояк
    3 тройка тройку тройки тройкой троечка троечку трояк
    4 четверка четверку четверки четверкой четверочка четверочку
    5 пятерка пятерку пятерки пятеркой пятерочка пятерочку пятак пятера
""")

# Nouns of the ten-point scale: no school has them.
NOUNS = _table("""
    1 единица единицу единичка единичку
    6 шестерка шестерку шестерочка шестерочку
    7 семерка семерку семерочка семерочку
    8 восьмерка восьмерку восьмерочка восьмерочку
    9 девятка девятку девяточка девяточку
    10 десятка десятку десяточка десяточку
""")

# Only in «от семи до восьми», «девять из десяти» and the like.
OBLIQUE = _table("""
    1 одного
    2 двух
    3 трех
    4 четырех
    5 пяти
    6 шести
    7 семи
    8 восьми
    9 девяти
    10 десяти
    100 ста
""")

WORD_VALUES = NUMBERS | SCHOOL_MARKS | NOUNS

_MARKS = "|".join(sorted(SCHOOL_MARKS | NOUNS, key=len, reverse=True))
_WORDS = "|".join(sorted(NUMBERS | OBLIQUE, key=len, reverse=True))
NUMBER = rf"(?<!\w)(?:\d+|{_WORDS})(?![a-zа-я])"
# «9из10», «10ти»: letters may follow the digits.
MARK = rf"(?<![a-zа-я])(?:{_MARKS})(?![a-zа-я])"  # «трояк из 10»
GLUED_NUMBER = rf"(?:\d+|(?<![a-zа-я])(?:{_WORDS})(?![a-zа-я]))"

_MARKER = re.compile(
    r"оценк\w*|оценива\w+|оценю|оценил|оценила|ставлю|поставлю|поставим|ставим|поставил|поставила|даю|дам"
    r"|повторяю|отвечал|отвечала|писал|писала|бал+|бал+а|бал+ов|бал+ы|звезд|звезда|звезды|звездочк\w+"
    r"|rate|rating|score|give|points?|stars?"
)
UNIT_OF_SCORE = re.compile(r"бал+|бал+а|бал+ов|бал+ы|звезд|звезда|звезды|звездоч\w+|points?|stars?")
STARS = re.compile(r"звезд\w*|stars?")

# Before a number these words leave it a bare number.
BEFORE = _set("""
    я мы ну да нет итак думаю считаю наверное наверно пожалуй скорее точно однозначно конечно
    обязательно безусловно вам твердая твердую твердое твердый уверенная уверенную крепкая крепкую
    чистая моя мою мой наша общая итоговая итого в целом целом на ответ будет пусть пускай короче ой
    извините простите точнее вернее исправляю исправьте i d ll m would will you a an it its is my of
    все максимум примерно где-то твердо вроде кажется допустим скажем ладно даже и уверенно смело
    заслуженно заслуженная заслуженную заслуженные
    s re let only just perfect straight strong solid definitely probably say lets our the answer maybe
    absolutely surely easily
    давайте пишите запишите пиши ставьте поставьте
    порекомендую рекомендую только лишь полная полные
    полных
""")

# After it, too.
AFTER = _set("""
    все всё однозначно конечно точно обязательно безусловно пожалуй наверное наверно думаю вам ребята
    ребят всем очень пока да же вот так
    ставьте поставьте пишите легко смело заслуженно уверенно definitely sure
    probably all from me с удовольствием радостью
""")

_COURTESY = re.compile(
    r"спасиб\w*|спс|рахмет|рахмат|дякую|благодар\w*|пожалуйста|плиз|пж|пжл|здравствуй\w*|здрасте"
    r"|привет\w*|добр(ый|ого|ое|ой)"
    r"|день|дня|вечер|вечера|утро|утра|больш(ое|ущее|им)|огромн(ое|ым)|всем|вам|заранее|уважением?|всего"
    r"|хорошего|удачи|thanks?|thx|cheers|thank|you|please|pls|plz|hi|hello|hey|dear|so|much|very|ok|ок|окей"
)
_PRAISE = re.compile(
    r"отличн\w*|супер\w*|хорош\w*|прекрасн\w*|замечательн\w*|великолепн\w*|шикарн\w*|класс|классн\w*"
    r"|круто|крутые|топ|огонь|молод(цы|ец|чин\w+)|умниц\w+|понравил\w+|нравится|доволь\w+|довол\w+"
    r"|идеальн\w*|превосходн\w*|чудесн\w*|быстро|качественн\w*|вежлив\w+|устро(ил|ило|ила|или)|устраивает"
    r"|рекомендую|советую|рекомендуем|лучш(ие|ая|ий)|нормальн\w*|норм|неплохо|приятн\w+|профессионал\w*"
    r"|красав\w+|great|good|excellent|perfect|awesome|nice|super|cool|amazing|love|best"
)
# Words that say nothing by themselves: beside praise they leave a number bare.
FILLERS = _set("все было очень и так это вообще в целом job work everything was the very all is")
_OPINION = re.compile(
    r"плох\w*|ужас\w*|кошмар\w*|долго|дольше|медленн\w*|дорог\w*|высок\w*|грубо|слабо|средн\w*|грязн\w*"
    r"|опозда\w+|задерж\w+|легко|сложно|трудно|тяжело|просто|easy|hard|difficult|сделали|приехали|привезли|установили|ок|ok|окей|четк\w*|вовремя|аккуратн\w*"
    r"|культурн\w*|грамотн\w*|оперативн\w*|удобн\w*|надежн\w*|порадовал\w*|зачет|респект|fine|everything"
    r"|smooth\w*|happy|satisfied|pleased|friendly|professional\w*|quick\w*|fast|well|recommend\w*|bad"
    r"|terrible|slow|poor|late|expensive"
)
# Of several words: «так себе, 6», «порекомендовала бы, 9».
OPINIONS = re.compile(
    r"\bтак себе\b|\b(?:рекомендов|порекомендов|советов|посоветов)\w+ бы\b|\bбуду рекоменд|^все (?:ок"
    r"|норм|супер|как|было|на (?:высоте|уровне)|устр|сдела|рабо|в порядке)"
    r"|\bбез (?:нареканий|замечаний|проблем|претензий|вопросов)\b"
)
# What may stand right after a leading number without a comma: no counted noun among them.
_SAFE_AFTER = re.compile(
    r"но|а|и|потому|за|хотя|только|ведь|поскольку|ибо|очень|плох\w*|ужас\w*|кошмар\w*|долго|медленн\w*"
    r"|дорого|дороговато|грубо|слабо|средне|так|монтаж|менеджер|мастер|доставка|сервис|качество|бригада"
    r"|установка|консультация|because|but|and"
    r"|вы|буду|будем|for|bad|terrible|slow|poor|too|except|would"
)
# «1 блин», and nothing after it: «2 блин недели» is a time.
CURSES = re.compile(r"бл|ть|бля\w*|блин|капец|пипец|ппц|жесть|отстой|позор")
# The same words do count after «один»: «один менеджер хамил».
_SINGULARS = re.compile(r"монтаж|менеджер|мастер|доставка|сервис|качество|бригада|установка|консультация")

# To whom a mark is given: «менеджеру 10».
RECEIVERS = re.compile(
    r"вам|всем|менеджеру|мастеру|мастерам|ребятам|бригаде|компании|фирме|монтажникам|ему|ей|им"
)
SUBJECTS = re.compile(
    r"менеджер\w*|монтаж\w*|мастер\w*|работ\w*|сервис\w*|качество|обслуживание|установк\w*|доставк\w*"
    r"|бригад\w*|общение|manager|service|work|installation|quality|team"
)

UNITS = (
    r"(?:минут\w*|мин\b|час(?:а|ов|у|ам|ик\w*)?\b|ч\b|дн(?:я|ей|и|ю|ям)\b|день|дн\b|сут(?:ки|ок)|недел\w*"
    r"|нед\b|месяц\w*|мес\b|год(?:а|у|ов|ы)?\b|лет\b|секунд\w*|сек\b|раз(?:а|ов|ик\w*)?\b|метр\w*|м\b|м2"
    r"|м²|мм\b|см\b|км\b|кв\b|кг\b|шт\b|штук\w*|человек\w*|чел\b|створ\w+|ворот\w*|двер\w+|этаж\w*"
    r"|подъезд\w*|квартир\w*|комнат\w*|пульт\w*|заказ\w*|звонк\w+|звонок|мастера\b|мастеров"
    r"|монтажник(?:а|ов|и)\b"
    r"|менеджера\b|менеджеров|рабоч\w+|секци\w+|комплект\w*|деталь|детал\w+|болт\w*|петл\w+|двигател\w*"
    r"|привод\w*|дет(?:ей|и)\b|сотрудник\w*|бригад(?:ы|ам)?\b|попыт\w+|утра|вечера|ночи|числа|вопрос\w*"
    r"|руб\w*|р\b|₽|тыс\w*|т\.?р\b|к\b|млн\w*|доллар\w*|евро|\$|€|%|процент\w*|сот\w{2,}|январ\w+"
    r"|феврал\w+|март\w*|апрел\w+|мая|июн\w+|июл\w+|август\w*|сентябр\w+|октябр\w+|ноябр\w+|декабр\w+"
    r"|minutes?|mins?\b|hours?|days?|weeks?|months?|years?|times|metres?|meters?|people|men\b|guys|calls?"
    r"|am\b|pm\b|percent|rubles|dollars|remotes?|doors?|gates?)"
)
# «раза 3», «минут 40»: about so many.
ROUGHLY = (
    r"(?:минут|часа|часов|дня|дней|недели|недель|месяца|месяцев|года|лет|раза|раз|метра|метров|штуки|штук"
    r"|человека|человек|рублей|тысяч|процентов)"
)
LABELS = (
    r"(?:№|#|номер\w*|дом\w?|д\.|кв\.?|квартир\w*|офисе?|оф\.|подъезд\w*|этаж\w*|корпус\w*|корп\.|стр\."
    r"|строени\w+|договор\w*|заказ\w*|счет\w*|пункт\w*|п\.|вариант\w*|кабинет\w*|артикул|модель|гараж\w*"
    r"|бокс\w*|квитанц\w+|чек\w*|улиц\w+|ул\.|высота|ширина|длина|размер|order|room|apartment|apt|house"
    r"|number|no\.)"
)
PREPOSITIONS = (
    r"(?:в|во|к|ко|до|после|с|со|около|через|за|по|под|от|у|при|без|из|между|at|by|after|before|until"
    r"|till|in|on|from|to|for)"
)


def is_receiver(word: str) -> bool:
    """«вам», «менеджеру», «Олегу», «Анне»: to whom a mark is given."""
    if RECEIVERS.fullmatch(word):
        return True
    stem, ending = word[:-1], word[-1:]
    forms = {
        "у": (stem,),
        "ю": (f"{stem}й", f"{stem}ь"),
        "е": (f"{stem}а", f"{stem}я"),
        "и": (f"{stem}я", f"{stem}ь"),
    }
    return any(name in MALE or name in FEMALE for name in forms.get(ending, ()))


def is_name(word: str) -> bool:
    return word in MALE or word in FEMALE


def is_marker(word: str) -> bool:
    return _MARKER.fullmatch(word) is not None


def is_courtesy(word: str) -> bool:
    return _COURTESY.fullmatch(word) is not None


def is_praise(word: str) -> bool:
    return _PRAISE.fullmatch(word) is not None


def is_verdict(word: str) -> bool:
    """Does this word alone judge?"""
    return bool(is_praise(word) or _OPINION.fullmatch(word))


def is_opinion(word: str) -> bool:
    """Does somebody who says this speak about how it went?"""
    return bool(is_praise(word) or is_marker(word) or _OPINION.fullmatch(word) or SUBJECTS.fullmatch(word))


def may_follow(word: str, value: int) -> bool:
    """May this word stand right after a leading number that is a score?"""
    if value == 1 and _SINGULARS.fullmatch(word):
        return False
    return bool(
        is_courtesy(word)
        or is_praise(word)
        or is_marker(word)
        or is_receiver(word)
        or word in AFTER
        or _SAFE_AFTER.fullmatch(word)
    )
