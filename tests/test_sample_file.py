"""A sample file is used whole, or refused with the place and what is needed there."""

import pytest

from odmrlab.ioc.physics import Sample
from odmrlab.ioc.sample_file import SampleFileError, read_sample


@pytest.fixture
def write(tmp_path):
    def write(text: str):
        (tmp_path / "sample.toml").write_text(text)
        return tmp_path / "sample.toml"

    return write


def test_empty_file_is_the_sample_of_the_paper(write):
    assert read_sample(write("")) == Sample()


def test_keys_are_taken_and_the_rest_is_the_paper(write):
    sample = read_sample(write('name = "#2"\n[electron]\ng = 2.05\n[hole]\ng_spread = 0\n'))
    assert (sample.name, sample.electron.g, sample.electron.dark_rate) == ("#2", 2.05, 871.1)
    assert (sample.hole.g, sample.hole.g_spread) == (0.8, 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[electron]\ng_factor = 2", r"unknown key 'g_factor' in \[electron\]; needs one of: g,"),
        ("[electron]\noverhauser = 2", "did you mean overhauser_field?"),
        ("[elektron]\ng = 2", "unknown key 'elektron' in the file; did you mean electron?"),
        ('[electron]\ng = "2"', "Carrier: g = '2'; needs a number from -10 to 10"),
        ("[electron]\ng = true", "Carrier: g = True; needs a number"),
        ("[electron]\ng = 0.0", r"Carrier: g = 0.0; needs \|g\| >= 0.001"),
        ("[hole]\ndark_rate = -5", r"Hole: dark_rate = -5 \[1/s\]; needs a number from 0.001"),
        ("[hole]\ndark_rate = nan", r"Hole: dark_rate = nan \[1/s\]; needs"),
        ("electron = 3", r"electron = 3; needs a table \[electron\]"),
        ('effects = ["twim"]', "effects has 'twim'; needs names from: hole_window"),
        ('effects = "twin"', "effects = 'twin'; needs a list of names"),
        ("name = 3", "name = 3; needs a text"),
        ("g = ", "needs TOML"),
    ],
)
def test_bad_file_is_refused_in_one_sentence(write, text, words):
    with pytest.raises(SampleFileError, match=words) as refusal:
        read_sample(write(text))
    assert "sample.toml: " in str(refusal.value)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(SampleFileError, match="No such file"):
        read_sample(tmp_path / "none.toml")
