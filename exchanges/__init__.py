"""Exchanges: what the rest of the platform knows of them, and how it talks to them.

Read in this order:

- `types`: what every exchange is understood to say, as frozen values.
- `errors`: everything that can go wrong, grouped by what to do next.
- `client`: the port. Whoever wants something from an exchange has an `ExchangeClient`, and knows
  nothing of HTTP, of signatures, or of which exchange it is.
- `inverse_futures`: the arithmetic of the contracts.
- `transport` and `fields`: for adapters. One HTTP request, written at most once; and JSON from a
  stranger, read strictly.
- `lnmarkets`: the adapter for LN Markets. It translates at its edge; what it cannot read, it
  refuses.
- `ccxt`: adapters for spot markets by way of the library of that name, if it is installed.
- `paper`: an exchange of our own which speaks LN Markets' language on a local port. Nothing
  above this package can tell it from a real one, so that everything can be tried without money.
- `registry` and `models`: which adapters there are, and which exchanges an account can be at;
  `addresses`: where credentials may be sent.
- `stream`: the port for what an exchange tells by itself; `market`: what that amounts to.
- `feed`: the latest values, with their age and source.

To add an exchange:

1. Write `exchanges/<name>/` with a class that implements `client.ExchangeClient` and a function
   `connect(*, base_url, credentials)`. Raise `NotSent` only where no byte can have left,
   `UnknownOutcome` wherever an act may have happened; never retry an act.
2. Name the function in `registry.ADAPTERS`, and its limits in `EXCHANGE_LIMITS` of the settings. If
   the exchange has a stream, write a class that implements `stream.Stream` and name the function
   that makes one too; without it the market and the accounts are read over HTTP.
3. Add its `Venue` to `tests/exchanges/conformance/venues.py`, and make it pass.
4. Add a row, in the admin or by a data migration: `models.Exchange`.

An exchange that speaks a language we know already needs step 4 only.
"""
