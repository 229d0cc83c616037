"""Texts in units of UTF-16, of which an emoji takes two: Telegram counts so, and MAX counts no stricter."""


def cut(text: str, limit: int) -> str:
    """At most `limit` units; a cut is shown."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * limit:
        return text
    return units[: 2 * (limit - 1)].decode("utf-16-le", "ignore") + "…"
