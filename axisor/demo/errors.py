"""What keeps the demo from being shown, as a sentence for the person at the terminal."""


class CannotShow(Exception):
    """The message names the cause and says what to do about it; it is all that gets printed."""
