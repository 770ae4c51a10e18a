"""What is counted about runs, for Prometheus. Accounts have no end: their runs are rows."""

from typing import Final

from prometheus_client import Counter

TIMEOUTS: Final = Counter(
    "axisor_automation_timeouts",
    "Runs that were stopped at their limit of time, by kind of automation.",
    ["kind"],
)
