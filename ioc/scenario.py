"""Scenarios: faults that happen by themselves, at a laboratory time or before a shot."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path
from typing import Any

from caproto import ChannelData

from .bench_file import BenchFileError, read_toml
from .clock import LaboratoryClock
from .faults import names
from .instrument import Instrument


@dataclass(frozen=True)
class Entry:
    """One line of a scenario.

    Attributes:
        instrument: Its name.
        fault: That it has then.
        time: After the start [s of the laboratory]; infinite for one that waits for a shot.
        shot: Number of the reading before which it happens; 0 for one that waits for a time.
    """

    instrument: str
    fault: str
    time: float = inf
    shot: int = 0


def read_scenario(path: Path, kinds: Mapping[str, type[Instrument]]) -> list[Entry]:
    """Return the entries of a scenario file, ``[[fault]]`` tables, in the order of their times.

    Args:
        path: Of the file.
        kinds: The instruments there are, by name.

    Raises:
        BenchFileError: On a file that cannot be read or an entry that cannot be played.
    """
    content = read_toml(path)
    try:
        if content.keys() != {"fault"} or not isinstance(content["fault"], list):
            raise ValueError("needs [[fault]] tables and nothing else")
        entries = [entry(table, kinds) for table in content["fault"]]
    except (TypeError, ValueError) as error:
        raise BenchFileError(f"{path}: {error}") from error
    return sorted(entries, key=lambda entry: (entry.time, entry.shot))


def entry(table: Any, kinds: Mapping[str, type[Instrument]]) -> Entry:
    """Return one checked entry.

    Raises:
        ValueError: On wrong keys, a time below 0, a shot below 1, an unknown instrument or fault.
    """
    keys = {"instrument", "fault"}
    if not isinstance(table, dict) or table.keys() not in (keys | {"time"}, keys | {"shot"}):
        raise ValueError(f"{table!r}; needs the keys time or shot, instrument and fault")
    instrument, fault = table["instrument"], table["fault"]
    if instrument not in kinds:
        raise ValueError(f"instrument = {instrument!r}; needs one of: {', '.join(kinds)}")
    if fault not in (known := names(kinds[instrument])):
        raise ValueError(f"fault = {fault!r} of {instrument}; needs one of: {', '.join(known)}")
    if "shot" in table:
        shot = table["shot"]
        if type(shot) is not int or shot < 1:
            raise ValueError(f"shot = {shot!r}; needs the number of a reading, 1 or more")
        return Entry(instrument, fault, shot=shot)
    time = table["time"]
    number = isinstance(time, int | float) and not isinstance(time, bool)
    if not number or not isfinite(time) or time < 0:
        raise ValueError(f"time = {time!r}; needs laboratory seconds after the start")
    return Entry(instrument, fault, time=float(time))


async def play(
    entries: list[Entry], pvs: Mapping[str, ChannelData], prefix: str, clock: LaboratoryClock
) -> None:
    """Put the faults at their times, for the instruments that are served here."""
    began = clock.now()
    for item in entries:
        if isfinite(item.time) and (pv := _fault(item, pvs, prefix)):
            await clock.sleep(began + item.time - clock.now())
            await pv.write(item.fault)


def wait_for_shots(entries: list[Entry], pvs: Mapping[str, ChannelData], prefix: str) -> None:
    """Have the lock-in put the faults that wait for a shot, before it takes that shot.

    Raises:
        BenchFileError: When the lock-in, or an instrument of such an entry, is served elsewhere.
    """
    waiting: dict[int, list[tuple[ChannelData, str]]] = {}
    for item in entries:
        if item.shot:
            shot, fault = pvs.get(f"{prefix}Lockin:Shot"), _fault(item, pvs, prefix)
            if shot is None or fault is None:
                raise BenchFileError(
                    f"scenario: {item.fault} of the {item.instrument} waits for shot {item.shot}; "
                    "needs that instrument and the lock-in in this process, or a time"
                )
            waiting.setdefault(item.shot, []).append((fault, item.fault))

    async def happen(number: int) -> None:
        for shot in sorted(shot for shot in waiting if shot <= number):
            for pv, fault in waiting.pop(shot):
                await pv.write(fault)

    if waiting:
        pvs[f"{prefix}Lockin:Shot"].group.at_shot = happen


def _fault(item: Entry, pvs: Mapping[str, ChannelData], prefix: str) -> ChannelData | None:
    return pvs.get(f"{prefix}{item.instrument.capitalize()}:Fault")
