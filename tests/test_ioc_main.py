"""The command of the IOCs: what it refuses, in one sentence and before it serves."""

import subprocess
import sys

import pytest
from laboratory import PORT, free_port, ioc

from odmrlab.ioc.__main__ import main


def test_unknown_instrument_is_refused(capsys):
    assert main(["magnet", "squid"]) == 2
    assert capsys.readouterr().err.startswith("ioc: unknown instrument squid; needs names from:")


def test_bad_sample_is_refused(tmp_path, capsys):
    (tmp_path / "s.toml").write_text("[electron]\ng = 99")
    assert main(["--sample", str(tmp_path / "s.toml")]) == 2
    assert "Carrier: g = 99; needs a number from -10 to 10" in capsys.readouterr().err


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf"])
def test_speed_must_be_a_positive_number(speed, capsys):
    assert main([f"--speed={speed}"]) == 2
    assert "needs a finite number > 0" in capsys.readouterr().err


def test_second_ioc_on_a_port_is_refused():
    port = free_port()
    with ioc(port=port):
        second = subprocess.run(
            [sys.executable, "-m", "odmrlab.ioc", "--port", str(port)],
            check=False,
            capture_output=True,
            text=True,
            timeout=20,
        )
    assert second.returncode == 2
    assert second.stderr == (
        f"ioc: cannot listen on 127.0.0.1:{port} (Address already in use); "
        "needs a free port, see --port\n"
    )


def test_nobody_but_this_host_can_connect(rack):
    """No socket of the IOC listens on an outside address."""
    listening = [
        line.split()[1]
        for table in ("tcp", "udp")
        for line in open(f"/proc/net/{table}").read().splitlines()[1:]  # noqa: SIM115
        if line.split()[1].endswith(f":{PORT:04X}")
    ]
    assert listening and all(address.startswith("0100007F:") for address in listening)


DEAF = """\
import asyncio, sys
from odmrlab.ioc import server
from odmrlab.ioc.physics import Sample
from odmrlab.ioc.rack import rack

async def deaf():
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

async def main():
    asyncio.ensure_future(deaf())
    await server.serve(rack("D:", Sample(), names=("rf",)), int(sys.argv[1]))

server.END_TIME = 0.3
asyncio.run(main())
"""


def test_ioc_ends_although_one_of_its_tasks_does_not():
    command = [sys.executable, "-c", DEAF, str(free_port())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        assert process.wait(60) == 0
