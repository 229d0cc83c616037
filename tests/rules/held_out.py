"""Replies that were labelled when the reader stood: it was run on them once before it was mended by them.

The labels are those of `said`.
"""

TEN_RU = r"""
9	девятка, спасибо за ворота
10	Десять, рекомендую
8	8, менеджер долго отвечала
10	10‼️
9	9 ☺️
7	Поставлю семёрку
6	6 из 10, не больше
9	Все ок, 9
10	всё как договаривались, 10
8	Ставлю 8, один мастер опоздал на 40 мин
9	в целом 9
10	Добрый день, всё отлично, 10 из 10, мастер Андрей молодец
3	Даже 3 много
2	2 из 10 потому что ворота до сих пор скрипят
1	1 балл за то что вообще приехали
9	Ну, девять
none	пятак
4?	4)
5	5 баллов из 10
8	вроде 8
7	Твёрдая семь
9	Заказывал 2 комплекта в мае, всё работает. 9
8	За монтаж 8
10	Спасибо за оперативность! 10!
9	ставлю 9 с плюсом
8	Хотел 9, но передумал 8
10	10 и спасибо
9	нас всё устроило, 9
10	Вам 10 из 10
9	Девять из десяти, чуть-чуть задержались
10	поставим десятку
6	Шесть. Переносили два раза.
3	три
10	по десятке
8	8ка
9	9 ⭐
range	7/8
range	6-7 не больше
range	пусть 8-9
range	9 с половиной
outside	-10
outside	ставлю 11!
outside	15 из 10
none	твёрдая пять с плюсом
none	пять из пяти
none	отл
none	зачёт
none	В субботу в 11
none	Калитка 2 метра
none	4 ворот и 2 калитки
none	оплатил 48 тыс
none	18.11 в 9:00
none	наш адрес Пушкина 10
none	2 раза
none	80%
none	спасибо что спросили
none	Угу
none	Вероятность 100%
none	с десятого звонка ответили
none	10 лет назад лучше было
two	за цену 7, за качество 10
two	мастер 10, менеджер 4
none	очень, очень вероятно
reply	Цена на второй пульт какая?
reply	почему сигнализация пищит
reply	Ворота опять заклинило
reply	когда придёт счёт?
reply	Пусть мастер перезвонит
reply	мне никто не сказал про гарантию, куда обращаться?
reply	Не открывается с пульта
stop	не надо мне больше писать!!
stop	Уберите мой номер из вашей рассылки
stop	хватит присылать опросы
stop	я же просил не писать
stop	Больше не беспокойте
stop:9	9. и больше не спрашивайте
stop:4	4 и отстаньте
call	перезвоните мне
code	пришлите код
back	вернуться
none	стоп-лист
reply	не пишите ерунду
words	Сейчас я не могу ответить. Свяжемся с вами с 10 до 19
"""

FIVE_RU = r"""
5	пять!
5	пятёра
5	5 из 5 👍
4	четыре с плюсом
3	на тройку
4	4 за скорость
5	Бригаде пять
2	двойка, не убрали мусор
1	1, ужасная работа
5	отлично 5
outside	8
none	8 из 10
none	хорошо
range	3-4
stop:5	5. Не пишите больше
"""

TEN_EN = r"""
9	It's a 9
10	10 for sure
8	8 I guess
9	nine!
7	7, could be faster
10	Perfect, 10/10
9	9/10 would recommend
6	6 because they were late twice
3	only 3
2	2. Never again
8	Let's say 8
10	A perfect ten
9	I'd rate you 9
8	eight, thank you
9	Everything was fine, 9
5?	5!
range	7-8
range	7 or 8 I think
outside	-1
outside	15
none	yes
none	very likely
none	4 stars
none	2 hours late
none	5 pm
none	10 minutes
none	fine
two	price 7, quality 10
stop	Stop sending me this
stop	please remove my number
stop	no more surveys please
stop:8	8 and stop texting me
call	please call me
code	promo code
reply	where is my invoice?
reply	the motor makes a noise, can someone come?
reply	Remote stopped working
none	can't complain
9	9, keep it up
8	8 - wait, no question, just 8
"""

FIVE_EN = r"""
5	five stars
4	4/5
3	three
outside	7
"""

# A second list, written after the first had been learned from.

