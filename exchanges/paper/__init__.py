"""The paper exchange: LN Markets' API on a local port, with play money and real arithmetic.

The platform knows it only as one more exchange: it speaks the same protocol, refuses what the
real one refuses, and keeps its own books where the platform cannot touch them, so that it can
judge what the platform did.

How a request travels: `api` (or `control`) checks signature and body, `exchange` asks a pure
decision what follows, writes the resulting changes to the `ledger`, then applies them to the
pure `book`, and answers. A restart reads the ledger and has the same book.

    commands    what may be asked: bodies, typed and checked
    trades      one isolated trade and its transitions                              pure
    cross       the cross-margin position and its transitions                       pure
    records     orders, transfers, deposits … : everything else an account has      pure
    account     one account: its balances, trades and records                       pure
    changes     one step of the book: what happened, and what is true after it      pure
    book        all accounts and the last price; changed by `Change` alone          pure
    decisions   what follows from a request or a move of the price                  pure
    refusals    how the exchange says no
    ledger      the changes, on disk before anybody hears of them
    exchange    book + ledger + clock + fresh ids
    javascript  JSON numbers as the real exchange reads and writes them
    wire        the field names of the answers
    auth        the signature
    api         routes under /v3                        control   routes under /control
    faults      delays and cut connections              player    a list of prices in real time
    server      ASGI application, HTTP server
    control_client                                      drives a running exchange

To add a route: write its body in `commands`, its decision in `decisions` (with a `Kind` in
`changes` when something new can happen), and a line in the table of `api`. To add a read: its JSON
in `wire`, a line in the table. To add a fault: a `FaultKind` and what it does in `faults`.
"""
