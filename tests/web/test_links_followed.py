"""Link scanners, previews and browsers follow every link in a mail: nothing changes by it."""

import http.client
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.delivery.told import open_ledger
from tests.servers.chromium import Chromium
from tests.web.readers import Pages, dump, every, serving, token

LINKS = [token(1), every(1), token(1)[:-1], token(1).upper(), "x"]
PATHS = [
    *(
        f"/opt-out/{link}{query}"
        for link in LINKS
        for query in ("", "?List-Unsubscribe=One-Click", "?scope=all&undo=all")
    ),
    "/images/" + "0" * 64 + "/a.png",
    "/look/none.png",
    "/webhooks/sendgrid",
    "/",
    "/robots.txt",
]
PREFETCH = {"Purpose": "prefetch", "Sec-Purpose": "prefetch;prerender", "X-Moz": "prefetch"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "PATCH", "PROPFIND", "LINK"])
def test_whatever_is_asked_but_a_post_changes_nothing(pages: Pages, method: str) -> None:
    before = dump(pages.app.store)
    answers = pages.ask_all(
        [(method, path, {"headers": headers}) for path in PATHS for headers in ({}, PREFETCH)]
        + [(method, path, {"content": b"List-Unsubscribe=One-Click"}) for path in PATHS]
    )
    assert dump(pages.app.store) == before
    assert {answer.status_code for answer in answers} <= {200, 404, 405}


def test_a_browser_that_opens_the_pages_and_waits_changes_nothing(readers: Path, chromium: Chromium) -> None:
    """It loads what the page names and runs whatever scripts there are."""
    with closing(open_ledger(readers)) as store, serving(readers) as (url, _):
        before = dump(store)
        for link in LINKS:
            page = f"{url}/group/opt-out/{link}"
            waited = chromium.evaluate(page, "new Promise(done => setTimeout(() => done(document.title), 700))")
            assert "Machine Learning Group" in waited
            asked = chromium.evaluate(page, "performance.getEntriesByType('resource').map(each => each.name)")
            assert {urlsplit(each).hostname for each in asked} <= {"127.0.0.1"}
            shown = chromium.evaluate(page, "[...document.images].map(each => each.complete && each.naturalWidth > 0)")
            assert shown == [True, True]
        assert dump(store) == before


def test_a_browser_that_is_told_to_press_does(readers: Path, chromium: Chromium) -> None:
    """The counterpart: the very button works, under the page's own policy, without any script of ours."""
    with closing(open_ledger(readers)) as store, serving(readers) as (url, _):
        chromium.evaluate(f"{url}/opt-out/{token(1)}", "document.querySelector('button[value=topic]').click()")
        deadline = time.monotonic() + 30
        while not dump(store)["suppression"] and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(dump(store)["suppression"]) == 1


def test_a_policy_that_is_broken_would_be_seen(readers: Path, chromium: Chromium) -> None:
    """The style is applied, so its hash is right; what the policy forbids is not done."""
    with serving(readers) as (url, _):
        page = f"{url}/opt-out/{token(1)}"
        assert chromium.evaluate(page, "getComputedStyle(document.querySelector('main')).maxWidth") == "600px"
        added = """new Promise(done => {
            const style = document.createElement("style");
            style.textContent = "main { max-width: 1px; }";
            document.head.append(style);
            done(getComputedStyle(document.querySelector("main")).maxWidth);
        })"""
        assert chromium.evaluate(page, added) == "600px"


def test_a_head_has_no_body_over_the_wire(readers: Path) -> None:
    with serving(readers) as (url, _):
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        connection.request("HEAD", f"/opt-out/{token(1)}")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
        connection.close()
