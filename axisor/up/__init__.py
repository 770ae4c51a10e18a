"""`make run`: the whole platform on one machine, from one command, and nothing left behind.

The story, in the order in which it happens:

`data`        the data folder: one owner, one running platform (a lock), secrets made once, and
              `run.json`, which is there exactly while every part answers
`ports`       five consecutive ports counted from AXISOR_PORT, looked at before anything starts
`postgres`    the embedded PostgreSQL, driven directly: initdb, then `postgres` in the foreground
`valkey`      the embedded Valkey, which Celery, the schedule and the feed speak Redis with
`parts`       the table of processes: command, what must be up before it, how it is seen to
              answer, with which signal and patience it is stopped
`supervisor`  starts the parts as soon as what they need answers, restarts what dies, and stops
              everything in the reverse order

To add a process: one row in `parts.table`. Whatever a person could have caused is answered with a
`CannotStart`, a sentence that says what to do; a traceback is a mistake in this package.
"""
