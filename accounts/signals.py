"""News for the packages above, which this one does not know."""

from django.dispatch import Signal

active_account_changed = Signal()
"""Another account, or none, is active for a user. Arguments: `user_id`, and `left`, the account
that was active before, None where none was.

Sent inside the transaction of the change, after `account_generation` was counted up: a receiver
that writes rows is atomic with it, one that talks to anybody else must use `on_commit`.
"""
