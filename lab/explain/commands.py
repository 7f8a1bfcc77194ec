"""The page of the command line: ``python -m odmrlab.lab.explain.commands``."""

import re
from argparse import HelpFormatter
from functools import partial

import typer
from typer.cli import get_docs_for_click

from ...ioc.__main__ import parser
from ..cli import app

HEAD = """\
# Commands

Written by `python -m odmrlab.lab.explain.commands`. A person's mistake gives one sentence and the exit status 2.

"""
WIDTH = 100  # characters


def table() -> str:
    """Return the page."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="odmrlab")
    text = get_docs_for_click(obj=command, ctx=context, name="odmrlab")
    text = text[text.index("## ") :]  # behind the list, which cuts every sentence
    text = re.sub(r"```console\n\$ ", "```\n", text)
    ioc = parser()
    ioc.formatter_class = partial(HelpFormatter, width=WIDTH)
    return (
        f"{HEAD}{text.strip()}\n\n## The options of `odmrlab ioc`\n\n```\n{ioc.format_help()}```\n"
    )


if __name__ == "__main__":
    print(table(), end="")
