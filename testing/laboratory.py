"""A laboratory of its own for a test: five soft IOCs, their devices, and a session."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import tomli_w

from ..ioc.physics import Sample
from ..ioc.sample_file import read_sample
from ..lab.settings import Settings
from ..lab.twin import Twin
from . import clients
from .ports import Ports

if TYPE_CHECKING:
    from ..lab.session import Instruments, Session
    from .faults import Faults
    from .queue import Queue

CONNECTION_TIME, ANSWER_TIME = 20.0, 20.0  # s, on a machine that is busy


@dataclass(frozen=True)
class Wishes:
    """What a test may ask for, ``@pytest.mark.odmr_lab(speed=100, sample={"electron": {"g": 2}})``.

    Attributes:
        speed: Laboratory seconds per second.
        seed: Of the noise.
        sample: Content of a sample file, or the file; None for sample #1 of the paper.
        bench: File with imperfections of the instruments; None for ideal ones.
        scenario: File of faults in time.
        patience: For which a plan waits for a lost instrument or an interlock [s].
    """

    speed: float = 1000.0
    seed: int = 2026
    sample: Path | Mapping[str, Any] | None = None
    bench: Path | None = None
    scenario: Path | None = None
    patience: float = 20.0


class Laboratory:
    """Five instruments around one sample, with their devices; private to one test process.

    Attributes:
        prefix: Of every PV; no other laboratory has it.
        settings: With a home folder of its own.
        truth: The sample behind the instruments.

    Args:
        home: Folder for everything that is kept.
        ports: Of this process.
        wishes: What the test asks for.
    """

    def __init__(self, home: Path, ports: Ports, wishes: Wishes):
        self.prefix = f"TEST{uuid4().hex[:8].upper()}:"
        self.settings = Settings(
            home=home,
            prefix=self.prefix,
            patience=wishes.patience,
            bus="",
            catalogue_profile="odmr",
            journal_fsync="second",
        )
        self._ports, self._free = ports, list(ports.beside)
        sample = sample_file(wishes.sample, home)
        self.truth = read_sample(sample) if sample else Sample()
        files = {"--bench": wishes.bench, "--scenario": wishes.scenario}
        more = [word for option, file in files.items() if file for word in (option, str(file))]
        self.twin = Twin(
            self.prefix,
            self.settings.logs,
            wishes.speed,
            sample,
            wishes.seed,
            port=ports.laboratory,
            more=["--faults", *more],
        )
        self._others = [
            address for address in clients.of_this_host() if address not in ports.addresses
        ]
        self._owner = ""
        self._end = ExitStack()

    def __enter__(self) -> Self:
        """Start the IOCs and connect the devices.

        Raises:
            TwinError: When they refuse to start.
            NotConnectedError: When they do not answer.
        """
        with ExitStack() as undo:
            clients.tell(self._environment())
            undo.callback(clients.forget, self.prefix)
            self.twin.start()
            undo.callback(self.twin.stop)
            # late: these take seconds to load, while the IOCs start
            from ..lab.session import connect

            self.twin.wait_until_ready()
            self.instruments: Instruments = connect(self.prefix, CONNECTION_TIME)
            undo.callback(clients.let_go, self.prefix)
            for instrument in self.instruments:
                undo.callback(instrument.destroy)
            self._end = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.close()

    def _environment(self) -> dict[str, str]:
        return {
            "ODMRLAB_HOME": str(self.settings.home),
            "ODMRLAB_PREFIX": self.prefix,
            "TILED_PROFILES": str(self.settings.home / "profiles"),  # not the user's
            "EPICS_CA_AUTO_ADDR_LIST": "NO",
            "EPICS_CA_ADDR_LIST": " ".join([self._ports.addresses, *self._others]),
        }

    def __getattr__(self, name: str) -> Any:
        """Return an instrument by its name."""
        if name != "instruments" and hasattr(self.instruments, name):
            return getattr(self.instruments, name)
        raise AttributeError(f"odmr_lab has no {name!r}")

    @cached_property
    def session(self) -> "Session":
        """The session that moves the instruments; as long as it is open nobody else can."""
        self._own("RE")
        from ..lab.live import LiveTable
        from ..lab.session import Session
        from .fits import Fits

        self._fits = Fits()
        made = Session(self.settings, self.instruments, LiveTable(), self._fits)
        self._end.callback(made.close)
        return made

    @cached_property
    def queue(self) -> "Queue":
        """A queue in a real manager; its worker moves the instruments then, and nobody else."""
        self._own("queue")
        from .queue import Queue

        return self._end.enter_context(Queue(self.settings, self._ports.queue))

    def _own(self, who: str) -> None:
        if self._owner not in ("", who):
            needs = "needs RE or queue in a test, not both"
            raise RuntimeError(f"odmr_lab: {self._owner} owns the instruments already; {needs}")
        self._owner = who

    @cached_property
    def faults(self) -> "Faults":
        """What can go wrong."""
        from .faults import Faults

        made = Faults(self.twin, self.prefix)
        self._end.callback(made.close)
        return made

    def switch_on(self) -> None:
        """Switch rf and light on: at 1 GHz, 0 dBm and 0.5 mW unless told otherwise."""
        self.rf.output.set("On").wait(ANSWER_TIME)
        self.laser.shutter.set("Open").wait(ANSWER_TIME)

    def fit(self) -> dict[str, float]:
        """Return the numbers of the last fit: every parameter, and ``<parameter>_error``.

        Raises:
            LookupError: When no run was fitted, or the model could not be.
        """
        self.session.road.drain()
        return self._fits.last()

    def serve(self, script: Path | str, *arguments: object) -> None:
        """Run an IOC of your own beside, a Python file, until the test ends.

        Args:
            script: The file. It listens where the environment variables of EPICS say.
            arguments: For it; its PVs best begin with ``odmr_lab.prefix``.

        Raises:
            BesideError: When it does not serve, with what it said.
            LookupError: When there are three already.
        """
        from .beside import Beside

        if not self._free:
            raise LookupError(f"serve: {script} would be one IOC too many; needs three or fewer")
        log = self.settings.logs / f"{Path(script).stem}.log"
        made = Beside(Path(script), arguments, self._free.pop(), log)
        self._end.callback(made.stop)


def sample_file(sample: Path | Mapping[str, Any] | None, folder: Path) -> Path | None:
    """Return the file of a sample, written if it was given by its content."""
    if not isinstance(sample, Mapping):
        return sample
    file = folder / "sample.toml"
    file.write_text(tomli_w.dumps(sample))
    return file
