"""What the package carries as data: templates, and the sample project of the demonstration."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """The path of a shipped file or folder: `templates`, `campaigns`, `contacts`, `mlgroup.toml`.

    A wheel carries them inside the package; in a checkout they stand at the top level.
    """
    inside = _PACKAGE / "shipped_data" / name
    return inside if inside.exists() else _PACKAGE.parent / name
