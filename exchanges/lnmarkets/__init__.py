"""LN Markets: Bitcoin futures, margined and settled in sats, over REST API v3 and Stream API v1.

REST, from the wire up, over `exchanges.transport` and `exchanges.fields`: `auth` (signatures),
`outcomes` and `allowances` (what a status and headers mean), `parse` (what a body says), `channel`
(one request of one account, all of that together), `isolated`, `cross` and `swaps` (the parts of
the port), `rest` (the port). Only the parts and `rest` know routes, and `parse` knows neither
routes nor sockets.

The stream, from the wire up: `rpc` (one socket), `frames` (what it carries), `stream` (the port).

To add a call: its line in the port (`exchanges.client`), how its answer is read in `parse`, and one
method in its part, whose `read` must refuse an answer that is about something else.
"""
