"""The schedule in Redis: RedBeat's entries of the automations, and the scripts that change them.

    <prefix><user>-<account>-<automation>   an entry: RedBeat's `definition` and `meta`, and the
                                            `calendar` of the automation, if it has one
    <prefix>:schedule                       RedBeat's sorted set: entries by when they are due
    <prefix>:user:<id>                      the entries of a user, and their revision
    <prefix>:fired                          automations by the due time that was fired last
    <prefix>:epoch                          there while the schedule is whole
    <prefix>:tick                           when the beat that leads has looked last

`replace` puts a user's entries into the place of the old ones in one step. It is fenced by the
revision of what it was made from: who read the database earlier cannot overwrite who read it
later. `fire` moves due entries on and sends their messages in one step, fenced by the lock of the
beat that leads and by the due times it has read: a beat that lost the lock writes nothing, and
what changed meanwhile is left alone. So a crash, a frozen process or a lost answer neither loses
nor doubles a slot, nor leaves half of one account's entries beside half of another's.

Entries that come, come back or change are due at once if the latest due time was not fired yet, and
else at the next one. So switching back and forth neither starves nor doubles anything.

    keys       the client, RedBeat's configuration, and the names above
    entries    what should be there: `replace`, and what is asked of it
    firing     what is due: `fire`
"""
