"""`python -m bench`: measures, prints a table, and writes a full run down in bench/RESULTS.md."""

import argparse
import logging
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from bench import alerts, answers, claims, deals, ingest, reports, running
from bench.figures import Figure, markdown, table
from bench.measure import Run, machine

RESULTS = Path(__file__).with_name("RESULTS.md")
# On a disk by convention, where /tmp may be memory and an fsync nothing.
DISK = Path("/var/tmp") if Path("/var/tmp").is_dir() else None  # noqa: S108 - a folder of our own is made there

PARTS: Mapping[str, Callable[[Run], list[Figure]]] = {
    "ingest": ingest.measure,
    "claims": claims.measure,
    "write_back": answers.write_back,
    "alerts": alerts.measure,
    "running": running.measure,
    "questions": answers.questions,
    "pull": deals.measure,
    "report": reports.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; may be given again")
    parser.add_argument("--quick", action="store_true", help="little of everything: does it run at all?")
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # What made-up companies are warned of.
    console = Console()
    names = options.only or list(PARTS)
    figures: list[Figure] = []
    loads: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="sarafan-bench-", dir=DISK) as folder,
        Progress(console=console, transient=True) as progress,
    ):
        about = machine(Path(folder))
        for name in progress.track(names, description="bench"):
            loads.append(f"{name} {os.getloadavg()[0]:.1f}")
            figures += PARTS[name](Run(Path(folder), options.quick, progress))
            if names == list(PARTS) and not options.quick:
                # After each part: who breaks off a long run keeps what it has measured.
                RESULTS.write_text(markdown(figures, [about, busy(loads), *missing(loads)]), encoding="utf-8")
    console.print(table(figures), about, busy(loads))


def busy(loads: Sequence[str]) -> str:
    """How much else the machine had to do: wall times say little above one for each processor."""
    return f"Load of the last minute when each part began: {', '.join(loads)}."


def missing(loads: Sequence[str]) -> list[str]:
    """What a run that was broken off did not come to."""
    names = list(PARTS)[len(loads) :]
    return [f"Broken off before: {', '.join(names)}."] if names else []


if __name__ == "__main__":
    main()
