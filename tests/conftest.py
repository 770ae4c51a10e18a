"""Fixtures that every part of the suite may use."""

from tests.paper_server import paper

__all__ = ["paper"]
