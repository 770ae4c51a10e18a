"""What the platform relies on, shown of every adapter over real HTTP.

To try an adapter, name it in `conftest.ADAPTERS` with a function that makes a client of a running
exchange whose state the tests can look into. The exchange is the judge: its ledger says what was
done, whatever the client says.
"""
