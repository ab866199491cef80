"""What these rules know as data: `data/*.toml` beside this module."""

from pathlib import Path

_FOLDER = Path(__file__).parent / "data"


def table(name: str) -> dict[str, str]:
    """One file: a line of words for each name."""
    import tomllib

    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
