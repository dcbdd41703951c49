"""What gunicorn reads where it is started in this folder: settings that cannot work end it at once.

Otherwise its workers would be the first to find out, and it would end with 4 in place of 1.
"""

import subprocess
import sys
from typing import Any


def on_starting(server: Any) -> None:
    """Make the application once, in a process of its own, which says in a line what is wrong."""
    tried = subprocess.run([sys.executable, "-c", "import gateway; gateway.create_app()"])
    if tried.returncode != 0:
        sys.exit(1)
