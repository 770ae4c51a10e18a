"""Spot markets by way of the library ccxt, which comes with the extra `axisor[ccxt]`.

    axisor[ccxt]    registry name    exchange    market of its ticker and candles
                    ccxt-kraken      Kraken      BTC/USD

ccxt knows how an exchange is asked, how a request is signed, and what an answer means. What it
does not do here is travel, wait and try again: its `fetch` is replaced, its rate limiter and its
retries are off, and its numbers stay the text that the exchange sent until they are `Decimal`.

From the wire up, over `exchanges.transport` and `exchanges.fields`: `numerals` (numbers as text),
`documents` (one answer, as JSON or as what its status means), `failures` (ccxt's errors as ours),
`channel` (one request of one account: guarded, sent once, looked at before ccxt sees it), `markets`
(which there are, known to the whole process for an hour), `parse` (what ccxt made of an answer, as
our types), `spot` (that part of the port), `client` (the port). `dialect` says what has to be known
of an exchange besides, and `kraken` says it of Kraken. Only these two are loaded without ccxt.

To add an exchange: a module with its `Dialect` and its `connect`, a line in `registry.ADAPTERS`,
a server for the tests that answers like it, and a `Venue` for the conformance suite. Read its
`sign` in ccxt first: where it signs a time within a window, acts must be signed as of their
`Signature.signed_at`, for which there is no need as long as Kraken is the only one.
"""
