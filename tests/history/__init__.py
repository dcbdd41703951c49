"""What clients saw while things broke, and whether the database agrees with it afterwards."""

from tests.history.checker import Violation, check
from tests.history.recorder import History, Recorder

__all__ = ["History", "Recorder", "Violation", "check"]
