"""The script of the demo: a made-up company, its deals of one quarter, and what its clients and its head do.

Nobody here is real. The script knows nothing of the worker: it says what people do when a question reaches
them, and what that has to come to, so that the report can be checked against it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Vladivostok")
PERIOD = "2026Q3"
BEGINS = datetime(2026, 7, 1, 9, 0, tzinfo=ZONE)
ENDS = datetime(2026, 10, 1, 0, 0, tzinfo=ZONE)

COMPANY = "ВладАвтоматика"
HEAD = "Анна"
HEAD_IN_AMOCRM = "Анна Котова"
CREW_FIELD = "Монтажная бригада"
FRIEND_DISCOUNT = "Скидка от друга 5%"
OWN_FIELDS = ("CSAT бригады", "CSAT рекламации")  # beside those that every made-up account has

# The whole configuration; whatever it leaves out works by its default.
CONFIG = """\
[company]
name = "ВладАвтоматика"
timezone = "Asia/Vladivostok"

[storage]
url = "sqlite:///{database}"

[amocrm]
base_url = "{amocrm}"
token = "{amocrm_token}"

[telegram]
token = "{telegram_token}"
api_url = "{telegram}"

[whatsapp]
provider = "greenapi"
base_url = "{whatsapp}"
instance_id = "{instance_id}"
api_token = "{whatsapp_token}"
gap = "0s"

[[survey]]
key = "nps"
metric = "nps"

[[survey]]
key = "csat_manager"
metric = "csat"
subject = "manager"

[[survey]]
key = "csat_crew"
metric = "csat"
subject = "field:Монтажная бригада"
field = "CSAT бригады"

[[survey]]
key = "ces"
metric = "ces"
on_low = "task"

[[survey]]
key = "solved"
metric = "csat"
trigger = "complaint_closed"
delay = "1bd"
field = "CSAT рекламации"

[names]
"Бригада Соколова" = "бригада Андрея"
"Бригада Тена" = "бригада Виктора"

[[staff]]
telegram_id = {head_id}
name = "Анна"
role = "head"
amocrm_user = "Анна Котова"
"""

# How a person recognises the question. The order is that of the report.
QUESTIONS: Mapping[str, str] = {
    "nps": "порекомендуете нас друзьям",
    "csat_manager": "оцените работу менеджера",
    "csat_crew": "оцените работу наших мастеров",
    "ces": "Насколько просто вам было с нами работать",
    "solved": "Удалось ли решить вопрос",
}
TITLES: Mapping[str, str] = {
    "nps": "NPS",
    "csat_manager": "Оценка менеджера",
    "csat_crew": "Оценка мастеров",
    "ces": "Простота (CES)",
    "solved": "Решение рекламации",
}
REMINDER = "Напоминаем о вопросе"
VOICE = "(голосовое сообщение)"

OLEG, MARIA, PAVEL = "Олег Смирнов", "Мария Ким", "Павел Дроздов"
LISINA, KHVAN, ALINA = "Екатерина Лисина", "Роман Хван", "Алина Журавлёва"
MANAGERS = (OLEG, MARIA, PAVEL, LISINA, KHVAN, ALINA)
SOKOLOV, TEN = "Бригада Соколова", "Бригада Тена"
CREWS = (SOKOLOV, TEN)
W, T = "WhatsApp", "Telegram"


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a client does about one question. `says` is typed, one after the other; VOICE is spoken.

    A first text that is a bare number is tapped where there is something to tap, unless `types` says no.
    """

    score: int | None  # what it comes to
    says: tuple[str, ...] = ()
    after: timedelta | None = None  # None: this client's usual delay
    gap: timedelta = timedelta(minutes=4)
    types: bool = False
    quotes: bool = False
    to_reminder: bool = False  # only the reminder is answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Friend:
    """How a deal names who recommended the company: `code`, `slip` (mistyped), `phone`, `discount`."""

    by: str
    of: str = ""  # the friend
    counts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)  # two deals alike are two deals
