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
