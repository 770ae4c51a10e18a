"""The crash machine: real processes, struck at every place on the way of an order, then judged.

    python -m tests.crash --rounds 1000 --seed 1        the platform, put through the rounds
    python -m tests.crash --planted all                 each planted bug, which must be caught
    python -m tests.crash --naive                       a naive retry loop in the same rounds

A round is one fresh account at the paper exchange with one guarded position, and one scenario
drawn from the seed: what strikes, where, and what is wanted. Many rounds run at once on one
platform; a strike knows the account it is meant for, so each round has its own. When all of a
batch is over, the judge compares what the exchange accepted with what PostgreSQL says.

    settings, apps   the real settings, with shorter clocks, strikes armed, at most one bug
    clocks           every clock of the platform, at a tenth of its length
    strikes          kill, freeze, raise, lose a COMMIT: laid per account, taken once
    skew             a clock that is wrong for a while
    scenarios        what may happen to a round, and the draw
    planted, naive   bugs and the baseline, put in from outside
    programs         one process: started, killed, restarted
    servers          PostgreSQL and Valkey
    platform         everything else of one run
    proxy            a way to PostgreSQL that can lose the reply to a COMMIT
    rounds, run      one round; a whole run
    campaigns        what may be run
    judge, evidence  a program of its own that shares no code with the platform
    result, report   the figures
    poison           messages that nobody can run

To add a scenario, add a row to `scenarios`. To add a planted bug, add it to `planted.PLANTS` and
the rounds that provoke it to `scenarios.PROVOKING`.
"""
