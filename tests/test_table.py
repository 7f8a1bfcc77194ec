"""The page of PVs is the code's."""

from odmrlab.ioc.table import table


def test_page_of_pvs_is_up_to_date(root):
    page = (root / "docs" / "reference" / "pvs.md").read_text()
    assert page == table(), "run python -m odmrlab.ioc.table > docs/reference/pvs.md"


def test_row_tells_unit_range_start_and_meaning():
    row = "| `Magnet:Field` | mT | -500 to 500 | 0.0 | Set point of the field; a put starts the ramp |"
    assert row in table()
    assert "| `Rf:Output` |  | Off, On | Off | Whether the carrier reaches the coil |" in table()
    assert "| `Lockin:X` | V | read only | 0.0 | In phase, rms |" in table()
