"""Fixtures that every part of the suite may use."""

from tests.paper_server import paper
from tests.processes import start_program
from tests.running import _platform, running_axisor

__all__ = ["_platform", "paper", "running_axisor", "start_program"]
