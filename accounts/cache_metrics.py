"""The credential cache for Prometheus: the numbers of all processes, read when they are asked for.

While Redis is away there are none: a gap is true, a zero would not be.
"""

from collections.abc import Iterator

import redis
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from accounts import cache


class CredentialCacheMetrics(Collector):
    """Look-ups by kind and outcome, evictions and entries by kind."""

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        lookups = CounterMetricFamily(
            "axisor_credential_cache_lookups",
            "Look-ups in the credential cache by their outcome.",
            labels=["kind", "outcome"],
        )
        evictions = CounterMetricFamily(
            "axisor_credential_cache_evictions",
            "Entries that were cleared, did not open, or were swept past their time.",
            labels=["kind"],
        )
        entries = GaugeMetricFamily(
            "axisor_credential_cache_entries", "Entries within their time.", labels=["kind"]
        )
        try:
            found = cache.statistics()
        except redis.RedisError:
            return  # it was logged
        for kind, of in found.items():
            lookups.add_metric([kind, "hit"], of.hits)
            lookups.add_metric([kind, "miss"], of.misses)
            evictions.add_metric([kind], of.evictions)
            entries.add_metric([kind], of.entries)
        yield from (lookups, evictions, entries)
