"""LN Markets: Bitcoin futures, margined and settled in sats, over REST API v3.

From the wire up: `transport` (one HTTP request, written at most once), `auth` (signatures),
`outcomes` and `allowances` (what a status and headers mean), `fields` and `parse` (what a body
says), `channel` (one request of one account, all of that together), `isolated`, `cross` and `swaps`
(the parts of the port), `rest` (the port). Only the parts and `rest` know routes, only `transport`
knows sockets, and `parse` knows neither.
"""
