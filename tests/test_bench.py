"""The bench runs; what it measures is looked at by people, since no test may depend on a machine's speed."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.long
def test_a_quick_part_prints_its_figures_and_leaves_the_results_alone() -> None:
    results = ROOT / "bench" / "RESULTS.md"
    before = results.read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--only", "claims"],
        cwd=ROOT,
        env={"COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "claim of a due survey among 10,000 rows, p50" in done.stdout
    assert "An fsync takes" in done.stdout
    assert results.read_bytes() == before
