"""The pages that explain the twin: their numbers, figures and commands are those of the code."""

import re

import pytest
from caproto.threading.client import Context
from laboratory import SPARE_PORT, ioc

from odmrlab.lab.explain.effects import table
from odmrlab.lab.explain.figures import FIGURES, draw_all

PAGES = ("magnet", "rf", "laser", "cryostat", "lockin")


def test_page_of_effects_is_up_to_date(root):
    page = (root / "docs" / "explanations" / "effects.md").read_text()
    assert page == table(), (
        "run python -m odmrlab.lab.explain.effects > docs/explanations/effects.md"
    )


def test_figures_of_the_physics_are_drawn_and_shown(root, tmp_path):
    files = draw_all(tmp_path)
    page = (root / "docs" / "explanations" / "physics.md").read_text()
    assert {file.name for file in files} == set(re.findall(r"figures/(\w+\.png)", page))
    assert len(files) == len(FIGURES)
    for file in files:
        assert (root / "docs" / "figures" / file.name).exists()
        assert file.stat().st_size > 10_000


@pytest.fixture
def served():
    """Serve the instruments with rf and light on, on the electron's resonance."""
    with ioc("--speed", 1e5, "--seed", 1, "--faults", port=SPARE_PORT):
        context = Context()
        for name, value in (("Rf:Output", 1), ("Laser:Shutter", 1), ("Magnet:Field", 42.5)):
            (pv,) = context.get_pvs(f"ODMR:{name}")
            pv.wait_for_connection(timeout=10)
            pv.write([value], wait=True, timeout=10)
        yield context
        context.disconnect()


def commands(text: str) -> list[tuple[list[str], bool]]:
    """Return the words of every caput, caget and camonitor line, and whether it may be refused."""
    lines = re.findall(r"^((?:caput|caget|camonitor) .*)$", text, re.MULTILINE)
    return [(re.split(r"\s{2,}", line)[0].split(), "refused" in line) for line in lines]


@pytest.mark.parametrize("name", PAGES)
def test_commands_of_the_pages_work(root, served, name):
    found = commands((root / "docs" / "instruments" / f"{name}.md").read_text())
    assert found
    for words, may_be_refused in found:
        *_, pv_name, value = words if words[0] == "caput" else [*words, None]
        (pv,) = served.get_pvs(pv_name)
        pv.wait_for_connection(timeout=10)
        before = pv.read(data_type="control")
        if value is None:
            continue
        choices = [word.decode() for word in getattr(before.metadata, "enum_strings", ())]
        number = choices.index(value) if value in choices else float(value)
        answer = pv.write([number], wait=True, timeout=60)
        assert answer.status.success or may_be_refused, words
