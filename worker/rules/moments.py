"""Dates, times and spans as people say them: «16 марта», «завтра до 12:00», «12 дней назад»."""

from datetime import date, datetime, timedelta, tzinfo

from worker.rules.wording import Texts


def day_text(texts: Texts, day: date) -> str:
    """«16 марта»."""
    return texts.fill("date.day", n=str(day.day), name=_nth(texts, "date.months", day.month - 1))


def time_text(moment: datetime, zone: tzinfo) -> str:
    """«14:05»."""
    return f"{moment.astimezone(zone):%H:%M}"


def moment_text(texts: Texts, moment: datetime, zone: tzinfo, now: datetime | None = None) -> str:
    """«16 марта в 14:05», and only «14:05» if it is of the same day as `now`.

    Leave `now` out where the text is kept and read on another day: a note, a field of the deal.
    """
    local = moment.astimezone(zone)
    if now is not None and now.astimezone(zone).date() == local.date():
        return f"{local:%H:%M}"
    return texts.fill("date.moment", name=day_text(texts, local.date()), when=f"{local:%H:%M}")


def contact_by(texts: Texts, deadline: datetime | None, now: datetime, zone: tzinfo) -> str:
    """The promise to a client: «сегодня до 18:00», «завтра до 12:00», «в понедельник, 16 марта».

    Empty without a deadline and for one that has passed: nobody promises the past.
    """
    if deadline is None or deadline <= now:
        return ""
    local, today = deadline.astimezone(zone), now.astimezone(zone).date()
    if local.date() == today:
        return texts.fill("contact_by.today", when=f"{local:%H:%M}")
    if local.date() == today + timedelta(days=1):
        return texts.fill("contact_by.tomorrow", when=f"{local:%H:%M}")
    weekday = _nth(texts, "date.weekdays", local.weekday())
    return texts.fill("contact_by.day", name=weekday, when=day_text(texts, local.date()))


def deadline_text(texts: Texts, deadline: datetime, zone: tzinfo, now: datetime | None = None) -> str:
    """For staff: «до 16:00» of the same day as `now`, else «до 17 марта, 12:00»."""
    local = deadline.astimezone(zone)
    if now is not None and now.astimezone(zone).date() == local.date():
        return texts.fill("deadline.today", when=f"{local:%H:%M}")
    return texts.fill("deadline.day", name=day_text(texts, local.date()), when=f"{local:%H:%M}")


def age_text(texts: Texts, age: timedelta) -> str:
    """How long something lasts, in its largest sensible unit: «40 мин», «26 часов», «2 дня»."""
    minutes = max(1, round(age.total_seconds() / 60))
    if minutes < 60:
        return texts.fill("age.minutes", n=minutes)
    hours = round(minutes / 60)
    if hours < 48:
        return texts.fill("age.hours", n=hours)
    return texts.fill("age.days", n=hours // 24)


def closed_ago(texts: Texts, closed_at: datetime | None, now: datetime, zone: tzinfo) -> str:
    """«закрыта 12 дней назад», by the calendar; nothing for a deal that is open."""
    if closed_at is None:
        return ""
    days = (now.astimezone(zone).date() - closed_at.astimezone(zone).date()).days
    if days <= 0:
        return texts.fill("closed.today")
    return texts.fill("closed.yesterday") if days == 1 else texts.fill("closed.ago", n=days)


def _nth(texts: Texts, key: str, index: int) -> str:
    return texts.fill(key).split("/")[index]
