"""`doctor --for-it`: the letter to an IT department, with what the project already knows filled in."""

import textwrap
from dataclasses import dataclass

from mlgroup_mail import addresses
from mlgroup_mail.settings.environment import Settings, TransportName
from mlgroup_mail.settings.project import Project


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One thing to ask for. `setting` is where the answer goes, empty where nothing here needs it."""

    title: str
    text: str
    setting: str = ""

    def as_json(self) -> dict[str, str]:
        """For programs."""
        return {"title": self.title, "text": self.text, "setting": self.setting}


def requests(project: Project, settings: Settings) -> tuple[Request, ...]:
    """What to ask for before mail can leave, most needed first."""
    senders = sorted({table.address for table in project.file.sender.values()})
    domains = ", ".join(sorted({addresses.domain(address) for address in senders}))
    relay = f" We think of {settings.smtp_host}." if settings.transport is TransportName.SMTP else ""
    return (
        Request(
            title="A mail relay",
            text="Host and port of a server that takes mail from us by SMTP for recipients outside the organisation."
            f"{relay} From which networks or machines may it be reached?",
            setting="smtp_host, smtp_port",
        ),
        Request(
            title="Protection",
            text="STARTTLS, or TLS from the first byte? If your own authority has signed the certificate, its CA file.",
            setting="smtp_tls, smtp_ca_file",
        ),
        Request(
            title="A login",
            text="An account for this purpose alone, with the right to send, and how it logs in.",
            setting="MLGROUP_SMTP_USER and MLGROUP_SMTP_PASSWORD in .env",
        ),
        Request(
            title="Exchange Online, if it is that",
            text="It takes no password. An application in Entra ID with the application permission SMTP.SendAsApp of "
            "“Office 365 Exchange Online” and admin consent; its service principal in Exchange "
            "(New-ServicePrincipal) with full access to the mailbox that sends (Add-MailboxPermission); SMTP AUTH "
            "allowed for that mailbox. We need the tenant, the application's id, and its secret (until when is it "
            "good?) or the right to upload a certificate.",
            setting="MLGROUP_SMTP_OAUTH_TENANT, _CLIENT_ID, _CLIENT_SECRET or _CERTIFICATE in .env",
        ),
        Request(
            title="Sender addresses",
            text=f"The right to send as {', '.join(senders)}, in the From line and in the envelope.",
            setting="sender in mlgroup.toml",
        ),
        Request(
            title="A mailbox that people read",
            text=f"{project.group.opt_out_address}: replies, bounces and opt-outs arrive there. Can a program "
            "read it too (IMAP; on Exchange Online with OAuth)?",
            setting="opt_out_address, reply_to",
        ),
        Request(
            title="SPF",
            text=f"The relay's outgoing addresses in the SPF record of {domains}: which “include:” is it?",
        ),
        Request(
            title="DKIM",
            text=f"The relay signs what we send with a key of {domains} (d= as in the From line, 2048 bits). Selector?",
        ),
        Request(
            title="DMARC",
            text=f"The policy of {domains}, and who reads its reports. Gmail and Outlook ask bulk senders for one.",
        ),
        Request(
            title="Limits",
            text="How many messages a minute and a day, how many connections at once, how large a message? "
            "What does the server answer when it is too much?",
            setting="smtp_per_minute, smtp_per_day, smtp_connections",
        ),
        Request(
            title="Headers",
            text="Does the relay replace the Message-ID or drop headers such as List-Unsubscribe? "
            "They have to arrive as we send them.",
        ),
    )


def letter(project: Project, settings: Settings) -> str:
    """The requests as a text to be mailed, in lines of 78 characters."""
    opening = (
        f"{project.group.name} sends newsletters, invitations and calls to the people on its list: one message "
        "a person, each sent once, with List-Unsubscribe (RFC 2369), and nothing more to whoever opts out. "
        "The software is mlgroup-mail; it hands messages to a mail server by SMTP. For that we would like "
        "to ask you for:"
    )
    parts = ["To the IT department", _wrapped(opening)]
    for number, request in enumerate(requests(project, settings), start=1):
        label = f"{number}. "
        text = f"{request.title}. {request.text}" + (f" [{request.setting}]" if request.setting else "")
        parts.append(_wrapped(label + text, indent=" " * len(label)))
    parts.append(_wrapped("In [brackets] stands where we put your answer. Thank you!"))
    return "\n\n".join(parts)


def _wrapped(text: str, *, indent: str = "") -> str:
    return textwrap.fill(text, 78, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
