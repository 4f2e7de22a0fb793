"""Text from people on its way into one line: a name, a subject."""

import re

_RUNS = re.compile("[\x00-\x20\x7f-\x9f\u2028\u2029]+")


def on_one_line(text: str) -> str:
    """The text without control characters and line ends; blanks and joiners inside stay as they are."""
    return _RUNS.sub(lambda run: " " if run[0].strip(" ") else run[0], text).strip()
