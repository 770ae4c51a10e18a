"""The operator's view: automations can be steered, what happened can only be read.

automations    what runs on whose account
consent        what people allow, forbid, and are asked
history        executions, orders, quiet times
intents        effects, and what a person has to say of one
margin         positions in danger, and those that lost their guards
"""

from automations.admin import automations, consent, history, intents, margin

__all__ = ["automations", "consent", "history", "intents", "margin"]
