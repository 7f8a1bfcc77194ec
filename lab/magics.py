"""Magics of the prompt: ``%wa`` where all is, ``%mov`` puts, ``%ct`` takes a look."""

import ast
from difflib import get_close_matches
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.protocols import Checkable
from bluesky.utils import MsgGenerator
from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class
from rich.console import Console

from .numbers import told
from .session import Session
from .where import where_all


@magics_class
class LabMagics(Magics):
    """The magics of one session.

    Args:
        shell: Where they are typed.
        session: Whose RunEngine moves the instruments.
    """

    def __init__(self, shell: Any, session: Session):
        super().__init__(shell)
        self._session, self._console = session, Console()

    @line_magic
    def wa(self, line: str) -> None:
        """Show where all instruments are, or those named: ``%wa``, ``%wa magnet rf``."""
        instruments = [self._object(word) for word in line.split()] or self._session.instruments
        self._console.print(where_all(instruments))

    @line_magic
    def mov(self, line: str) -> None:
        """Put settings together, and wait until they are there: ``%mov magnet 42.5 rf.output On``."""
        words = line.split()
        if not words or len(words) % 2:
            raise UsageError("%mov: needs pairs of a setting and its value: %mov magnet 42.5")
        targets = [self._object(word) for word in words[::2]]
        values = [literal(word) for word in words[1::2]]
        for target, value in zip(targets, values, strict=True):
            if isinstance(target, Checkable):
                target.check_value(value)  # before anything moves
        pairs = [item for pair in zip(targets, values, strict=True) for item in pair]
        with self._console.status(f"moving {line}"):
            self._run(bps.mv(*pairs))

    @line_magic
    def ct(self, _line: str) -> None:
        """Take one reading of the lock-in and show it; it is not recorded."""
        lockin = self._session.instruments.lockin

        def look():
            yield from bps.trigger(lockin, wait=True)

        with self._console.status("lock-in: settling, reading"):
            self._run(look())
        row = {name: item["value"] for name, item in lockin.read().items()}
        for part in ("x", "y"):
            print(told(part, row[f"lockin_{part}"], row[f"lockin_{part}_error"], "V"))
        flags = [
            flag for flag in ("overload", "unlocked", "unsettled") if row.get(f"lockin_{flag}")
        ]
        if flags:
            print(f"not to be trusted: {', '.join(flags)}")

    def _run(self, plan: MsgGenerator) -> None:
        """Run what has no points to pause at: Ctrl-C aborts it at once."""
        engine = self._session.RE
        attended, engine.attended = engine.attended, False
        try:
            engine(plan)
        finally:
            engine.attended = attended

    def _object(self, name: str) -> Any:
        first, *rest = name.split(".")
        found = self.shell.user_ns.get(first)
        for attribute in rest:
            found = getattr(found, attribute, None)
        if not hasattr(found, "read"):
            raise UsageError(
                f"{name}: no device of this session; needs one, such as {self._like(name)}"
            )
        return found

    def _like(self, name: str) -> str:
        """Return the device whose name is most like one that is none."""
        names = [
            f"{instrument.name}.{attribute}".removesuffix(".")
            for instrument in self._session.instruments
            for attribute in ("", *instrument.component_names)
        ]
        return (get_close_matches(name, names, 1) or ["magnet"])[0]


def literal(word: str) -> Any:
    """Return the number that a word is, or else the word."""
    try:
        return ast.literal_eval(word)
    except (SyntaxError, ValueError):
        return word
