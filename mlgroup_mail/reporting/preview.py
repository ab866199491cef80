"""Previews: a mailing as one reader would get it, in files that can be looked at."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlgroup_mail import addresses
from mlgroup_mail.content.campaigns.campaign import read_campaign
from mlgroup_mail.content.compiling.public_copy import public_copy
from mlgroup_mail.content.compiling.translations import translation_for
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.content.pictures.placing import with_pictures_inside
from mlgroup_mail.delivery.checking import recipients_now
from mlgroup_mail.delivery.sample import Sample, make_sample
from mlgroup_mail.errors import UsageError
from mlgroup_mail.model import Contact, MailingRef
from mlgroup_mail.settings.app import App
from mlgroup_mail.store.contacts import find_contact

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
_PICTURE_SECONDS = 60
_MEASURE = "<script>document.title = document.documentElement.scrollHeight</script>"
_USUAL_HEIGHT, _HIGHEST = 1600, 12_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What was written for one mailing."""

    ref: MailingRef
    subject: str
    files: tuple[Path, ...]
    has_picture: bool


def write_previews(
    app: App, campaign_id: str, mailing: str | None, *, reader: str | None, out: Path | None
) -> Iterator[Preview]:
    """Write html, txt, eml and, where a browser is installed, png of one mailing or of all.

    `reader` is somebody's address; without one, each text is shown as its first recipient gets it, translations as
    `<mailing>.<language>.html` and so on. Raises CampaignError, and UsageError for a reader who is not on the list.
    """
    for ref in _mailings(app, campaign_id, mailing):
        source = app.frozen(ref)
        person = _reader(app, reader)
        people = {"": person} if person else _first_readers(app, source)
        for translation, somebody in people.items():
            sample = make_sample(
                source,
                somebody,
                app.links(source.topic),
                message_id="<preview@localhost>",
                at=source.send_at,
                pictures=app.files.pictures(source),
            )
            folder, name = _folder(app, campaign_id, out), ".".join(filter(None, (ref.mailing, translation)))
            files = _write(sample, folder, name)
            picture = take_picture(files[0], folder / f"{name}.png")
            shown = (picture,) if picture else ()
            yield Preview(ref=ref, subject=sample.subject, files=(*files, *shown), has_picture=bool(picture))


def _first_readers(app: App, source: FrozenSource) -> dict[str, Contact]:
    """Somebody for the original and each translation: its first recipient, or else a made-up reader of its language."""
    found: dict[str, Contact] = {}
    for person in recipients_now(app.files, app.store, source, app.allowed_domains):
        found.setdefault(translation_for(source, person.language), person)
        if len(found) > len(source.translations):
            break
    texts = {"": source.language} | {tag: tag for tag in source.translations}
    nobody = "reader@example.org"
    return {tag: found.get(tag) or Contact(address=nobody, language=language) for tag, language in texts.items()}


def write_public_copies(app: App, campaign_id: str, mailing: str | None, *, out: Path | None) -> Iterator[Preview]:
    """Write html and txt of what anybody may read of one mailing or of all, each translation in files of its own.

    Raises CampaignError.
    """
    for ref in _mailings(app, campaign_id, mailing):
        source = app.frozen(ref)
        pictures = app.files.pictures(source)
        folder = _folder(app, campaign_id, out)
        for translation in ("", *source.translations):
            copy = public_copy(source, translation)
            html, text = (
                folder / ".".join(filter(None, (f"{ref.mailing}-public", translation, suffix)))
                for suffix in ("html", "txt")
            )
            html.write_text(with_pictures_inside(copy.html, source, pictures), encoding="utf-8")
            text.write_text(copy.text, encoding="utf-8")
            yield Preview(ref=ref, subject=copy.subject, files=(html, text), has_picture=False)


def take_picture(page: Path, picture: Path) -> Path | None:
    """A picture of a page, 600 pixels wide and as high as it is; None where no browser is installed or it fails."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        measured = Path(folder) / "measured.html"
        measured.write_text(page.read_text(encoding="utf-8") + _MEASURE, encoding="utf-8")
        try:
            shown = _browse(browser, folder, measured, "--window-size=600,100", "--dump-dom")
            height = re.search(rb"<title>(\d+)</title>", shown)
            size = f"--window-size=600,{min(int(height[1]), _HIGHEST) if height else _USUAL_HEIGHT}"
            _browse(browser, folder, page, size, f"--screenshot={picture.resolve()}")
        except (OSError, subprocess.SubprocessError):
            return None
    return picture if picture.exists() else None


def _browse(browser: str, folder: str, page: Path, *options: str) -> bytes:
    # A mail fetches nothing from anywhere, and neither does the browser: every name resolves to nothing.
    command = [
        browser, "--headless", "--disable-gpu", "--no-first-run", "--hide-scrollbars", "--no-sandbox",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder}/profile", *options, page.resolve().as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, check=True, capture_output=True, timeout=_PICTURE_SECONDS).stdout  # noqa: S603


def _mailings(app: App, campaign_id: str, mailing: str | None) -> Iterator[MailingRef]:
    campaign = read_campaign(app.project, campaign_id)
    for spec in campaign.mailings if mailing is None else [campaign.mailing(mailing)]:
        yield MailingRef(campaign_id, spec.name)


def _folder(app: App, campaign_id: str, out: Path | None) -> Path:
    folder = (out or app.project.state / "preview") / campaign_id
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write(sample: Sample, folder: Path, name: str) -> list[Path]:
    html, text, eml = (folder / f"{name}.{suffix}" for suffix in ("html", "txt", "eml"))
    html.write_text(sample.html, encoding="utf-8")
    text.write_text(sample.text, encoding="utf-8")
    eml.write_bytes(sample.content)
    files = [html, text, eml]
    if sample.calendar:
        files.append(folder / f"{name}.ics")
        files[-1].write_bytes(sample.calendar.encode())
    return files


def _reader(app: App, text: str | None) -> Contact | None:
    if text is None:
        return None
    try:
        address = addresses.normalise(text)
    except addresses.AddressError as error:
        raise UsageError(f"--as: {error}") from None
    with app.store.reading() as connection:
        contact = find_contact(connection, address)
    if contact is None:
        raise UsageError("--as: nobody on the list has that address", mend="Pull the list first, or leave --as out.")
    return contact
