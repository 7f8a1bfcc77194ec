"""What stands in the fenced blocks of README and docs, and whether a test can run it.

```python                  run in a notebook kernel on a twin, one namespace for a page
```bash                    run in a folder of the page; odmrlab and caproto-get find a twin there
```LANGUAGE title="name"   a file in that folder
```toml, yaml, json, ini   has to be what it says it is
```sh                      likewise for the shell; run by a test of the page's own
``` without a language     output and drawings, not run

What cannot run in a test has the line ``<!-- not run: why -->`` above; its syntax is checked.
"""

import configparser
import json
import re
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

import yaml

BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<why>.+) -->\n+)?"
    r'^```(?P<language>\w*)(?: title="(?P<title>[\w./-]+)")?\n(?P<text>.*?)^```$',
    re.MULTILINE | re.DOTALL,
)
RUN = ("python", "bash")


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        place: Page and line.
        language: After the fence.
        title: Name of the file that it is; empty for none.
        why: It is not run; empty if it is.
        text: Between the fences.
    """

    place: str
    language: str
    title: str
    why: str
    text: str

    @property
    def runs(self) -> bool:
        return self.language in RUN and not self.title and not self.why

    def check_syntax(self) -> None:
        """Raise unless it is what its language says."""
        if self.language == "python" and not self.runs:
            compile(self.text, self.place, "exec")
        elif self.language in ("bash", "sh"):
            subprocess.run(["/bin/bash", "-n"], input=self.text, text=True, check=True)
        elif self.language == "toml":
            tomllib.loads(self.text)
        elif self.language == "yaml":
            yaml.safe_load(self.text)
        elif self.language == "json":
            json.loads(self.text)
        elif self.language == "ini":
            configparser.ConfigParser(strict=False, interpolation=None).read_string(self.text)


def blocks(root: Path, page: Path) -> list[Block]:
    """Return the blocks of a page in their order; every fence has to belong to one."""
    text = page.read_text()
    found = []
    for match in BLOCK.finditer(text):
        place = f"{page.relative_to(root)}:{text.count(chr(10), 0, match.start()) + 1}"
        parts = {name: part or "" for name, part in match.groupdict().items()}
        found.append(Block(place, **parts))
    assert len(re.findall(r"^\s*```", text, re.MULTILINE)) == 2 * len(found), (
        f"{page}: a fence that is not understood; it begins and ends a line"
    )
    return found


def pages(root: Path) -> list[Path]:
    """Return README and every page of the docs."""
    return [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
