"""Taking over automations from the old system: `manage.py import_automations`.

    rows          its export, row by row: JSON or CSV
    conversion    an old config to one of ours, with what changes its meaning       pure
    ids           the same old id is always the same automation here
    taking_over   accounts, the P&L of running trades, and one transaction for all

What cannot be taken over for certain is refused with the reason; nothing is guessed.
"""
