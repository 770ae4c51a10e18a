"""Automations: what they decide, how that is carried out exactly once, and why.

The life of a tick, and the room for each step:

    watch                                        watch                keeps the feed fresh
    beat ── evaluate([(automation, slot)…])      tasks, evaluation    looks, never acts
              snapshot from the feed             sensing, memory
              rule.decide                        rules                pure
              quiet: note it                     quiet
              stale: ── refresh(account)         tasks, evaluation    reads the exchange
              else:  ── execute(automation, slot, cause)
                         the account's turn      turns                one run per account
                         fresh snapshot          sensing
                         rule.decide             rules                the same function again
                         commit the intents      intents              before anything is sent
                         claim, perform, settle  intents, perform     HTTP outside transactions
                         say what and why        execution            Execution, TradeLog, Event

A message carries ids, slot and cause. A slot is made once by whoever starts the work and
survives redelivery: `tick:<epoch>` from the beat. Unique keys on (automation, slot) and
(automation, slot, leg) make a second delivery find what the first one did.

To add a kind of automation, see `automations.rules`.
"""
