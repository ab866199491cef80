"""Mails with blocks, compiled and read back by another parser than ours."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import html5lib

from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.content.message.merging import merge_html, merge_text
from mlgroup_mail.model.message import CompiledMessage
from mlgroup_mail.settings.project import Project
from tests.content.pictures.drawing import drawn
from tests.content.projects import FRONT, frozen, values

EVENTS = """\
- id: all-group
  title: All-group meeting
  start: 2021-11-27 14:00 Europe/London
  end: 2021-11-27 15:30 Europe/London
  place: Online
  link: https://a.example/meeting
  joining_link: https://a.example/join
- id: past
  title: An older meeting
  start: 2021-10-27 14:00 Europe/London
- id: proposals
  title: Proposals close
  start: 2022-01-19
"""
FIRST_LINE = FRONT.count("\n") + 3
"""The line of campaign.md on which a text begins."""


def furnished(project: Project) -> Project:
    """The project with a calendar of three events, and with two pictures beside the campaign."""
    (project.campaigns / "events.yaml").write_text(EVENTS, encoding="utf-8")
    folder = project.campaigns / "letter"
    folder.mkdir(exist_ok=True)
    (folder / "chart.png").write_bytes(drawn(width=900, height=300))
    (folder / "ana.png").write_bytes(drawn(width=40, height=40))
    return project


def mail(project: Project, text: str, *, front: str = FRONT, public: bool = False) -> CompiledMessage:
    """A text compiled for nobody in particular."""
    return compile_message(frozen(furnished(project), text, front=front), {}, public=public)


class Read:
    """A compiled mail as one recipient has it."""

    def __init__(self, message: CompiledMessage, **fields: str) -> None:
        self.html = merge_html(message, values(**fields))
        self._page = html5lib.parse(self.html, treebuilder="etree", namespaceHTMLElements=False)
        whole = merge_text(message, values(**fields))
        self.text = whole.split("-" * 72, 1)[1].split("\n-- \n", 1)[0].strip()
        """The plain text without head and footer."""

    @property
    def words(self) -> str:
        """What the page says, in one line."""
        body = self._page.find("body")
        assert body is not None
        return _words(body)

    def all(self, tag: str) -> list[Element]:
        """The elements of one kind, in order."""
        return list(self._page.iter(tag))

    @property
    def links(self) -> dict[str, str]:
        """Each link's words, with its address."""
        return {_words(link): link.get("href", "") for link in self.all("a")}


def _words(element: Element) -> str:
    # Word joiners only keep hours on one line.
    return " ".join(" ".join(_texts(element)).replace("\u2060", "").split())


def _texts(element: Element) -> Iterator[str]:
    # A comment's tag is a function; what stands in one, only Outlook reads.
    if isinstance(element.tag, str):
        yield element.text or ""
        for child in element:
            yield from _texts(child)
            yield child.tail or ""


def read(project: Project, text: str, *, front: str = FRONT, **fields: str) -> Read:
    """A text as one recipient has it."""
    return Read(mail(project, text, front=front), **fields)
