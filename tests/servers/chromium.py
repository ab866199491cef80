"""Chromium: the picture of a page as a person would see it, at any width, light or dark.

The browser is driven through its DevTools pipe. Its command line alone cannot do this: `--window-size` has a
smallest width of about 500 pixels, so that no telephone can be shown, and ends every picture at the window's
height. https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.servers.processes import Account, end_process, temporary_folder
from tests.servers.programs import find_program

NAME = "Chromium"

_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    # A mail must look right without fetching anything: no name but this machine's can be resolved.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--remote-debugging-pipe",
    "about:blank",
)
# As root, which only containers do, Chromium refuses to make its own sandbox.
_AS_ROOT = ("--no-sandbox",)


class Chromium:
    """A running browser."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to_browser = to_browser
        self._from_browser = from_browser
        self._buffer = b""
        self._numbers = itertools.count(1)

    def screenshot(
        self,
        page: Path | str,
        png: Path,
        *,
        width: int,
        dark: bool = False,
        height: int | None = None,
    ) -> Path:
        """Write a picture of a page: a file, or an http address of this machine.

        `width` is in CSS pixels, which are the picture's own; without a `height` the whole page is shown,
        however long.
        """
        with self._opened(page, width=width, height=height, dark=dark) as session:
            if height is None:
                content = self._call("Page.getLayoutMetrics", session)["cssContentSize"]
                self._set_size(session, width, max(1, round(content["height"])))
            picture = self._call("Page.captureScreenshot", session, format="png")["data"]
        png.write_bytes(base64.b64decode(picture))
        return png

    def evaluate(self, page: Path | str, script: str, *, width: int = 600, dark: bool = False) -> Any:
        """What a JavaScript expression gives on a page, as JSON has it; a promise is waited for.

        Raises RuntimeError with the script's own error.
        """
        with self._opened(page, width=width, height=None, dark=dark) as session:
            answer = self._call("Runtime.evaluate", session, expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise RuntimeError(f"The script failed: {details.get('exception', {}).get('description', details['text'])}")
        return answer["result"].get("value")

    @contextlib.contextmanager
    def _opened(self, page: Path | str, *, width: int, height: int | None, dark: bool) -> Iterator[str]:
        """A page in a tab of its own, painted; yields the session."""
        address = page.resolve().as_uri() if isinstance(page, Path) else page
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        try:
            self._call("Page.enable", session)
            self._call(
                "Emulation.setEmulatedMedia",
                session,
                features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}],
            )
            self._set_size(session, width, height or 200)
            failed = self._call("Page.navigate", session, url=address).get("errorText")
            if failed:
                raise RuntimeError(f"Chromium cannot open {address}: {failed}")
            self._wait_until_loaded(session)
            yield session
        finally:
            self._call("Target.closeTarget", targetId=target)

    def close(self) -> None:
        """Ask the browser to end, with all its own processes."""
        with contextlib.suppress(OSError, RuntimeError):
            self._call("Browser.close")

    def _set_size(self, session: str, width: int, height: int) -> None:
        self._call(
            "Emulation.setDeviceMetricsOverride",
            session,
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def _wait_until_loaded(self, session: str) -> None:
        """Loaded, with its pictures and fonts, and painted: two frames have passed."""
        self._call(
            "Runtime.evaluate",
            session,
            awaitPromise=True,
            expression="""new Promise(done => {
                const painted = () => requestAnimationFrame(() => requestAnimationFrame(() => done(true)));
                const ready = () => document.fonts.ready.then(painted);
                if (document.readyState === "complete") ready(); else addEventListener("load", ready);
            })""",
        )

    def _call(self, method: str, session: str | None = None, /, **params: Any) -> dict[str, Any]:
        """Send one command and wait for its answer; events in between are not needed here."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        try:
            os.write(self._to_browser, json.dumps(message).encode() + b"\0")
        except BrokenPipeError:
            raise RuntimeError("Chromium has ended") from None
        while True:
            answer = self._receive()
            if answer.get("id") != number:
                continue
            if "error" in answer:
                raise RuntimeError(f"Chromium refused {method}: {answer['error']}")
            return dict(answer["result"])

    def _receive(self, patience: float = 60.0) -> dict[str, Any]:
        deadline = time.monotonic() + patience
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from_browser], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(self._from_browser, 1 << 20) if ready else b""
            if not chunk:
                raise RuntimeError("Chromium does not answer" if not ready else "Chromium has ended")
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(line))


@contextlib.contextmanager
def run_chromium() -> Iterator[Chromium]:
    """A running browser with a new, empty profile; one serves a whole test run."""
    program = find_program(NAME, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    account = Account(name="", uid=os.geteuid(), gid=os.getegid())
    with temporary_folder("chromium", account) as folder, contextlib.ExitStack() as pipes:

        def pipe() -> tuple[int, int]:
            ends = os.pipe()
            for end in ends:
                pipes.callback(_close, end)
            return ends

        browser_reads, we_write = pipe()
        we_read, browser_writes = pipe()
        # The browser reads commands on descriptor 3 and answers on 4; a shell is the plain way to put them
        # there (bash, because descriptors above 9 mean nothing to the shell that Debian calls sh).
        command = [
            "bash",
            "-c",
            f'exec "$@" 3<&{browser_reads} 4>&{browser_writes}',
            "bash",
            str(program),
            *(_AS_ROOT if os.geteuid() == 0 else ()),
            f"--user-data-dir={folder / 'profile'}",
            *_FLAGS,
        ]
        with (folder / "server.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # What it keeps outside its profile (caches, crash reports, sockets) belongs into the folder as well.
                env={**os.environ, "HOME": str(folder), "TMPDIR": str(folder)},
                pass_fds=(browser_reads, browser_writes),
            )
        # Only the browser may hold its ends, so that each side notices when the other is gone.
        os.close(browser_reads)
        os.close(browser_writes)
        browser = Chromium(we_write, we_read)
        try:
            yield browser
        finally:
            browser.close()
            end_process(process, signal.SIGTERM)


def _close(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        os.close(descriptor)
