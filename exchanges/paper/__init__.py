"""The paper exchange: LN Markets' API on a local port, with play money and real arithmetic.

The platform knows it only as one more exchange: it speaks the same protocol, refuses what the
real one refuses, and keeps its own books where the platform cannot touch them, so that it can
judge what the platform did.

How a request travels: `limits` may turn it away and `faulty_network` do it harm, `routing` (or
`control`) checks signature, scope and body, `exchange` asks a pure decision what follows, writes
the resulting changes to the `ledger`, then applies them to the pure `book`, and answers. Whoever
listens to the exchange, as the `stream` does, hears of each change right then. A restart reads
the ledger and has the same book.

What is true:

    trades, cross       an isolated trade, the cross-margin position: their transitions     pure
    records, scopes     orders, transfers, deposits, keys …: all else an account has        pure
    account, market     one account; price, spreads, clock, candles that all share          pure
    changes             one step of the book: what happened, and what is true after it      pure
    book                accounts and market; changed by `Change` alone                      pure
    ledger              the changes, on disk before anybody hears of them
    exchange            book, ledger, clock and fresh ids in one

What follows:

    commands…           what may be asked: bodies, typed and checked
    decisions…          from a request         (`treasury`, `swaps`, `keys`, `orders` too)  pure
    moves…, funding     from a move of the price, from the time                             pure
    refusals            how the exchange says no       (`conditions`: by order)
    equity, bitcoin     what an account is worth; addresses and invoices                    pure

How it is heard:

    api…, routing       routes under /v3               wire…        their field names
    auth, limits        who signed, and how often      javascript   numbers as LN Markets' own
    stream              all connections to /v1         stream_socket, stream_session: one of them
    stream_news         what a change is worth telling stream_market, stream_topics
    control…            routes under /control          control_client   drives a running exchange
    server              ASGI application, HTTP and WebSocket server

What happens to it:

    prices              scenarios by their seed, candles out of a CSV file              pure
    player, timekeeper  let prices and time pass; `clock`: which time it is
    faults, strikes     what may go wrong; what goes wrong next                             pure
    faulty_network      requests that are delayed, cut, refused; `faulty_answers` spoils    pure

To add a route: write its body in `commands`, its decision in `decisions` (with a `Kind` in
`changes` when something new can happen), and a line in a table of `api`. To add a read: its JSON
in `wire`, a line in the table. To let the stream tell of it: `stream_news`. To add a fault: its
kind and options in `faults`, what it does in `faulty_network` or `stream_socket`. To let a person
set one more thing of the market: a field of `market.Terms`, and of `commands_market.SetTerms`.

Time passes before anything else happens: `exchange` settles the fundings that fell due, in their
order and at their own time, and then looks at a request. So the times in the ledger never go
back, whoever moves the clock.
"""
