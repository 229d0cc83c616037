"""What is installed: pinned, whole, and from whatever index the installing machine knows."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("integrations", "storage", "worker")
LOCKS = ("requirements.txt", "requirements-dev.txt")


def pins(lock: str) -> dict[str, str]:
    """Each requirement of a lock file with everything that stands behind it."""
    lines = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    requirements = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return {line.split()[0]: line for line in requirements}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_with_its_hashes(lock: str) -> None:
    found = pins(lock)
    assert len(found) > 30
    for requirement, line in found.items():
        assert re.fullmatch(r"[a-z0-9.-]+==[\w.]+", requirement), line
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", line), f"{requirement} has no hash"


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("told", ["://", "--index", "--extra-index", "--find-links", "--trusted-host"])
def test_a_lock_file_names_no_host_and_no_path(lock: str, told: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert told not in text, f"{lock} names {told}: make it with `make lock`, which leaves such lines out"


def test_tests_run_on_what_is_installed_for_real() -> None:
    real, dev = pins("requirements.txt"), pins("requirements-dev.txt")
    assert set(real) <= set(dev), "make both with `make lock`"


def test_the_makefile_pins_without_naming_an_index() -> None:
    rule = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "--no-emit-index-url --no-emit-trusted-host" in rule
    assert "--generate-hashes" in rule


def test_the_wheel_holds_everything_that_the_packages_hold(tmp_path: Path) -> None:
    source = tmp_path / "source"  # A build leaves its traces beside what it builds.
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    # Without isolation no index is asked: setuptools is among the requirements.
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", tmp_path, source], check=True, capture_output=True)  # noqa: S603
    [wheel] = tmp_path.glob("sarafan-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    kept = {
        path.relative_to(source).as_posix()
        for package in PACKAGES
        for path in (source / package).rglob("*")
        if path.is_file()
    }
    assert {f"{package}/py.typed" for package in PACKAGES} <= kept
    missing = sorted(kept - packed)
    assert not missing, f"not installed, see package-data in pyproject.toml: {missing}"
    strangers = {name.split("/")[0] for name in packed} - {*PACKAGES}
    assert all(name.endswith(".dist-info") for name in strangers), strangers


def test_the_command_is_installed_under_its_name() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'sarafan = "worker.cli.main:main"' in text
