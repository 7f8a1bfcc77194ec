"""Settings come from the environment, and a folder is proven before it is used."""

import os
from pathlib import Path

import platformdirs
import pytest
from pydantic import ValidationError

from odmrlab.lab.settings import Settings, UnwritableError, writable_folder


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for name in [name for name in os.environ if name.upper().startswith("ODMRLAB_")]:
        monkeypatch.delenv(name)


def test_home_is_the_users_data_folder_by_default():
    settings = Settings()
    assert settings.home == platformdirs.user_data_path("odmrlab")
    assert (settings.prefix, settings.catalogue_profile) == ("ODMR:", "odmr")


def test_folders_follow_home(tmp_path):
    settings = Settings(home=tmp_path)
    assert settings.journal == tmp_path / "journal"
    assert settings.catalogue == tmp_path / "catalogue"
    assert settings.logs == tmp_path / "logs"
    assert settings.bus_address == f"ipc://{tmp_path}/bus"


def test_every_setting_has_its_environment_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("ODMRLAB_HOME", str(tmp_path))
    monkeypatch.setenv("ODMRLAB_PREFIX", "LAB2:")
    monkeypatch.setenv("ODMRLAB_CATALOGUE_PROFILE", "lab2")
    monkeypatch.setenv("ODMRLAB_JOURNAL_FSYNC", "always")
    monkeypatch.setenv("ODMRLAB_BUS", "tcp://127.0.0.1:5577")
    settings = Settings()
    assert settings.home == tmp_path
    assert (settings.journal_fsync, settings.bus_address) == ("always", "tcp://127.0.0.1:5577")
    assert (settings.prefix, settings.catalogue_profile) == ("LAB2:", "lab2")


def test_home_is_absolute_wherever_the_session_was_started(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert Settings(home="lab").home == tmp_path / "lab"
    assert Settings(home="~/lab").home == Path.home() / "lab"


def test_a_profile_is_a_name_and_no_path():
    with pytest.raises(ValidationError, match="catalogue_profile"):
        Settings(catalogue_profile="../odmr")


def test_a_folder_is_created_and_left_empty(tmp_path):
    folder = writable_folder(tmp_path / "a" / "b", "journal")
    assert folder.is_dir()
    assert not list(folder.iterdir())


def test_a_folder_below_a_file_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "journal"
    with pytest.raises(UnwritableError) as refusal:
        writable_folder(folder, "journal")
    assert str(refusal.value) == (
        f"journal: {folder} cannot be written (Not a directory); "
        "needs a folder that this user can write, chosen by ODMRLAB_HOME"
    )


@pytest.mark.skipif(not os.path.ismount("/proc"), reason="needs a file system without room")
def test_a_folder_where_nothing_can_be_made_is_refused():
    with pytest.raises(UnwritableError, match="^journal: /proc/odmrlab cannot be written"):
        writable_folder(Path("/proc/odmrlab"), "journal")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UnwritableError, match="Permission denied"):
        writable_folder(tmp_path, "journal")
