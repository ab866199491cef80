"""The checks of `doctor` on what people write: list, templates, campaigns, senders, secrets."""

import shlex
import shutil
import subprocess
from pathlib import Path

from mlgroup_mail import addresses
from mlgroup_mail.contacts.config import read_config
from mlgroup_mail.contacts.sources.tables import read_configured
from mlgroup_mail.content.calendar.events_file import read_events
from mlgroup_mail.content.campaigns.campaign import campaign_ids, read_campaign
from mlgroup_mail.content.templates.overrides import check_overrides, doubtful_templates
from mlgroup_mail.content.templates.template_files import HTML_SUFFIX, TEXT_SUFFIX, known_templates, reachable_templates
from mlgroup_mail.content.writing.blocks.kinds import BlockKind
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.reporting.diagnosis import Examined, Finding, failed, passed, warned
from mlgroup_mail.settings.environment import RESERVED_DOMAINS, TransportName

_ENV = ".env"


def contact_list(examined: Examined) -> Finding:
    """Each source of `contacts.toml` can be opened, and has a column of addresses."""
    folder = examined.project.contacts
    config = read_config(folder)
    rows = {source.name: len(read_configured(source, folder).frame) for source in config.source}
    read = ", ".join(f"{name} ({number} rows)" for name, number in rows.items())
    if not config.segment:
        return warned(f"{read}; no segment", "Add [segment.members] to contacts/contacts.toml: campaigns name one.")
    return passed(f"{read}; segments {', '.join(config.segment)}")


def templates(examined: Examined) -> Finding:
    """Every template has both siblings, and everything it includes is there."""
    names = known_templates(examined.project)
    if not names:
        return failed("there is none", "Install mlgroup-mail again: its own templates are missing.")
    for name in names:
        check_overrides(reachable_templates(examined.project, name, BlockKind))
    if doubtful := doubtful_templates(examined.project, BlockKind):
        found = Finding.of(doubtful[0])
        return warned(found.detail, found.mend)
    own = sorted(
        path.name for suffix in (HTML_SUFFIX, TEXT_SUFFIX) for path in examined.project.templates.rglob(f"*{suffix}")
    )
    return passed(f"{', '.join(names)}; your own files: {', '.join(own) or 'none'}")


def campaigns(examined: Examined) -> Finding:
    """The calendar and each campaign's front matter can be read; `check` says more about one."""
    events = read_events(examined.project)
    ids = campaign_ids(examined.project)
    for campaign_id in ids:
        try:
            read_campaign(examined.project, campaign_id)
        except CampaignError as error:
            problem = Finding.of(error.problem)
            return warned(problem.detail, problem.mend or f"See: mlgroup-mail check {campaign_id}")
    return passed(f"{_number(len(ids), 'campaign')}, {_number(len(events), 'event')} in the calendar")


def senders(examined: Examined) -> Finding:
    """No sender stands under a domain that nobody can own, once mail can leave."""
    found = [table.address for table in examined.project.file.sender.values()]
    reserved = [address for address in found if addresses.is_allowed(address, RESERVED_DOMAINS)]
    if reserved and examined.settings.transport is not TransportName.OUTBOX:
        return warned(
            f"{', '.join(reserved)}: an example domain, which no mail server lets you send from",
            "Write your own addresses under [sender.*] in mlgroup.toml.",
        )
    return passed(", ".join(found) + (" (example addresses, fine for the outbox)" if reserved else ""))


def secrets_file(examined: Examined) -> Finding:
    """`.env` is out of git, and nobody else on this machine can read it."""
    root = examined.project.root
    path = root / _ENV
    if not path.exists():
        return passed("no .env: secrets come from the environment")
    mode = path.stat().st_mode
    if mode & 0o007:
        return failed(".env can be read by everybody on this machine", f"chmod 600 {path}")
    if _tracked(root):
        return failed(".env is in git", "git rm --cached .env, commit, and make new keys: these have been shared.")
    if not _ignored(root):
        return failed(".env is not ignored by git", "Write a line “.env” into .gitignore.")
    if mode & 0o070:
        return warned(".env can be read by its group", f"chmod 600 {path}")
    return passed(".env is yours alone, and git ignores it")


def private_state(examined: Examined) -> Finding:
    """Nobody else on this machine can read the ledger, the outbox and the reports: addresses stand in all of them."""
    state, file = examined.project.state, examined.database_file
    open_to_all = [path for path in (state, file) if path and path.exists() and path.stat().st_mode & 0o007]
    # Whoever cannot get into the folder cannot read what is in it.
    if file in open_to_all and file.parent.stat().st_mode & 0o001 == 0:
        open_to_all.remove(file)
    if not open_to_all:
        return passed("yours alone, as far as this machine's other accounts go")
    return warned(
        f"{' and '.join(map(str, open_to_all))}: everybody on this machine can look into it, and addresses stand there",
        f"chmod o-rwx {shlex.join(map(str, open_to_all))}",
    )


def _tracked(root: Path) -> bool:
    return _git(root, "ls-files", "--error-unmatch", _ENV) == 0


def _ignored(root: Path) -> bool:
    """Where there is no repository yet, the file that a later one will go by is asked."""
    answer = _git(root, "check-ignore", "--quiet", _ENV)
    if answer in (0, 1):
        return answer == 0
    ignore = root / ".gitignore"
    lines = ignore.read_text(encoding="utf-8", errors="replace").split() if ignore.is_file() else []
    return bool({_ENV, f"/{_ENV}"} & set(lines))


def _git(root: Path, *arguments: str) -> int | None:
    """Git's exit code; None where there is no git."""
    git = shutil.which("git")
    if git is None:
        return None
    return subprocess.run([git, "-C", str(root), *arguments], capture_output=True, check=False).returncode  # noqa: S603


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
