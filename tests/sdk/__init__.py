"""The official SDKs of LN Markets, run against the paper exchange: `make sdk`.

    __main__    one paper exchange per SDK, the story, the table
    sdks        which SDKs there are, and how each is told the address
    gateway     TLS for those that insist on it
    names.mjs   loaded before an SDK whose address is fixed: connects its hosts to the gateway
    calls.py    runs the SDK for Python: calls asked for on stdin, answers on stdout
    calls.mjs   the same for the SDKs for JavaScript
    runner      starts one of these and asks it
    table       what was asked, and what came of it
    story…      what is asked, in which order, and what must be answered

The SDKs are as their authors published them, in processes of their own. The list of calls is not
written here: an SDK is asked for its public methods, and for the topics and events of its stream.
One that the story does not come to is reported as missing. Answers are read by the SDK; the one
for Python checks them against its models, news of the stream too.

The story speaks of calls by the names that the newest SDK for JavaScript gives them. A step that
an SDK has no call for is left out. To add a call: one step in the story.
"""
