"""Watching services that are being started: what dies is the cause, and so is what is missing."""

import time
from collections.abc import Callable

from ..settings import Settings
from . import supervisor
from .laboratory import LaboratoryError
from .lookout import NotYetError

PERIOD = 0.3  # s between two looks
DEAD = ("BACKOFF", "FATAL", "EXITED")


class NotReadyError(LaboratoryError):
    """A laboratory that did not come up; the text is the cause."""


class Watch:
    """Sees whether services that are being started live.

    Args:
        settings: Of their laboratory.
        names: Of the services.
        deadline: Of the start, of the clock time.monotonic [s].
    """

    def __init__(self, settings: Settings, names: list[str], deadline: float):
        self._settings, self._deadline = settings, deadline
        self._pids: dict[str, int] = {}
        logs = {name: supervisor.log_of(settings, name) for name in names}
        self._read = {name: log.stat().st_size if log.exists() else 0 for name, log in logs.items()}

    def until(self, look: Callable[[], str]) -> str:
        """Look until something is there; returns what was found.

        Raises:
            NotReadyError: When it was not there in time, or a service has died.
        """
        while True:
            try:
                return look()
            except NotYetError as missing:
                self.look(str(missing))
            except OSError as error:
                raise NotReadyError(self._gone(error)) from error

    def look(self, missing: str) -> None:
        """Wait a moment, unless all is lost.

        Args:
            missing: What is being waited for.

        Raises:
            NotReadyError: A service has died, or it is too late.
        """
        try:
            states = supervisor.states(self._settings)
        except OSError as error:
            raise NotReadyError(self._gone(error)) from error
        for state in states:
            before = self._pids.setdefault(state.name, state.pid) if state.pid else 0
            if state.word in DEAD or (before and before != state.pid):
                raise NotReadyError(f"{state.name}: {self.said(state.name)}")
        if time.monotonic() > self._deadline:
            raise NotReadyError(missing)
        time.sleep(PERIOD)

    def began(self, name: str) -> int:
        """Return the place in the log of a service where this start begins [bytes]."""
        return self._read[name]

    def said(self, name: str) -> str:
        """Return the last line that a service has written since it was started."""
        line = supervisor.last_line(self._settings, name, self._read[name])
        return line or "ended without a word"

    def _gone(self, error: OSError) -> str:
        log = supervisor.log_of(self._settings, "supervisor")
        return f"supervisor: has ended ({error.strerror}); needs a look into {log}"
