"""Axisor: trading automations that act exactly once and can say why.

Four packages in a line, and an import only ever goes to the right:

    axisor  >  automations  >  accounts  >  exchanges

This one holds what the others run in: settings, Celery and its queues, the beat, URLs, the
`make run` supervisor in `axisor.up`, and the demo.
"""
