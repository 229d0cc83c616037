"""What a kind of survey is: its scale, its bands, its usual delay, and the keys of its texts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from worker.rules.duration import Duration
from worker.rules.scale import Band, Scale, parse_range

# These speak about what happened, not about what is measured: they come before the kind's own texts.
_WORDS_OF_TRIGGER = {"complaint_closed": "complaint", "deal_lost": "lost"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A metric that a survey measures. Text keys are those of the language packs.

    `questions` are those that differ from `<key>.question`.
    """

    key: str
    title: Mapping[str, str]  # language → how staff call it
    default_scale: str
    known_bands: Mapping[tuple[int, int], tuple[int, int]]  # (first, last) → (low, high)
    default_delay: Duration
    opening: str  # key of what a conversation begins with
    questions: Mapping[str, str] = field(default_factory=dict)  # subject, "options" or "1-5" → key
    subjects: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # subject → its own title

    def bands(self, first: int, last: int) -> tuple[int, int] | None:
        """`low` and `high` of a scale; None where this kind knows none, and the config has to say."""
        return self.known_bands.get((first, last))

    def scale(self) -> Scale:
        """The scale of a survey that names none."""
        first, last = parse_range(self.default_scale)
        low, high = self.known_bands[first, last]
        return Scale(first=first, last=last, low=low, high=high)

    def title_for(self, subject: str, language: str) -> str:
        """«Оценка менеджера» says more than «CSAT»."""
        return self.subjects.get(subject, self.title)[language]

    def opening_key(self, trigger: str) -> str:
        return f"opening.{_WORDS_OF_TRIGGER[trigger]}" if trigger in _WORDS_OF_TRIGGER else self.opening

    def question_key(self, trigger: str, subject: str, scale: Scale) -> str:
        """Whom it is about comes before how it is answered."""
        if trigger in _WORDS_OF_TRIGGER:
            return f"{_WORDS_OF_TRIGGER[trigger]}.question"
        answers = "options" if scale.options else f"{scale.first}-{scale.last}"
        special = subject if subject in self.questions else answers
        return self.questions.get(special, f"{self.key}.question")

    def thanks_key(self, trigger: str, band: Band) -> str:
        if trigger == "deal_lost":
            return "lost.thanks"
        if trigger == "complaint_closed":
            # A problem is solved or it is not: there is no text for in between.
            return "complaint.thanks_low" if band is Band.LOW else "complaint.thanks_high"
        return f"{self.key}.thanks_{band}"
