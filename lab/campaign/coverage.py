"""How often the truth lies inside the error bars: hidden samples are drawn, measured, and compared."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import exp, log
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import tomli_w
from rich.table import Table

from ...ioc.physics import Sample
from ...ioc.sample_file import read_sample
from .benches import energy_samples
from .corrected import corrected
from .findings import Findings
from .paper import CELLS
from .rehearsal import Rehearsal
from .results import CORRECTED, Quantity, beside, quantities
from .scan import MAIN, MeasurementError, perform
from .truth import truth_of

WITHIN_95 = 1.959964  # standard errors
STACK_SPEED = 4000  # laboratory seconds per second

RANGES = {  # of what is drawn, evenly; where both ends are far apart, evenly in the logarithm
    ("electron", "g"): (1.4, 2.2),
    ("electron", "overhauser_field"): (8.0, 16.0),
    ("electron", "dark_rate"): (500.0, 1500.0),
    ("electron", "pump_rate"): (2000.0, 5000.0),
    ("electron", "correlation_time"): (30e-6, 120e-6),
    ("electron", "phonon_rate"): (10e6, 40e6),
    ("electron", "phonon_energy"): (2.8, 3.6),
    ("electron", "g_slope"): (-5.0, -3.0),
    ("hole", "g"): (0.65, 0.9),
    ("hole", "overhauser_field"): (18.0, 28.0),
    ("hole", "dark_rate"): (4000.0, 10000.0),
    ("hole", "amplitude"): (0.3, 0.6),
}
SPREAD = (0.06, 0.11)  # g_spread over g of the electron
WITH_EFFECTS = {  # as well, where effects are on
    ("nanocrystals", "heating"): (0.05, 0.15),
    ("detector", "delay"): (0.3e-6, 0.8e-6),
    ("detector", "phase"): (-10.0, 10.0),
    ("coil", "pickup_phase"): (-90.0, 90.0),
    ("coil", "corner"): (2.0, 4.0),
}
T1_SPREAD = (0.1, 0.3)  # of both carriers, where effects are on
WIDE = 2.5  # ratio of both ends from which on they are far apart


@dataclass(frozen=True)
class Trial:
    """One quantity of one hidden sample."""

    quantity: str
    truth: float
    value: float
    error: float

    @property
    def pull(self) -> float:
        """Distance from the truth in standard errors."""
        return (self.value - self.truth) / self.error


def hidden_sample(seed: int, effects: Sequence[str] = ()) -> dict[str, Any]:
    """Return the content of a sample file, drawn by chance.

    Args:
        seed: Of the chance.
        effects: That are on.
    """
    random = np.random.default_rng(seed)
    content: dict[str, Any] = {"name": f"hidden {seed}", "effects": list(effects)}
    for (part, name), (low, high) in (RANGES | (WITH_EFFECTS if effects else {})).items():
        share = random.uniform()
        wide = low > 0 and high / low > WIDE
        drawn = exp(log(low) + share * log(high / low)) if wide else low + share * (high - low)
        content.setdefault(part, {})[name] = float(drawn)
    electron = content["electron"]
    electron["g_spread"] = float(electron["g"] * random.uniform(*SPREAD))
    if effects:
        spread = float(random.uniform(*T1_SPREAD))
        electron["t1_spread"] = content["hole"]["t1_spread"] = spread
    return content


def in_process(seed: int, effects: Sequence[str] = ()) -> list[Trial]:
    """Measure one hidden sample with readings drawn in this process.

    Where effects are on, the values are those of the corrected analysis.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "hidden.toml"
        path.write_bytes(tomli_w.dumps(hidden_sample(seed, effects)).encode())
        files = {MAIN: path} | energy_samples(path, Path(folder))
        samples = {bench: read_sample(file) for bench, file in files.items()}
    lab, found = Rehearsal(samples, np.random.default_rng([seed, 1])), Findings()
    for cell in CELLS.values():
        perform(cell.work(found), lab)
    numbers = quantities(found)
    if effects:
        numbers = beside(numbers, corrected(found), CORRECTED)
    return trials(samples[MAIN], numbers)


