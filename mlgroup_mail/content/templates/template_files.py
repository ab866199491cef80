"""The template files: the project's own first, the shipped ones where a name is missing.

A name that begins with `shipped/` is always the shipped file's: so a project's own `newsletter.mjml.j2` can say
`{% extends "shipped/newsletter.mjml.j2" %}` and override one block of it.
"""

import difflib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from mlgroup_mail.documents import read_text
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.settings.project import Project
from mlgroup_mail.shipped import shipped

TEMPLATE_SUFFIX = ".j2"
HTML_SUFFIX = f".mjml{TEMPLATE_SUFFIX}"
TEXT_SUFFIX = f".txt{TEMPLATE_SUFFIX}"
SUFFIXES = (HTML_SUFFIX, TEXT_SUFFIX)
SHIPPED = "shipped/"
BODY = "blocks/body"
PROSE = "blocks/prose"
"""The templates of a text as a whole and of the prose in it; their plain text needs none."""


def known_templates(project: Project) -> tuple[str, ...]:
    """The names a campaign can take: those that have both an MJML file and a plain-text sibling."""
    found: dict[str, set[str]] = {HTML_SUFFIX: set(), TEXT_SUFFIX: set()}
    for folder in template_folders(project):
        for suffix, names in found.items():
            names.update(path.name.removesuffix(suffix) for path in folder.glob(f"*{suffix}"))
    return tuple(sorted(found[HTML_SUFFIX] & found[TEXT_SUFFIX]))


def reachable_templates(
    project: Project, template: str, blocks: Iterable[str] = (), further: Iterable[str] = ()
) -> dict[str, str]:
    """Every file that compiling may read, by name: those of the kind, of the blocks that are used and of prose, and
    all that these include, extend or import; `further` are files that are read besides.

    Raises CampaignError for a file that is missing, outside the folder, not valid Jinja, or named only at run time.
    """
    texts: dict[str, str] = {}
    wanted: list[tuple[str, str]] = [(BODY + HTML_SUFFIX, ""), (PROSE + HTML_SUFFIX, "")]
    wanted += [(name + suffix, "") for name in (template, *map(block_template, blocks)) for suffix in SUFFIXES]
    wanted += [(name, "") for name in further]
    while wanted:
        name, named_at = wanted.pop()
        if name not in texts:
            texts[name] = _read(project, name, named_at)
            wanted += _references(name, texts[name])
    return dict(sorted(texts.items()))


def block_template(kind: str) -> str:
    """The name of a block's templates, without the suffix of either."""
    return f"blocks/{kind}"


def template_place(name: str) -> str:
    """A template file's path as shown to people."""
    return f"templates/{name.removeprefix(SHIPPED)} (shipped)" if name.startswith(SHIPPED) else f"templates/{name}"


def template_folders(project: Project) -> tuple[Path, ...]:
    """Where templates and the theme's pictures are looked for, in this order."""
    return project.templates, shipped("templates")


def _read(project: Project, name: str, named_at: str) -> str:
    where = named_at or template_place(name)
    if not name or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\\" in name:
        raise CampaignError(
            f"“{name}” lies outside the templates' folder", where=where, mend="Name a file in templates/."
        )
    file, folders = name, template_folders(project)
    if name.startswith(SHIPPED):
        file, folders = name.removeprefix(SHIPPED), (shipped("templates"),)
    for folder in folders:
        if (folder / file).is_file():
            return read_text(folder / file, refusal=CampaignError, where=template_place(name))
    prefix = name.removesuffix(file)
    known = sorted(
        {f"{prefix}{path.relative_to(folder).as_posix()}" for folder in folders for path in folder.rglob("*.j2")}
    )
    near = difflib.get_close_matches(name, known, n=1)
    raise CampaignError(
        f"there is no {'shipped ' if prefix else ''}template file “{name}”",
        where=where,
        mend=f"Did you mean “{near[0]}”?" if near else f"Known files: {', '.join(known)}.",
    )


def _references(name: str, text: str) -> list[tuple[str, str]]:
    """What a template includes, extends or imports, each with file and line where it says so."""
    from jinja2 import nodes

    from mlgroup_mail.content.templates.rendering import parse

    place = template_place(name)
    kinds = (nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)
    references = []
    for node in parse(text, place=place).find_all(kinds):
        assert isinstance(node, kinds)
        where = f"{place}, line {node.lineno}"
        for reference in _names(node.template):
            if not isinstance(reference, str):
                raise CampaignError(
                    "a template must be named by a text in quotes, so that approval can cover it",
                    where=where,
                    mend='Write {% include "name" %}, not {% include variable %}.',
                )
            if reference == name:
                raise CampaignError(
                    "this template names itself",
                    where=where,
                    mend=f'The one that comes with the software is {{% extends "{SHIPPED}{name}" %}}.',
                )
            references.append((reference, where))
    return references


def _names(named: Any) -> list[Any]:
    """The names that an expression gives, one or a list of them; None for what is known only at run time."""
    from jinja2 import nodes

    try:
        found = named.as_const()
    except nodes.Impossible:
        return [None]
    return list(found) if isinstance(found, list | tuple) else [found]
