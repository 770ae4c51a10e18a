"""By which id an automation of the old system is known here: always the same one.

So importing it twice finds it, and programs that know its old id go on with that.
"""

from uuid import UUID, uuid5

NAMESPACE = UUID("6d3a2f6e-6f0b-4e0e-9d6b-0b6a1c4b7a55")


def imported_id(user_id: int, old_id: str) -> UUID:
    """The id of what a user imported as `old_id`."""
    return uuid5(NAMESPACE, f"{user_id}/{old_id}")


def id_of(user_id: int, given: str) -> UUID:
    """The id that a user means: one of ours, or else one of the old system."""
    try:
        return UUID(given)
    except ValueError:
        return imported_id(user_id, given)
