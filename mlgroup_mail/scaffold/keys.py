"""`.env`: the keys of a new project, readable by its owner alone."""

import os
import secrets
from pathlib import Path

ENV_FILE = ".env"

_CONTENT = """\
# Secrets of this project. Git ignores this file; share it with your team by a password manager, not by mail.

# Opt-out links are made with the first key. To change it, put a new one in front with a comma between, and keep the
# old ones: links in old mails go on working.
MLGROUP_SECRET_KEYS={secret}

# Erased people are recognised by this one when a list brings them back. It never changes.
MLGROUP_ERASURE_KEY={erasure}

# For a mail server that wants a login:
# MLGROUP_SMTP_USER=
# MLGROUP_SMTP_PASSWORD=
"""


def write_keys(folder: Path) -> Path:
    """Write `.env` with fresh keys (256 bits each), mode 0600; raises FileExistsError where there is one."""
    path = folder / ENV_FILE
    content = _CONTENT.format(secret=secrets.token_hex(32), erasure=secrets.token_hex(32))
    # The mode is given while the file is made: a moment of being readable by others would be enough.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    return path
