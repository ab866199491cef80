"""`init`: a project directory for another group, in which every command works at once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from mlgroup_mail.errors import UsageError
from mlgroup_mail.scaffold.keys import ENV_FILE, write_keys
from mlgroup_mail.scaffold.patterns import filled
from mlgroup_mail.shipped import shipped

FIRST_MAILING = "first-newsletter/issue"
"""The mailing of the pattern's campaign."""

# A file of this name would count for this repository too, so it has none of its own while it is a pattern.
_GITIGNORE = "gitignore"


def make_project(folder: Path, *, now: datetime) -> list[str]:
    """Make a project in `folder`, which must be new or empty; returns what was written, relative to it.

    Its first mailing was due an hour before `now`. Raises UsageError, having written nothing, where `folder` holds
    anything but a fresh git repository.
    """
    _require_empty(folder)
    hour_ago = (now.astimezone(UTC) - timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    values = {"title": folder.resolve().name, "send_at": f"{hour_ago:%Y-%m-%d %H:%M} UTC"}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = [ENV_FILE]
        write_keys(folder)
        for path, text in filled("project", values):
            name = ".gitignore" if path.name == _GITIGNORE else path.as_posix()
            _write(folder / name, text)
            written.append(name)
        _write(folder / "prefect.yaml", shipped("prefect.yaml").read_text(encoding="utf-8"))
        written.append("prefect.yaml")
    except OSError as error:
        raise UsageError(f"the project cannot be written: {error.strerror}", where=str(error.filename)) from None
    return sorted(written)


def _require_empty(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError("this is a file, not a directory", where=str(folder))
    found = sorted(path.name for path in folder.iterdir() if path.name != ".git")
    if found:
        more = ", ..." if len(found) > 3 else ""
        raise UsageError(
            f"this directory is not empty: it holds {', '.join(found[:3])}{more}",
            where=str(folder),
            mend="Name a directory that is new or empty; nothing is ever overwritten.",
        )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
