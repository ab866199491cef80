"""What the blocks of a text name, read before Jinja: approval freezes exactly that."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from mlgroup_mail.content.campaigns.mailing_text import MailingText
from mlgroup_mail.content.writing.blocks.event import id_in
from mlgroup_mail.content.writing.blocks.kinds import BlockKind, FenceHead, read_head

_FENCE = re.compile(r"[ >\t]*(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)")
_EVENT_KEY = re.compile(r"event\s*:\s*(?P<id>.*)", re.IGNORECASE)
_JINJA = re.compile(r"\{[{%#]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """The kinds of blocks in a text, and the events they name, each with file and line.

    `whole_calendar` tells that a block asks for every event, or for one whose id is a value.
    """

    kinds: frozenset[BlockKind] = frozenset()
    events: dict[str, str] = field(default_factory=dict)
    whole_calendar: bool = False


def named_by_blocks(texts: Iterable[MailingText]) -> Named:
    """Read a mailing's texts as written; a block inside of {% if %} counts too.

    Raises CampaignError, naming file and line, for a misspelt block.
    """
    kinds: set[BlockKind | None] = set()
    events: dict[str, str] = {}
    whole_calendar = False
    for text in texts:
        for fence in _fences(text):
            kinds.add(fence.head.kind)
            ids = _ids(fence)
            whole_calendar |= fence.head.kind is BlockKind.EVENTS and not ids
            for line, name in ids:
                if _JINJA.search(name):
                    whole_calendar = True
                else:
                    events.setdefault(id_in(name), f"{text.text_file}, line {line}")
    return Named(kinds=frozenset(filter(None, kinds)), events=events, whole_calendar=whole_calendar)


def lines_for_members(text: MailingText) -> frozenset[int]:
    """The numbers of the lines that stand in blocks marked `members_only`."""
    return frozenset(
        number
        for fence in _fences(text)
        if fence.head.members_only
        for number in range(fence.number, fence.number + len(fence.lines) + 1)
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Written:
    """A block as written: its first line's number, and the lines within."""

    head: FenceHead
    number: int
    lines: Sequence[str]


def _fences(text: MailingText) -> Iterator[_Written]:
    """The blocks of a text, those within `members_only` among them; what looks like one in code is none."""
    lines = text.text.split("\n")
    index = 0
    around: list[str] = []
    while index < len(lines):
        line, number, index = lines[index], text.text_line + index, index + 1
        if around and _closes(line, around[-1]):
            around.pop()
        elif found := _FENCE.fullmatch(line):
            head = read_head(found["info"], f"{text.text_file}, line {number}")
            end = next((end for end in range(index, len(lines)) if _closes(lines[end], found["mark"])), len(lines))
            if head:
                yield _Written(head=head, number=number, lines=lines[index:end])
            if head and head.kind is None:
                around.append(found["mark"])
            else:
                index = end + 1


def _closes(line: str, mark: str) -> bool:
    """Whether a line ends the fence that `mark` began."""
    written = line.strip(" >\t")
    return len(written) >= len(mark) and not written.strip(mark[0])


def _ids(fence: _Written) -> list[tuple[int, str]]:
    """The lines of a block that name an event, with their numbers."""
    filled = [
        (number, line.strip())
        for number, line in enumerate(fence.lines, start=fence.number + 1)
        if line.strip() and not line.lstrip().startswith(("{%", "{#"))
    ]
    match fence.head.kind:
        case BlockKind.EVENT:
            return filled[:1]
        case BlockKind.EVENTS:
            return filled
        case BlockKind.AGENDA if filled and (found := _EVENT_KEY.fullmatch(filled[0][1])):
            return [(filled[0][0], found["id"])]
        case _:
            return []
