"""LN Markets: Bitcoin futures, margined and settled in sats, over REST API v3.

From the wire up: `transport` (one HTTP request, written at most once), `auth` (signatures),
`outcomes` (what a status means), `fields` and `parse` (what a body says), `rest` (the port).
Only `rest` knows routes, only `transport` knows sockets, and `parse` knows neither.
"""
