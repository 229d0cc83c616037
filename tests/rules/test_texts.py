"""The language packs: complete, within their limits, and in the manner that people were promised."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from integrations.channels import greenapi_read, telegram_read
from tests.rules.packs import pack, texts
from worker.rules.eligibility import Reason
from worker.rules.kinds.registry import KINDS
from worker.rules.scale import Band
from worker.rules.wording import PLACEHOLDERS, Value, check_template, placeholders_of

# The longest that is sensible; `{words}` counts as 300.
LONGEST: dict[str, Value] = {
    "company": "ВладАвтоматика", "phone": "8 (423) 222-33-44", "about": "секционные ворота",
    "client_name": "Константин Владимирович", "manager": "Александра", "crew": "Александр и Владислав",
    "scale_min": 1, "scale_max": 10, "options": "Отлично, Удовлетворительно, Плохо", "score": 10, "a": 9,
    "b": 10, "contact_by": "в понедельник, 16 сентября", "promo_code": "ДРУГ-4821571", "discount": "5 %",
    "promo_terms": "На один заказ до конца года.", "reward": "Вам скидка 5 % на обслуживание.",
    "review_links": "", "privacy_url": "https://example.ru/privacy", "client": "Константин Владимирович",
    "client_phone": "+7 914 555-12-34", "deal": "Ворота, Константин Владимирович",
    "deal_url": "https://example.amocrm.ru/leads/detail/12345678",
    "complaint_url": "https://example.amocrm.ru/leads/detail/12345678", "amount": "1 184 000 ₽",
    "closed_ago": "закрыта 365 дней назад", "survey": "Оценка менеджера", "words": "ж" * 300,
    "channel": "WhatsApp", "when": "16 сентября в 14:05", "reason": "нет в подключённых мессенджерах",
    "who": "Александра", "staff": "Александра", "no": 1234, "deadline": "до 16 сентября, 14:05",
    "age": "12 дней", "topic": "Сроки монтажа", "period": "III квартал 2026", "value": "34,4",
    "low": "14,5", "high": "51,1", "prev": "20,0", "share": "97", "usual": "99", "n": 21, "m": 120,
    "closed": 12, "open": 4, "verdict": "Разница в пределах погрешности.", "field": "Скидка",
    "name": "руководитель", "nearest": "«NPS»", "cause": "", "remedy": "Отсканируйте QR заново.",
    "link": "https://t.me/vladavtobot?start=AbCdEfGhIjKlMnOpQrStUv",
}  # fmt: skip

# Characters after filling in, by `texts.ru.md`.
LIMITS = """
opening.nps 130, opening.later 160, opening.complaint 130, opening.lost 140, opening.reminder 90, next 30
next.last 30, nps.question 110, nps5.question 110, csat_manager.question 120, csat_field.question 120
csat_crew.question 100, csat.question 90, csat.question.options 90, ces.question 100
complaint.question 80, lost.question 100, tail.typed 90, tail.options 90, tail.poll 40, tail.complaint 60
tail.stop 60, promo.in_question 140, test.mark 40, nps.thanks_high 110, nps.thanks_neutral 90
nps.thanks_low 220, nps.check_low 200, csat.thanks_high 70, csat.thanks_neutral 70, csat.thanks_low 190
ces.thanks_high 50, ces.thanks_neutral 50, ces.thanks_low 80, complaint.thanks_high 90
complaint.thanks_low 170, lost.thanks 70, thanks.words_high 70, thanks.words_neutral 70
thanks.words_low 170, thanks.end 40, late.thanks 40, promo.offer 70, promo.card 190, promo.toast 80
promo.not_here 80, review.high 60, review.neutral 90, review.after_complaint 60, ask_again 120
ask_again.options 120, ask_again.range 80, ask_again.outside 80, ask_again.voice 120, forwarded 150
callback.done 110, score.line 90, score.changed 90, score.locked 90, survey.over 40, optout.done 140
optout.scored 70, optout.undone 70, erase.received 110, human.reply 40, referrer.used 230, link.invite 110
referrer.used.phone 230
print.qr 110, bot.about 80, start.linked 280, start.unknown 160, start.not_found 110
start.foreign_card 100, start.used 100, complaint.name 100, complaint.name_uncalled 100
complaint.task 600, complaint.note 600, complaint.note_words 380, complaint.note_joined 380
complaint.note_raised 110, complaint.note_after 340, deal.note 400, deal.note_changed 400
deal.note_optout 110, deal.note_not_new 150, deal.task_words 380, deal.task_reward 160
deal.task_reward.phone 160
deal.state.planned 60, deal.state.asked 60, deal.state.answered 60, deal.state.silent 60
deal.state.skipped 60, alert.no_words 330, alert.words 330, alert.state.taken 60, alert.state.talked 60
alert.state.later 60, alert.state.passed 60, alert.state.solved 60, alert.state.solved_in_amocrm 60
alert.state.refused 60, alert.state.raised 60
alert.already 60, alert.leaders_only 60, alert.not_yours 60, alert.ask_result 100
alert.result_kept 60
alert.result_lost 80, alert.result_text_only 100, alert.nobody_to_pass 60, alert.yours 140
complaint.note_passed 110, complaint.task_passed 110, complaint.note_result 80
alert.untaken 140, alert.overdue 140, alert.again 460
alert.uncalled 140, alert.burst 110, alert.burst_line 110, alert.late 70, client.wrote 480
client.replied 80
client.reply_uncertain 110, client.reply_text_only 80, client.answered 60, deal.note_replied 400
client.reply_edited 110, client.reply_edited.unsent 80, client.reply_lost 260
client.reply_nowhere 140
client.reply_failed 80, client.stranger 370, erase.task 140
erase.how 50, forget.how 90, forget.sure 160, forget.kept 40, forget.done 260, forget.nobody 120
rollout.preview 100, rollout.bulk 140, rollout.closed.how 110, morning.title 100, morning.line 100
morning.yesterday 380, morning.quote 380, help.head 210, pause.on 110, pause.off 110, few 80, find.none 80
dashboard.expired 70, staff.welcome 130, digest.title 60, s1.up 110, s1.down 110, s1.same 110, s1.few 80
s1.none 80, s2.overdue 110
s2.channel 110, s2.person 80, s2.topic 80, s2.praise 60, s2.nothing 60, s3.oldest 80, s3.channel 80
s3.call 150, s3.field 150, s3.nothing 150, quarter.caption 300, letter 600
"""


def limits() -> Iterator[tuple[str, int]]:
    for entry in re.split(r"[,\n]", LIMITS.strip()):
        key, limit = entry.split()
        yield key, int(limit)


BUTTONS = [key for key in pack("ru") if key.startswith(("button.", "option.", "topic."))]
TROUBLE = [
    key for key in pack("ru")
    if key.startswith(("amo.", "wazzup.", "http.", "telegram.", "max.", "law.", "trouble.", "config."))
    or key in ("channel.down", "channel.silent", "channel.state", "new_database", "clock")
    or key in ("check.ok", "check.todo")
]  # fmt: skip


@pytest.mark.parametrize(("key", "limit"), tuple(limits()))
def test_every_text_keeps_to_its_limit(key: str, limit: int) -> None:
    said = texts("ru").fill(key, **LONGEST)
    assert len(said) <= limit, f"{len(said)} of {limit}: {said}"


@pytest.mark.parametrize("language", ["ru", "en"])
def test_buttons_and_trouble_keep_to_their_limits(language: str) -> None:
    said = texts(language)
    assert all(len(said.fill(key)) <= 20 for key in BUTTONS)
    assert all(len(said.fill(key, **LONGEST)) <= 300 for key in TROUBLE)


def test_both_packs_have_every_text() -> None:
    assert pack("en").keys() == pack("ru").keys()
    assert all(pack("en").values())
    assert all(pack("ru").values())


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_template_is_right(language: str) -> None:
    for key, template in pack(language).items():
        assert check_template(template, PLACEHOLDERS) == [], key


def test_english_names_nothing_that_russian_does_not() -> None:
    """Whoever fills in a text hands in what the Russian one needs."""
    for key, template in pack("en").items():
        assert placeholders_of(template) <= placeholders_of(pack("ru")[key]), key


def test_no_english_text_has_a_russian_letter() -> None:
    assert [key for key, template in pack("en").items() if re.search("[а-яё]", template, re.IGNORECASE)] == []


def test_clients_are_spoken_to_calmly() -> None:
    said = texts("ru")
    for key in (key for key, _ in limits()):
        text = said.fill(key, **LONGEST)
        assert "ваше мнение очень важно" not in text
        assert "уважаем" not in text.lower()
        assert not re.search("[\U0001f300-\U0001faff]", text)
        assert text.count("!") <= 1, text


def test_no_text_that_a_client_gets_names_what_is_for_staff() -> None:
    private = {"client", "client_phone", "deal", "deal_url", "complaint_url", "amount", "words", "who"}
    of_clients = (
        "opening.", "nps", "csat", "ces", "lost", "tail.", "promo.", "review.", "ask_again", "thanks.",
        "optout.", "score.", "start.", "callback.", "forwarded", "late.", "survey.over",
    )  # fmt: skip
    for key, template in pack("ru").items():
        if key.startswith(of_clients):
            assert not placeholders_of(template) & private, key


def test_every_reason_has_a_phrase() -> None:
    delays = {Reason.WINDOW, Reason.TURN, Reason.HUMAN, Reason.PACE, Reason.CHANNEL, Reason.SERVICE}
    for reason in set(Reason) - delays:
        assert texts("ru").has(f"reason.{reason}"), reason


def test_every_kind_finds_its_texts() -> None:
    for kind in KINDS.values():
        for trigger in ("deal_won", "deal_lost", "deal_status", "complaint_closed"):
            assert texts().has(kind.opening_key(trigger))
            assert all(texts().has(kind.thanks_key(trigger, band)) for band in Band)
            for subject in ("", "manager", "field"):
                assert texts().has(kind.question_key(trigger, subject, kind.scale()))


SPEC = Path(__file__).parents[2] / "../shared/spec/texts.ru.md"
# What the specification gives one key for, and the language pack one for each state.
ONE_ROW = {
    "alert.state": ("taken", "talked", "later", "passed", "solved", "solved_in_amocrm"),
    "deal.state": ("planned", "asked", "answered", "silent", "skipped"),
}


def rows_of_the_specification() -> Iterator[tuple[str, str]]:
    for line in SPEC.read_text(encoding="utf-8").split("## 6.")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        keys = re.findall(r"`([a-z0-9_.]+)`", cells[0])
        if not line.startswith("| `") or len(cells) < 2 or not keys:
            continue
        said = [text.strip() for text in cells[-1].split("‖")]
        if keys[0] in ONE_ROW:
            keys = [f"{keys[0]}.{state}" for state in ONE_ROW[keys[0]]]
        if len(keys) == len(said):
            yield from zip(keys, said, strict=True)


@pytest.mark.skipif(not SPEC.exists(), reason="the specification is not beside this copy of the project")
def test_the_russian_pack_says_what_the_specification_says() -> None:
    compared = 0
    for key, template in rows_of_the_specification():
        if key.startswith("wazzup.state"):
            template = template.split(" (")[0]  # the remedies stand there in brackets
        ours, theirs = texts().fill(key, **LONGEST), texts().fill_template(template, LONGEST)
        assert ours == theirs.replace("{review_links}", ""), key
        compared += 1
    assert compared > 150


@pytest.mark.parametrize("language", ["ru", "en"])
def test_whatever_a_client_can_send_has_a_name(language: str) -> None:
    kinds = {*telegram_read.MEDIA, *greenapi_read.MEDIA.values()}
    assert {f"media.{kind}" for kind in kinds} <= pack(language).keys()


def test_why_somebody_was_not_asked_is_said_in_these_words() -> None:
    said = {str(reason): texts("ru").fill(f"reason.{reason}") for reason in Reason if not reason.only_delays}
    assert said == {
        "opted_out": "попросили не писать",
        "no_consent": "нет согласия",
        "no_contact": "в сделке нет контакта",
        "no_phone": "нет телефона",
        "unreachable": "нет в подключённых мессенджерах",
        "complaint_open": "открыта рекламация",
        "asked_recently": "недавно спрашивали",
        "silent": "не отвечают на вопросы",
        "conversation_silent": "не ответили на предыдущий вопрос",
        "reopened": "сделку открыли снова",
        "deleted": "сделка удалена",
        "no_subject": "не указано, кого оценивать",
        "stop_tag": "стоит метка, по которой не спрашиваем",
        "asked_before": "уже спрашивали",
        "failed": "не удалось отправить",
        "held": "ждёт решения руководителя",
        "too_old": "сделка слишком старая",
        "too_late": "опоздали с отправкой",
        "old_deal": "сделка закрыта до запуска",
        "staff": "это сотрудник",
    }
