"""What clients saw while things broke, and whether the database agrees with it afterwards."""

from gateway.history.checker import Violation, check
from gateway.history.promises import Verdict, judge
from gateway.history.recorder import History, Recorder
from gateway.history.stored import NotQuiet

__all__ = ["History", "NotQuiet", "Recorder", "Verdict", "Violation", "check", "judge"]
