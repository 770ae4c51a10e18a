"""The margin monitor: every few seconds it looks at how near to liquidation each position is.

    danger        a position, a price and the level before give the level now       pure
    alerts        a change of level, its event and the errands of the guards: one transaction
    checking      one account: what the feed holds against what is remembered
    unguarded     positions that lost their guards when their owner switched accounts
    rounds        one exchange: from the feed, and anew from the exchange where that is stale
    monitoring    the loop that begins the rounds
    metrics       what is counted

The levels are 0.8 (warning) and 0.9 (critical) of the margin used; a position leaves a level only
0.05 below it, so that a price which trembles around one tells nothing twice. A position that gaps
from well to critical makes one alert. There is a `MarginAlert` for what is in danger and for
nothing else, and each change of it is a conditional update: of several monitors one makes it, and
what it starts bears its `crossing` in the slot, so a crash in between loses and doubles nothing.

    event               when
    margin_warning      margin used has reached 0.8, or has eased to below 0.85 from critical
    margin_critical     margin used has reached 0.9; the position may be past liquidation
    margin_recovered    it is below 0.75 again; or an account can be read again
    margin_closed       a position in danger is not there any more: closed, or liquidated
    margin_unknown      an account, or its market, cannot be read: nobody knows how it stands
    margin_unwatched    an alert is dropped, since no automation runs on the account any more
    unguarded_positions, unguarded_reminder    see `unguarded`

Stale is never safe: what is older than a decision to act may rest on is read anew, off to the side
of everything that is fresh, and an account that stays unreadable is alerted as such. Several
monitors may run.
"""