AGAIN_TEN_RU = r"""
10	Десяточка вам за скорость!
9	9, все четко
8	8 из 10, дороговато конечно
10	10 - ребята мастера своего дела
9	Однозначно девять
7	7. Цена выросла пока думали
10	Все на высоте, 10
9	монтаж на 9
8	ставлю восьмёрку
6	шестёрка, долго ждали комплектующие
10	10. Всем знакомым советую!
9	Спасибо за калитку! 9 баллов
4	4, менеджер не перезванивал неделю
2	2. Разочарованы
1	единица
3	трояк из 10
5?	5 спасибо
4?	4.
5?	Пятёрка? Нет, просто 5
9	я бы сказал 9
10	Моя оценка 10 из 10, мастер Денис супер
8	Здравствуйте, 8. Ворота чуть шумят при закрытии
9	9 👍 спасибо за сервис
10	👍 10
9	По вашей шкале 9
7	семь, за опоздание сняли балл
10	Без нареканий, 10
9	Работаем с вами третий год, 9
10	10, менеджер Ольга лучшая
8	восемь из десяти, так как грязь оставили
range	8 ну или 9
range	примерно 7-8
range	9,5
outside	25
outside	ноль баллов вам
none	твёрдая четвёрка
none	5 с минусом
none	ворота 3000 на 2500
none	после 15 числа
none	3 месяца пользуемся
none	90 процентов
none	Всё устроило
none	советую
none	класс
none	на связи
none	наш дом 10 корпус 2
none	завтра в 9
two	сроки 5, качество 9
reply	10 лет гарантии обещали
reply	как добавить второй телефон в приложение?
reply	пульт сел, батарейка какая нужна
reply	Приезжайте, ворота не закрываются
reply	Кому писать по гарантии?
stop	Не беспокойте меня пожалуйста
stop	прекратите мне это присылать
stop	удалите мой телефон
stop	больше не надо мне слать сообщений
stop	НЕ ПИСАТЬ
stop:10	10! больше писать не надо
stop:6	6, и удалите меня из рассылки
call	можете перезвонить?
call	позвоните пожалуйста
code	код для друга
none	стоп-линию пересёк
reply	Стоп кнопка на пульте не нажимается
none	больше пожеланий нет
none	не шумят, не скрипят
"""

AGAIN_FIVE_RU = r"""
5	пятёрочка вам
5	5, приветливый менеджер
4	четвёрочка
4	4 потому что опоздали
3	3 с натяжкой
1	1 (один)
5	5 всем мастерам
outside	7
range	3 или 4
none	5 рублей
"""

AGAIN_TEN_EN = r"""
9	9, very happy
10	10 – excellent team
8	I'll go with 8
7	7/10 because of the delay
10	10 all the way
9	probably 9
6	six
4	4, nobody called me back
2	2! Terrible communication
9	nine out of ten, thanks guys
10	Ten, highly recommended
8	Overall 8
9	Service was great. 9
5?	five
range	8.5
range	6 - 7
outside	12
outside	0
none	so so
none	3 doors
none	2 days late
none	at 9 am
none	100 %
none	👍👍
two	speed 6, quality 9
stop	please stop texting
stop	I want to unsubscribe
stop:9	9. Please don't message me anymore
call	call me please
reply	What is the warranty period?
reply	One remote is not working
none	non-stop noise at first, then fine
"""

# A third list, read once like the others before anything was mended by it.

