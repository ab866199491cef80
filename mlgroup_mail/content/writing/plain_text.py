"""Markdown as plain text, for people and programs that read no HTML."""

import re
import textwrap
from collections.abc import Callable, Iterable, Sequence

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from mlgroup_mail.content.writing.bare_addresses import BARE

WIDTH = 72
_COLUMN = 24
"""The least width in which a column of text can be read."""
_UNDERLINES = {"h1": "=", "h2": "-"}
_BEFORE_WORDS = re.compile(r"\s*(?:> ?)*(?:- |\d+\. |.{0,28}?\d[:.]\d\d\D{0,4}?  (?=\S))?")
"""What stands before the words of a line: blanks, marks of a quotation and of a list, the times of an agenda."""
_JUSTIFY: dict[str, Callable[[str, int], str]] = {"text-align:right": str.rjust, "text-align:center": str.center}
"""By the side of a column, as Markdown's parser names it."""


def to_text(tokens: Sequence[Token]) -> str:
    """Parsed Markdown as plain text of 72 columns; links as "words (address)", which no line break cuts."""
    return _blocks(SyntaxTreeNode(tokens).children, WIDTH)


def to_line(tokens: Sequence[Token]) -> str:
    """What stands within a paragraph as plain text, not wrapped."""
    return _inline(SyntaxTreeNode(tokens))


def wrap(text: str, width: int = WIDTH, *, first: str = "", rest: str = "") -> str:
    """A paragraph in lines of at most `width`, longer only where one word is; line breaks in it stay."""
    lines: list[str] = []
    for line in text.split("\n"):
        lines += textwrap.wrap(
            line,
            width,
            initial_indent=rest if lines else first,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return "\n".join(lines)


def wrap_lines(text: str) -> str:
    """Lines in at most 72 columns; what is broken off stands below the words of its line."""
    return "\n".join(line if len(line) <= WIDTH else _wrapped(line) for line in text.split("\n"))


def _wrapped(line: str) -> str:
    found = _BEFORE_WORDS.match(line)
    head = found[0] if found else ""
    return wrap(line[len(head) :], first=head, rest=re.sub(r"[^>\s]", " ", head))


def _blocks(nodes: Iterable[SyntaxTreeNode], width: int, *, between: str = "\n\n") -> str:
    return between.join(part for part in (_block(node, width) for node in nodes) if part)


def _block(node: SyntaxTreeNode, width: int) -> str:
    match node.type:
        case "heading":
            return _heading(node, width)
        case "paragraph":
            return wrap(_inline(node), width)
        case "bullet_list":
            return _list(node, width, ["- "] * len(node.children))
        case "ordered_list":
            start = int(node.attrs.get("start", 1))
            return _list(node, width, [f"{start + index}. " for index in range(len(node.children))])
        case "blockquote":
            return textwrap.indent(_blocks(node.children, width - 2), "> ", lambda _: True)
        case "fence" | "code_block":
            return textwrap.indent(node.content.rstrip("\n"), "    ")
        case "hr":
            return "-" * 24
        case "table":
            return _table(node, width)
        case _:
            return _blocks(node.children, width)


def _heading(node: SyntaxTreeNode, width: int) -> str:
    words = wrap(_inline(node), width)
    line = _UNDERLINES.get(node.tag)
    return f"{words}\n{line * max(map(len, words.splitlines()), default=0)}" if line else words


def _list(node: SyntaxTreeNode, width: int, marks: list[str]) -> str:
    loose = any(not child.hidden for item in node.children for child in item.children if child.type == "paragraph")
    items = []
    for mark, item in zip(marks, node.children, strict=True):
        content = _blocks(item.children, width - len(mark), between="\n\n" if loose else "\n")
        indented = textwrap.indent(content, " " * len(mark))
        items.append(mark + indented[len(mark) :] if content else mark.rstrip())
    return ("\n\n" if loose else "\n").join(items)


def _table(node: SyntaxTreeNode, width: int) -> str:
    rows = [row.children for part in node.children for row in part.children]
    justify = [_JUSTIFY.get(str(cell.meta.get("side", cell.attrs.get("style"))), str.ljust) for cell in rows[0]]
    names, *cells = [[_inline(cell) for cell in row] for row in rows]
    sizes = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    room = width - sum(sizes[:-1]) - 2 * len(sizes[:-1])
    if room < min(sizes[-1], _COLUMN):
        # Too wide to stand side by side: each row becomes a small list under its column names.
        return "\n\n".join(
            "\n".join(wrap(f"{name}: {cell}", width, rest="  ") for name, cell in zip(names, row, strict=True))
            for row in cells
        )
    sizes[-1] = min(sizes[-1], room)
    return "\n".join(_row(row, sizes, justify) for row in (names, ["-" * size for size in sizes], *cells))


def _row(cells: list[str], sizes: list[int], justify: list[Callable[[str, int], str]]) -> str:
    """One row; only its last cell may have several lines."""
    left = "".join(f"{put(cell, size)}  " for cell, size, put in zip(cells[:-1], sizes, justify, strict=False))
    lines = [justify[-1](line, sizes[-1]) for line in wrap(cells[-1], sizes[-1]).split("\n")]
    return "\n".join(f"{' ' * len(left) if number else left}{line}".rstrip() for number, line in enumerate(lines))


def _inline(node: SyntaxTreeNode) -> str:
    return "".join(_span(child) for child in node.children)


def _span(node: SyntaxTreeNode) -> str:
    match node.type:
        case "text" | "code_inline":
            return node.content
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "image":
            words = _inline(node)
            return f"[{words}]" if words else ""
        case "link" if node.markup == BARE:
            return _inline(node)
        case "link":
            return _link(_inline(node), str(node.attrs.get("href", "")))
        case _:
            return _inline(node)


def _link(words: str, target: str) -> str:
    address = target.removeprefix("mailto:")
    if not target or words in (target, address):
        return words
    return f"{words} ({address})" if words else address
