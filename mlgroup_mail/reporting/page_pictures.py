"""Pictures of pages, taken by a browser that is installed on this machine."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
_PICTURE_SECONDS = 60
_MEASURE = "<script>document.title = document.documentElement.scrollHeight</script>"
_USUAL_HEIGHT, _HIGHEST = 1600, 12_000


def take_picture(page: Path, picture: Path) -> Path | None:
    """A picture of a page, 600 pixels wide and as high as it is; None where no browser is installed or it fails."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        measured = Path(folder) / "measured.html"
        measured.write_text(page.read_text(encoding="utf-8") + _MEASURE, encoding="utf-8")
        try:
            shown = _browse(browser, folder, measured, "--window-size=600,100", "--dump-dom")
            height = re.search(rb"<title>(\d+)</title>", shown)
            size = f"--window-size=600,{min(int(height[1]), _HIGHEST) if height else _USUAL_HEIGHT}"
            _browse(browser, folder, page, size, f"--screenshot={picture.resolve()}")
        except (OSError, subprocess.SubprocessError):
            return None
    return picture if picture.exists() else None


def _browse(browser: str, folder: str, page: Path, *options: str) -> bytes:
    # A mail fetches nothing from anywhere, and neither does the browser: every name resolves to nothing.
    command = [
        browser, "--headless", "--disable-gpu", "--no-first-run", "--hide-scrollbars", "--no-sandbox",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder}/profile", *options, page.resolve().as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, check=True, capture_output=True, timeout=_PICTURE_SECONDS).stdout  # noqa: S603
