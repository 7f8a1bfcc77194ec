"""Every command and every snippet of README and docs works, and the site is built.

``ODMRLAB_PICTURES=docs/figures pytest tests/test_pages.py`` keeps the pictures that pages draw.
"""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from jupyter_client.manager import KernelManager
from laboratory import free_port
from pages import blocks, pages
from test_journal import wait_for

from odmrlab.lab.explain import commands, plans, settings
from odmrlab.lab.twin import Twin

pytestmark = pytest.mark.timeout(400)  # a page may hold a whole session

ROOT = Path(__file__).parent.parent
PAGES = {str(page.relative_to(ROOT)): blocks(ROOT, page) for page in pages(ROOT)}
RUNNING = [name for name, found in PAGES.items() if any(block.runs for block in found)]
PREAMBLE = """\
from odmrlab.lab import startup
from odmrlab.lab.startup import *  # what `odmrlab shell` has done already
startup.SHIPPING_TIME = 300.0  # s, on a machine that is busy
"""
# a page begins with a bench as it is when the twin has just started, whatever was run before
AFRESH = "%mov rf.frequency 1 rf.power 0 rf.modulation_frequency 600 laser.power 0.5 magnet 0"


@contextmanager
def twin(folder: Path):
    """Give the environment in which everything finds a twin of its own."""
    port = free_port()
    environment = os.environ | {
        "ODMRLAB_HOME": str(folder / "home"),
        "TILED_PROFILES": str(folder / "profiles"),
        "EPICS_CA_ADDR_LIST": f"127.0.0.1:{port}",
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "COLUMNS": "100",
        "MPLBACKEND": "agg",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    with Twin("ODMR:", folder / "logs", 1000, None, 5, port=port, more=["--faults"]):
        yield environment


class Kernel:
    """A notebook kernel on a twin of its own."""

    def __init__(self, environment: dict[str, str], folder: Path):
        self.home = folder / "home"
        self.manager = KernelManager(transport="ipc", connection_file=str(folder / "kernel.json"))
        self.manager.start_kernel(env=environment, cwd=str(folder))
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=120)

    def run(self, code: str, ends: str = "ok") -> str:
        """Run a cell; returns what stands below it."""
        below = []

        def keep(message):
            content = message["content"]
            text = content.get("text") or content.get("data", {}).get("text/plain", "")
            below.append(text or "\n".join(content.get("traceback", ())))

        reply = self.client.execute_interactive(
            code, timeout=300, output_hook=keep, store_history=True, allow_stdin=False
        )
        shown = "".join(below)
        assert reply["content"]["status"] == ends, shown
        return shown

    def all_is_shipped(self) -> bool:
        """Return whether no journal waits for the catalogue."""
        log = self.home / "logs" / "shipper.log"
        return "ships from" in log.read_text() and not [*(self.home / "journal").glob("*.jsonl")]

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel()


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """Give a kernel with a session in it."""
    folder = tmp_path_factory.mktemp("kernel")
    with twin(folder) as environment:
        running = Kernel(environment, folder)
        running.run(PREAMBLE)
        wait_for(running.all_is_shipped, 300)  # its shipper has begun
        yield running
        running.close()


@pytest.mark.parametrize("name", PAGES)
def test_every_block_is_what_it_says(name):
    for block in PAGES[name]:
        block.check_syntax()


@pytest.mark.parametrize("name", RUNNING)
def test_every_command_of_a_page_works(name, tmp_path, request):
    shells = any(block.runs and block.language == "bash" for block in PAGES[name])
    for block in PAGES[name]:
        if block.title:
            (tmp_path / block.title).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / block.title).write_text(block.text)
    if shells:
        with twin(tmp_path / "lab") as environment:
            run(PAGES[name], tmp_path, request, environment)
    else:
        run(PAGES[name], tmp_path, request, {})
    for picture in tmp_path.glob("*.png"):
        assert (ROOT / "docs" / "figures" / picture.name).exists(), picture.name
        assert picture.stat().st_size > 10_000
        if keep := os.environ.get("ODMRLAB_PICTURES"):
            shutil.copy(picture, ROOT / keep)


def run(found, folder: Path, request, environment: dict[str, str]) -> None:
    """Run the blocks of a page in their order."""
    if any(block.runs and block.language == "python" for block in found):
        request.getfixturevalue("kernel").run(AFRESH)
    for block in found:
        if not block.runs:
            continue
        if block.language == "python":
            kernel = request.getfixturevalue("kernel")
            if "catalog" in block.text:
                wait_for(kernel.all_is_shipped, 300)  # on a machine that is busy
            kernel.run(f"import os, sys; os.chdir({str(folder)!r}); sys.path[0] = ''")
            shown = kernel.run(block.text)
            assert "Error" not in shown, f"{block.place}: {shown}"
        else:
            # a page is one session: what a block sets, the next one knows
            text = f"set -a\n[ ! -f .session ] || . ./.session\n{block.text}\nexport -p > .session"
            command = ["/bin/bash", "-euo", "pipefail", "-c", text]
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{block.place}: {done.stdout}{done.stderr}"


def test_what_is_measured_appears_below_its_own_cell(kernel):
    kernel.run(AFRESH)
    kernel.run("%mov rf.output On laser.shutter Open")
    shown = kernel.run("RE(odmr(lockin, magnet, 20, 65, 15))")
    assert "magnet_field_readback" in shown and "fit odmr" in shown
    told = kernel.run("RE(odmr(lockin, magnet, 20, 900))", ends="error")
    assert (
        told
        == "LimitError: magnet_field: asked for 900.0 [mT]; needs a number from -500 to 500 [mT]\n"
    )


@pytest.mark.parametrize("page", [plans, settings, commands])
def test_reference_is_made_by_the_code(page):
    name = page.__name__.rpartition(".")[2]
    written = (ROOT / "docs" / "reference" / f"{name}.md").read_text()
    assert written == page.table(), f"run python -m {page.__name__} > docs/reference/{name}.md"


def test_site_is_built_strictly_and_opens_offline(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", tmp_path / "site"],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        check=True,
    )
    built = list((tmp_path / "site").rglob("*.html"))
    assert len(built) >= len(PAGES) - 1
    for page in built:
        for strange in ('src="http', "src='http", '<link rel="stylesheet" href="http'):
            assert strange not in page.read_text(), f"{page}: loads from elsewhere"
