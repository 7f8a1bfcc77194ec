"""Keys and passwords of the queue, readable by nobody but their owner."""

import logging
import os
import secrets
from pathlib import Path

import zmq

from ..settings import writable_folder

MANAGER = "manager"  # whose key the door alone uses
GROUPS = ("observer", "operator", "expert")


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read, all of it or nothing."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)


def hide(secret: str) -> None:
    """Keep a secret out of every log of this process: stock servers tell their settings."""
    make = logging.getLogRecordFactory()

    def redacted(*args, **kwargs) -> logging.LogRecord:
        record = make(*args, **kwargs)
        if secret in (text := record.getMessage()):
            record.msg, record.args = text.replace(secret, "(hidden)"), ()
        return record

    logging.setLogRecordFactory(redacted)


class Keys:
    """CURVE keys: one pair for each user group, and one between the door and the manager.

    ``<group>.public`` is what a member of the group needs. It is as good as a password, so it is
    handed to the members and to nobody else.

    Args:
        folder: Where they are kept; keys that are missing are made.
    """

    def __init__(self, folder: Path):
        self.folder = writable_folder(folder, "queue")
        for name in (MANAGER, *GROUPS):
            if not (self.path(name).exists() and self.path(name, "secret").exists()):
                public, secret = zmq.curve_keypair()
                write_private(self.path(name, "secret"), secret.decode())
                write_private(self.path(name), public.decode())

    def path(self, name: str, kind: str = "public") -> Path:
        """Return the file of a key."""
        return self.folder / f"{name}.{kind}"

    def public(self, name: str) -> str:
        """Return what a client of this group needs."""
        return self.path(name).read_text()

    def secret(self, name: str) -> str:
        """Return what the server of this group needs."""
        return self.path(name, "secret").read_text()

    def token(self) -> str:
        """Return what clients of the HTTP server show: ``Authorization: ApiKey <token>``."""
        path = self.folder / "http.token"
        if not path.exists():
            write_private(path, secrets.token_hex(32))
        return path.read_text()
