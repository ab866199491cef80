"""From a fence to what its template sees as `block`."""

from collections.abc import Callable

from mlgroup_mail.content.writing.blocks.agenda import read_agenda
from mlgroup_mail.content.writing.blocks.button import read_button
from mlgroup_mail.content.writing.blocks.event import Diary, read_event, read_events
from mlgroup_mail.content.writing.blocks.figure import read_figure
from mlgroup_mail.content.writing.blocks.kinds import BlockKind
from mlgroup_mail.content.writing.blocks.passages import read_note, read_quote, read_signature
from mlgroup_mail.content.writing.blocks.pieces import Fence
from mlgroup_mail.content.writing.blocks.speaker import read_speaker

_READERS: dict[BlockKind, Callable[[Fence], object]] = {
    BlockKind.BUTTON: read_button,
    BlockKind.SPEAKER: read_speaker,
    BlockKind.QUOTE: read_quote,
    BlockKind.FIGURE: read_figure,
    BlockKind.NOTE: read_note,
    BlockKind.SIGNATURE: read_signature,
}
_READERS_OF_DATES: dict[BlockKind, Callable[[Fence, Diary], object]] = {
    BlockKind.EVENT: read_event,
    BlockKind.EVENTS: read_events,
    BlockKind.AGENDA: read_agenda,
}


def read_block(fence: Fence, diary: Diary) -> object:
    """What a block says, in the form of its kind. Raises CampaignError naming file, line and what to write instead."""
    if reader := _READERS_OF_DATES.get(fence.kind):
        return reader(fence, diary)
    return _READERS[fence.kind](fence)
