"""The template files: the project's own first, the shipped ones where a name is missing."""

import difflib
from pathlib import Path, PurePosixPath

from mlgroup_mail.documents import read_text
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.settings.project import Project
from mlgroup_mail.shipped import shipped

HTML_SUFFIX = ".mjml.j2"
TEXT_SUFFIX = ".txt.j2"


def known_templates(project: Project) -> tuple[str, ...]:
    """The names a campaign can take: those that have both an MJML file and a plain-text sibling."""
    found: dict[str, set[str]] = {HTML_SUFFIX: set(), TEXT_SUFFIX: set()}
    for folder in _folders(project):
        for suffix, names in found.items():
            names.update(path.name.removesuffix(suffix) for path in folder.glob(f"*{suffix}"))
    return tuple(sorted(found[HTML_SUFFIX] & found[TEXT_SUFFIX]))


def reachable_templates(project: Project, template: str) -> dict[str, str]:
    """Every file that compiling may read, by name: both siblings, and all they include, extend or import.

    Raises CampaignError for a file that is missing, outside the folder, not valid Jinja, or named only at run time.
    """
    texts: dict[str, str] = {}
    wanted = [(f"{template}{suffix}", "") for suffix in (HTML_SUFFIX, TEXT_SUFFIX)]
    wanted.append(("blocks/prose.mjml.j2", ""))
    while wanted:
        name, named_in = wanted.pop()
        if name not in texts:
            texts[name] = _read(project, name, named_in)
            wanted += [(reference, name) for reference in _references(name, texts[name])]
    return dict(sorted(texts.items()))


def template_place(name: str) -> str:
    """A template file's path as shown to people."""
    return f"templates/{name}"


def _folders(project: Project) -> tuple[Path, ...]:
    return project.templates, shipped("templates")


def _read(project: Project, name: str, named_in: str) -> str:
    where = template_place(named_in) if named_in else template_place(name)
    if not name or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\\" in name:
        raise CampaignError(
            f"“{name}” lies outside the templates' folder", where=where, mend="Name a file in templates/."
        )
    for folder in _folders(project):
        if (folder / name).is_file():
            return read_text(folder / name, refusal=CampaignError)
    known = sorted(
        {path.relative_to(folder).as_posix() for folder in _folders(project) for path in folder.rglob("*.j2")}
    )
    near = difflib.get_close_matches(name, known, n=1)
    raise CampaignError(
        f"there is no template file “{name}”",
        where=where,
        mend=f"Did you mean “{near[0]}”?" if near else f"Known files: {', '.join(known)}.",
    )


def _references(name: str, text: str) -> list[str]:
    from jinja2 import meta

    from mlgroup_mail.content.rendering import parse

    references = []
    for reference in meta.find_referenced_templates(parse(text, place=template_place(name))):
        if reference is None:
            raise CampaignError(
                "a template must be named by a text in quotes, so that approval can cover it",
                where=template_place(name),
                mend='Write {% include "name" %}, not {% include variable %}.',
            )
        references.append(reference)
    return references
