"""What several commands share: their options, and the settings they start with."""

import os
from pathlib import Path
from typing import Annotated

import typer

from .services.found import look_there
from .settings import Settings, writable_folder

LAYER, LAYERS = "OPHYD_CONTROL_LAYER", ("caproto", "pyepics")

Speed = Annotated[float, typer.Option(help="Laboratory seconds per second of the twin.")]
SampleFile = Annotated[
    Path | None, typer.Option(help="TOML file of the sample (default: sample #1 of the paper).")
]
Sealed = Annotated[bool, typer.Option("--sealed", help="Keep the truth about the sample hidden.")]


def start(connect: bool = False) -> Settings:
    """Return the settings, with the folder of the laboratory ready to be written.

    Args:
        connect: Whether to use the instruments of the laboratory's services, if they are up.
    """
    if (layer := os.environ.get(LAYER, LAYERS[0])) not in LAYERS:
        raise typer.BadParameter(f"{LAYER}={layer}; needs {' or '.join(LAYERS)}")
    settings = Settings()
    for folder in (settings.home, settings.journal, settings.catalogue, settings.logs):
        writable_folder(folder, "odmrlab")
    return Settings() if connect and look_there(settings) else settings
