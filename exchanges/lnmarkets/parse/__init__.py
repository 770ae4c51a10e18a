"""LN Markets' answers as our types: pure, and strict about what a number can plausibly be.

One module per part of the port, over `plausible` (single values) and `lists` (whole lists and
pages). Each function raises `UnreadableAnswer` when anything in an answer is not as the
specification has it. Fields nobody asks for are ignored, so that the exchange may add some; a
list in which one item is bad is refused as a whole, because half a list of positions is worse
than none.
"""
