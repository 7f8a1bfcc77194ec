"""The fault suites: real processes really killed, hung and disturbed, and what came of it.

    python faults [--suite NAME [--number N]] [--seed N] [--more] [--out FILE] [--page FILE]

Without a suite all of them run, each in a process of its own. Every case is kept at once beside FILE;
``--more`` adds to the cases that are there. FILE and page are made from all of them.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from page import Part, page
from rich.progress import track
from scoreboard import SUITES, append, bound, kept, rows


def main() -> int:
    """Run suites and write the scoreboard; returns how many of them failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--suite", choices=SUITES)
    parser.add_argument("--number", type=int, help="of cases; none to write FILE and page anew")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--more", action="store_true", help="add to the cases that are there")
    parser.add_argument("--out", type=Path, default=Path("out/faults.json"))
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    folder = options.out.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    if options.suite:
        run(options.suite, options.number, options.seed, options.more, folder)
    elif options.number != 0:
        for name in SUITES:
            run_apart(name, options)
    parts = {name: part(name, folder) for name in SUITES}
    options.out.write_text(json.dumps(content(parts), indent=1))
    if options.page:
        options.page.write_text(page(parts))
    failed = 0
    for name, found in parts.items():
        if not found.cases or options.suite not in (None, name):
            continue
        print(f"{name}: {found.told}")
        if not found.control:
            failed += bool(found.failed)
            for case in found.failed:
                print(f"  {case.fault}: {case.wrong or case.message or case}")
    return failed


def run(name: str, number: int | None, seed: int, more: bool, folder: Path) -> None:
    """Run a suite in this process, and keep its cases."""
    suite = import_module(name)
    if not more:
        (folder / f"{name}.jsonl").unlink(missing_ok=True)
    number = suite.NUMBER if number is None else number
    if number:
        for case in track(suite.run(number, seed), description=suite.NAME, total=number):
            append(case, name, seed, folder)


def run_apart(name: str, options: argparse.Namespace) -> None:
    """Run a suite in a process of its own; what came of it is in the files."""
    words = [sys.executable, sys.argv[0], "--suite", name, "--seed", options.seed]
    words += ["--out", options.out] + (["--more"] if options.more else [])
    words += ["--number", options.number] if options.number else []
    subprocess.run([str(word) for word in words], check=False, stdout=sys.stderr)  # noqa: S603


def part(name: str, folder: Path) -> Part:
    """Return what came of a suite so far."""
    suite, (cases, seeds) = import_module(name), kept(name, folder)
    control, remarks = getattr(suite, "CONTROL", False), getattr(suite, "remarks", None)
    told = remarks(cases) if remarks else ""
    return Part(suite.NAME, suite.__doc__ or "", control, cases, seeds, told)


def content(parts: Mapping[str, Part]) -> dict:
    """Return the scoreboard as plain JSON."""
    return {
        name: {
            "runs": len(found.cases),
            "failed": len(found.failed),
            "bound_95": bound(len(found.failed), len(found.cases)),
            "seeds": found.seeds,
            "rows": [asdict(row) for row in rows(found.cases)],
            "failures": [asdict(case) for case in found.failed],
        }
        for name, found in parts.items()
        if found.cases
    }


if __name__ == "__main__":
    sys.exit(main())
