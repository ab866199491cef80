"""missing-link-target: a link that leads nowhere from a mail."""

import ipaddress
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlsplit

from mlgroup_mail.content.writing.failed_links import FailedLink, failed_links
from mlgroup_mail.model.message import CompiledMessage
from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckedText, CheckSubject

RULE = "missing-link-target"

_OWN_NETWORK = (".local", ".localhost", ".internal", ".intranet", ".lan", ".home.arpa")
_HOST = re.compile(r"(?:[^\W_](?:[\w-]{0,61}\w)?\.)+[^\W_](?:[\w-]{0,61}\w)?")
_REACHABLE = "Write an address that everybody can open, and try it in a browser."


def check(subject: CheckSubject) -> Iterator[Finding]:
    """An error for each link with an empty, relative, incomplete or unreachable target, and for what became no link."""
    for text in subject.texts:
        for failed in failed_links(text.words):
            yield _failed(failed)
        for variant in text.variants:
            yield from _check_page(text, variant)


def _check_page(text: CheckedText, variant: CompiledMessage) -> Iterator[Finding]:
    targets, pictures = _targets(variant.html)
    for target in targets:
        if target in variant.tokens:
            continue
        if reason := _reason(target):
            yield _finding(text, target, f"a link {reason}", "Write the whole address: [words](https://...).")
        elif reason := _unreachable(target):
            yield _finding(text, target, f"a link {reason}: “{target}”", _REACHABLE)
    with_the_mail = {f"cid:{image.content_id}" for image in variant.images}
    for picture in pictures:
        if urlsplit(picture).scheme != "https" and picture not in with_the_mail:
            reason = f"a picture comes from “{picture}”, which no reader can fetch"
            mend = "Put the file into the campaign's folder: ![what it shows](chart.png)."
            yield _finding(text, picture, reason, mend)


def _finding(text: CheckedText, target: str, message: str, mend: str) -> Finding:
    as_link = rf"\]\(\s*<?{re.escape(target)}>?\s*[)\"' ]"
    where = text.place_of(rf"{as_link}|{re.escape(target)}(?![\w/])" if target else as_link)
    return Finding(level=Level.ERROR, rule=RULE, where=where, message=message, mend=mend)


def _reason(target: str) -> str:
    if not target.strip():
        return "has no target"
    if target.startswith("#"):
        return f"leads to “{target}”, a place within a page that a mail does not have"
    try:
        parts = urlsplit(target)
    except ValueError:
        return f"has a target that is no address: “{target}”"
    if parts.scheme in ("http", "https"):
        return "" if parts.hostname else f"has no host: “{target}”"
    if parts.scheme == "mailto":
        return "" if "@" in parts.path else "is a mailto without an address"
    return "" if parts.scheme == "tel" else f"leads to “{target}”, which is no whole address"


def _unreachable(target: str) -> str:
    """Why nobody outside could open a whole web address."""
    parts = urlsplit(target)
    host = (parts.hostname or "").removesuffix(".")
    if parts.scheme not in ("http", "https"):
        return ""
    try:
        return "" if ipaddress.ip_address(host).is_global else "leads to a computer that only your network knows"
    except ValueError:
        pass
    if "." not in host or host.endswith(_OWN_NETWORK):
        return "leads to a computer that only your network knows"
    return "" if _HOST.fullmatch(host) else "leads to a host that there cannot be"


def _failed(link: FailedLink) -> Finding:
    noun = "picture" if link.picture else "link"
    mend = f"Write [words](https://...). Where no {noun} is meant, put a backslash before “]”."
    if link.address.lower().lstrip("<").startswith("file:"):
        mend = "file: is on your own disk, where no reader can look: put the file where all can open it, and link that."
    elif re.search(r"\s", link.address):
        mend = "Write %20 for each blank in the address."
    message = f"“{link.written}” did not become a {noun}: readers would see it as it stands"
    return Finding(level=Level.ERROR, rule=RULE, where=link.where, message=message, mend=mend)


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.pictures: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.targets += [value or "" for name, value in attrs if name == "href"]
        if tag == "img":
            self.pictures += [value or "" for name, value in attrs if name == "src"]


def _targets(html: str) -> tuple[list[str], list[str]]:
    """The targets of links, and those of pictures, each once."""
    links = _Links()
    links.feed(html)
    return list(dict.fromkeys(links.targets)), list(dict.fromkeys(links.pictures))