def through_the_stack(seed: int, effects: Sequence[str] = ()) -> list[Trial]:
    """Measure one hidden sample, sealed, with the whole stack."""
    with TemporaryDirectory() as folder:
        path, out = Path(folder) / "hidden.toml", Path(folder) / "out"
        path.write_bytes(tomli_w.dumps(hidden_sample(seed, effects)).encode())
        command = [sys.executable, "-c", "from odmrlab.lab.cli import main; main()", "reproduce"]
        command += ["--sample", str(path), "--sealed", "--out", str(out)]
        command += ["--seed", str(seed), "--speed", str(STACK_SPEED)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise MeasurementError(f"hidden sample {seed}: {done.stderr.strip()}")
        rows = json.loads((out / "results.json").read_text())
        return trials(read_sample(path), [Quantity(**row) for row in rows])


def trials(sample: Sample, results: Iterable[Quantity]) -> list[Trial]:
    """Return what was measured beside the truth."""
    truth = truth_of(sample)
    return [
        Trial(item.quantity, truth[item.quantity], item.value, item.error)
        for item in results
        if item.quantity in truth
    ]


Measure = Callable[[int, Sequence[str]], list[Trial]]


def cover(
    measure: Measure, seeds: Iterable[int], effects: Sequence[str] = ()
) -> Iterator[list[Trial] | str]:
    """Measure hidden samples on all cores; yields the trials of each, or why there are none.

    Args:
        measure: `in_process`, or `through_the_stack`, which fills all cores alone.
        seeds: Of the samples.
        effects: That are on in each.
    """
    tried = partial(_tried, measure, tuple(effects))
    if measure is through_the_stack:
        yield from map(tried, seeds)
        return
    # a fork of a process with threads, such as those of a client, may hang
    with ProcessPoolExecutor(mp_context=get_context("forkserver")) as pool:
        yield from pool.map(tried, seeds)


def _tried(measure: Measure, effects: Sequence[str], seed: int) -> list[Trial] | str:
    try:
        return measure(seed, effects)
    except MeasurementError as error:
        return f"hidden sample {seed}: {error}"


@dataclass(frozen=True)
class Coverage:
    """How one quantity did.

    Attributes:
        quantity: Its name.
        samples: Number of hidden samples.
        within_68: Share of them with the truth within one standard error.
        within_95: Within 1.96.
        mean_pull: Mean distance from the truth, in standard errors.
        spread: Standard deviation of that distance.
        precision: Median of the relative standard error.
    """

    quantity: str
    samples: int
    within_68: float
    within_95: float
    mean_pull: float
    spread: float
    precision: float


def summed_up(all_trials: Iterable[Trial]) -> list[Coverage]:
    """Return the coverage of every quantity."""
    by_name: dict[str, list[Trial]] = {}
    for trial in all_trials:
        by_name.setdefault(trial.quantity, []).append(trial)
    result = []
    for name, found in by_name.items():
        pulls = np.array([trial.pull for trial in found])
        inside = [float(np.mean(np.abs(pulls) <= reach)) for reach in (1, WITHIN_95)]
        relative = float(np.median([abs(trial.error / trial.value) for trial in found]))
        spread = float(pulls.std())
        result.append(Coverage(name, len(pulls), *inside, float(pulls.mean()), spread, relative))
    return result


COLUMNS = ("quantity", "samples", "in 68 %", "in 95 %", "mean pull", "spread", "error")


def cells(item: Coverage) -> list[str]:
    """Return the line of one quantity."""
    shares = [f"{100 * share:.1f} %" for share in (item.within_68, item.within_95)]
    pulls = [f"{item.mean_pull:+.2f}", f"{item.spread:.2f}"]
    return [item.quantity, str(item.samples), *shares, *pulls, f"{100 * item.precision:.2g} %"]


def table(covered: Iterable[Coverage], title: str) -> Table:
    """Return the coverage as a table for the terminal."""
    made = Table(*COLUMNS, title=title)
    for item in covered:
        made.add_row(*cells(item))
    return made


def page(parts: Iterable[tuple[str, Sequence[Coverage], Sequence[str]]]) -> str:
    """Return the coverage as a page: title, quantities and failures of each part."""
    text = HEAD
    for title, covered, failed in parts:
        rule = "|".join("---" for _ in COLUMNS)
        lines = [f"| {' | '.join(row)} |" for row in (COLUMNS, *map(cells, covered))]
        text += "\n".join([f"\n## {title}\n", lines[0], f"|{rule}|", *lines[1:], ""])
        text += "".join(f"\nNo number: {reason}\n" for reason in failed)
    return text


HEAD = """\
# Where the truth lies

Written by `odmrlab coverage`. Hidden samples are drawn by chance and measured with the whole campaign of the paper; *in 68 %* is the
share of them whose truth lies within one standard error of what was measured, *in 95 %* within 1.96, *mean pull* and *spread* are
mean and standard deviation of the distance in standard errors, *error* is the median of the relative standard error.

Where all effects are on, the values are those of the corrected analysis, and the errors are statistical and systematic together; scatter of T1,
heating, coil, delay and phases are drawn as well. If errors are true and numbers independent, one in 22 lies beyond two of them: of the thirteen of one campaign none
does in 54 of 100 cases, one in 34, two or more in 12. Of ten samples, six to eight hold the truth within one error in most cases, and a
mean pull is known to a third: they can contradict the error bars, not prove them.
"""
