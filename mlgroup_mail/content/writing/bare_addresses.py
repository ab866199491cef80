"""Web addresses that stand in a text as they were pasted: each becomes a link to itself."""

import re
from collections.abc import Iterator

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

BARE = "bare"
"""The `markup` of a link that is only its own address."""

# Chinese, Japanese and Korean set no blank behind an address.
_UNSPACED = "\u1100-\u11ff\u3000-\u9fff\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef"
_ADDRESS = re.compile(
    rf"(?<![A-Za-z0-9_])https?://(?=\w)(?:(?![{_UNSPACED}])[\w\-.~:/?#@!$&'()*+,;=%])+", re.IGNORECASE
)
_BEHIND = ".,;:!?'*_~"
"""What may stand behind an address and is none of it; so is a bracket that opened before it."""


def link_bare_addresses(state: StateCore) -> None:
    """A core rule of markdown-it: addresses in code and within links stay as they are.

    Before `text_join` the marks of a value are entities still, no `text`: so no value becomes a link.
    """
    for token in state.tokens:
        if token.type == "inline" and token.children:
            token.children = list(_linked(token.children, state))


def _linked(children: list[Token], state: StateCore) -> Iterator[Token]:
    depth = 0
    for child, behind in zip(children, [*children[1:], None], strict=True):
        depth += (child.type == "link_open") - (child.type == "link_close")
        if child.type == "text" and depth == 0:
            yield from _parts(child, state, goes_on=behind is not None and behind.type == "text_special")
        else:
            yield child


def _parts(text: Token, state: StateCore, *, goes_on: bool) -> Iterator[Token]:
    content, end = text.content, 0
    for found in _ADDRESS.finditer(content):
        address = _without_what_follows(found[0])
        target = state.md.normalizeLink(address)
        cut = goes_on and found.end() == len(content)
        if cut or not state.md.validateLink(target):
            continue
        if found.start() > end:
            yield text.copy(content=content[end : found.start()])
        yield Token("link_open", "a", 1, attrs={"href": target}, markup=BARE, level=text.level)
        yield Token("text", "", 0, content=address, level=text.level + 1)
        yield Token("link_close", "a", -1, markup=BARE, level=text.level)
        end = found.start() + len(address)
    if end < len(content):
        yield text.copy(content=content[end:])


def _without_what_follows(address: str) -> str:
    while (shorter := address.rstrip(_BEHIND)).endswith(")") and shorter.count(")") > shorter.count("("):
        address = shorter[:-1]
    return shorter
