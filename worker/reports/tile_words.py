"""The words of tiles: what a section's main figure is, in as little room as a tile has."""

from collections.abc import Mapping

TILES: Mapping[str, Mapping[str, str]] = {
    "ru": {
        "nps": "от {low} до {high}[, {mark}]",
        "csat": "довольны (от {low} до {high})[, {mark}]",
        "ces": "было легко (от {low} до {high})[, {mark}]",
        "complaints": "поступило, закрыто {m}, открыто сейчас {open}",
        "requests": "просили ответить, в переписке ответили {m}",
        "frt": "медиана, вовремя {share}",
        "iqs": "из 100 (от {low} до {high}), проверок {n}",
        "referrals": "по рекомендации: {n} из {m:сделки/сделок/сделок}",
        "average_check": "медиана {mean}",
        "retention": "покупали не раз: {n} из {m}",
        "segments": "покупали много и давно не возвращались",
        "cohorts": "купили снова через месяц",
    },
    "en": {
        "nps": "{low} to {high}[, {mark}]",
        "csat": "satisfied ({low} to {high})[, {mark}]",
        "ces": "found it easy ({low} to {high})[, {mark}]",
        "complaints": "opened, closed {m}, open now {open}",
        "requests": "asked for an answer, answered in the chat {m}",
        "frt": "median, in time {share}",
        "iqs": "of 100 ({low} to {high}), scorecards {n}",
        "referrals": "by recommendation: {n} of {m:deal/deals}",
        "average_check": "median {mean}",
        "retention": "bought more than once: {n} of {m}",
        "segments": "bought much and have not come back for long",
        "cohorts": "bought again a month later",
    },
}
