"""Commands run inside of the tests' own process; what they do to logging is undone."""

import logging
from pathlib import Path

from typer.testing import CliRunner, Result

from personne.cli import app


def invoke(*arguments: str | Path) -> Result:
    """What a command said, its exit code, and the exception that main() would have turned into a sentence."""
    handlers, level = logging.root.handlers[:], logging.root.level
    try:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])
    finally:
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
