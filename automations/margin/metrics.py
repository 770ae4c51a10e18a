"""What the margin monitor counts, for Prometheus. Nothing here names an account."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

ROUND_SECONDS: Final = Histogram(
    "axisor_margin_round_seconds",
    "Seconds that one round over the accounts of an exchange took.",
    ["exchange"],
)
CHECKED: Final = Counter(
    "axisor_margin_accounts_checked", "Accounts whose margin was checked, each time."
)
ALERTS: Final = Counter(
    "axisor_margin_alerts", "Alerts that were raised, by their level.", ["level"]
)
BLIND: Final = Gauge(
    "axisor_margin_blind_accounts",
    "Accounts that cannot be read at present.",
    ["exchange"],
    multiprocess_mode="mostrecent",
)