THIRD_TEN_RU = r"""
9	Девять, и то только потому что калитку ждали
10	Ставим 10, ребята огонь
10	десять конечно
10	Ну конечно 10!
10	10 из 10, Виталию отдельный респект
9	Добрый вечер! 9. Спасибо
8	8. Шумит привод немного
8	думаю 8
7	Ну где-то 7
6	6, если честно
6	Честно? 6
3	3. За такие деньги стыдно
1	1!!!!! Отвратительно!
1	единица вам
none	двойка
none	двоечка, не обижайтесь
outside	0
outside	ноль
outside	0 баллов
outside	100
outside	12 из 10
outside	11/10
10	10 и только 10
10	однозначно 10
9	Скорее 9
9	Почти 10, но 9
9	9, десятку не ставлю из принципа
8	восемь, до 9 не хватило уборки за собой
7	Семь баллов, замерщик перепутал размеры на 5 см
9	9, ждал 3 недели но дождался
10	10, поставили за 2 дня
10	Спасибо большое всё понравилось, 10 баллов
10	Все супер 10/10 буду советовать соседям
9	По десятибалльной - 9
9	9 по 10-балльной шкале
8	8 по десятибалльной
9	Оценка 9
9	оценка: 9
9	Моя оценка - 9
10	Балл: 10
10	10 ставьте
9	ставьте 9
9	пишите 9
8	Пусть будет 8
8	пускай 8
7	Давайте 7
9	Дам 9
10	Дал бы и 11, но ставлю 10
10	10/10 🔥 спасибо, Анна!
4	4, двигатель сломался через неделю
none	Тройка с минусом
none	3-
7	7+
10	десятка с плюсом
9	9🙏🏻
9	девять 🤝
9	Девять\nСпасибо
9	Здравствуйте.\n9
10	10\n\nВсё хорошо, спасибо
9	9\nПульт только один положили
6	Шесть\nдолго
range	8 или 9
range	от 7 до 8
range	между 8 и 9
range	8-9 баллов
range	7...8
range	семь-восемь
two	Монтажники 10, менеджер 6
two	замер 9 монтаж 5
two	мастерам 10 а офису 3
none	позже отвечу
none	на работе, вечером напишу
none	Здравствуйте
reply	???
none	ок
none	👍
none	👍👍👍
none	❤️
none	спс
none	+
none	Спасибо
none	Спасибо, всё хорошо
none	всё отлично работает
none	Все нравится, спасибо вам
reply	А когда приедут доделывать?
reply	Сколько стоит ещё один пульт?
reply	Ворота не закрываются, что делать?
reply	перезвоните мне пожалуйста по поводу гарантии
call	позвоните мне
call	Перезвоните
reply	наберите меня завтра после 10
stop	не надо мне больше писать
stop	Больше не присылайте
stop	хватит писать
stop	Отпишите меня
stop	уберите меня из рассылки
stop	СТОП!!!
stop	stop
stop	Прекратите слать сообщения
stop:9	9, и больше не пишите
stop:1	1. И не пишите мне больше
3	3, остановите это безобразие с доставкой
10	10, не останавливайтесь
reply	Не пишите что я недоволен, 9
erase	удалите мои данные
stop	Удалите мой номер из базы
code	какой у меня промокод?
code	пришлите код для друга
code	код
none	89141234567
none	мой номер 8-914-123-45-67
none	45 000 руб
none	в 18:30
none	25 ноября
none	квартира 9
none	подъезд 2, этаж 5
none	2 пульта
reply	жду 3 недели уже
reply	3 недели жду
reply	три месяца ждём ворота
none	2 мастера было
none	привезли 1 створку вместо двух
5	поставлю пятёрку из десяти
4?	4 .
none	Пятёрка
none	5+
none	5 звёзд
none	⭐⭐⭐⭐⭐
none	отлично
none	хорошо
none	плохо
none	ужасно
none	так себе
none	максимум
none	Высший балл
none	наивысшая оценка
none	минимум
none	без оценки
reply	не хочу оценивать
none	не знаю
10	сто из ста, 10
10	10000000
9	9-ка
10	10-ка
8	8-ку
none	10б
none	9б.
9	9 бал
9	9 балла
10	десят
10	дес.
9	девть
8	восемъ
7	сем
10	Десяь
10	l0
10	10 , спасибо за работу . Всё качественно
9	9.Все понравилось
8	8,но забыли пульт
8	8но забыли пульт
10	10Спасибо
10	10!Спасибо ребятам
9	Спасибо9
10	+10
10	10 ++
10	10 (из 10 возможных)
9	9 из десяти возможных
9	9 of 10
9	9 iz 10
10	desyat
9	deviat
"""

THIRD_FIVE_RU = r"""
5	5
5	Пять
5	5+
5	пятёрка
5	твёрдая пятёрка
4	4
4	4 с плюсом
4	четвёрочка
4	хорошо, 4
3	трояк
3	троечка
2	2
1	кол
outside	10
outside	8
none	9 из 10
outside	0
range	4-5
range	4 или 5
5	5 из 5
5	5/5
4	4/5
5	Легко, 5
1	очень сложно, 1
5	5 звёзд
5	⭐⭐⭐⭐⭐
3	⭐⭐⭐
5	отлично, 5
none	нормально
range	4,5
range	4.5
5	Пять баллов, оформили за 10 минут
3	3, звонил 4 раза
4	Четыре, ждал 2 дня
"""

THIRD_TEN_EN = r"""
9	9
9	nine
10	ten!!
10	10/10 would recommend
9	nine out of ten
9	9 out of 10, great crew
8	8 - a bit late but fine
8	I'd say 8
7	solid 7
7	maybe a 7
6	6 I guess
3	3, the gate squeaks
2	two. terrible
1	1!!!
10	10s across the board
10	a perfect 10
10	definitely a 10
9	Going with 9
9	I'll give it a 9
9	give you 9
9	rating: 9
9	my score is 9
10	10, thanks Oleg!
9	9 because they were late by 2 hours
range	8-9
range	8 or 9
range	between 7 and 8
range	8 to 9
outside	11
outside	0
outside	12/10
two	installers 10, manager 4
reply	call you later
none	ok
none	k
none	thanks
none	Thank you, all good
reply	When will you fix the remote?
reply	how much is another remote?
call	call me
call	please call me back
stop	stop
stop	STOP
stop	unsubscribe
stop	don't text me again
stop	please stop messaging me
stop	take me off your list
stop:8	8. Please don't message me again
9	9, don't stop doing what you do
erase	delete my data
code	what's my promo code?
none	at 10 am
none	2 weeks
none	apartment 9
none	+1 415 555 2671
none	3 guys came
4?	4
5?	5
5	5 out of 10
5?	five
none	max
none	Top marks
9	9.
9	9!
9	 9
10	1O
"""

