"""What the process counts; ``/metrics`` reads it.

A counter here is a dict and an addition, so counting costs nothing to import and next to nothing to do.
"""

from collections import defaultdict


class Counter:
    """A number that only grows, for each value of its one label.

    Attributes:
        values: The count by the label's value; where there is no label, under the empty string.
    """

    def __init__(self, name: str, description: str, label: str | None = None) -> None:
        self.name = name
        self.description = description
        self.label = label
        self.values: defaultdict[str, int] = defaultdict(int)
        COUNTERS.append(self)

    def add(self, value: str = "", amount: int = 1) -> None:
        """Counts; a label's values must come from a short list of our own, never from a request."""
        self.values[value] += amount


COUNTERS: list[Counter] = []
"""Every counter there is."""

SECURITY_EVENTS = Counter("taskwell_security_events_total", "Security events, by kind.", "kind")
SECURITY_EVENTS_LOST = Counter("taskwell_security_events_lost_total", "Security events that could not be stored.")
SECURITY_ALARMS = Counter("taskwell_security_alarms_total", "Patterns of events that look like an attack.", "pattern")
RATE_LIMITED = Counter("taskwell_rate_limited_total", "Requests answered 429, by limit.", "limit")
LIMIT_STORE_FAILURES = Counter("taskwell_limit_store_failures_total", "Times that Redis did not answer.")
