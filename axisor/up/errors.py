"""What keeps the platform from running, as a sentence for the person at the terminal."""


class CannotStart(Exception):
    """The message names the cause and says what to do about it; it is all that gets printed."""