# A fourth, of traps: numbers that are no scores, wishes for silence that are easily missed.

FOURTH_TEN_RU = r"""
reply	Ворота 3 на 2,5 стоят криво
reply	Стоят криво, когда приедете исправлять?
reply	Нет, второй пульт не работает
reply	один пульт не работает
reply	1 пульт не работает
reply	Гудит мотор, уже 2 раза звонил
reply	Вы мне должны ещё 3 секции
none	Менеджер обещал 5 дней, вышло 12
none	гараж 6 на 4
none	за 150 тысяч могли бы и лучше
none	мне 67 лет
none	в 2024 ставили такие же
reply	Звоните после 6
none	буду дома в 7
none	жена оценит
none	9 мая
none	9-го приедут
none	10-го числа поставили
none	заказ 10-25
none	№ 9
none	договор 9
none	9 этаж
none	на 9 этаже
none	девятого ноября монтаж
none	через 10 минут отвечу
none	5 минут
none	дайте 5 минут
none	с 9 до 18
none	1+1
none	3 сентября заказал, 10 октября поставили
none	100 раз звонил
none	7 раз отмерь
none	две недели
none	в двух словах - ужас
none	раз в 5 лет такое
10	10 лет гарантии - это сильно! Ставлю 10
9	Прошло 3 недели, всё работает, 9
2	Прошло 3 недели, ничего не работает. Оценка 2
8	8. Из 3 пультов 1 не работает
8	8, так как из 3 пультов 1 не работает
9	Ребята поставили за 2 дня вместо 3, моя оценка 9
10	За 5 лет лучший сервис! 10
7	Ждали 12 дней вместо 7. Оценка: 7
two	цена 4, качество 9
two	Монтаж 10 доставка 7
two	9 за работу и 5 за уборку
two	Иван 10, Пётр 8
none	9/10 из-за цены, так бы 10
9	9, было бы 10 если бы не грязь
9	9. 10 не поставлю, потому что опоздали
8	Была бы 10, но задержка — 8
7	сначала хотел 9, но после звонка 7
7	не 9, а 7
7	7, а не 9
10	11 из 10, шучу, 10
none	лучше не спрашивайте
none	без комментариев
none	не скажу
reply	а смысл?
reply	Зачем вам это?
reply	кто это?
reply	Вы кто?
none	ошиблись номером
reply	Я не заказывал ворота
stop	Я ничего не заказывал, не пишите сюда
stop	достали своими сообщениями
stop	Отстаньте
stop	не беспокойте меня
stop	не шлите мне больше ничего
stop	больше не беспокоить
stop	Удалите меня из списка
stop	снимите меня с рассылки
stop	отключите рассылку
stop	отмена подписки
"""

FOURTH_FIVE_RU = r"""
5	очень легко, 5
1	сложно! 1
5	Заявку оставил за 2 минуты. 5
4	4, звонили 2 раза
none	звонили 5 раз
none	оформил за 5 минут
none	нет
none	да
none	легко
none	очень сложно
2	два балла
outside	6
outside	семь
3	3 балла из 5
range	3-4
two	оформление 5, доставка 2
5	Всё на 5
5	на пять
5	на отлично! 5
1	ноль, ну ладно 1
"""

FOURTH_TEN_EN = r"""
none	we waited 3 weeks
none	2 remotes are missing
reply	1 remote does not work
9	took 3 days but 9
8	8, they came 2 hours late
9	9 would be 10 if cleaner
two	sales 9, install 5
none	see you at 9
none	9am
none	on the 9th
none	order 10
none	gate 3 is crooked
10	5 stars? no, 10 of 10!
7	not 9 but 7
stop	leave me alone
stop	remove me from this list
stop	do not contact me
"""

# No wish for silence.
FOURTH_NO_OPT_OUT = r"""
остановка ворот плавная, 9
стоп-кран не работает
мотор не останавливается, стоп не срабатывает
Кнопка стоп на пульте заедает
прекратите ставить такие пульты
отписался менеджер только через день
не пишите в договоре то, чего нет
хватит тянуть с монтажом
отмена заказа
больше не обращусь
не надо было менять привод
удалите лишнюю створку
Не звоните, я на работе, 9
the gate does not stop, 3
don't stop improving
stop button is broken
"""

