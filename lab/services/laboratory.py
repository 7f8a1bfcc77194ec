"""What one laboratory runs and where, remembered in one file of its folder."""

import json
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..settings import Settings, writable_folder
from . import ports
from .ports import LOOPBACK

# as ioc.rack has them, which takes seconds to load
INSTRUMENTS = ("magnet", "rf", "laser", "cryostat", "lockin")
PURPOSE = "proof that a run is measured, kept and read back"  # of the point that ends a start


class LaboratoryError(RuntimeError):
    """A laboratory that cannot be started or found; the text says what to do."""


class Laboratory(BaseModel):
    """What runs, and on which ports.

    Attributes:
        prefix: Of every PV.
        separate: Whether each instrument has a process of its own.
        instruments: Addresses of IOCs that others run; this laboratory then starts none.
        queue: Whether plans can be queued; then the queue's worker has the instruments.
        http: Whether the queue is served over HTTP.
        ports: By name of what listens there.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    prefix: str
    speed: float = Field(100.0, gt=0, allow_inf_nan=False)
    sample: Path | None = None
    bench: Path | None = None
    seed: int | None = None
    sealed: bool = False
    faults: bool = False
    separate: bool = False
    instruments: str = Field("", pattern=r"^(\s*[\w.-]+(:\d{1,5})?\s*)*$")
    queue: bool = True
    http: bool = False
    ports: dict[str, int] = {}

    @classmethod
    def asked(cls, **words: Any) -> Self:
        """Return the laboratory that a person asks for.

        Raises:
            LaboratoryError: Naming the option that cannot be.
        """
        try:
            return cls(**words)
        except ValidationError as error:
            first = error.errors()[0]
            raise LaboratoryError(
                f"up: {first['loc'][0]}={first['input']!r}; {first['msg'].lower()}"
            ) from error

    @classmethod
    def remembered(cls, settings: Settings) -> Self | None:
        """Return the laboratory as it was started last, or None.

        Raises:
            LaboratoryError: When its file is damaged.
        """
        try:
            return cls.model_validate_json(file_of(settings).read_bytes())
        except FileNotFoundError:
            return None
        except (ValidationError, OSError) as error:
            raise LaboratoryError(
                f"laboratory: {file_of(settings)} cannot be read ({str(error).splitlines()[0]}); "
                "needs that file out of the way, then new ports are chosen"
            ) from error

    def keep(self, settings: Settings) -> None:
        """Remember it."""
        path = writable_folder(folder_of(settings), "services") / file_of(settings).name
        draft = path.with_suffix(".new")
        draft.write_text(self.model_dump_json(indent=2))
        draft.replace(path)

    def with_ports(self, names: list[str], settings: Settings, fresh: bool) -> Self:
        """Return it with a port for every name: the remembered one, or a free one.

        Args:
            names: Of what listens.
            settings: Of this laboratory.
            fresh: Whether to forget those that are remembered.
        """
        before = None if fresh else self.remembered(settings)
        known = before.ports if before else {}
        missing = [name for name in names if name not in known]
        return self.model_copy(
            update={"ports": known | ports.choose(missing, settings.home, known.values())}
        )

    @property
    def iocs(self) -> tuple[str, ...]:
        """Names of the IOC processes of this laboratory."""
        if self.instruments:
            return ()
        return INSTRUMENTS if self.separate else ("ioc",)

    @property
    def addresses(self) -> str:
        """Where clients look for PVs."""
        mine = " ".join(f"{LOOPBACK}:{self.ports[name]}" for name in self.iocs)
        return self.instruments or mine

    @property
    def web(self) -> str:
        """Address of the catalogue's web page."""
        return f"http://{LOOPBACK}:{self.ports['catalogue']}"

    def environment(self, settings: Settings) -> dict[str, str]:
        """Return what a client needs to know, as environment variables; no secrets."""
        return {
            "ODMRLAB_HOME": str(settings.home),
            "ODMRLAB_PREFIX": self.prefix,
            "EPICS_CA_ADDR_LIST": self.addresses,
            "EPICS_CA_AUTO_ADDR_LIST": "NO",
        }


def folder_of(settings: Settings) -> Path:
    """Return where the services of a laboratory keep what they need while they run."""
    return settings.home / "services"


def file_of(settings: Settings) -> Path:
    """Return the file that remembers a laboratory."""
    return folder_of(settings) / "laboratory.json"


def keep_commands(settings: Settings, commands: dict[str, dict]) -> None:
    """Write what `launch` starts, by name."""
    (folder_of(settings) / "commands.json").write_text(json.dumps(commands, indent=2))
