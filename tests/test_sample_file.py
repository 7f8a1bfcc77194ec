"""A sample file is used whole, or refused with the place and what is needed there."""

from dataclasses import fields

import pytest

from odmrlab.ioc.physics import Sample
from odmrlab.ioc.physics.apparatus import SECOND_SAMPLE
from odmrlab.ioc.physics.effects import EFFECTS, steps_with
from odmrlab.ioc.sample_file import PARTS, SampleFileError, read_sample


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
        (
            'effects = ["g_skew", "skew"]',
            "effects has 'skew'; needs names from: hole_window, g_skew,",
        ),
        ("[coil]\ncorner = 0", r"Coil: corner = 0 \[GHz\]; needs a number from 0.001 to 1000"),
        ("[nanocrystals]\nenergy = 1", r"unknown key 'energy' in \[nanocrystals\]"),
        ("reference_energy = 1824", r"Sample: reference_energy = 1824 \[eV\]; needs a number from"),
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


def test_effects_and_their_parameters_are_taken(write):
    text = """
        effects = ["twin"]
        [electron]
        t1_spread = 0.5
        [nanocrystals]
        luminescence_energy = 1.745
        luminescence_width = 0.030
        [coil]
        pickup = 0
        """
    sample = read_sample(write(text))
    assert sample.steps == steps_with(EFFECTS)
    assert (sample.electron.t1_spread, sample.coil.pickup) == (0.5, 0)
    assert sample.nanocrystals == SECOND_SAMPLE


def test_every_assumption_is_a_parameter_with_a_range_and_a_sentence():
    for part in PARTS.values():
        for item in fields(part):
            assert item.metadata["low"] <= item.default <= item.metadata["high"]
            assert item.metadata["doc"]
