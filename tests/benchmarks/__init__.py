"""How long a decision takes to obtain price and positions: `make bench`.

    __main__    what is started, and what is asked for on the command line
    feed        the measured calls, and the samples
    link        a TCP proxy that makes a connection as long as wanted
    report      the table, and the figures as JSON
    monitor     by itself: a round of the margin monitor over 10,000 accounts
    opening     of its own: what the credential cache saves when a client is opened

Everything runs as it does on the platform: a Valkey, a paper exchange in a process of its own, the
adapter with its signatures and kept connections, without the guard, whose rate limits would slow
HTTP down. Each sample of the feed comes in three kinds: `new` has been written anew, market and
account, just before it is read; `known` has not changed since it was read last; `floor` is one PING
to the Valkey. That floor is what limits the feed; on a busy machine its mean and p99 are mostly the
scheduler's.
"""
