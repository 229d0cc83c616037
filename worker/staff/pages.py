"""Long answers in pages that a phone shows at once."""

from collections.abc import Sequence

LIMIT = 3500  # UTF-16 units, as Telegram counts its 4096: what is left is for the head and the page's number


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def pages(blocks: Sequence[str], limit: int = LIMIT, *, between: str = "\n\n") -> list[str]:
    """As few as hold all blocks; only one that is too long for any page is parted, between its lines.

    >>> pages(["aa", "bb", "c\\nc\\nc\\nc"], 6)
    ['aa\\n\\nbb', 'c\\nc\\nc', 'c']
    """
    made = [""]
    for block in blocks:
        lines = [block] if units(block) <= limit else [_cut(line, limit) for line in block.split("\n")]
        for number, line in enumerate(lines):
            joint = (between if number == 0 else "\n") if made[-1] else ""
            if units(made[-1]) + units(joint) + units(line) <= limit:
                made[-1] += joint + line
            else:
                made.append(line)
    return made


def _cut(line: str, limit: int) -> str:
    return line if units(line) <= limit else f"{line[: limit // 2 - 1]}…"
