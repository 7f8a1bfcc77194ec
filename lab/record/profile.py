"""The Tiled profile by which every Python session of this user finds the catalogue.

It is of the kind ``direct``: the reading process builds the catalogue's service inside itself, so
``databroker.catalog["odmr"]`` works everywhere and nothing listens on a port. This module loads in
an instant; what reads and writes runs, ``catalogue``, does not.
"""

import os
from pathlib import Path
from typing import Any

import yaml
from tiled import profiles

from ..settings import Settings

METADATA = "catalog.db"
TABLES = "tables.db"
ARRAYS = "arrays"


class CatalogueError(RuntimeError):
    """A catalogue that cannot be offered, or that does not give back what it was given."""


def write_profile(settings: Settings) -> Path:
    """Offer the catalogue to every Python session of this user; returns the profile's file.

    Raises:
        CatalogueError: When the name of the profile is taken by another catalogue.
    """
    name, service = settings.catalogue_profile, configuration(settings)
    path = profiles.list_profiles().get(name) or profiles.paths[-1] / f"{name}.yml"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_text(yaml.safe_dump({name: {"direct": service}}, sort_keys=False))
        draft.replace(path)
        profiles.load_profiles.cache_clear()
    elif _catalogue_of(path, name) != service["catalog"]["uri"]:
        raise CatalogueError(
            f"catalogue: the Tiled profile {name!r} in {path} is of another catalogue; "
            "needs another name in ODMRLAB_CATALOGUE_PROFILE, or that file out of the way"
        )
    return path


def configuration(settings: Settings) -> dict[str, Any]:
    """Return the configuration of the Tiled service inside the profile."""
    folder = settings.catalogue
    return {
        "catalog": {
            "uri": f"sqlite:///{folder / METADATA}",
            "specs": [{"name": "CatalogOfBlueskyRuns", "version": "3.0"}],
            "writable_storage": [str(folder / ARRAYS), f"sqlite:///{folder / TABLES}"],
        },
        # what run.documents() asks for
        "media_types": {
            "BlueskyRun": {
                "application/json-seq": "bluesky_tiled_plugins.exporters:json_seq_exporter"
            }
        },
    }


def _catalogue_of(path: Path, name: str) -> str | None:
    try:
        return yaml.safe_load(path.read_text())[name]["direct"]["catalog"]["uri"]
    except (yaml.YAMLError, KeyError, TypeError):
        return None  # no profile of ours
