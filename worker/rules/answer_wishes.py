"""What a client may ask for in words: questions again, the code, a call, an answer."""

from worker.rules.answer_words import is_courtesy
from worker.rules.pattern import Pattern

_PUNCTUATION = Pattern(r"[^\w\s?-]+|_")
_CLAUSE_END = Pattern(
    r"(?:[.;!\n()…]|,(?!\s*чтоб))+|(?<=\s)-+(?=\s)|\?+|\b(?:но|а|и|только|поэтому|так что|but|and|so)\b"
)

_BACK = Pattern(
    r"(?:хочу )?вернуться|вернутся|вернуть|верните (?:вопросы|опросы)|возобновить|возобновите"
    r"|подписаться|подпишите меня"
    r"|back|resume|resubscribe|start again"
)
_CODE = Pattern(
    r"(?:(?:дайте|дай|пришлите|пришли|скиньте|хочу|можно|получить|мой|где|какой|у меня|отправьте|вышлите|мне"
    r"|give me|send me|what s|what is|my|the)\s+)*(?:код|промокод|промо код|промо-код|код для друзей"
    r"|код для друга|промокод для друзей|code|promo code|promocode|code for friends)"
)
_CALL = Pattern(
    r"(?:(?:прошу|можете|можно|мне|жду|ждем|please|can you|could you|хочу чтобы)\s+)*(?:позвоните"
    r"|перезвоните|позвони"
    r"|наберите|свяжитесь|позвонить|перезвонить|перезвоните-ка|звонка|call me|call|call back"
    r"|call me back)(?:\s+(?:мне|нам|меня|нас|со мной|с нами|пожалуйста|плиз|please|срочно|me|back))*"
)
_ERASE = Pattern(
    r"(?:(?:прошу|требую|хочу|please)\s+)*(?:удалите|удалить|сотрите|стереть|уничтожьте|уничтожить|delete"
    r"|erase|remove)\s+(?:(?:все|всю|мои|мою|обо мне|персональные|личные|my|all|the"
    r"|personal)\s+)*(?:данные|персональные данные|информацию|data|information)(?:\s+(?:обо мне|из базы"
    r"|about me|у вас))*|(?:я\s+)?(?:отзываю|отозвать"
    r"|отзыв)\s+(?:свое\s+)?согласи[ея](?:\s+на\s+обработку)?(?:\s+(?:моих\s+)?(?:персональных\s+)?данных)?"
)
_UNCALLED = Pattern(
    r"(?:(?:но|да|нет|еще|пока|до сих пор)\s+)*(?:(?:со мной|с нами|мне"
    r"|нам)\s+)?(?:так\s+)?(?:никто\s+)?(?:(?:со мной|с нами|мне|нам)\s+)?(?:так\s+и\s+|еще\s+"
    r"|пока\s+)?не\s+(?:связал(?:ся|ись)|связывал(?:ся|ись)|звонил[аи]?|позвонил[аи]?"
    r"|перезвонил[аи]?)(?:\s+(?:со мной|с нами|мне|нам))?|(?:nobody|no one"
    r"|noone)\s+(?:has\s+)?(?:contacted|called)(?:\s+me)?"
)

