"""What the blocks of a text name, read before Jinja: approval freezes exactly that."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mlgroup_mail.content.campaigns.mailing_text import MailingText
from mlgroup_mail.content.writing.blocks.agenda import event_of
from mlgroup_mail.content.writing.blocks.event import id_in
from mlgroup_mail.content.writing.blocks.kinds import BlockKind, FenceHead, read_head
from mlgroup_mail.content.writing.blocks.pieces import lines_within
from mlgroup_mail.content.writing.every_branch import UNDECIDED, every_branch
from mlgroup_mail.content.writing.markdown import parser
from mlgroup_mail.content.writing.text_lines import TextLines


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """The kinds of blocks in a text, and the events they name, each with file and line.

    `whole_calendar` tells that a block asks for every event, or for one whose id is a value. `said` are the lines of
    blocks `event` that follow their id: words, or a slip if they are the id of another event.
    """

    kinds: frozenset[BlockKind] = frozenset()
    events: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    whole_calendar: bool = False


def named_by_blocks(texts: Iterable[MailingText]) -> Named:
    """Read a mailing's texts as written; a block inside of {% if %} counts too.

    Raises CampaignError, naming file and line, for a misspelt block.
    """
    kinds: set[BlockKind | None] = set()
    events: dict[str, str] = {}
    said: dict[str, str] = {}
    whole_calendar = False
    for written in (block for text in texts for block in written_blocks(every_branch(text))):
        kind = written.head.kind
        kinds.add(kind)
        ids = _ids(written)
        whole_calendar |= kind is BlockKind.EVENTS and not ids
        for name, where in ids:
            if UNDECIDED in name:
                whole_calendar = True
            else:
                events.setdefault(id_in(name), where)
        if kind is BlockKind.EVENT:
            said |= {id_in(line): where for line, where in _filled(written)[1:]}
    return Named(kinds=frozenset(filter(None, kinds)), events=events, said=said, whole_calendar=whole_calendar)


def lines_for_members(text: MailingText) -> frozenset[int]:
    """The numbers of the lines that stand in blocks marked `members_only`."""
    return frozenset(
        number
        for block in written_blocks(every_branch(text))
        if block.head.members_only and block.lines.numbers
        for number in range(block.number, block.lines.numbers[-1] + 2)
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenBlock:
    """A block as written: its first line and that line's number, and the lines within."""

    head: FenceHead
    number: int
    lines: TextLines


def written_blocks(lines: TextLines) -> Iterator[WrittenBlock]:
    """The blocks of a text that no value has been put into, and those within them.

    In another branch of the text, what stands within one may be a block of its own. Raises CampaignError, naming file
    and line, for a misspelt one.
    """
    for token in parser().parse(lines.text):
        if token.type != "fence" or not token.map:
            continue
        begin = token.map[0]
        if head := read_head(token.info, lines.where(begin)):
            within = lines_within(token, lines)
            yield WrittenBlock(head=head, number=lines.numbers[begin], lines=within)
            yield from written_blocks(within)


def _ids(block: WrittenBlock) -> list[tuple[str, str]]:
    """The lines of a block that name an event, each with its place."""
    filled = _filled(block)
    match block.head.kind:
        case BlockKind.EVENT:
            return filled[:1]
        case BlockKind.EVENTS:
            return filled
        case BlockKind.AGENDA if filled and (name := event_of(filled[0][0])) is not None:
            return [(name, filled[0][1])]
        case _:
            return []


def _filled(block: WrittenBlock) -> list[tuple[str, str]]:
    lines = block.lines
    return [(line, lines.where(index)) for index, line in enumerate(lines.lines) if line.strip()]
