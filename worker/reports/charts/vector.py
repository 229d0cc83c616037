"""matplotlib's SVG made fit for a page, with its theme and its strict policy.

No style attributes, which the policy forbids; ids of its own; a class for each colour for the theme.
"""

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from worker.reports.colours import LIGHT

SVG, LINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
ROLES = {colour: role for role, colour in LIGHT.items()}
# Of what matplotlib writes as a style, what is an attribute too: https://www.w3.org/TR/SVG2/styling.html
ATTRIBUTES = frozenset(
    {
        "fill",
        "fill-opacity",
        "font-size",
        "font-weight",
        "opacity",
        "stroke",
        "stroke-dasharray",
        "stroke-dashoffset",
        "stroke-linecap",
        "stroke-linejoin",
        "stroke-opacity",
        "stroke-width",
        "text-anchor",
    }
)


def for_a_page(text: str, *, key: str, title: str) -> str:
    root = ElementTree.fromstring(text)  # noqa: S314 - matplotlib has just written it
    prefix = re.sub(r"[^\w-]", "-", key)
    for parent in [*root.iter()]:
        for child in [*parent]:
            if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style"):
                parent.remove(child)
    for element in root.iter():
        _unstyled(element)
        _own_ids(element, prefix)
    for name in ("width", "height"):
        root.attrib.pop(name, None)
    root.attrib |= {"class": "chart", "role": "img", "aria-label": title}
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", LINK)
    return ElementTree.tostring(root, encoding="unicode")


def _unstyled(element: Element) -> None:
    """The style as attributes, and classes for the colours of known roles."""
    style = element.attrib.pop("style", "")
    for name, _, value in (part.strip().partition(":") for part in style.split(";")):
        if name in ATTRIBUTES:
            element.set(name, value.strip())
    classes = [
        f"{name}-{role}" for name in ("fill", "stroke") if (role := ROLES.get(element.get(name, "").lower()))
    ]
    if element.tag == f"{{{SVG}}}text" and "fill" not in element.attrib:
        classes.append("fill-ink")
    if classes:
        element.set("class", " ".join(classes))


def _own_ids(element: Element, prefix: str) -> None:
    for name, value in [*element.attrib.items()]:
        if name == "id":
            element.set(name, f"{prefix}-{value}")
        elif "url(#" in value:
            element.set(name, value.replace("url(#", f"url(#{prefix}-"))
        elif name in ("href", f"{{{LINK}}}href") and value.startswith("#"):
            element.set(name, f"#{prefix}-{value[1:]}")
