"""Serve instruments in the foreground: ``python -m odmrlab.ioc [INSTRUMENT ...]``."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from .bench_file import BenchFileError, read_bench
from .clock import LaboratoryClock
from .physics import Sample
from .rack import INSTRUMENTS, KINDS, rack
from .sample_file import SampleFileError, read_sample
from .scenario import play, read_scenario, wait_for_shots
from .server import LOOPBACK, PortTakenError, serve

DEFAULT_PORT = 5064


def parser() -> argparse.ArgumentParser:
    """Return the command line of the IOCs."""
    parser = argparse.ArgumentParser(prog="odmrlab ioc", description=__doc__)
    parser.add_argument("instruments", nargs="*", metavar="INSTRUMENT", help=", ".join(INSTRUMENTS))
    parser.add_argument("--prefix", default="ODMR:", help="of every PV (default %(default)s)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="TCP and UDP, %(default)s")
    parser.add_argument("--interface", default=LOOPBACK, help="to listen on (%(default)s)")
    parser.add_argument("--speed", type=float, default=1.0, help="laboratory seconds per second")
    parser.add_argument("--sample", type=Path, help="TOML file (default: sample #1 of the paper)")
    parser.add_argument("--bench", type=Path, help="TOML file (default: ideal instruments)")
    parser.add_argument("--faults", action="store_true", help="serve PVs that make faults")
    parser.add_argument("--scenario", type=Path, help="TOML file of faults in time; with --faults")
    parser.add_argument("--seed", type=int, help="of the noise (default: a new one)")
    parser.add_argument("--sealed", action="store_true", help="serve no truth about the sample")
    parser.add_argument(
        "--tethered", action="store_true", help="end when standard input ends, as a child process"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal ends it; returns the exit status."""
    options = parser().parse_args(arguments)
    names = options.instruments or INSTRUMENTS
    if unknown := set(names) - set(INSTRUMENTS):
        needs = f"needs names from: {', '.join(INSTRUMENTS)}"
        return complain(f"ioc: unknown instrument {', '.join(sorted(unknown))}; {needs}")
    try:
        asyncio.run(run(options, names))
    except (SampleFileError, BenchFileError, PortTakenError, ValueError) as error:
        return complain(str(error))
    return 0


async def run(options: argparse.Namespace, names: Sequence[str]) -> None:
    """Serve the named instruments, and play the scenario if there is one."""
    entries = read_scenario(options.scenario, KINDS) if options.scenario else []
    pvs = rack(
        options.prefix,
        read_sample(options.sample) if options.sample else Sample(),
        names=names,
        speed=options.speed,
        seed=options.seed,
        sealed=options.sealed,
        characters=read_bench(options.bench, KINDS) if options.bench else None,
        faults=options.faults or bool(entries),
    )
    wait_for_shots(entries, pvs, options.prefix)
    scenario = play(entries, pvs, options.prefix, LaboratoryClock(options.speed))
    await serve(pvs, options.port, options.interface, options.tethered, scenario)


def complain(sentence: str) -> int:
    """Say what is wrong; returns the exit status."""
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
