"""missing-link-target: a link that leads nowhere from a mail."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlsplit

from mlgroup_mail.model.message import CompiledMessage
from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckedText, CheckSubject

RULE = "missing-link-target"


def check(subject: CheckSubject) -> Iterator[Finding]:
    """An error for each link with an empty, relative or incomplete target, in text or template."""
    for text in subject.texts:
        for variant in text.variants:
            yield from _check_page(text, variant)


def _check_page(text: CheckedText, variant: CompiledMessage) -> Iterator[Finding]:
    targets, pictures = _targets(variant.html)
    for target in targets:
        if target not in variant.tokens and (reason := _reason(target)):
            yield _finding(text, target, f"a link {reason}", "Write the whole address: [words](https://...).")
    with_the_mail = {f"cid:{image.content_id}" for image in variant.images}
    for picture in pictures:
        if urlsplit(picture).scheme != "https" and picture not in with_the_mail:
            reason = f"a picture comes from “{picture}”, which no reader can fetch"
            mend = "Put the file into the campaign's folder: ![what it shows](chart.png)."
            yield _finding(text, picture, reason, mend)


def _finding(text: CheckedText, target: str, message: str, mend: str) -> Finding:
    where = text.place_of(rf"\]\(\s*<?{re.escape(target)}>?\s*[)\"' ]")
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
