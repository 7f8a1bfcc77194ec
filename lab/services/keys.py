"""The key of the catalogue's server, readable by nobody but its owner."""

import secrets

from ..queue.keys import write_private
from ..settings import Settings, writable_folder


def catalogue_key(settings: Settings) -> str:
    """Return the key that Tiled's clients need, made the first time."""
    path = settings.home / "keys" / "catalogue"
    if not path.exists():
        writable_folder(path.parent, "keys")
        write_private(path, secrets.token_hex(32))
    return path.read_text()
