"""The ``taskwell`` command: parse, call, print.

Imported modules stay, so a garbage collection during the imports only takes time.
"""

import gc

gc.set_threshold(50_000, 20, 100)

from taskwell.cli.main import main  # noqa: E402

__all__ = ["main"]