FIFTH_TEN_RU = r"""
reply	если не сломаются за год, поставлю 10
1	1, издевательство
2	2, если не перезвоните, пойду в суд
3	3 балла, когда доделаете тогда и поговорим
1	1, верните деньги
none	твёрдая четверка
none	не больше 5 звёзд дают вам на 2гис
2	два балла и то из жалости
1	1. И то потому что 0 нельзя
none	не знаю что поставить
none	в 10 приехали, в 12 уехали
9	приехали к 9 утра, всё ок. 9
none	завтра после 6
none	8 800 555 35 35
none	+7 914 000 11 22
none	мой номер 914-000-11-22, набирать после 7
reply	дороже на 5 тысяч чем обещали
none	заплатил 9 тыс
none	10к
8	8️⃣ из 🔟
3	3 😡
outside	1000 из 10
range	от 7 до 9
two	9 (или 10)
2	ставлю 2, вместо 10 как обещала соседка
two	За ворота 10, за монтаж 3
stop	больше не пишите сюда
stop	прекратите мне писать
none	мастера достали меня своими вопросами
none	мастер сказал стоп и уехал
reply	как нажать стоп на пульте?
reply	не пишите что всё хорошо, это не так
reply	не присылайте больше этого мастера
reply	как отменить подписку на приложение ворот?
none	снимите с учета старый пульт
10	не беспокойтесь, всё хорошо, 10
1	никогда больше к вам не обращусь, 1
none	ага, отлично, три недели ждали
none	супер, 2 месяца ждать калитку
none	минус 5
range	9.5
10	десять баллов Грифиндору
8	восьмёрочка, есть куда расти
none	кв 8
none	8 квартира
none	8й дом
none	25 октября
none	договор 7
none	9 ворот
none	нас 8 человек
none	до 10 не дотягивает
8	8, до десятки чуть-чуть не хватило
none	снимаю 2 балла за опоздание
9	не 8, а 9
10	ошибся, 10
none	сами себе поставьте 10
none	обычно ставлю 10, но не в этот раз
reply	поставлю 10 когда доделаете
reply	поставлю 10, если приедете завтра
reply	доделайте - поставлю 10
reply	10 поставлю когда вернёте деньги
none	10 если честно не заслужили
reply	поставлю 10, как только привезёте пульт
none	поставлю 10 только после ремонта
reply	когда всё доделаете, поставлю 10
none	если бы приехали вовремя, поставил бы 10
none	могло быть и 10
reply	хотелось бы поставить 10
none	не могу поставить 10
none	никак не 10
reply	10? нет
reply	вы серьёзно просите 10?
none	10 ставить не за что
none	10 вам никто не поставит
none	9 из 10 клиентов вам не поставят
none	в прошлый раз 10, сейчас нет
none	прошлый раз ставил 10
none	муж сказал 10, а я не согласна
none	Олег попросил поставить 10
reply	говорят надо 10 ставить
reply	а если 1 поставлю, перезвоните?
reply	поставлю 1 если не приедете
none	поставлю 1 если завтра не починят
two	цена 10, качество 2
none	24/7
none	сделали 1/3
none	на все сто
none	на пятёрку с плюсом
none	один раз приехали и пропали
none	два из трёх пультов
none	как дважды два
none	восьмой раз звоню
none	в понедельник в 8:30
outside	830
none	8-17
none	Ленина, 10
none	мкр 7 дом 4
none	код 7
none	подъезд 3, код 7К
none	# 9
10	>10
8	≈8
8	8 (((
10	10 ❤️❤️❤️ 
9	9👌
9	9✅
9	оценка=9
9	Оценка 9 баллов из 10 возможных
9	9;
9	9 баллов, телефон для связи 89140001122
9	9. Договор № 45 от 12.10
10	За 2 дня всё сделали, 10
10	приехали вдвоём и за 3 часа поставили, ставлю 10
reply	не присылайте, уже починил сам
reply	не отправляйте, сам заберу
reply	не надо присылать, я сам приеду
stop	не присылайте мне больше ничего, сам разберусь
stop	сама справлюсь, не присылайте больше ничего
reply	мастера больше не присылайте
reply	не надо больше, двух хватит
none	уберите мой номер из объявления, звонят чужие
none	отключите сообщения от ворот
none	отказываюсь от монтажа
reply	отказываюсь получать ворота с царапиной
reply	не хочу видеть этого мастера
reply	отказаться от второго пульта можно?
reply	отпишитесь, когда мастер выедет
none	отпишитесь по времени
none	стоп, я ошибся: 9
stop:3	3. И больше не пишите
stop	замучили своими опросами
none	достали вопросами мастера
none	достали
stop	не пишите больше
none	пишите, не стесняйтесь
stop	избавьте меня от ваших сообщений
stop	не смейте мне больше писать
stop	я запрещаю мне писать
stop	отзываю согласие на рассылку
stop	убери меня отсюда
stop	Прошу прекратить рассылку
stop	прошу больше не писать
stop	откажусь от рассылки
stop	хочу отказаться от рассылки
stop	Отписка
none	поставила бы и 10, да совесть не позволяет
none	10, ага, щас
reply	10!? да вы издеваетесь
none	мастер поставил 10 дюбелей
none	поставили 9 секций
none	дайте 10
none	балл 9 ЕГЭ
none	давление 9 баллов
none	ветер 8 баллов, ворота гнутся
none	землетрясение 3 балла выдержали
none	шторм 9 баллов выстояли
none	рейтинг у вас 5 на 2гисе, а по факту нет
reply	из 10 ворот 2 брак
none	я уже отвечал 5 минут назад
9	Уже отвечала: 9
none	никому не дам 10
reply	будет десятка, когда почините
reply	10, дам когда доделаете
reply	доделайте калитку, и будет вам 10
10	10, если кто спросит — дам ваш телефон
8	8, перезвоните завтра, будет удобно
10	10, позвоните маме, она тоже закажет, будет рада
two	не 1 и не 10
none	меньше 5 не заслуживает
none	больше 3 не заслужили
none	10 ка
reply	в 10:00 жду мастера
none	10.00
none	к 10-00
none	9-го числа привезли
none	число 9
reply	9 января поставили, 9 февраля сломались
none	1) звонок 2) замер 3) монтаж всё долго
none	5 раз
none	двое из трёх
none	трое приехали
reply	один мастер нормальный второй хам
reply	2 мастера грубили
none	4 створки
none	2 пульт где
reply	ворота 2 заедают
reply	кнопка 1 не работает
none	ошибка 8 на блоке
none	горит код 5
none	цвет 8017
none	3х2
none	2.5 метра
9	9, всем советую!
9	9. Дмитрий
10	10 Дмитрий супер
10	10 - Дмитрию
10	10-10-10
none	кек
none	пробки были 8 баллов, поэтому мастер опоздал
none	пробки 9 баллов
9	пробки 9 баллов, а доехали вовремя. Ставлю 9
reply	10 поставлю, когда вернёте деньги
reply	10, если доделаете калитку
reply	Когда заработает, поставлю 10
10	10, если хотите подробнее, позвоните
9	поставлю 9, когда звонил, ответили не сразу
8	поставлю 8, вы хорошо работаете
10	10, только после монтажа не убрали коробки
stop	откажусь от опросов
stop	избавьте меня от ваших опросов
stop	запрещаю мне писать
erase	отзываю согласие на обработку персональных данных
stop	удали мой номер
stop	вы ошиблись номером, стоп
stop	не присылайте мне больше ничего
none	нет, стоп-кран
none	откажусь от монтажа
none	не смейте так работать
none	перестать бы вам опаздывать
9	9. Спасибо Дмитрию за терпение!
7	На 7 из 10. Замерщик опоздал на час
none	до семи дозвониться не могу
reply	звоните до семи
none	семеро одного не ждут
none	мы с мужем оба довольны
none	пришлось 2 раза ездить к вам в офис на 5 км
8	Восемь. Минус за грязь в подъезде
8	8 (минус за грязь)
9	9 из 10, минус балл за пыль
6	твёрдая шестёрка)
10	Десяточка ребятам!
10	🔟/🔟
9	9️⃣/🔟
reply	1️⃣ пульт не работает
reply	2️⃣ недели жду
none	☎️ 8️⃣9️⃣1️⃣4️⃣0️⃣0️⃣0️⃣1️⃣1️⃣2️⃣2️⃣
none	номер: 8-914-000-11-22
none	тел 2-45-67
none	245-67-89
none	мой телефон 9140001122
none	Пишите на 9140001122
none	ИНН 2540123456
none	карта 4276 1234 5678 9012
none	переведите на карту 4276123456789012
none	счёт 10
none	доплатил 5
none	доплатил 5000
none	скидка 10
none	скидка была 10 процентов, дали 5
none	взяли 3 тыс за выезд
none	5к за выезд это грабёж
none	20 т.р.
none	$500
none	500$
two	цена 8, качество 9
none	в 9 утра 2 ноября
none	2 ноября
none	02.11
none	ждал с 8 до 10
reply	с 8 ноября жду
none	в 3 квартале закажу ещё
none	приехали на 2 часа позже
none	через 2
none	часа через 2
none	минут 10 объяснял
none	полчаса
none	в пол 9
none	полдевятого
none	без 10 девять
none	без пяти десять
none	пять сек
none	четверг
none	7 пятниц на неделе у вас
none	первый блин комом
none	на первый раз сойдёт
outside	тысяча благодарностей
none	сто раз спасибо
none	раз пять звонил
reply	сто лет жду
none	100% рекомендую
none	на 100% доволен
none	на 99%
outside	911
outside	24
none	5×5
10	10 из десяти
10	десять из 10
10	десять из десяти!
two	9 вместо 10 роликов
9	9, вместо 10 роликов поставили 9
none	тройка с натяжкой
none	с натяжкой на тройку
none	на слабую четвёрку
none	пара
none	неуд
none	уд
none	5 из 5!
5?	спасибо, 5
5	5 баллов из 10, потому что долго
3	3, никто не предупредил
1	1!!!!!!
1	Один. Один балл.
1	единичка вам за монтаж
2	Двойка из десяти? нет, 2 из 10
outside	ноль из десяти
none	минус десять
none	минус 1
none	какие ещё баллы, ворота упали
reply	Оценивать рано, ждём пуск
none	оценю через месяц
reply	через месяц поставлю 10 если не сломается
none	поставлю 10 через год
none	посмотрим, может и 10
two	может 8, может 9
none	не знаю, 8 наверное
9	Здравствуйте! Воротами довольны, поставили за один день, пульты (2 шт) работают. Оценка 9, минус за мусор.
none	Здравствуйте! Воротами довольны, поставили за один день, пульты (2 шт) работают.
10	Добрый день! 10\nВсё понравилось, спасибо
reply	Добрый день. Договор №125 от 03.09, ворота 3х2,5, оплатили 185 000. До сих пор ждём автоматику. Когда?
3	Ставлю 3. Договор №125 от 03.09, ворота 3х2,5, оплатили 185 000. До сих пор ждём автоматику.
reply	Меня зовут Ольга, кв. 45, 3 подъезд, 7 этаж. Не работает домофон.
reply	1. Опоздали. 2. Намусорили. 3. Хамили.
1	1! 1. Опоздали. 2. Намусорили.
reply	Плюсы: быстро. Минусы: 1) мусор 2) царапина
10	+ быстро\n+ вежливо\nИтого 10
6	Менеджер молодец, монтажники так себе, поэтому 6
6	В итоге 6
two	Менеджеру 10, монтажникам 2
two	За скорость 9, за качество 6
none	Друзьям порекомендовал уже двоим
none	Порекомендовала 3 соседям
10	Порекомендовала 3 соседям, 10!
none	уже 2 раза у вас заказываю
10	Уже 2 раза у вас заказываю, оценка 10
9	Второй раз заказываем, твёрдая 9
none	второй раз заказываем
none	Вы уже 3й раз спрашиваете
none	Я же вчера ответил
9	вчера же написал - 9
10	Десять! Десять! Десять!
none	десятый раз пишу
none	Десятки раз звонил
none	за десятку лишнюю содрали
none	на десятку дороже чем у других
none	десятку сверху взяли
none	сотку переплатил
none	пятёрку дал сверху мастеру
none	пятак с меня взяли
none	взяли с нас семёрку за доставку
none	на восьмёрке приехали, ВАЗ
reply	девятку свою поцарапал об ворота
none	шестёрка во дворе стоит, ворота не открыть
reply	в доме 9, позвоните
none	офис 9
reply	приезжайте на Русскую 10
none	маршрут 8 ходит
none	размер 10
reply	Ворота 10 лет простоят?
reply	гарантия 2 года?
none	гарантия 10
none	Гарантия 10 лет, посмотрим
none	соседу поставили 9, а нам 8 панелей
none	из 10 баллов не наберёте и 3
none	и 3 много будет
3	даже 3 много будет
none	ни на 3 не наработали
none	больше тройки не дам
none	на 2 с минусом
none	минус 100 вам
outside	100500
outside	100500 баллов
outside	миллион баллов
outside	11 из 10!
none	выше 10
10	выше 10 нет оценки? ставлю 10
8	8, ворота 3х2,5 хорошие
9	9. Ворота 4 х 2.5 м
none	ворота 3х2,5х2
10	10\n\n1. Быстро\n2. Вежливо
none	заплатил 48 000
9	9, хотя 48 000 дорого
none	1 250 000
8	Добрый вечер.\nМонтаж — хорошо.\nМенеджер — отлично.\n8
7	Оценка: 7\n1. Опоздали на 40 минут\n2. Не убрали мусор
4	Оценка: 4\n1) долго\n2) дорого\n3) грязно
"""

