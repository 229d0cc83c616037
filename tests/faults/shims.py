"""Small libraries that stand before the C library of a process that is started with them."""

import shutil
import subprocess
from pathlib import Path

import pytest


def compiled(source: Path, folder: Path) -> Path:
    """What LD_PRELOAD takes. Without a C compiler the test is skipped."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    library = folder / f"{source.stem}.so"
    subprocess.run(  # noqa: S603
        [compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True
    )
    return library
