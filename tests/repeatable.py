"""Whether the machines of Hypothesis play the same games each time.

What lands must not depend on luck, so `.ci/run` says so. Everybody else's `make test` explores: a game that breaks the
ledger is a fault to be mended, not one to be met by whoever submits next.
"""

import os

REPEATABLE = os.environ.get("MLGROUP_REPEATABLE_TESTS") == "1"
