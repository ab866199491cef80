"""Replies as people write them to a group's address, each with the end that a careful person would choose.

One TOML file a part and language, `<part>/<language>.toml`: what lies in "open" may be seen by whoever writes the
rules, what lies in "kept" may not. How our newsletter stands quoted is told, not written out: whoever builds the mail
from it adds the quote, and a plain text's HTML.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent

PARTS = ("open", "kept")
DECISIONS = frozenset({"opt_out", "opt_out_topic", "join", "auto_reply", "bounce", "complaint", "review", "other"})
TOPICS = frozenset({"newsletter", "meetings", "coffee-coding", "calls", "training", "surveys", "webinar", "board"})
KINDS = frozenset({"hard", "soft"})
SENDERS = frozenset({"member", "alias", "stranger", "colleague"})
QUOTES = frozenset({"none", "outlook", "gmail", "apple", "thunderbird", "lotus", "inline", "bottom", "forward"})
FORMATS = frozenset({"plain", "html", "both"})

_TEXTS = ("id", "decision", "kind", "note", "subject", "from", "quote", "quote_head", "format", "text", "raw")
_LISTS = ("also", "topics")
_KEYS = frozenset({*_TEXTS, *_LISTS, "headers"})


class CorpusError(ValueError):
    """A message of the corpus is not of the form that is agreed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CorpusMessage:
    """What somebody wrote, and what should become of it.

    `raw` is a complete RFC 5322 message; where it is not empty, `text` is, and subject, sender, quote, format and
    headers say nothing. `sender`: "member" (the contact whom the mail was sent to), "alias" (another address of theirs,
    unknown to us), "stranger", or "colleague" (another contact). `quote_head` stands over the quote as the sender's
    program writes it.
    """

    id: str
    part: str
    language: str
    decision: str
    also: tuple[str, ...]
    topics: tuple[str, ...]
    kind: str
    note: str
    subject: str
    sender: str
    quote: str
    quote_head: str
    format: str
    headers: Mapping[str, str]
    text: str
    raw: str

    @property
    def ends(self) -> frozenset[str]:
        """Every decision that a careful person would accept."""
        return frozenset({self.decision, *self.also})


def read_corpus(folder: Path = FOLDER) -> list[CorpusMessage]:
    """All messages, by part and language in the order of their files. Raises `CorpusError`."""
    return [message for part in PARTS for path in sorted((folder / part).glob("*.toml")) for message in read_file(path)]


def read_file(path: Path) -> list[CorpusMessage]:
    """The messages of one file; its folder is the part, its name the language. Raises `CorpusError`."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: {error}") from error
    if set(document) != {"message"} or not isinstance(document["message"], list):
        raise CorpusError(f"{path}: only [[message]] tables belong here")
    return [_message(entry, path, number) for number, entry in enumerate(document["message"], start=1)]


def _message(entry: Mapping[str, Any], path: Path, number: int) -> CorpusMessage:
    for wrong in _faults(entry):
        raise CorpusError(f"{path}: message {entry.get('id', number)}: {wrong}")
    return CorpusMessage(
        id=entry["id"],
        part=path.parent.name,
        language=path.stem,
        decision=entry["decision"],
        also=tuple(entry.get("also", ())),
        topics=tuple(entry.get("topics", ())),
        kind=entry.get("kind", ""),
        note=entry["note"],
        subject=entry.get("subject", ""),
        sender=entry.get("from", "member"),
        quote=entry.get("quote", "none"),
        quote_head=entry.get("quote_head", ""),
        format=entry.get("format", "plain"),
        headers=dict(entry.get("headers", {})),
        text=entry.get("text", ""),
        raw=entry.get("raw", ""),
    )


def _faults(entry: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a message: its keys, their types, their values, how they go together; in this order."""
    for key in sorted(set(entry) - _KEYS):
        yield f'unknown key "{key}"'
    for key in ("id", "decision", "note"):
        if not entry.get(key):
            yield f'"{key}" is missing'
    yield from _wrong_types(entry)
    yield from _wrong_values(entry)
    yield from _wrong_together(entry)


def _wrong_types(entry: Mapping[str, Any]) -> Iterator[str]:
    for key in _TEXTS:
        if not isinstance(entry.get(key, ""), str):
            yield f'"{key}" is not text'
    for key in _LISTS:
        value = entry.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            yield f'"{key}" is not a list of texts'
    headers = entry.get("headers", {})
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        yield '"headers" is not a table of texts'


def _wrong_values(entry: Mapping[str, Any]) -> Iterator[str]:
    closed = {
        "decision": ([entry["decision"]], DECISIONS),
        "also": (entry.get("also", []), DECISIONS),
        "topics": (entry.get("topics", []), TOPICS),
        "kind": ([entry.get("kind", "")], KINDS | {""}),
        "from": ([entry.get("from", "member")], SENDERS),
        "quote": ([entry.get("quote", "none")], QUOTES),
        "format": ([entry.get("format", "plain")], FORMATS),
    }
    for key, (values, known) in closed.items():
        for value in values:
            if value not in known:
                yield f'"{key}" is "{value}", which is none of {", ".join(sorted(known))}'
        if len(values) != len(set(values)):
            yield f'"{key}" names something twice'


def _wrong_together(entry: Mapping[str, Any]) -> Iterator[str]:
    decision = entry["decision"]
    if decision in entry.get("also", []):
        yield '"also" repeats the decision'
    if bool(entry.get("topics")) != (decision == "opt_out_topic"):
        yield '"topics" belong to opt_out_topic, and to nothing else'
    if bool(entry.get("kind")) != (decision == "bounce"):
        yield '"kind" belongs to a bounce, and to nothing else'
    if ("text" in entry) == ("raw" in entry):
        yield 'either "text" or "raw" holds the message'
    if "text" in entry and "subject" not in entry:
        yield '"subject" is missing'
    if not (entry.get("raw") or entry.get("text", "").strip() or entry.get("subject")):
        yield "nothing is written in it"
    if entry.get("quote_head") and entry.get("quote", "none") == "none":
        yield '"quote_head" stands over no quote'
