"""What every adapter must do, whatever exchange is behind it.

Each adapter is tried against an exchange on this machine, which is the judge: its ledger says what
was done, whatever the client says. `world` says what a test may know of an exchange, `venues` has
one for each adapter, and `calls` every call of the port as a table. A test runs for the adapters
that have the part of the port it is about; that an adapter lacks one is a test of its own, in
`test_declarations`.

To add an adapter: a `Venue` for its exchange, and its line in `venues.VENUES`. A call of a part
that has no table yet: its line in `calls`.
"""
