"""Automations: what they decide, how that is carried out exactly once, and why.

The life of a tick, and the room for each step:

    a change of what runs: write its entries     schedule, timetable  kept by `keeping`
    watch                                        watch                keeps the feed fresh
    beat: what is due, and when next             timing, timetable
         ── evaluate([(automation, slot)…])      tasks, evaluation    looks, never acts
              late, or overlapping: count it     skips
              snapshot from the feed             reading, sensing, past
              rule.decide, risk.vet              deciding, rules      pure inside
              quiet: note it                     quiet
              stale: ── refresh(account)         tasks, evaluation    reads the exchange
              else:  ── execute(automation, slot, cause)
                         the account's turn      turns                one run per account
                         fresh snapshot          reading, sensing, past
                         rule.decide, risk.vet   deciding, rules      the same functions again
                         ask a person first?     proposals            then nothing is sent yet
                         commit the intents      planning             before anything is sent
                         claim, perform, settle  intents, perform     HTTP outside transactions
                         a step after another    sagas                only if that was done
                         say what and why        concluding           Execution, TradeLog, Event

The margin monitor executes what protects ahead of its tick, see `automations.margin`.

A message carries ids, slot and cause. A slot is made once by whoever starts the work and
survives redelivery: `tick:<epoch>` from the beat, `monitor:<crossing>` from the monitor. Unique
keys on (automation, slot) and (automation, slot, leg) make a second delivery find what the first
one did.

What became of an order whose answer was lost is read back, never guessed: `settlement` asks for
its `traces`, `evidence` says what they prove, and `recovery` does so for whatever nobody finishes.
Several automations of one account run one after another: what protects, what exits, the rest.
Each run has its own limit of time. What waits for its account is a row (`errands`), and a message
only calls a worker to it (`calling`).

Who rests is `pausing`, how the schedule stands `status`, what people changed `changes`.

To add a kind of automation, see `automations.rules`.
"""
