"""`make demo`: a price falls, and a position is saved while one watches.

Runs beside `make run` and uses what anybody may use: the platform's API, and the control API of
the paper exchange. It opens a position of its own, so the seeded ones are left alone, and takes
it away again however it ends, so it may be repeated.

    story      what happens, act after act
    stage      the position on the paper exchange: opened, endangered, put away
    platform   what the platform says about itself over its API
    screen     how it looks: a live table on a terminal, plain lines elsewhere
    errors     why it cannot be shown, as a sentence
"""
