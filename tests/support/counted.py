"""What this process has counted."""

from taskwell.observability.metrics import REGISTRY


def counted(name: str, **labels: str) -> float:
    """A sample's value; 0 where there is none yet."""
    return REGISTRY.get_sample_value(name, labels) or 0.0
