"""Repository, wheel and floors agree."""

import os
import subprocess
import sys
import tomllib
import zipfile

import pytest

FOLDERS = ("analysis", "devices", "ioc", "lab", "plans", "testing")


def test_every_package_is_listed_for_the_wheel(root):
    listed = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {
        path.parent.relative_to(root)
        for top in FOLDERS
        for path in root.glob(f"{top}/**/__init__.py")
    }
    assert set(listed) == {"odmrlab"} | {".".join(("odmrlab", *folder.parts)) for folder in found}


def test_wheel_installs_nothing_but_odmrlab(root, tmp_path):
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],  # noqa: S607
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    for name in tracked:
        if (root / name).is_file():
            (tmp_path / "src" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "src" / name).write_bytes((root / name).read_bytes())
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", tmp_path, "src"]
    subprocess.run(build, cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    inside = {name for name in names if ".dist-info/" not in name}
    assert {name.split("/")[0] for name in inside} == {"odmrlab"}
    modules = {name for name in tracked if name.endswith(".py") and name.split("/")[0] in FOLDERS}
    assert {f"odmrlab/{name}" for name in modules} <= inside
    assert not any("tests" in name for name in inside)


def test_floors_hold(root):
    lint = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert lint.returncode == 0, lint.stdout


def test_style_holds(root):
    for words in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "."],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_types_hold_where_no_neighbour_is_untyped(root):
    words = [sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "strangers"),
    [
        (
            "odmrlab.analysis.models",
            ("bluesky", "ophyd", "caproto", "tiled", "odmrlab.ioc", "odmrlab.devices"),
        ),
        (
            "odmrlab.analysis.fit_run",
            ("bluesky", "ophyd", "caproto", "tiled", "odmrlab.ioc", "odmrlab.devices"),
        ),
        ("odmrlab.ioc.physics", ("bluesky", "ophyd", "caproto", "odmrlab.analysis")),
    ],
)
def test_module_imports_no_stranger(module, strangers):
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not [name for name in loaded if name.startswith(strangers)]


def test_one_client_is_beneath_ophyd():
    """The first import of ophyd chooses it; another that is set later would run beside the first."""
    ask = "import sys, odmrlab.plans; print([m for m in sys.modules if m.startswith('ophyd._')])"
    env = {name: value for name, value in os.environ.items() if name != "OPHYD_CONTROL_LAYER"}
    said = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, check=True, env=env
    )
    assert "ophyd._caproto_shim" in said.stdout and "ophyd._pyepics_shim" not in said.stdout
