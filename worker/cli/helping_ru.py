"""`--help` in Russian, by the English sentence that stands at the command."""

METAVARS = {
    "CODE": "КОД",
    "COMMAND": "КОМАНДА",
    "DATE": "ДАТА",
    "DEAL": "СДЕЛКА",
    "FILE": "ФАЙЛ",
    "FOLDER": "ПАПКА",
    "ID": "НОМЕР",
    "NAME": "ИМЯ",
    "OPTIONS": "КЛЮЧИ",
    "PERIOD": "ПЕРИОД",
    "PHONE": "ТЕЛЕФОН",
    "PIPELINE": "ВОРОНКА",
    "PORT": "ПОРТ",
    "SURVEY": "ОПРОС",
    "URL": "АДРЕС",
    "USER": "СОТРУДНИК",
}

RUSSIAN = {
    "Usage": "Использование",
    "Commands": "Команды",
    "Options": "Ключи",
    "Required.": "Обязательно.",
    "Show this help.": "Эта справка.",
    # The command itself.
    "Asks amoCRM clients how it went, turns bad answers into complaints that somebody owns, and measures "
    "word of mouth.": (
        "Спрашивает клиентов из amoCRM, как всё прошло, заводит по плохим ответам рекламации с "
        "ответственным и считает, что приносит сарафанное радио."
    ),
    "Begin with `sarafan demo`. Then `sarafan init` asks a few questions and writes config.toml; go on "
    "with `sarafan setup`, `sarafan check`, `sarafan plan` and `sarafan run`.": (
        "Начните с `sarafan demo`. Потом `sarafan init` задаст несколько вопросов и запишет config.toml; "
        "дальше — `sarafan setup`, `sarafan check`, `sarafan plan` и `sarafan run`."
    ),
    "Exit codes: 0 done, 1 the work failed, 2 wrong use or configuration.": (
        "Коды завершения: 0 — сделано, 1 — не получилось, 2 — ошибка в команде или настройках."
    ),
    "Print the version.": "Показать версию.",
    # Of every command.
    "Else $SARAFAN_CONFIG, else ./config.toml.": "Иначе $SARAFAN_CONFIG, иначе ./config.toml.",
    "Print JSON, for programs.": "Вывести JSON, для программ.",
    "Write there; - is the screen.": "Записать туда; знак - значит экран.",
    "First day, such as 2026-07-01.": "Первый день, например 2026-07-01.",
    "The day after the last.": "День после последнего.",
    "2026Q3, 2026-10, 2026-W45 or 2026.": "2026Q3, 2026-10, 2026-W45 или 2026.",
    # demo, run, plan.
    "Show it all: a made-up company in fast time. Needs neither configuration nor network.": (
        "Показать всё сразу: выдуманная компания проживает квартал за минуту. Ни настроек, ни сети не нужно."
    ),
    "No story: at once a page on this machine where you play the client and the sales head. Ctrl-C ends "
    "it.": (
        "Без рассказа: сразу страница на этом компьютере, где вы сами и клиент, и руководитель. Закончить —"
        " Ctrl-C."
    ),
    "Of that page; 0 takes a free one.": "Порт этой страницы; 0 — любой свободный.",
    "Work until SIGTERM or Ctrl-C.": "Работать до SIGTERM или Ctrl-C.",
    "Dry run: what would be sent, to whom, when and why not. Reads amoCRM, changes nothing.": (
        "Примерка: кому, что и когда уйдёт, а кому нет и почему. Читает amoCRM, ничего не меняет."
    ),
    "In place of amocrm.surveys_since.": "Вместо amocrm.surveys_since.",
    # init, check, setup, auth.
    "Ask a few questions, read the account and write config.toml.": (
        "Задать несколько вопросов, прочитать аккаунт и записать config.toml."
    ),
    "Write there; else where --config says.": "Записать туда; иначе — куда указывает --config.",
    "Try every credential, name and channel, and tell the remedy for what is not fine.": (
        "Проверить все доступы, названия и каналы и сказать, что поправить."
    ),
    "Create the deal fields, the complaints pipeline and the webhook that amoCRM lacks.": (
        "Создать в amoCRM недостающие поля сделки, воронку рекламаций и webhook."
    ),
    "Create it without asking.": "Создать без вопроса.",
    "Exchange an authorization code of amoCRM for the tokens that the worker renews from then on.": (
        "Обменять код авторизации amoCRM на токены; дальше программа обновляет их сама."
    ),
    "From the card of the integration; 20 minutes.": "Из карточки интеграции; действует 20 минут.",
    # report, export, forget.
    "The numbers of a period: surveys, complaints, referrals. By default the current quarter so far.": (
        "Цифры за период: опросы, рекламации, рекомендации. Без ключей — этот квартал по сегодня."
    ),
    "Else what the name of --out ends in, else text.": "Иначе по окончанию имени в --out, иначе text.",
    "Every reply of a client, as CSV or (--json) one JSON object a line.": (
        "Все ответы клиентов: CSV или, с --json, по объекту JSON на строку."
    ),
    "Erase a person: names, number, words and chats go, scores stay. Asks nothing.": (
        "Стереть человека: имя, номер, слова и чаты уйдут, оценки останутся. Вопросов не задаёт."
    ),
    "The person's number, in any spelling.": "Номер этого человека, как угодно записанный.",
    # backup, inbox, link, try, copy-to.
    "Copy the database while the worker runs (SQLite).": "Скопировать базу, не останавливая работу (SQLite).",
    "Where the copy goes; an older one is replaced.": "Куда положить копию; прежняя заменится.",
    "List what could not be read, or (--replay) have the running worker read it again.": (
        "Показать, что не удалось прочитать, или, с --replay, дать запущенной программе прочесть ещё раз."
    ),
    "Only these, with --replay. Else all.": "Только эти, вместе с --replay. Иначе все.",
    "Take it in again.": "Принять ещё раз.",
    "Show it as it came: a client's words, names and numbers too.": (
        "Показать как пришло: и слова клиента, и имена, и номера."
    ),
    "Print a deal's links to the bots with their QR codes.": "Показать ссылки сделки на ботов и их QR-коды.",
    "The deal's id in amoCRM, or the address of its card.": "Номер сделки в amoCRM или адрес её карточки.",
    "Put the QR pictures there, as PNG and SVG.": "Положить туда QR-коды картинками, PNG и SVG.",
    "Play the whole conversation on a phone of yours, marked as a trial. It counts nowhere.": (
        "Провести весь разговор на вашем телефоне, с пометкой «Проверка». Нигде не учитывается."
    ),
    "The answers are heard by `sarafan run`; one hour, or the word STOP, ends it.": (
        "Ответы принимает `sarafan run`; закончится через час или по слову «стоп»."
    ),
    "Its key; without one, all that a closed deal calls for.": (
        "Его ключ; без него — все опросы, которые вызовет закрытая сделка."
    ),
    "By a messenger that has this phone.": "В мессенджер, где есть этот номер.",
    "In this colleague's own chat with the bot.": "В чат этого коллеги с ботом.",
    "Copy the storage from SQLite to PostgreSQL; a copy broken off goes on.": (
        "Скопировать базу из SQLite в PostgreSQL; прерванное копирование продолжится."
    ),
    "Beside a running worker it is a rehearsal: stop the worker and copy again to move.": (
        "Рядом с работающей программой это репетиция: чтобы переехать, остановите её и скопируйте ещё раз."
    ),
    "An empty database: postgresql+psycopg://user@host/db": "Пустая база: postgresql+psycopg://user@host/db",
    # staff.
    "List the staff; invite a colleague by a one-time link, or remove one who was invited.": (
        "Показать сотрудников; пригласить коллегу одноразовой ссылкой или убрать приглашённого."
    ),
    "People of [[staff]] in the config file are added and removed there. Everything works beside a "
    "running worker, which knows at once.": (
        "Кто записан в [[staff]] файла настроек, того добавляют и убирают там. Останавливать программу не "
        "надо: она узнаёт обо всём сразу."
    ),
    "Such as: sarafan staff invite --role head --name Anna": (
        "Например: sarafan staff invite --role head --name Анна"
    ),
    "Print a one-time link; whoever opens it within seven days is staff with this role.": (
        "Дать одноразовую ссылку: кто откроет её в течение семи дней, станет сотрудником с этой ролью."
    ),
    "owner and head get the alerts; controller sees numbers without names; manager their own results; "
    "admin hears of trouble with the installation.": (
        "owner (собственник) и head (руководитель) получают низкие оценки; controller видит цифры без имён,"
        " manager — свои результаты; admin узнаёт о неполадках."
    ),
    "Else what the messenger calls the account.": "Иначе — как человека зовут в мессенджере.",
    "Name or id in amoCRM: who becomes responsible when they take a complaint; for a manager, whose "
    "results they see.": (
        "Имя или номер в amoCRM: кто станет ответственным, если взять рекламацию; для manager — чьи "
        "результаты показывать."
    ),
    "That a head follows, else all; repeat it for several.": (
        "За какой воронкой следит руководитель, иначе за всеми; для нескольких повторите ключ."
    ),
    "Whom a head follows, else all; repeat it for several.": (
        "За кем следит руководитель, иначе за всеми; для нескольких повторите ключ."
    ),
    "Remove somebody who was invited: alerts, commands and buttons end at once.": (
        "Убрать приглашённого: оповещения, команды и кнопки перестанут работать сразу."
    ),
    "As `sarafan staff` shows it; also an open invitation.": (
        "Как в списке `sarafan staff`; можно и ещё не принятое приглашение."
    ),
}
