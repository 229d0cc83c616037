"""Data that others published, read where it can be had: never copied here.

`CDNOW_sample.txt` comes with the Python package lifetimes (MIT), `rfm_data_orders.rda` with the R package rfm
(MIT). Both are looked for in the folder that SARAFAN_TEST_DATA names, the first one also where lifetimes is
installed.
"""

import bz2
import os
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from struct import unpack_from
from typing import Any

import pytest

from tests.metrics.made import Purchase

FOLDER = "SARAFAN_TEST_DATA"


def cdnow() -> list[Purchase]:
    """6 919 orders of 2 357 customers, as lines of: id, id in the sample, day, CDs, dollars."""
    lines = _file("CDNOW_sample.txt").read_text(encoding="ascii").splitlines()
    rows = [line.split() for line in lines if line.strip()]
    return [
        Purchase(int(row[1]), datetime.strptime(row[2], "%Y%m%d").date(), float(row[4]))  # noqa: DTZ007
        for row in rows
    ]


def rfm_data_orders() -> tuple[list[Purchase], dict[str, int]]:
    """4 906 orders of 995 customers, and who has which number here."""
    names, days, amounts, *_ = _columns(bz2.decompress(_file("rfm_data_orders.rda").read_bytes()))
    numbers = {name: number for number, name in enumerate(sorted(set(names)), start=1)}
    epoch = date(1970, 1, 1)
    orders = [
        Purchase(numbers[name], epoch + timedelta(days=int(day)), float(paid))
        for name, day, paid in zip(names, days, amounts, strict=True)
    ]
    return orders, numbers


def _file(name: str) -> Path:
    folders = [Path(os.environ[FOLDER])] if os.environ.get(FOLDER) else []
    spec = find_spec("lifetimes")
    if spec is not None and spec.submodule_search_locations:
        folders += [Path(spec.submodule_search_locations[0]) / "datasets"]
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    pytest.skip(f"{name} is not here: {FOLDER} names no folder that has it")


def _columns(saved: bytes) -> list[Any]:
    """The columns of the one data frame that R has saved; only what this one is made of.

    The format: https://cran.r-project.org/doc/manuals/r-release/R-ints.html#Serialization-Formats
    """
    place = len(b"RDX2\nX\n") + 3 * 4  # the versions of the format and of R

    def whole() -> int:
        nonlocal place
        place += 4
        return int(unpack_from(">i", saved, place - 4)[0])

    def several(kind: str, size: int) -> list[Any]:
        nonlocal place
        length = whole()
        place += size * length
        return list(unpack_from(f">{length}{kind}", saved, place - size * length))

    def text() -> str:
        nonlocal place
        whole()  # of one string: its type
        length = whole()
        place += max(0, length)
        return saved[place - max(0, length) : place].decode()

    def attributes() -> Iterator[object]:
        while (flags := whole()) & 0xFF == 2:  # a pair: its tag, and what it holds
            if whole() & 0xFF == 1:  # a symbol that is new; else one that was there before
                text()
            yield item()
        assert flags & 0xFF == 254  # the end

    def item() -> Any:
        flags = whole()
        match flags & 0xFF:
            case 13:
                found = several("i", 4)
            case 14:
                found = several("d", 8)
            case 16:
                found = [text() for _ in range(whole())]
            case 19:
                found = [item() for _ in range(whole())]
            case unknown:
                raise AssertionError(f"type {unknown} at {place}")
        if flags & 0x200:
            list(attributes())
        return found

    assert whole() & 0xFF == 2  # the variable
    whole()
    text()
    columns: list[Any] = item()
    return columns
