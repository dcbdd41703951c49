"""Podium in containers, for the test suites of programs that use it.

Needs a Docker engine and `pip install '.[testing]'`. The fixtures of pytest are in
gateway.testing.plugin.
"""

from gateway.testing.client import Answer, Client
from gateway.testing.container import PodiumContainer

__all__ = ["Answer", "Client", "PodiumContainer"]
