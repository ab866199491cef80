"""Previews: a mailing as one reader would get it, in files that can be looked at."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlgroup_mail import addresses
from mlgroup_mail.content.campaigns.campaign import Campaign, MailingSpec, read_as_far_as_possible
from mlgroup_mail.content.compiling.public_copy import public_copy
from mlgroup_mail.content.compiling.translations import text_for, translation_for
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.content.pictures.placing import with_pictures_inside
from mlgroup_mail.delivery.announcements import Announcements
from mlgroup_mail.delivery.approving import freeze_now
from mlgroup_mail.delivery.checking import recipients_now
from mlgroup_mail.delivery.freezing_alone import freeze_alone
from mlgroup_mail.delivery.sample import Sample, make_sample
from mlgroup_mail.errors import Collected, Problem, UsageError
from mlgroup_mail.model import Contact, MailingRef
from mlgroup_mail.preflight.findings import NOT_READABLE
from mlgroup_mail.preflight.rules import members_only
from mlgroup_mail.private_files import make_private_folder, write_private
from mlgroup_mail.reporting.page_pictures import take_picture
from mlgroup_mail.settings.app import App
from mlgroup_mail.store.contacts import find_contact

_NOBODY = "reader@example.org"
"""Whom a text is shown for that nobody gets."""


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
    `<mailing>.<language>.html` and so on. What a named reader gets has their number before the suffix. What can be
    written is, and then CampaignError raised for the rest; raises UsageError for a reader who is not on the list.
    """
    person = _reader(app, reader)
    campaign, found = read_as_far_as_possible(app.project, campaign_id)
    problems = Collected()
    problems.add(*found)
    folder = _folder(app, campaign_id, out)
    for spec in campaign.asked_for(mailing) if campaign else ():
        assert campaign is not None
        yield from _previews(app, campaign, spec, person, folder, problems)
    problems.refuse()


def _previews(
    app: App, campaign: Campaign, spec: MailingSpec, person: Contact | None, folder: Path, problems: Collected
) -> Iterator[Preview]:
    ref = MailingRef(campaign.campaign_id, spec.name)
    texts = {"": spec.original} | {words.language: words for words in spec.translations}
    people = {tag: Contact(address=_NOBODY, language=words.language) for tag, words in texts.items()}
    whole: FrozenSource | None = None
    together = Collected()
    with together:
        announced = Announcements(app.store).besides(ref)
        whole = freeze_now(app.files, app.store, campaign, spec.name, announced)
        people |= {} if person else _first_readers(app, whole)
    if person:
        people = {text_for(spec.original.language, tuple(tag for tag in texts if tag), person.language): person}
    for tag, reader in people.items():
        sample = None
        if whole:
            with together:
                sample = _sample_of(app, whole, reader)
        with problems:
            # Where another text is wrong, this one may be right by itself.
            sample = sample or _sample_of(app, freeze_alone(app.files, app.store, campaign, spec, texts[tag]), reader)
            name = ".".join(filter(None, (ref.mailing, tag, f"reader-{person.contact_id}" if person else "")))
            yield _written(ref, sample, folder, name)
    if not problems.problems:
        problems.add(*together.problems)


def _written(ref: MailingRef, sample: Sample, folder: Path, name: str) -> Preview:
    files = _write(sample, folder, name)
    picture = take_picture(files[0], folder / f"{name}.png")
    shown = (picture,) if picture else ()
    return Preview(ref=ref, subject=sample.subject, files=(*files, *shown), has_picture=bool(picture))


def _sample_of(app: App, source: FrozenSource, reader: Contact) -> Sample:
    return make_sample(
        source,
        reader,
        app.links(source.topic),
        message_id="<preview@localhost>",
        at=source.send_at,
        pictures=app.files.pictures(source),
    )


def _first_readers(app: App, source: FrozenSource) -> dict[str, Contact]:
    """The first recipient of the original and of each translation that has any."""
    found: dict[str, Contact] = {}
    for person in recipients_now(app.files, app.store, source, app.allowed_domains):
        found.setdefault(translation_for(source, person.language), person)
        if len(found) > len(source.translations):
            break
    return found


def write_public_copies(app: App, campaign_id: str, mailing: str | None, *, out: Path | None) -> Iterator[Preview]:
    """Write html and txt of what anybody may read of one mailing or of all, each translation in files of its own.

    What can be written is, and then CampaignError raised for the rest: for what `check` cannot read, and for an address
    that is for members only.
    """
    campaign, found = read_as_far_as_possible(app.project, campaign_id)
    problems = Collected()
    problems.add(*found)
    for spec in campaign.asked_for(mailing) if campaign else ():
        with problems:
            yield from _public_copies(app, MailingRef(campaign_id, spec.name), _folder(app, campaign_id, out))
    problems.refuse()


def _public_copies(app: App, ref: MailingRef, folder: Path) -> Iterator[Preview]:
    _refuse_what_check_refuses(app, ref)
    source = app.frozen(ref)
    pictures = app.files.pictures(source)
    for translation in ("", *source.translations):
        copy = public_copy(source, translation)
        html, text = (
            folder / ".".join(filter(None, (f"{ref.mailing}-public", translation, suffix)))
            for suffix in ("html", "txt")
        )
        html.write_text(with_pictures_inside(copy.html, source, pictures), encoding="utf-8")
        text.write_text(copy.text, encoding="utf-8")
        yield Preview(ref=ref, subject=copy.subject, files=(html, text), has_picture=False)


def _refuse_what_check_refuses(app: App, ref: MailingRef) -> None:
    """A slip in a part for members is none of the public copy, and yet may be why the rest of that part is in it."""
    problems = Collected()
    for finding in app.check(ref.campaign, ref.mailing):
        if finding.blocks and finding.rule in (NOT_READABLE, members_only.RULE):
            problems.add(Problem(message=finding.message, where=finding.where, mend=finding.mend))
    problems.refuse()


def _folder(app: App, campaign_id: str, out: Path | None) -> Path:
    folder = (out or app.project.state / "preview") / campaign_id
    make_private_folder(folder)
    return folder


def _write(sample: Sample, folder: Path, name: str) -> list[Path]:
    html, text, eml = (folder / f"{name}.{suffix}" for suffix in ("html", "txt", "eml"))
    contents = {html: sample.html.encode(), text: sample.text.encode(), eml: sample.content}
    if sample.calendar:
        contents[folder / f"{name}.ics"] = sample.calendar.encode()
    for path, content in contents.items():
        write_private(path, content)
    return list(contents)


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