_NO_PROBLEM = Pattern(
    r"(?:без|нет|ноль|0|никаких|не было|не возникло|ни одной|no|zero|without)\s+(?:\w+\s+)?(?:проблем\w*"
    r"|претензи\w*"
    r"|вопрос\w*|замечани\w*|нареканий|жалоб\w*|problems?|complaints?|questions?|issues?)|(?:проблем"
    r"|претензий|вопросов|замечаний|нареканий|жалоб)\s+(?:\w+\s+)?(?:нет|не было|не имею|не возникло"
    r"|ноль)|ничего\s+не\s+(?:надо|нужно|слома\w+)|(?:хочу|хотел\w*|хочется"
    r"|прошу)\s+(?:\w+\s+)?(?:поблагодарить|отметить|сказать|выразить|передать)|не\s+(?:надо"
    r"|нужно)\s+ничего|как\s+и\s+(?:надо|нужно)|все\s+что\s+(?:надо|нужно)|то\s+что\s+(?:надо|нужно)"
    r"|как\s+надо|когда\s+надо|больше\s+не\s+нуж\w+"
    r"|не\s+(?:скрип|гуд|шум|жужж|стуч|грем|заеда|заклини|лома|глюч|тече|протека)\w*|not\s+broken|as\s+needed"
)
_REQUEST = Pattern(
    r"\?|^\W*(?:хватит|кто это|кто вы|вы кто|что это|что за \w+)\W*$|\b(?:(?:по|пере)?звон(?:ите|и|ить"
    r"|ок\w* жду)|жду звонка|(?:у меня|есть) вопрос\w*|вопрос по"
    r"|пусть (?:\w+ )?(?:пере|по)звон\w+|не пиши(?:те)?|не (?:присыла|отправля|шли)\w+|(?:don t|do not) send"
    r"|хватит \w+ть|сделайте|доделайте|наберите|свяж\w+|подскаж\w+"
    r"|скажите|сообщите|пришлите|вышлите|отправьте|помогите|нужен|нужн\w+|надо|можно ли|когда|сколько"
    r"|почему|зачем|прошу|хочу|хотел\w* бы|хотелось бы|жду|ждем|верните|переделайте|исправьте|замените"
    r"|почините|приезжайте|приедьте|уточните|обещали"
    r"|(?:если|как только) (?:\w+ ){0,2}(?:приед|привез|додела|сдела|почин|исправ|замен|верн|убер)\w*те"
    r"|должны (?:мне|нам)|(?:мне|нам) должны|(?:не|ничего) (?:не )?заказыва\w+"
    r"|как (?:мне|нам|настроить|открыть|закрыть|отключить"
    r"|сбросить)|call|help|need|when|how|why|where|can you|could you|please (?:send|tell|fix|come|call)"
    r"|waiting)\b"
)
_PROBLEM = Pattern(
    r"\bне\s+(?:\w+\s+)?(?:работа\w+|нажима\w+|срабатыва\w+|двига\w+|поднима\w+|опуска\w+|открыва\w+|закрыва\w+|приехал\w*|приезжа\w+|приш[ле]\w+|дела\w+"
    r"|сдела\w+|доделал\w*|отвеча\w+|позвонил\w*|перезвонил\w*|связал\w*|привез\w*|установил\w*"
    r"|поставил\w*|убрал\w*|включа\w+|реагиру\w+|хвата\w+|подош\w+|выполн\w+|вернул\w*|решен\w*|решил\w*"
    r"|дозвон\w+)|\b(?:слома\w+|поломк\w+|заеда\w+|заклини\w+|скрип\w+|тече\w*|течь|протека\w+|подтека\w+"
    r"|брак\w*|дефект\w*|поцарап\w+|царапин\w+|крив\w+|перекос\w*|щел[иья]\w*|отвал\w+|гремит|стучит|дует"
    r"|проблем\w*|недодел\w+|обман\w+|до сих пор|жалоб\w*|претензи\w+|перестал\w*|барахлит|глючит"
    r"|гудит|шумит|жужжит"
    r"|испорти\w+|повреди\w+|грязь|грязн\w+|мусор\w*|нахам\w+|хам\w*|груб\w+|broken|broke|not working"
    r"|stopped working|no longer works?"
    r"|(?:doesn t|does not|won t|will not|can t|cannot) (?:work|open|close|shut|start|respond)|problems?"
    r"|complaint|leaks?|leaking|damaged?|scratch\w*|still waiting)\b"
)
_LINK = Pattern(r"https?://\S+|www\.\S+")
_AUTO_REPLY = Pattern(
    r"(?:мы|скоро|вам) (?:обязательно )?(?:ответим|свяжемся)|свяжемся с вами"
    r"|ответим (?:вам )?(?:в ближайшее|в рабочее"
    r"|с \d|как только)|автоответ\w*|(?:наш\w*|рабочее|режим|график|часы) (?:время )?работ\w+"
    r"|спасибо за (?:ваше )?(?:обращение|сообщение)|auto-?reply|out of (?:the )?office"
    r"|thank you for (?:contacting|your message)"
)


def plain(folded: str) -> str:
    """Only words and single spaces."""
    return " ".join(_PUNCTUATION.sub(" ", folded).replace("?", " ").replace(" - ", " ").split())


def bare_words(folded: str) -> str:
    """The words without greetings and thanks."""
    return " ".join(word for word in plain(folded).split() if not is_courtesy(word)) or plain(folded)


def clauses(folded: str) -> list[tuple[int, int]]:
    """Where the clauses of a text stand."""
    spans, at = [], 0
    for end in _CLAUSE_END.finditer(folded):
        spans.append((at, end.start()))
        at = end.end()
    return [(start, end) for start, end in [*spans, (at, len(folded))] if folded[start:end].strip(" -")]


def is_opt_in(folded: str) -> bool:
    return _BACK.fullmatch(bare_words(folded)) is not None


def command(folded: str) -> str:
    """ "code", "call" or "erase" if that is the whole message, else ""."""
    words, all_words = bare_words(folded), plain(folded)
    for name, pattern in (("erase", _ERASE), ("code", _CODE), ("call", _CALL)):
        if pattern.fullmatch(words) or pattern.fullmatch(all_words):
            return name
    return ""


def is_uncalled(folded: str) -> bool:
    """«Со мной никто не связался», as the question after a complaint invites to say."""
    return any(_UNCALLED.fullmatch(plain(folded[start:end])) for start, end in clauses(folded))


def wants_reply(folded: str) -> bool:
    """Do the words ask, request or complain? Then a person has to answer."""
    text = _NO_PROBLEM.sub(" ", _LINK.sub(" ", folded))
    return bool(_REQUEST.search(text) or _PROBLEM.search(text))


def is_auto_reply(folded: str) -> bool:
    """The answering machine of a business account: nobody reads our question there."""
    return _AUTO_REPLY.search(folded) is not None
