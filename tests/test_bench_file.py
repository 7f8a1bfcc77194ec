"""A bench file is used whole, or refused with the place and what is needed there."""

import pytest

from odmrlab.ioc.bench_file import BenchFileError, read_bench
from odmrlab.ioc.magnet import Coil
from odmrlab.ioc.rack import KINDS, UPSTREAM


@pytest.fixture
def write(tmp_path):
    def write(text: str):
        (tmp_path / "bench.toml").write_text(text)
        return tmp_path / "bench.toml"

    return write


def test_empty_file_is_an_ideal_bench(write):
    assert read_bench(write(""), KINDS) == {}


def test_keys_are_taken_and_the_rest_is_ideal(write):
    assert read_bench(write("[magnet]\nremanence = 2"), KINDS) == {"magnet": Coil(remanence=2)}


def test_realistic_bench_of_the_documents_can_be_read(root):
    assert read_bench(root / "docs/instruments/realistic.toml", KINDS).keys() == UPSTREAM.keys()


@pytest.mark.parametrize("name", UPSTREAM)
def test_page_of_an_instrument_names_every_key(root, name):
    page = (root / f"docs/instruments/{name}.md").read_text()
    for key, item in KINDS[name].Character.__dataclass_fields__.items():
        assert f"`{key}`" in page and item.metadata["doc"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[squid]\na = 1", r"unknown table \[squid\]; needs one of: magnet, rf, laser"),
        ("[magnet]\neddy_tim = 1", "unknown key 'eddy_tim' in .magnet.; did you mean eddy_time?"),
        ("[magnet]\nremanence = 99", r"Coil: remanence = 99 \[mT\]; needs a number from 0 to 50"),
        ("[laser]\npower_drift = '1'", "Resonator: power_drift = '1'; needs a number"),
        ("magnet = 3", r"magnet = 3; needs a table \[magnet\]"),
        ("[magnet", "needs TOML"),
    ],
)
def test_bad_file_is_refused_in_one_sentence(write, text, words):
    with pytest.raises(BenchFileError, match=words) as refusal:
        read_bench(write(text), KINDS)
    assert "bench.toml: " in str(refusal.value)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(BenchFileError, match="No such file"):
        read_bench(tmp_path / "none.toml", KINDS)
