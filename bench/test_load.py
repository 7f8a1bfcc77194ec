"""A minute of clients that come and go beside 200 monitors; the memory of the IOCs stays flat."""

import os
import time
from pathlib import Path

import pytest
from caproto import CaprotoError
from caproto.sync.client import read
from caproto.threading.client import Context
from laboratory import PREFIX
from servers import scalars

CONNECTS = 50  # a second
LASTING = 60.0  # s
MONITORS = 200
GROWTH = 4.0  # MB, at most: the pools of the interpreter breathe by one or two
PAGE = os.sysconf("SC_PAGE_SIZE") / 1e6  # MB


def memory(process: int) -> float:
    """Return the resident memory of a process [MB]."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE


def come_and_go(seconds: float) -> tuple[int, int]:
    """Connect, read and disconnect ``CONNECTS`` times a second.

    Returns:
        How often that went well, and how often not: of 20 000 such clients as fast as they can, two
        are turned away while the server still closes the circuit before.
    """
    began, done, lost = time.monotonic(), 0, 0
    while (past := time.monotonic() - began) < seconds:
        if done + lost > CONNECTS * past:
            time.sleep(0.001)
            continue
        try:
            assert read(PREFIX + "Rf:Frequency", repeater=False, timeout=5).data[0] > 0
            done += 1
        except CaprotoError:
            lost += 1
    return done, lost


@pytest.mark.timeout(300)
@pytest.mark.benchmark(group="a minute of load")
def test_clients_that_come_and_go_leave_the_memory_flat(benchmark, rack):
    contexts, seen = [Context() for _ in range(4)], []
    names = [PREFIX + name for name, _ in scalars()][: MONITORS // len(contexts)]

    def count(sub, response):
        seen.append(time.monotonic())

    kept = []
    for context in contexts:
        for pv in context.get_pvs(*names):
            pv.wait_for_connection(timeout=10)
            kept.append(pv.subscribe())
            kept[-1].add_callback(count)
    assert len(kept) == MONITORS
    come_and_go(5.0)  # what the first clients cost is not growth
    before = memory(rack)
    done, lost = benchmark.pedantic(come_and_go, args=(LASTING,), rounds=1)
    after = memory(rack)
    for context in contexts:
        context.disconnect()
    print(
        f"\n{done} connects, {lost} lost, {len(seen)} updates, memory {before:.1f} to {after:.1f} MB"
    )
    assert done > 0.9 * CONNECTS * LASTING and lost < 1e-3 * done
    assert seen[-1] > time.monotonic() - 5
    assert after - before < GROWTH