FIFTH_FIVE_RU = r"""
5	Пятёрочка!
5	отлично, 5 с плюсом
5	💯 5
none	5 минут заняло
5	всё просто, 5
none	просто, но 5 раз звонил
none	просто 5 раз звонил
none	сложно. 3 раза переделывал заявку
4	скорее просто, 4
none	ни разу не 5
4	до 5 не дотянули, 4
4	4, мастер опоздал
none	1 мастер опоздал
two	2 бригада лучше 1
none	бригада 2
5	Бригада 5!
none	бригаде 5 лет
none	монтажникам по 20 лет
reply	поставлю 5 когда уберут мусор
none	5 если доделают
none	5 если бы не опоздали
"""

FIFTH_TEN_EN = r"""
stop	stop texting me
stop	take me off this list please
stop	please don't message me again
none	I would give 10 if you came on time
reply	will give 10 when you finish
none	I'll give you 10 once the gate works
none	not a 10
none	definitely not 10
none	could have been a 10
none	was going to say 10
8	was going to say 10 but 8
10	10, thanks to Oleg!
none	3 weeks late
reply	call me at 5
reply	call me after 6 pm
none	my number is 914 000 11 22
none	$10 would be nice
none	10 bucks more than agreed
none	it took 10 tries
none	took 3 visits
none	2 guys came
none	only 1 came
none	gate no 7
none	2 of 3 remotes work
7	7ish
7	a 7 I guess
range	7 or 8
none	zero complaints
none	no complaints
none	one remote is missing
none	one more thing
none	ten days
none	I waited ten days
none	two words: never again
none	second to none
none	number one company
reply	24/7 support would help
none	ID 9
none	id9
two	✅ 9\n✅ 8
9	\n9\n
none	stop at 10
reply	please do not send the master tomorrow
reply	don't write to the manager, call me
none	quit working after 2 days
stop	not interested, stop
stop	I'm not interested, please stop
stop	stop bothering me
stop	wrong number, stop
stop	lose my number
outside	Nice 1000
none	Came BX 8
none	RAL 8017
range	3 x 2,5
none	okay 
10	Absolutely 10
9	I'd say nine
8	8, but pricey
8	It's an 8 from me
9	9 stars
10	Ten, no doubt
10	10! Great job guys
10	10 thx
9	9 cheers
3	3. Never again.
1	1 - worst service ever
outside	0/10
outside	0 out of 10
7	7/10 would buy again
6	6, meh
none	meh
none	10 minutes late
none	arrived at 10
none	by 10 am please
none	between 9 and 11 am
none	room 10
none	10th floor
none	the 10th visit
none	one time only
none	one star
none	just one question
none	no one came
reply	no one called me
none	someone took my 2 remotes
none	2 out of 3 gates
none	for 10 grand I expected more
none	10k wasted
none	10 euros
reply	€10 discount?
none	it is 10 cm short
none	5 ft too low
none	I give up
none	give me a 10 percent discount
reply	give me a call at 5
none	give 2 remotes back
reply	score? no
none	rate is 10 percent too high
range	your rating was 9.8 so I trusted you
none	rated 9 online, in reality not
reply	I rate you when it works
none	10 if you fix it
reply	10 when you finish
none	10 once it works
none	I'd give 10 if the motor was quiet
none	would be a 10 without the noise
9	9, would be 10 without the noise
9	not 10, 9
9	9 not 10
9	9 instead of 10
two	10 for sales, 4 for installation
two	manager 10 installers 3
10	manager 10, installers 10
none	10 is too much, let me think
none	10 is too high
none	less than 5
none	more like 5 or so
reply	10? yeah right
none	yeah right, 10
none	lol 10 in your dreams
reply	are you asking me for 10?
none	stop asking for 10
stop	STOP ALL
stop	Stop sending me these messages
stop	stop this
stop	Please take me off your list
stop	do not text
stop	don't contact me again
stop	never contact me again
stop	stop spamming me
stop	delete my number please
stop:2	2. stop texting me
none	don't stop, you are great
none	stop by tomorrow at 10
10	can't stop recommending you, 10
none	please stop by tomorrow
none	stop the noise
none	quit joking
none	cancel the second visit
reply	unsubscribe from what?
reply	remove me from the waiting list for installation
none	remove the old gate
none	leave me a remote
none	delete my order
reply	do not send the same installer
none	don't ask me again about payment, I paid
none	do not write on the wall
"""

FIFTH_OPTIONS_RU = r"""
2	плохо, хотя обещали что отлично
5	отлично, но долго
reply	отлично? нет
2	всё плохо
2	плохо. Очень
none	плохого ничего не скажу
two	удовлетворительно, хотя ближе плохо
none	отлично / плохо
two	было отлично, стало плохо
reply	плохо когда не отлично
none	не сказал бы что отлично
none	отлично было бы получить пульт
reply	отлично испортили забор
reply	Плохо слышно, перезвоните
none	плохо закрывается калитка
"""

FIFTH_ZERO_TEN_RU = r"""
0	Ноль!
none	0 претензий
none	0 проблем
none	0 рублей
none	ноль эмоций
none	ноль внимания
none	0 внимания клиенту
0	0, никто не перезвонил
none	ноль без палочки
none	начали с нуля
two	ни 0 ни 10
0	нуль
none	zero problems
none	с 0 до 10
"""
