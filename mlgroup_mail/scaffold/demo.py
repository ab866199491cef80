"""The demonstration's project: a copy of the shipped sample under `var/demo`."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlgroup_mail.errors import UsageError
from mlgroup_mail.scaffold.keys import ENV_FILE, write_keys
from mlgroup_mail.settings.project import PROJECT_FILE
from mlgroup_mail.shipped import shipped

_RECORD = ".sample.json"
"""Which files were copied, and what was in them: tells the sample's from what somebody has changed since."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoProject:
    """Where the demonstration runs. `kept` are the sample files that somebody has changed and that stay as they are.

    `afresh` tells that another version's sample and its ledger stood there; they were moved to `former`.
    """

    root: Path
    kept: tuple[str, ...]
    afresh: bool

    @property
    def former(self) -> Path:
        """Where an earlier demonstration of another sample was moved."""
        return _former(self.root)


def prepare_demo(root: Path) -> DemoProject:
    """Make the project, or bring an earlier run's up to date; its ledger and outbox stay.

    When the sample itself has changed since, the earlier run's mailings were of other texts: everything starts
    afresh. Raises UsageError where something else than a demonstration stands at `root`.
    """
    sample = {name: path.read_bytes() for name, path in _sample_files()}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in sample.items()}
    earlier = _earlier(root)
    afresh = earlier is not None and earlier != digests
    if afresh:
        _move_aside(root)
    (root / "var").mkdir(parents=True, exist_ok=True)
    # First of all, so that a run that is cut off here can be finished by the next.
    (root / _RECORD).write_text(json.dumps(digests, indent=1) + "\n", encoding="utf-8")
    kept = []
    for name, content in sample.items():
        path = root / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        elif path.read_bytes() != content:
            kept.append(name)
    if not (root / ENV_FILE).exists():
        write_keys(root)
    return DemoProject(root=root, kept=tuple(kept), afresh=afresh)


def _earlier(root: Path) -> dict[str, str] | None:
    """What an earlier run copied; None where nothing is there."""
    if not root.exists() or not any(root.iterdir()):
        return None
    try:
        found: dict[str, str] = json.loads((root / _RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UsageError(
            "something else than a demonstration stands here",
            where=str(root),
            mend="Move it away, or run `demo` elsewhere.",
        ) from None
    return found


def _move_aside(root: Path) -> None:
    """Somebody may have tried things out in it: the one before this goes, not this one."""
    shutil.rmtree(_former(root), ignore_errors=True)
    root.rename(_former(root))


def _former(root: Path) -> Path:
    return root.with_name(f"{root.name}-former")


def _sample_files() -> Iterator[tuple[str, Path]]:
    """Name and path of every file of the sample; of the contacts only what is fictional."""
    yield PROJECT_FILE, shipped(PROJECT_FILE)
    contacts = shipped("contacts")
    yield "contacts/contacts.toml", contacts / "contacts.toml"
    for folder, pattern in ((shipped("campaigns"), "**/*"), (contacts, "sample-*"), (contacts, "opt-outs/sample-*")):
        for path in sorted(folder.glob(pattern)):
            if path.is_file() and not path.name.startswith("."):
                yield f"{folder.name}/{path.relative_to(folder).as_posix()}", path
