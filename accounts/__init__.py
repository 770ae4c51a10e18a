"""Who uses the platform, and with which accounts at which exchanges.

A `User` has many `ExchangeAccount`s and at most one of them is active: the one whose automations
run. An account's API key, secret and passphrase lie in the database as one sealed value and are
written, never shown: they are opened for the moment in which a client is made, nowhere else.

The story, from the inside out:

`vault`        seals bytes with AES-256-GCM under a ring of keys, and binds them to their row
`credentials`  what a credential may look like; sealing and opening those of one account
`models`       User, ExchangeAccount, Event (the outbox of what happened to whom), Audit
`outbox`       `record_event`, for every package that has something to tell
`audit`        `record_audit`: who did what, written once
`standing`     how an account stands with its exchange, and what its automations do meanwhile
`cache`        sealed credentials and verdicts in Redis; `cache_metrics` shows them to Prometheus
`opening`      validation before use, and opened credentials by way of the cache
`rotation`     seals anew what does not lie under the first key, for the command `rotate_keys`
`gateway`      the only way to an exchange: `open_client(account)`, refused for unusable accounts,
               protected as `exchanges.protection` says
`keys`         what a key has to be, and what its owner should know of it
`services`     everything that changes an account: connect, replace its credentials, rename,
               activate, disconnect
`selectors`    everything that reads
`signals`      news for the packages above, sent inside the transaction of the change
`strict`, `api_errors`, `tokens`  what every API of the platform shares: serializers that refuse
               what they do not know, errors as answers, authentication
`zones`        the time zones that a person may be in
`api…`, `admin…`  the faces, which hold no rule of their own; `admin_audit` audits what pages
               save without a service

To add something that happens to an account: write a service that locks the user's row, changes
the account and calls `record_event` in the same transaction; give it a route in `api` and an
action in `admin`. To keep another secret: a nullable `BinaryField` that is not editable, sealed
with a `bound_to` that names its table, row, owner, column and version, and a line in
`rotation.COLUMNS`.
"""
