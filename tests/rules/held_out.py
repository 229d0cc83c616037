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
