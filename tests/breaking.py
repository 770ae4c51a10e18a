"""A failure right after a row was written, to see what is undone with it."""

from contextlib import contextmanager

from django.db.models.signals import post_save


class Broken(Exception):
    """What happens right after a row was written."""


@contextmanager
def broken_after(model):
    """Fail as soon as a row of this model is written."""

    def fail(**_):
        raise Broken

    post_save.connect(fail, sender=model)
    try:
        yield
    finally:
        post_save.disconnect(fail, sender=model)