class Order:
    """A deal and everything that its client does. `scores`: NPS, manager, crew, CES; «-» is silence."""

    won: str  # day and time, local
    client: str
    by: str = W
    manager: str
    crew: str
    what: str
    price: int
    scores: str = ""
    aside: str = ""  # what is special about it, for who reads the story
    replies: Mapping[str, Reply] = field(default_factory=dict)
    friend: Friend | None = None
    refused: str = ""  # why the first question is not asked
    is_lost: bool = False
    has_phone: bool = True
    has_whatsapp: bool = True
    tags: tuple[str, ...] = ()
    created_before: timedelta = timedelta(days=9)
    then: str = ""  # what becomes of the deal before the question is due: reopened, deleted
    blocks_bot: bool = False
    links_after: timedelta = timedelta(minutes=40)
    manager_says: str = ""  # to the client, an hour after the client asked for something

    @property
    def won_at(self) -> datetime:
        return local(self.won)


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """What is done about a complaint: a button of the alert, or something by hand in amoCRM.

    So many minutes after the alert, or at a time of day so many days later.
    """

    do: str  # «Беру», «Решено», «Позвонить позже»; close, reject, reopen
    minutes: int = 0
    days: int = 0
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """A complaint that a manager opened and closed in amoCRM, about a deal of this client."""

    client: str
    opened: str
    closed: str
    what: str
    reply: Reply


def local(text: str) -> datetime:
    """«03.07 15:20» of the story's year."""
    return datetime.strptime(f"{BEGINS.year} {text}", "%Y %d.%m %H:%M").replace(tzinfo=ZONE)


# closed, client, where, manager, crew, what, price, scores of NPS, manager, crew and CES
ORDINARY: tuple[tuple[str, str, str, str, str, str, int, str], ...] = (
    ("02.07 14:40", "Иван Петров", W, OLEG, SOKOLOV, "Откатные ворота", 148_000, "9 5 5 5"),
    ("03.07 11:20", "Марина Лебедева", T, MARIA, TEN, "Секционные ворота", 212_000, "10 5 5 5"),
    ("06.07 11:20", "Ольга Вершинина", W, PAVEL, TEN, "Автоматика для ворот", 64_000, "8 4 5 4"),
    ("07.07 17:10", "Сергей Морозов", T, LISINA, SOKOLOV, "Секционные ворота", 196_000, "10 - - -"),
    ("08.07 14:40", "Татьяна Волкова", W, KHVAN, TEN, "Рулонные ворота", 87_000, "- - - -"),
    ("08.07 17:10", "Дмитрий Пак", T, ALINA, SOKOLOV, "Шлагбаум", 93_000, "9 - - -"),
    ("11.07 11:20", "Наталья Орлова", T, MARIA, TEN, "Откатные ворота", 163_000, "10 5 5 5"),
    ("13.07 11:20", "Виктор Цой", T, PAVEL, SOKOLOV, "Секционные ворота", 188_000, "9 5 5 4"),
    ("16.07 17:10", "Алексей Тарасов", T, LISINA, TEN, "Автоматика для ворот", 58_000, "- 5 5 5"),
    ("23.07 17:10", "Людмила Павлова", T, ALINA, TEN, "Рулонные ворота", 79_000, "6 4 - -"),
    ("27.07 11:20", "Вера Антонова", T, OLEG, SOKOLOV, "Секционные ворота", 205_000, "9 - - -"),
    ("28.07 17:10", "Максим Лигай", W, MARIA, TEN, "Откатные ворота", 154_000, "10 5 5 5"),
    ("31.07 14:40", "Оксана Тихонова", T, PAVEL, SOKOLOV, "Шлагбаум", 101_000, "- - - -"),
    ("04.08 14:40", "Валентина Кузьмина", T, LISINA, TEN, "Секционные ворота", 178_000, "8 4 4 4"),
    ("11.08 14:40", "Екатерина Быкова", T, ALINA, TEN, "Откатные ворота", 167_000, "9 5 - -"),
    ("18.08 14:40", "Фёдор Назаров", W, OLEG, SOKOLOV, "Распашные ворота", 118_000, "- - - -"),
    ("25.08 11:20", "Лидия Савина", W, PAVEL, SOKOLOV, "Рулонные ворота", 84_000, "- - - -"),
    ("01.09 11:20", "Алла Филиппова", T, KHVAN, SOKOLOV, "Секционные ворота", 192_000, "- 5 5 5"),
    ("03.09 14:40", "Инна Карпова", W, ALINA, TEN, "Автоматика для ворот", 67_000, "- - - -"),
    ("09.09 17:10", "Ксения Ларина", T, MARIA, TEN, "Секционные ворота", 203_000, "9 5 5 5"),
    ("10.09 11:20", "Олег Рябинин", T, PAVEL, SOKOLOV, "Откатные ворота", 146_000, "7 - - -"),
    ("16.09 14:40", "Пётр Нам", W, LISINA, TEN, "Секционные ворота", 187_000, "- 5 5 5"),
    ("18.09 11:20", "Жанна Белкина", T, KHVAN, SOKOLOV, "Рулонные ворота", 91_000, "9"),
    ("25.09 14:40", "Юрий Ткач", T, OLEG, SOKOLOV, "Автоматика для ворот", 59_000, "9"),
)

