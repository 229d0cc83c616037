"""The script of the demo: the deals of one quarter, and what their clients and the head do about them.

The script knows nothing of the worker: it says what people do when a question reaches them, and what that has
to come to, so that the report can be checked against it.
"""

from collections.abc import Mapping

from worker.cli.demo_august import AUGUST
from worker.cli.demo_july import JULY
from worker.cli.demo_september import SEPTEMBER
from worker.cli.demo_town import (
    ALINA,
    KHVAN,
    LISINA,
    MARIA,
    OLEG,
    PAVEL,
    SOKOLOV,
    TEN,
    ByHand,
    Order,
    Press,
    Reply,
    T,
    W,
    minutes,
)

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


# What is done about the complaint of each of them, from the moment of the alert.
PRESSES: Mapping[str, tuple[Press, ...]] = {
    "Андрей Климов": (
        Press(do="Беру", minutes=12),
        Press(do="Поговорили", days=1, at="11:05"),
        Press(do="Решено", days=2, at="16:30"),
    ),
    "Артём Никитин": (
        Press(do="Позвонить позже", minutes=5),
        Press(do="Беру", minutes=70),
        Press(do="Поговорили", days=1, at="10:40"),
        Press(do="Решено", days=2, at="12:15"),
    ),
    "Евгений Шин": (Press(do="Беру", minutes=35), Press(do="close", days=3, at="17:20")),
    "Владимир Сон": (
        Press(do="Беру", minutes=4),
        Press(do="Поговорили", days=1, at="12:10"),
        Press(do="Решено", days=1, at="18:00"),
        Press(do="reopen", days=3, at="10:30"),
        Press(do="close", days=8, at="15:00"),
    ),
    "Борис Ефимов": (
        Press(do="Беру", minutes=50),
        Press(do="Поговорили", days=1, at="10:15"),
        Press(do="Решено", days=3, at="11:00"),
    ),
    "Эдуард Пономарёв": (
        Press(do="Беру", minutes=20),
        Press(do="Поговорили", days=1, at="12:30"),
        Press(do="reject", days=2, at="14:45"),
    ),
    "Яна Громова": (Press(do="Беру", minutes=9), Press(do="Поговорили", days=1, at="11:20")),
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
    return tuple(sorted((*ordinary, *JULY, *AUGUST, *SEPTEMBER), key=lambda order: order.won_at))
