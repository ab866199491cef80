"""What a project's own templates change, and what they only seem to change.

Jinja is silent about a block that nobody shows, and about a file that nobody names.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from jinja2 import nodes

from mlgroup_mail.content.templates.rendering import parse
from mlgroup_mail.content.templates.template_files import (
    HTML_SUFFIX,
    TEXT_SUFFIX,
    known_templates,
    reachable_templates,
    template_place,
)
from mlgroup_mail.documents import read_text
from mlgroup_mail.errors import CampaignError, Collected, Problem
from mlgroup_mail.settings.project import Project
from mlgroup_mail.shipped import shipped

_TAG = re.compile(r"<!--.*?-->|<mj-style.*?</mj-style>|<mj-raw.*?</mj-raw>|<[^<>]*>", re.DOTALL)
_WORD = re.compile(r"\{\{[\w.]+\}\}|[^\W\d_]{2,}")


def check_overrides(templates: Mapping[str, str]) -> None:
    """Templates by name, with all that they extend: each block that one fills must be another's to show.

    Raises CampaignError for a block that nobody shows, and for words that stand in none.
    """
    problems = Collected()
    for name, text in templates.items():
        tree = parse(text, place=template_place(name))
        if extended := next(tree.find_all(nodes.Extends), None):
            shown = {block for parent in _ancestors(name, templates) for block in _blocks(templates[parent])}
            problems.add(*_slips(tree, extended, shown, template_place(name)))
    problems.refuse()


def _ancestors(name: str, templates: Mapping[str, str]) -> Iterator[str]:
    """What a template extends, and what that extends; two that extend each other are told when they are rendered."""
    seen, wanted = {name}, [name]
    while wanted:
        for extended in parse(templates[wanted.pop()], place=template_place(name)).find_all(nodes.Extends):
            parent = extended.template.as_const()
            for each in [parent] if isinstance(parent, str) else parent:
                if each in templates and each not in seen:
                    seen.add(each)
                    wanted.append(each)
                    yield each


def _blocks(text: str) -> list[str]:
    return [block.name for block in parse(text, place="").find_all(nodes.Block)]


def _slips(tree: nodes.Template, extended: nodes.Extends, shown: set[str], place: str) -> Iterator[Problem]:
    for node in _outside_of_blocks(tree):
        if isinstance(node, nodes.Block) and node.name not in shown:
            near = difflib.get_close_matches(node.name, shown, n=1)
            hint = f"Did you mean “{near[0]}”? " if near else ""
            yield Problem(
                message=f"there is no block “{node.name}” in the template that this one extends: nobody would see it",
                where=f"{place}, line {node.lineno}",
                mend=f"{hint}Its blocks: {', '.join(sorted(shown)) or 'none'}.",
            )
        if isinstance(node, nodes.TemplateData) and node.data.strip() and node.lineno >= extended.lineno:
            first = node.data.lstrip()
            line = node.lineno + node.data[: len(node.data) - len(first)].count("\n")
            yield Problem(
                message="this stands in no block, and a template that extends another shows its blocks only",
                where=f"{place}, line {line}",
                mend=f"Put it into a block: {', '.join(sorted(shown)) or 'there is none'}.",
            )


def _outside_of_blocks(node: nodes.Node) -> Iterator[nodes.Node]:
    """The nodes below one, without those within blocks, macros and captures."""
    for child in node.iter_child_nodes():
        yield child
        if not isinstance(child, nodes.Block | nodes.Macro | nodes.AssignBlock | nodes.CallBlock):
            yield from _outside_of_blocks(child)


def doubtful_templates(project: Project, blocks: Iterable[str]) -> tuple[Problem, ...]:
    """The project's own files that nothing names, and those that say what their plain text does not.

    `blocks` are the kinds of blocks that a text may have. Templates that cannot be read are told elsewhere.
    """
    own = {path.relative_to(project.templates).as_posix() for path in project.templates.rglob("*.j2")}
    if not own:
        return ()
    # Web pages are named by their own names, and by no mail.
    pages = (path.relative_to(shipped("templates")).as_posix() for path in shipped("templates").glob("pages/*.j2"))
    used, unread = set(pages), Collected()
    for name in known_templates(project):
        with unread:
            used |= reachable_templates(project, name, blocks).keys()
    if unread.problems:
        return ()
    known = [path.relative_to(shipped("templates")).as_posix() for path in shipped("templates").rglob("*.j2")]
    unused = [_unused(name, known) for name in sorted(own - used)]
    silent = [_silent(project, name) for name in sorted(own & used & set(known)) if name.endswith(HTML_SUFFIX)]
    return tuple(filter(None, [*unused, *silent]))


def _unused(name: str, known: list[str]) -> Problem:
    beside = [other for other in known if PurePosixPath(other).parent == PurePosixPath(name).parent]
    near = difflib.get_close_matches(name, beside, n=1, cutoff=0.8)
    alone = "" if "/" in name else " A template for campaigns needs both files: NAME.mjml.j2 and NAME.txt.j2."
    return Problem(
        message="no template and no block names this file: it changes nothing",
        where=template_place(name),
        mend=f"Did you mean “{near[0]}”?{alone}" if near else f"Include it, or take it away.{alone}",
    )


def _silent(project: Project, name: str) -> Problem | None:
    """A page of the project's own that says more than the shipped one, whose plain text is the shipped one's."""
    sibling = name.removesuffix(HTML_SUFFIX) + TEXT_SUFFIX
    theirs = shipped("templates") / name
    if (project.templates / sibling).exists() or not (shipped("templates") / sibling).exists():
        return None
    try:
        own = _said(read_text(project.templates / name, refusal=CampaignError, where=template_place(name)))
        more = [word for word in own if word not in set(_said(read_text(theirs, refusal=CampaignError)))]
    except CampaignError:
        return None  # Whoever compiles it says so, with the line.
    if not more:
        return None
    return Problem(
        message=f"this page says what its plain text does not: {' '.join(more[:5])}{' ...' if len(more) > 5 else ''}",
        where=template_place(name),
        mend=f'Write templates/{sibling} too; it can begin with {{% extends "shipped/{sibling}" %}}.',
    )


def _said(text: str) -> list[str]:
    """The words between the tags of a template, and the names of the values that it prints there, in their order."""
    written = ""
    for output in parse(text, place="").find_all(nodes.Output):
        for node in output.nodes:
            # A value is written as Jinja has it: within a tag it goes with the tag.
            written += node.data if isinstance(node, nodes.TemplateData) else f" {_printed(node)} "
        written += "\n"
    return list(dict.fromkeys(_WORD.findall(_TAG.sub(" ", written))))


def _printed(node: nodes.Node) -> str:
    """What an expression prints, as far as it can be told: a text of the catalogue, or a value as written."""
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == "_":
        return " ".join(str(part.value) for part in node.args if isinstance(part, nodes.Const))
    named = (nodes.Getattr, nodes.Name)
    found = node if isinstance(node, named) else next(node.find_all(named), None)
    parts: list[str] = []
    while isinstance(found, nodes.Getattr):
        parts.append(found.attr)
        found = found.node
    if not isinstance(found, nodes.Name) or found.name == "theme":
        return ""
    return f"{{{{{'.'.join([found.name, *reversed(parts)])}}}}}"
