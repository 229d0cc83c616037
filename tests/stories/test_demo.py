"""`sarafan demo` as a newcomer starts it: no network, no config, one process whose story is counted."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.timeout(900),  # a minute of work, on a machine that may be busy
    pytest.mark.long,  # it would be played once in each test process
]
PHONE = re.compile(r"(?:\+7|\b[78])(?:[ ()-]*\d){10}\b")
SECTIONS = {  # as the weeks of the story name them: as the report does
    "NPS": "NPS",
    "менеджеру": "Оценка менеджера",
    "мастерам": "Оценка мастеров",
    "простота": "Простота (CES)",
    "о решении": "Решение рекламации",
}


@dataclass(frozen=True, slots=True)
class Demo:
    """What one run printed, in its three parts."""

    exit_code: int
    errors: str
    story: str
    report: str
    count: str
    left: tuple[str, ...]  # files in its folder for temporary ones

    @property
    def weeks(self) -> Iterator[str]:
        return (line for line in self.story.splitlines() if " · за неделю: " in line)

    def told(self, what: str) -> int:
        """The sum over the weeks of a count such as «вопросов: 7»."""
        return sum(int(found[1]) for week in self.weeks if (found := re.search(rf"{what}: (\d+)", week)))

    def scores(self, of: str) -> list[int]:
        said = (re.search(rf"{of} (\d+(?:, \d+)*)", week) for week in self.weeks)
        return [int(score) for found in said if found for score in found[1].split(", ")]

    def section(self, title: str) -> str:
        return next(part for part in self.report.split("\n\n") if part.startswith(title))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder, temporary = tmp_path_factory.mktemp("empty"), tmp_path_factory.mktemp("tmp")
    folder.chmod(0o555)
    done = subprocess.run(  # noqa: S603 - our own command
        [*_without_network(), Path(sys.executable).with_name("sarafan"), "demo"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "TMPDIR": str(temporary), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    story, _, rest = done.stdout.partition("=== Отчёт за квартал")
    report, _, count = rest.partition("=== Посчитано по событиям рассказа")
    left = tuple(file.name for file in temporary.iterdir())
    return Demo(done.returncode, done.stderr, story, report, count, left)


def _without_network() -> list[str]:
    """Loopback alone, where we may have a network of our own."""
    alone = ["unshare", "--net", "--map-root-user", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return []
    is_allowed = subprocess.run([*alone, "true"], capture_output=True, check=False).returncode == 0  # noqa: S603
    return alone if is_allowed else []


def test_it_succeeds_and_leaves_nothing_behind(demo: Demo) -> None:
    assert (demo.exit_code, demo.errors, demo.left) == (0, "", ())


@pytest.mark.parametrize(
    "event",
    [
        r"Иван Петров → WhatsApp: выбирает «9»",
        r"Марина Лебедева → Telegram: выбирает «10»",
        r"Климов → WhatsApp: пишет «3, монтаж растянулся на три недели»",
        r"amoCRM: рекламация \(Андрей Климов\): новая сделка .* ответственный — Анна Котова; задача",
        r"Telegram → Анна, руководитель: Низкая оценка: 3 из 10, NPS",
        r"Анна: нажимает «Беру» под оповещением \(Андрей Климов\)",
        r"amoCRM: рекламация \(Андрей Климов\): закрыта, решено",
        r"Клиент: Григорий Попов\. В поле «Промокод друга»: друг-\d{7}",
        r"\(Григорий Попов\): примечание «Клиент пришёл по рекомендации: Иван Петров, код ДРУГ-\d{7}",
        r"Юлия Романова → WhatsApp: пишет «стоп»",
        r"WhatsApp → Юлия Романова: «Хорошо, больше не будем присылать вопросы",
        r"\(Юлия Романова\): «Опрос» = «Не спросили: попросили не писать»",
    ],
)
def test_each_kind_of_event_is_told(demo: Demo, event: str) -> None:
    assert re.search(event, demo.story)


def test_no_phone_number_is_told_in_full(demo: Demo) -> None:
    assert "+7***" in demo.story
    assert not PHONE.search(demo.story + demo.report + demo.count)


def test_a_person_can_read_it(demo: Demo) -> None:
    """Some lines a second, each of them a sentence or three, and no address of this machine."""
    lines = demo.story.splitlines()
    assert 100 < len(lines) < 220
    assert max(map(len, lines)) < 330
    assert "http" not in demo.story.replace("https://t.me/", "").replace("по HTTP", "")


def test_nobody_is_asked_twice_about_one_deal(demo: Demo) -> None:
    found = re.search(r"вопросов пришло (\d+), разных по сделке и теме (\d+)", demo.count)
    assert found
    assert int(found[1]) == int(found[2]) == demo.told("вопросов")


def test_the_report_has_as_many_deals_and_questions_as_the_weeks_of_the_story(demo: Demo) -> None:
    won = re.search(r"По рекомендации (\d+) из (\d+) выигранных сделок", demo.report)
    assert won
    undone = len(re.findall("возвращает сделку|удаляет сделку", demo.story))
    assert int(won[2]) == demo.told("выиграно сделок") - undone
    sent = [int(re.search(r"Спросили (\d+)", demo.section(title))[1]) for title in SECTIONS.values()]  # type: ignore[index]
    assert sum(sent) == demo.told("вопросов")
    # Who recommended is in the deal's card; an own code is not a recommendation, and a discount names nobody.
    named = len(re.findall("Клиент пришёл по рекомендации", demo.story))
    by_discount = len(re.findall("Скидка от друга", demo.story))
    assert int(won[1]) == named + by_discount


@pytest.mark.parametrize(("short", "title"), SECTIONS.items())
def test_the_report_has_the_scores_of_the_weeks(demo: Demo, short: str, title: str) -> None:
    section, scores = demo.section(title), demo.scores(short)
    answered = re.search(r"ответили (\d+)", section)
    assert answered
    assert int(answered[1]) == len(scores)
    mean = re.search(r"(?:Средняя оценка|Лёгкость) (\d,\d)", section)
    assert mean
    assert float(mean[1].replace(",", ".")) == pytest.approx(sum(scores) / len(scores), abs=0.05001)


def test_nps_is_promoters_less_detractors(demo: Demo) -> None:
    scores = demo.scores("NPS")
    bands = Counter("high" if score >= 9 else "low" if score <= 5 else "middle" for score in scores)
    said = re.match(r"NPS ([+−]\d+)", demo.section("NPS"))
    assert said
    nps = 100 * (bands["high"] - bands["low"]) / len(scores)
    assert int(said[1].replace("−", "-")) == round(nps)


def test_complaints_are_counted_as_they_were_opened_and_closed(demo: Demo) -> None:
    said = re.search(r"Поступило (\d+), закрыто (\d+), открыто сейчас (\d+)", demo.report)
    assert said
    opened = len(re.findall(r"новая сделка «Рекламация|заводит рекламацию вручную", demo.story))
    closed = re.findall(
        r"рекламация \(([^)]+)\): закрыта, решено"
        r"|закрывает сделку рекламации в amoCRM \(([^)]+)\)"
        r"|закрывает рекламацию «([^»]+)»",
        demo.story,
    )
    solved = {"".join(names) for names in closed}  # one was opened again and closed once more
    assert [int(number) for number in said.groups()] == [opened, len(solved), opened - len(solved)]


def test_its_own_count_agrees_line_by_line(demo: Demo) -> None:
    lines = [line for line in demo.count.splitlines() if line.startswith("• ")]
    assert len(lines) == len(SECTIONS) + 6
    assert all(line.endswith(" — совпадает с отчётом.") for line in lines)
