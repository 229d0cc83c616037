"""A reply made comparable: one form of digits, dashes and letters, with every character where it was."""

import re
import unicodedata

_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−⸺"), "-")
_QUOTES = dict.fromkeys(map(ord, "«»“”„\"'’‘`*_~"), " ")
_SLASHES = {ord("⁄"): "/", ord("\\"): "/", ord("∕"): "/"}
# The digit that a font or a circle dresses up; a superscript («м²») is none.
_DRESSED = ("<wide>", "<circle>", "<font>", "<narrow>")
# Ukrainian and Kazakh letters by the Russian ones that look or sound alike: «вісім», «тоғыз».
_NEIGHBOURS = str.maketrans("іїєґғқңөұүһәў", "ииеггкноуухау")
_APOSTROPHE = re.compile(r"(?<=[а-я])['’ʼ`](?=[яюеи])")  # «дев'ять»
_LETTER_FOR_NOUGHT = re.compile(r"(?<![\w.,])1[oо](?!\w)")  # «1о»
_LATIN_IN_CYRILLIC = str.maketrans("aceopxykmthb", "асеорхукмтнв")
_WORD = re.compile(r"[a-zа-я]+")
_CYRILLIC = re.compile(r"[а-я]")
_LOOKALIKE = re.compile(r"[aceopxykmthbа-я]+")


def tidy(text: str) -> str:
    """What is shown to people: ordinary digits and spaces, no invisible characters."""
    plain = text.replace("🔟", " 10 ").replace("\r\n", "\n").replace("\r", "\n")
    return "".join(_tidy_char(char) for char in unicodedata.normalize("NFC", plain)).strip()


def fold(shown: str) -> str:
    """Small letters, ё as е, one dash, no quotes; as long as `shown`, so that positions agree."""
    lower = "".join(char.lower() if len(char.lower()) == 1 else char for char in shown)
    letters = _APOSTROPHE.sub("ъ", lower.replace("ё", "е").translate(_NEIGHBOURS))
    plain = _LETTER_FOR_NOUGHT.sub("10", letters).translate(_DASHES | _QUOTES | _SLASHES)
    return _WORD.sub(_one_script, plain)


def _tidy_char(char: str) -> str:
    category = unicodedata.category(char)
    if category in ("Cf", "Mn", "Me"):  # joiners, variation selectors, stress marks, keycaps
        return ""
    if category == "Zs":
        return " "
    if category == "Nd":
        return str(unicodedata.digit(char))
    shape = unicodedata.decomposition(char).split(" ")[0]
    if shape in _DRESSED:
        return unicodedata.normalize("NFKC", char)
    if category == "No" and not shape:
        value = unicodedata.numeric(char, -1)
        return str(int(value)) if value in range(11) else char
    return char


def _one_script(word: re.Match[str]) -> str:
    """«cтоп» with a Latin c is «стоп»."""
    if _CYRILLIC.search(word[0]) and _LOOKALIKE.fullmatch(word[0]):
        return word[0].translate(_LATIN_IN_CYRILLIC)
    return word[0]
