"""``python -m taskwell`` is the ``taskwell`` command."""

from taskwell.cli import main

if __name__ == "__main__":
    main()
