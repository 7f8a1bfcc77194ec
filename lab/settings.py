"""What an installation may choose: folders, prefix and profile."""

import tempfile
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Fsync = Literal["second", "always"]
LOOPBACK = r"^$|^ipc:///.+$|^tcp://127\.0\.0\.1:\d+$"


class UnwritableError(OSError):
    """A folder in which nothing can be kept."""


class Settings(BaseSettings):
    """The settings, each from its environment variable ``ODMRLAB_<NAME>`` or its default."""

    model_config = SettingsConfigDict(env_prefix="ODMRLAB_", frozen=True)

    home: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("odmrlab"),
        description="Folder of everything that is kept",
    )
    prefix: str = Field("ODMR:", description="Of every PV")
    catalogue_profile: str = Field(
        "odmr",
        pattern=r"^\w[\w-]*$",
        description="Name under which databroker.catalog offers the catalogue",
    )
    patience: float = Field(
        60.0, ge=0, description="For which a plan waits for a lost instrument or an interlock [s]"
    )
    journal_fsync: Fsync = Field(
        "second", description="Synchronise the journal every second, or after each document"
    )
    journal_room: float = Field(
        100.0,
        gt=0,
        description="Free space without which no run begins [MB]; with a tenth of it, one must end",
    )
    bus: str = Field(
        "",
        pattern=LOOPBACK,
        description="Address of the 0MQ bus (default: the socket 'bus' in the home)",
    )

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().absolute()

    @property
    def journal(self) -> Path:
        """Folder of the journals that are not in the catalogue yet."""
        return self.home / "journal"

    @property
    def catalogue(self) -> Path:
        """Folder of the catalogue's databases and array files."""
        return self.home / "catalogue"

    @property
    def bus_address(self) -> str:
        """Where hints about new documents are published; nobody off this host can listen."""
        return self.bus or f"ipc://{self.home / 'bus'}"

    @property
    def logs(self) -> Path:
        """Folder of the services' logs."""
        return self.home / "logs"


def writable_folder(path: Path, what: str) -> Path:
    """Create a folder, unless it is there, and prove with a real file that it can be written.

    Args:
        path: The folder.
        what: Who keeps something there, for the message.

    Returns:
        The same path.

    Raises:
        UnwritableError: When the folder cannot be made, or a file in it cannot be written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as proof:
            proof.write(b"written")
            proof.flush()
    except OSError as error:
        raise UnwritableError(
            f"{what}: {path} cannot be written ({error.strerror}); "
            "needs a folder that this user can write, chosen by ODMRLAB_HOME"
        ) from error
    return path
