"""The benches of the campaign: that of the sample under study, and two for the samples of Fig. 2."""

import tomllib
from pathlib import Path
from typing import Any

import tomli_w

from ...ioc.physics import Sample
from ...ioc.physics.apparatus import SECOND_SAMPLE
from ...ioc.sample_file import read_sample

FIRST, SECOND = "#1", "#2"
OVER_ENERGY = ("photon_energy", "photoluminescence")


def energy_samples(file: Path | None, folder: Path) -> dict[str, Path]:
    """Write the samples of Fig. 2, both made of the carriers of the sample under study.

    The paper's formulas know no photon energy, so a sample without effects has the same g factor at
    every one; here the carriers follow it. Sample #2 holds larger crystals.

    Args:
        file: Of the sample under study; None for the default.
        folder: Where the files are written.

    Returns:
        The files, by bench.
    """
    content = tomllib.loads(file.read_text()) if file else {}
    effects = list(content.get("effects", ()))
    effects += [name for name in OVER_ENERGY if name not in effects and "twin" not in effects]
    name = str(content.get("name", Sample().name)).removesuffix(FIRST).strip()
    larger = {key: value for key, value in vars(SECOND_SAMPLE).items() if "luminescence" in key}
    crystals = content.get("nanocrystals", {})
    made: dict[str, dict[str, Any]] = {
        FIRST: {"name": f"{name} {FIRST}", "effects": effects},
        SECOND: {"name": f"{name} {SECOND}", "effects": effects, "nanocrystals": crystals | larger},
    }
    paths = {}
    for number, (bench, changed) in enumerate(made.items(), start=1):
        paths[bench] = folder / f"sample{number}.toml"
        paths[bench].write_bytes(tomli_w.dumps(content | changed).encode())
    return paths


def rehearsed_samples(folder: Path) -> dict[str, Sample]:
    """Return the samples that a campaign expects before it has seen any: those of the paper."""
    over_energy = energy_samples(None, folder)
    return {"main": Sample()} | {bench: read_sample(path) for bench, path in over_energy.items()}
