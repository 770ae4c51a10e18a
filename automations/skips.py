"""stub"""

from collections.abc import Mapping


def count(why: str, left_out: Mapping[str, tuple[str, int]]) -> None:
    """stub"""
