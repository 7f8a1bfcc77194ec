"""A lock-in whose upstream hangs goes on answering, so that its lease does not run out."""

import asyncio
import os
import signal
import time

import pytest
from laboratory import OTHER_PORT, SPARE_PORT, devices, ioc

from odmrlab.ioc.upstream import OverTheWire

pytestmark = pytest.mark.layer


def test_lock_in_answers_while_its_upstream_hangs():
    options = ("--prefix", "H:", "--speed", 500)
    others = ("magnet", "rf", "laser", "cryostat")
    with (
        ioc(*others, *options, port=SPARE_PORT) as upstream,
        ioc("lockin", *options, port=OTHER_PORT),
    ):
        lockin = devices("H:").lockin
        before = lockin.reading_time.get()
        os.kill(upstream.pid, signal.SIGSTOP)
        try:
            took = []
            for _ in range(4):
                began = time.monotonic()
                assert lockin.reading_time.get() == before
                took.append(time.monotonic() - began)
        finally:
            os.kill(upstream.pid, signal.SIGCONT)
        assert min(took) < 1.0  # a busy machine may be late, but not four times


class Reset:
    """A PV whose circuit is reset while it is asked."""

    async def wait_for_connection(self) -> None:
        raise ConnectionResetError("Connection lost")


def test_circuit_that_is_reset_under_the_question_is_no_answer():
    assert asyncio.run(OverTheWire({}, [])._ask(Reset())) is None
