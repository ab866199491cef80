"""Pictures of the pages, to be looked at: each step, at both widths, light and dark, right to left.

python -m tests.web.show_pages FOLDER
"""

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from mlgroup_mail.cli import main as commands
from mlgroup_mail.web.postman import Postman
from tests.acceptance.projects import sample_project, small_project
from tests.servers.chromium import run_chromium
from tests.web.joiners import link_in, mails, open_the_door, send
from tests.web.readers import TOPICS, Pages, every, pages_at, preferences_token, token

WIDTHS = (375, 1280)
LANGUAGES = ("en", "ar", "ja")
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"

Step = Callable[[Pages, str], str]


def _ask(kind: str, link: str, **data: str) -> Step:
    """The page that a GET gives, or a POST of these fields."""

    def step(pages: Pages, language: str) -> str:
        return pages.ask(kind, f"/opt-out/{link}?lang={language}", data=data).text

    return step


def _topics(link: str, **data: str) -> Step:
    """The page of topics: what a GET gives, or a POST of these fields."""

    def step(pages: Pages, language: str) -> str:
        path = f"/preferences/{link}?lang={language}"
        return pages.ask("POST", path, data=data).text if data else pages.ask("GET", path).text

    return step


def _join(**data: str) -> Step:
    """The form to join, or the answer to it."""

    def step(pages: Pages, language: str) -> str:
        path = f"/join?lang={language}"
        return pages.ask("POST", path, data=data).text if data else pages.ask("GET", path).text

    return step


def _joined(pages: Pages, language: str, *, press: bool = False) -> str:
    """What the link of the mail shows that asks, or the answer to its button."""
    address = f"newcomer-{language}-{press}@office.example"
    about = {"name": "Ines Ito", "organisation": "Office of Numbers", "country": "Portugal"}
    pages.ask("POST", "/join", data={"address": address, **about})
    send(pages)
    (mail,) = (each for each in mails(pages, "confirmation") if each["To"] == address)
    link = f"{link_in(mail, 'join')}?lang={language}"
    return pages.ask("POST", link, data={"join": "yes", **about}).text if press else pages.ask("GET", link).text


def _joined_and_left(pages: Pages, language: str) -> str:
    """What a link that was pressed shows to somebody who has left since."""
    address = f"newcomer-{language}-True@office.example"
    (mail,) = (each for each in mails(pages, "confirmation") if each["To"] == address)
    link = f"{link_in(mail, 'join')}?lang={language}"
    topics = pages.ask("GET", link).text.partition('href="../preferences/')[2].partition('"')[0]
    pages.ask("POST", f"/preferences/{topics}", data={"shown": "newsletter,meetings", "was": "newsletter,meetings"})
    return pages.ask("GET", link).text


def _one_of_two_back(pages: Pages, language: str) -> str:
    """All mail is taken back, and the topic that was left before stays left."""
    for scope in ("topic", "all"):
        pages.ask("POST", f"/opt-out/{token(1)}", data={"scope": scope})
    page = _ask("POST", token(1), undo="all")(pages, language)
    pages.ask("POST", f"/opt-out/{token(1)}", data={"undo": "topic"})
    return page


STEPS: dict[str, Step] = {
    "page": _ask("GET", token(1)),
    "page-all": _ask("GET", every(1)),
    "invalid": _ask("GET", token(1)[:-3]),
    "unclear": _ask("POST", token(1)),
    "left-topic": _ask("POST", token(1), scope="topic"),
    "again": _ask("GET", token(1)),
    "back": _ask("POST", token(1), undo="topic"),
    "left-all": _ask("POST", token(1), scope="all"),
    "again-all": _ask("GET", every(1)),
    "back-all": _ask("POST", every(1), undo="all"),
    "back-other": _one_of_two_back,
    "page-office": _ask("GET", token(3, topic="board")),
    "topics": _topics(preferences_token(3)),
    "topics-saved": _topics(preferences_token(3), shown="newsletter,board", was="newsletter", **{"on-board": "on"}),
    "topics-all-left": lambda pages, language: (
        _ask("POST", every(4), scope="all")(pages, language) and _topics(preferences_token(4))(pages, language)
    ),
    "topics-older": _topics(preferences_token(4), shown="board", was="", **{"on-board": "on"}),
    "topics-none": _topics(preferences_token(6), shown=",".join(TOPICS), was=",".join(TOPICS[:-1])),
    "topics-stopped": _topics(preferences_token(2)),
    "topics-one-stopped": _topics(preferences_token(5)),
    "join": _join(),
    "join-unclear": _join(address="nobody at all", name="Ines Ito"),
    "join-asked": _join(address="somebody@office.example"),
    "join-link": _joined,
    "joined": lambda pages, language: _joined(pages, language, press=True),
    "joined-and-left": _joined_and_left,
    "stays": _ask("POST", token(2), undo="topic"),
}


def write_pages(folder: Path, root: Path) -> list[Path]:
    """Each step as a file, in each language; beside them the logos."""
    written = []
    # Mails go when a step says so.
    with patch.object(Postman, "wake"), pages_at(root) as pages:
        for language in LANGUAGES:
            for name, step in STEPS.items():
                written.append(_write(folder / f"{name}-{language}.html", step(pages, language), pages))
    return written


def _write(file: Path, page: str, pages: Pages) -> Path:
    """The page, with its logos beside it."""
    (file.parent / "look").mkdir(parents=True, exist_ok=True)
    for address in {part.split('"')[0] for part in page.split('"/group/look/')[1:]}:
        (file.parent / "look" / address).write_bytes(pages.ask("GET", f"/group/look/{address}").content)
    file.write_text(page.replace('"/group/look/', '"look/'), encoding="utf-8")
    return file


def ready(root: Path, *, topic_title: str = "") -> Path:
    """A small group whose second reader was taken off by hand; one topic may have another title."""
    small_project(root)
    shutil.copytree(sample_project(root / "sample") / "templates", root / "templates")
    settings = root / "mlgroup.toml"
    if topic_title:
        text = settings.read_text(encoding="utf-8").replace("Monthly newsletter", topic_title)
        settings.write_text(text, encoding="utf-8")
    open_the_door(root)
    orders = (
        ("contacts", "pull"),
        ("opt-out", "add", "person2@office.example", "--reason", "asked by phone"),
        ("opt-out", "add", "person5@office.example", "--topic", "calls", "--reason", "asked by phone"),
    )
    for order in orders:
        assert commands._run(["--project", str(root), *order]) == 0
    return root


def main(folder: Path) -> None:
    """Write the pages, and a picture of each at each width, light and dark."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, run_chromium() as browser:
        pages = write_pages(folder, ready(Path(name) / "project"))
        (folder / "long").mkdir(exist_ok=True)
        pages += write_pages(folder / "long", ready(Path(name) / "long", topic_title=LONG))[:1]
        for page in pages:
            for width in WIDTHS:
                for dark in (False, True):
                    picture = page.with_name(f"{page.stem}-{width}-{'dark' if dark else 'light'}.png")
                    browser.screenshot(page, picture, width=width, dark=dark)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