SPECIAL: tuple[Order, ...] = (
    Order(
        won="03.07 17:10",
        client="Андрей Климов",
        manager=PAVEL,
        crew=SOKOLOV,
        what="Секционные ворота",
        price=234_000,
        scores="3 4 4 4",
        aside="монтаж затянулся на три недели",
        replies={
            "nps": Reply(
                score=3,
                says=("3, монтаж растянулся на три недели", "и пульт так и не привезли"),
                after=minutes(9),
                gap=minutes(5),
            )
        },
    ),
    Order(
        won="10.07 14:40",
        client="Елена Зайцева",
        manager=OLEG,
        crew=TEN,
        what="Откатные ворота",
        price=139_000,
        scores="8 5 4 5",
        aside="отвечает голосовым",
        replies={"nps": Reply(score=8, says=(VOICE, "8"), after=minutes(26))},
    ),
    Order(
        won="10.07 17:10",
        client="Николай Фёдоров",
        manager=KHVAN,
        crew=SOKOLOV,
        what="Шлагбаум",
        price=88_000,
        scores="7 5 5 4",
        aside="первый вопрос пропускает",
        replies={"nps": Reply(score=7, to_reminder=True, after=minutes(31))},
    ),
    Order(
        won="14.07 14:40",
        client="Светлана Новикова",
        manager=ALINA,
        crew=TEN,
        what="Рулонные ворота",
        price=76_000,
        scores="9 5 5 5",
        aside="ставит «пятёрку» на шкале до десяти",
        replies={"nps": Reply(score=9, says=("5", "9"), types=True, after=minutes(12), gap=minutes(3))},
    ),
    Order(
        won="14.07 17:10",
        client="",
        manager=PAVEL,
        crew=TEN,
        what="Распашные ворота",
        price=112_000,
        aside="в сделке нет контакта",
        refused="no_contact",
    ),
    Order(
        won="15.07 11:20",
        client="Галина Степанова",
        manager=LISINA,
        crew=SOKOLOV,
        what="Секционные ворота",
        price=191_000,
        scores="9 5 4 4",
        aside="хвалит, но пульт не работает",
        replies={"nps": Reply(score=9, says=("9, но пульт не работает",), after=minutes(14))},
        manager_says="Галина, здравствуйте! Это Екатерина, ВладАвтоматика. Новый пульт привезём завтра.",
    ),
    Order(
        won="17.07 11:20",
        client="Юлия Романова",
        manager=KHVAN,
        crew=TEN,
        what="Автоматика для ворот",
        price=55_000,
        aside="не хочет вопросов",
        replies={"nps": Reply(score=None, says=("стоп",), after=minutes(3))},
    ),
    Order(
        won="21.07 17:10",
        client="Ирина Макарова",
        manager=MARIA,
        crew=SOKOLOV,
        what="Откатные ворота",
        price=157_000,
        aside="сделку закрыли по ошибке",
        then="reopened",
        refused="reopened",
    ),
    Order(
        won="22.07 11:20",
        client="Роман Гусев",
        by=T,
        manager=OLEG,
        crew=TEN,
        what="Шлагбаум",
        price=95_000,
        scores="9 5 5 5",
        has_phone=False,
        links_after=timedelta(days=2, minutes=40),
        aside="телефона в карточке нет, но ссылку на бота с акта он откроет",
    ),
    Order(
        won="24.07 14:40",
        client="Артём Никитин",
        by=T,
        manager=ALINA,
        crew=SOKOLOV,
        what="Секционные ворота",
        price=217_000,
        scores="2 4 4 4",
        aside="недоволен",
        replies={
            "nps": Reply(
                score=2, says=("2", "привезли ворота не того цвета"), after=minutes(18), gap=minutes(6)
            )
        },
    ),
    Order(
        won="29.07 11:20",
        client="Анна Крылова",
        manager=PAVEL,
        crew=TEN,
        what="Рулонные ворота",
        price=82_000,
        tags=("возврат",),
        aside="на сделке метка «возврат»",
        refused="stop_tag",
    ),
    Order(
        won="30.07 14:40",
        client="Денис Захаров",
        manager=LISINA,
        crew=SOKOLOV,
        what="Откатные ворота",
        price=144_000,
        has_whatsapp=False,
        aside="WhatsApp на этом номере нет",
        refused="failed",
    ),
    Order(
        won="30.07 17:10",
        client="Василий Громов",
        manager=KHVAN,
        crew=TEN,
        what="Автоматика для ворот",
        price=62_000,
        has_phone=False,
        aside="нет ни телефона, ни чата",
        refused="no_phone",
    ),
    Order(
        won="03.08 11:20",
        client="Григорий Попов",
        by=T,
        manager=OLEG,
        crew=SOKOLOV,
        what="Секционные ворота",
        price=189_000,
        scores="10 5 5 5",
        friend=Friend(by="code", of="Иван Петров"),
    ),
    Order(
        won="05.08 11:20",
        client="Максим Лигай",
        manager=MARIA,
        crew=TEN,
        what="Автоматика для ворот",
        price=66_000,
        aside="вторая покупка за две недели",
        refused="asked_recently",
    ),
    Order(
        won="05.08 17:10",
        client="Евгений Шин",
        manager=MARIA,
        crew=TEN,
        what="Секционные ворота",
        price=208_000,
        scores="9 5 2 5",
        aside="менеджером доволен, мастерами нет",
        replies={"csat_crew": Reply(score=2, says=("2, после монтажа осталась грязь",), after=minutes(2))},
    ),
    Order(
        won="07.08 14:40",
        client="Игорь Данилов",
        by=T,
        manager=PAVEL,
        crew=SOKOLOV,
        what="Шлагбаум",
        price=99_000,
        scores="7 4 5 4",
        blocks_bot=True,
        aside="открыл бота и заблокировал: вопрос придёт в WhatsApp",
    ),
    Order(
        won="08.08 11:20",
        client="Надежда Комарова",
        by=T,
        manager=LISINA,
        crew=TEN,
        what="Откатные ворота",
        price=151_000,
        scores="10 5 5 5",
        friend=Friend(by="discount"),
    ),
    Order(
        won="10.08 17:10",
        client="Владимир Сон",
        manager=KHVAN,
        crew=SOKOLOV,
        what="Секционные ворота",
        price=226_000,
        scores="1 4 4 4",
        aside="рассержен",
        replies={
            "nps": Reply(
                score=1, says=("1. Ворота закрываются через раз, никто не берёт трубку",), after=minutes(7)
            ),
            "solved": Reply(score=2, says=("2, опять заедают",), after=minutes(22)),
        },
    ),
    Order(
        won="12.08 11:20",
        client="Михаил Жуков",
        manager=ALINA,
        crew=TEN,
        what="Рулонные ворота",
        price=73_000,
        scores="8 4 4 4",
        aside="вспомнит о вопросе через неделю",
        replies={
            "nps": Reply(score=8, quotes=True, types=True, after=timedelta(days=8, hours=1)),
        },
    ),
    Order(
        won="13.08 14:40",
        client="Тамара Ильина",
        by=T,
        manager=OLEG,
        crew=SOKOLOV,
        what="Откатные ворота",
        price=149_000,
        scores="10 5 5 5",
        friend=Friend(by="phone", of="Марина Лебедева"),
    ),
    Order(
        won="14.08 17:10",
        client="Станислав Орехов",
        manager=MARIA,
        crew=TEN,
        what="Секционные ворота",
        price=182_000,
        scores="9 5 5 4",
        aside="сомневается",
        replies={"nps": Reply(score=9, says=("8-9", "9"), types=True, after=minutes(16), gap=minutes(3))},
    ),
    Order(
        won="17.08 14:40",
        client="Кристина Мельник",
        by=T,
        manager=PAVEL,
        crew=SOKOLOV,
        what="Откатные ворота",
        price=161_000,
        scores="10 5 5 5",
        friend=Friend(by="code", of="Марина Лебедева"),
    ),
    Order(
        won="19.08 11:20",
        client="Зоя Рябова",
        manager=LISINA,
        crew=TEN,
        what="Автоматика для ворот",
        price=63_000,
        scores="9 5 5 5",
        aside="просит код для сестры",
        replies={"nps": Reply(score=9, says=("9", "код"), after=minutes(11), gap=minutes(90))},
    ),
    Order(
        won="20.08 17:10",
        client="Иван Петров",
        manager=KHVAN,
        crew=SOKOLOV,
        what="Шлагбаум",
        price=86_000,
        scores="9 5 5 5",
        friend=Friend(by="code", of="Иван Петров", counts=False),
        aside="называет собственный код: это не рекомендация",
    ),
    Order(
        won="21.08 14:40",
        client="Руслан Каримов",
        manager=ALINA,
        crew=TEN,
        what="Секционные ворота",
        price=176_000,
        scores="7 5 4 2",
        aside="всё сделали, но было сложно",
        replies={"ces": Reply(score=2, says=("2, трижды переделывали договор",), after=minutes(3))},
    ),
    Order(
        won="24.08 14:40",
        client="Борис Ефимов",
        manager=OLEG,
        crew=SOKOLOV,
        what="Распашные ворота",
        price=109_000,
        scores="4 - - -",
        aside="пишет «4» и больше ничего",
        replies={"nps": Reply(score=4, types=True, after=minutes(13))},
    ),
    Order(
        won="26.08 17:10",
        client="Глеб Миронов",
        manager=MARIA,
        crew=TEN,
        what="Откатные ворота",
        price=155_000,
        scores="10 5 5 5",
        friend=Friend(by="slip", of="Наталья Орлова"),
        aside="в коде друга ошибка в одной цифре",
    ),
    Order(
        won="31.08 17:10",
        client="Эдуард Пономарёв",
        manager=PAVEL,
        crew=SOKOLOV,
        what="Рулонные ворота",
        price=81_000,
        scores="6 2 5 4",
        aside="недоволен менеджером",
        replies={
            "csat_manager": Reply(score=2, says=("2, неделю не мог дозвониться",), after=minutes(25)),
            "solved": Reply(score=4, after=minutes(40)),
        },
    ),
    Order(
        won="02.09 14:40",
        client="Тимур Ахметов",
        by=T,
        manager=LISINA,
        crew=TEN,
        what="Секционные ворота",
        price=194_000,
        scores="10 5 5 5",
        friend=Friend(by="code", of="Вера Антонова"),
    ),
    Order(
        won="03.09 17:10",
        client="Юлия Романова",
        manager=ALINA,
        crew=TEN,
        what="Шлагбаум",
        price=90_000,
        aside="та, что просила не писать, купила снова",
        refused="opted_out",
    ),
    Order(
        won="07.09 11:20",
        client="Любовь Дьячкова",
        by=T,
        manager=KHVAN,
        crew=SOKOLOV,
        what="Откатные ворота",
        price=147_000,
        scores="10 5 5 5",
        friend=Friend(by="discount"),
    ),
    Order(
        won="08.09 14:40",
        client="Семён Волошин",
        manager=OLEG,
        crew=TEN,
        what="Распашные ворота",
        price=105_000,
        created_before=timedelta(days=430),
        refused="too_old",
        aside="сделка старше года: её закрыли при уборке",
    ),
    Order(
        won="11.09 14:40",
        client="Арсений Югай",
        manager=ALINA,
        crew=SOKOLOV,
        what="Шлагбаум",
        price=94_000,
        is_lost=True,
        aside="сделка проиграна: таких не спрашиваем",
    ),
    Order(
        won="14.09 14:40",
        client="Яна Громова",
        manager=MARIA,
        crew=TEN,
        what="Секционные ворота",
        price=213_000,
        scores="2",
        aside="ждёт ремонта",
        replies={"nps": Reply(score=2, says=("2, секция с вмятиной, замену ждём",), after=minutes(17))},
    ),
    Order(
        won="15.09 11:20",
        client="Эмма Гордеева",
        manager=PAVEL,
        crew=SOKOLOV,
        what="Рулонные ворота",
        price=77_000,
        then="deleted",
        refused="deleted",
        aside="сделка-дубль, назавтра её удалят",
    ),
    Order(
        won="24.09 14:40",
        client="Эльвира Пак",
        by=T,
        manager=LISINA,
        crew=TEN,
        what="Откатные ворота",
        price=158_000,
        scores="10",
        friend=Friend(by="code", of="Иван Петров"),
    ),
)

