"""The ``taskwell`` command: parse, call, print."""

from taskwell.cli.main import main

__all__ = ["main"]
