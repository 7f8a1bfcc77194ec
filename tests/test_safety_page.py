"""The page about safety says what the code does."""

import re

import pytest

from odmrlab.ioc.rack import KINDS
from odmrlab.plans import INTERLOCKS, SAFE
from odmrlab.plans.outages import RESTORED


@pytest.fixture
def tables(root) -> list[list[list[str]]]:
    """Give the tables of the page, each as its rows of cells, without head and back quotes."""
    page = (root / "docs" / "explanations" / "safety.md").read_text()
    found = re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE)
    return [
        [[cell.strip().replace("`", "") for cell in row.strip("|").split("|")] for row in rows]
        for rows in (table.splitlines()[2:] for table in found)
    ]


def test_what_an_ioc_puts_by_itself(tables):
    puts = {name: kind.safe.items() for name, kind in KINDS.items()}
    wanted = [
        [name, ", ".join(f"{attribute} {value}" for attribute, value in safe) or "nothing"]
        for name, safe in puts.items()
    ]
    assert tables[0] == wanted


def test_how_a_plan_leaves_the_bench(tables):
    assert tables[1] == [[name, str(value)] for name, value in SAFE.items()]


def test_interlocks(tables):
    assert tables[2] == [
        [lock.attribute, f"{lock.least:g}", f"{lock.most:g}", str(lock.action)]
        for lock in INTERLOCKS
    ]


def test_what_is_restored_after_an_outage(tables):
    assert tables[3] == [[name, ", ".join(names)] for name, names in RESTORED.items()]
