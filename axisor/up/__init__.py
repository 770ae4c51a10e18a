"""`make run`: the whole platform on one machine, from one command, and nothing left behind.

The story, in the order in which it happens:

`ports`, `data`, `secrets`   five consecutive ports counted from AXISOR_PORT; the data folder, held
                             by one run at a time; the secrets, made in it once
`site`                       all of that together, looked at before anything starts
`postgres`, `valkey`         the embedded servers, driven directly, in the foreground; `launch` says
                             as whom they run, and ties every process to the life of this one
`parts`                      the table of processes: command, what must answer before it, how it is
                             seen to answer (`probes`), with which signal and patience it is stopped
`supervisor`                 starts each part as soon as what it needs answers, restarts what dies,
                             and stops everything in the reverse order; `child` is one run of a part
`welcome`                    when every part answers: `run.json`, and the logins on the terminal
`output`                     everything into the logs, what is worth a look to the terminal

Beside it, `manage` runs a management command with the environment that these processes have.

To add a process: one row in `parts.table`, and a port in `ports` if it listens. Whatever a person
could have caused is answered with `CannotStart`, a sentence that says what to do; a traceback is a
mistake in this package.
"""
