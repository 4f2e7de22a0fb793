"""The ``taskwell`` command: parse, call, print.

What is loaded for it stays, so looking for garbage in it while it is loaded only takes time.
"""

import gc

gc.set_threshold(50_000, 20, 100)

from taskwell.cli.main import main  # noqa: E402

__all__ = ["main"]
