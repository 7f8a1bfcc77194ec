"""Get and put with completion: our IOCs, EPICS base, and stock caproto, asked by one client."""

import subprocess
import sys
from pathlib import Path

import pytest
from caproto.threading.client import Context
from laboratory import OTHER_PORT, PREFIX, SPARE_PORT

SERVERS = Path(__file__).parent / "servers.py"
EPICS_BASE, STOCK = "E:", "S:"


@pytest.fixture(scope="module")
def prefixes(rack):
    """Start the two others beside ours; give the prefixes of all three."""
    words = [("softioc", EPICS_BASE, SPARE_PORT), ("caproto", STOCK, OTHER_PORT)]
    processes = []
    for arguments in words:
        command = [sys.executable, str(SERVERS), *map(str, arguments)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        processes.append(subprocess.Popen(command, text=True, **pipes))
        while (line := processes[-1].stdout.readline()) != "ready\n":
            assert line, f"{arguments} ended"
    yield {"ours": PREFIX, "EPICS base": EPICS_BASE, "stock caproto": STOCK}
    for process in processes:
        process.communicate(timeout=10)


@pytest.fixture(scope="module")
def client():
    context = Context()
    yield context
    context.disconnect()


def channel(client, name: str):
    (pv,) = client.get_pvs(name)
    pv.wait_for_connection(timeout=10)
    return pv


WHO = ("ours", "EPICS base", "stock caproto")


@pytest.mark.benchmark(group="get")
@pytest.mark.parametrize("server", WHO)
def test_get(benchmark, prefixes, client, server):
    pv = channel(client, prefixes[server] + "Magnet:FieldReadback")
    benchmark.pedantic(lambda: pv.read(timeout=5), rounds=200, iterations=5, warmup_rounds=5)


@pytest.mark.benchmark(group="put with completion")
@pytest.mark.parametrize("server", WHO)
def test_put_with_completion(benchmark, prefixes, client, server):
    pv = channel(client, prefixes[server] + "Rf:Power")
    levels = iter(range(10**9))

    def put():
        pv.write([-float(next(levels) % 20)], wait=True, timeout=5)

    benchmark.pedantic(put, rounds=200, iterations=5, warmup_rounds=5)
