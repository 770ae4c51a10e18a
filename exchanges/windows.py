"""The signature window, verified: does the exchange really refuse what is too old?

That a request cannot be executed once its signature is too old is what allows an absent effect
to be believed absent. It is an assumption about somebody else's software, so it is tried with a
harmless signed read, once a day per exchange.
"""

from datetime import timedelta

from django.utils import timezone

from exchanges.client import ExchangeClient
from exchanges.models import Exchange

VERIFY_EVERY = timedelta(hours=24)


def verified_window(exchange: Exchange, client: ExchangeClient) -> timedelta | None:
    """How long `exchange` accepts a signature, None when it has no window that it keeps.

    Asks the exchange when the last verification is too old; raises `ExchangeError` then.
    """
    verified_at = exchange.window_verified_at
    if verified_at is None or verified_at < timezone.now() - VERIFY_EVERY:
        verify_window(exchange, client)
    return client.request_window if exchange.keeps_window else None


def verify_window(exchange: Exchange, client: ExchangeClient) -> None:
    """Try a signature just too old, and keep what came of it. Raises `ExchangeError`."""
    exchange.keeps_window = client.request_window is not None and client.refuses_stale_signature()
    exchange.window_verified_at = timezone.now()
    exchange.save(update_fields=["keeps_window", "window_verified_at"])
