"""The process that watches: it keeps the feed fresh, so that looking costs no request.

    members    the watches there are, and which part of the work is whose
    market     one exchange's market: its stream, and HTTP while that is silent
    account    one account: its stream says when to read it anew
    watching   what is to be watched, and the loop that does it

Several may run. Each says every second that it is there; the work is divided by a hash of who is
there, so nobody assigns anything, and the share of one that died is taken over a few seconds
later. Two that watch the same for a moment do no harm: the feed takes the newer value.

Of a market the stream tells everything. Of an account it tells when something happened, so the
account is read by HTTP then, and else every few seconds, since nobody is told of margin that a
person moved or a stop loss that was set. What is due is asked of the feed itself: what it lost,
what an action made it forget and what has grown old are read anew, and what somebody else has
read is not.
"""
