"""Colours of pictures and pages by their role, in light and in dark: those that the colour-blind tell apart.

Blue, vermilion, orange and bluish green are those of M. Okabe and K. Ito, "Color Universal Design", 2008.
"""

from collections.abc import Mapping

# Each is there once: a page knows the role by the colour.
LIGHT: Mapping[str, str] = {
    "paper": "#ffffff",
    "ink": "#1b1f24",
    "muted": "#59636e",
    "grid": "#d5dbe1",
    "high": "#0072b2",
    "neutral": "#9aa5b1",
    "low": "#d55e00",
    "other": "#dde2e7",  # neither good nor bad: an answer on an earlier scale
    "plain": "#0071b3",
    "band": "#b3d4e7",
    "whole": "#9ba4b0",
    "part": "#e69f00",
    "goal": "#009e73",
}

DARK: Mapping[str, str] = {
    "paper": "#14181d",
    "ink": "#e8ecf0",
    "muted": "#a3adb8",
    "grid": "#343c45",
    "high": "#56b4e9",
    "neutral": "#6f7a86",
    "low": "#f0803c",
    "other": "#3b444e",
    "plain": "#56b4e9",
    "band": "#234a63",
    "whole": "#6f7a86",
    "part": "#e69f00",
    "goal": "#2bbf94",
}