# What is done about the complaint of each of them, from the moment of the alert.
PRESSES: Mapping[str, tuple[Press, ...]] = {
    "Андрей Климов": (Press(do="Беру", minutes=12), Press(do="Решено", days=2, at="16:30")),
    "Артём Никитин": (
        Press(do="Позвонить позже", minutes=5),
        Press(do="Беру", minutes=70),
        Press(do="Решено", days=2, at="12:15"),
    ),
    "Евгений Шин": (Press(do="Беру", minutes=35), Press(do="close", days=3, at="17:20")),
    "Владимир Сон": (
        Press(do="Беру", minutes=4),
        Press(do="Решено", days=1, at="18:00"),
        Press(do="reopen", days=3, at="10:30"),
        Press(do="close", days=8, at="15:00"),
    ),
    "Борис Ефимов": (Press(do="Беру", minutes=50), Press(do="Решено", days=3, at="11:00")),
    "Эдуард Пономарёв": (Press(do="Беру", minutes=20), Press(do="reject", days=2, at="14:45")),
    "Яна Громова": (Press(do="Беру", minutes=9),),
}
SOLVED: Mapping[str, Reply] = {  # to «Удалось ли решить вопрос?», of those whose deal says nothing of it
    "Андрей Климов": Reply(score=5, says=("5", "спасибо, всё доделали"), after=minutes(33), gap=minutes(2)),
    "Артём Никитин": Reply(score=4),
    "Евгений Шин": Reply(score=5),
}
BY_HAND = ByHand(
    client="Сергей Морозов",
    opened="24.08 10:20",
    closed="26.08 16:50",
    what="Брак: ржавчина на профиле",
    reply=Reply(score=5, after=minutes(45)),
)


def orders() -> tuple[Order, ...]:
    """All deals in the order in which they are closed."""
    ordinary = (
        Order(
            won=won, client=client, by=by, manager=manager, crew=crew, what=what, price=price, scores=scores
        )
        for won, client, by, manager, crew, what, price, scores in ORDINARY
    )
    return tuple(sorted((*ordinary, *SPECIAL), key=lambda order: order.won_at))
