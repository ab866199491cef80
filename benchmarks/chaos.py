"""The kill harness (`tests/chaos`, docs/chaos.md): no figure of speed, but of trust. Bounded: it ends by itself."""

import subprocess
import sys
from pathlib import Path

KILLS = 300


def run() -> int:
    """Kill so many processes, show what became of the mail; 1 where anything was doubled, lost or unexplained."""
    command = [sys.executable, "-m", "tests.chaos", "--kills", str(KILLS)]
    return subprocess.run(command, check=False, cwd=Path(__file__).parents[1]).returncode
