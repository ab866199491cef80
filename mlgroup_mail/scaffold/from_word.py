"""A pattern with the text of a Word document: the front matter stays, title, text and pictures are the document's."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from mlgroup_mail.content.campaigns.campaign_file import CAMPAIGN_FILE, FENCE
from mlgroup_mail.content.word.word_text import WordText

_BRACES = re.compile(r"\{[{%#]")


def with_word(files: Iterable[tuple[Path, str]], word: WordText) -> Iterator[tuple[Path, bytes]]:
    """The files of a pattern and the document's pictures; the campaign's text and title are the document's."""
    for path, text in files:
        yield path, (_filled(text, word) if path.name == CAMPAIGN_FILE else text).encode()
    for picture in word.pictures:
        yield Path(picture.name), picture.content


def _filled(pattern: str, word: WordText) -> str:
    _, front, _ = re.split(rf"^{re.escape(FENCE)}\n", pattern, maxsplit=2, flags=re.MULTILINE)
    top, tables, rest = front.partition("\n[")
    if word.title:
        # The subject is Jinja too, and plain text: a brace of the document's has to pass through it.
        title = json.dumps(_BRACES.sub(lambda found: f'{{{{ "{found[0]}" }}}}', word.title), ensure_ascii=False)
        for key in ("subject", "title"):
            top = re.sub(rf"^{key} = .*$", lambda _, key=key: f"{key} = {title}", top, flags=re.MULTILINE)
    return f"{FENCE}\n{top}{tables}{rest}{FENCE}\n{word.markdown}\n"
