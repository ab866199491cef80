"""`doctor --for-it`: the letter to an IT department, with what the project already knows filled in."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlgroup_mail import addresses
from mlgroup_mail.reporting.sendgrid_reading import DnsRecord, SendGridReader, missing_domains
from mlgroup_mail.settings.environment import Settings, TransportName
from mlgroup_mail.settings.project import Project


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One thing to ask for. `setting` is where the answer goes, empty where nothing here needs it.

    `lines` stand below it, each as it is.
    """

    title: str
    text: str
    setting: str = ""
    lines: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {"title": self.title, "text": self.text, "setting": self.setting, "lines": list(self.lines)}


def requests(project: Project, settings: Settings, records: Sequence[DnsRecord] | None = None) -> tuple[Request, ...]:
    """What to ask for before mail can leave, most needed first.

    `records`: those that SendGrid does not find in DNS; None where it has not been asked, or does not know the domain.
    """
    ask = _for_sendgrid if settings.transport is TransportName.SENDGRID else _for_a_relay
    return tuple(ask(project, settings, records))


def _for_sendgrid(project: Project, settings: Settings, records: Sequence[DnsRecord] | None) -> Iterator[Request]:
    domains = _domains(project)
    if records is None:
        yield Request(
            title="DNS records",
            text=f"Three CNAME records for {domains}, by which SendGrid signs in our name (DKIM) and may send in it "
            "(SPF). It shows them once the domain is entered there (Settings, Sender Authentication); we send them to "
            "you then. They change nothing for the domain's other mail.",
        )
    elif records:
        yield Request(
            title="DNS records",
            text=f"These records for {domains}, by which SendGrid signs in our name (DKIM) and may send in it (SPF). "
            "They change nothing for the domain's other mail. Tell us when they are there: we have SendGrid look.",
            lines=tuple(map(str, records)),
        )
    host = settings.sendgrid_url or "https://api.sendgrid.com"
    yield Request(
        title="A way out",
        text=f"HTTPS from the machine that sends to {host}. If something in your network opens what is protected, the "
        "certificate of its authority.",
        setting="sendgrid_ca_file",
    )
    yield Request(
        title="A web address",
        text="A public address with HTTPS whose proxy leads to a port of our machine. Readers opt out there, and "
        "SendGrid posts there what became of each message (bodies of 5 MB, unchanged).",
        setting="MLGROUP_PUBLIC_URL",
    )
    yield _mailbox(project)
    yield _dmarc(domains)
    yield Request(
        title="The contract",
        text="SendGrid processes our readers' names and addresses for us; outside its EU region it does so in the "
        "United States. Is there a contract with Twilio about it, or who makes one?",
        setting="sendgrid_url",
    )


def _for_a_relay(project: Project, settings: Settings, _: Sequence[DnsRecord] | None) -> Iterator[Request]:
    domains = _domains(project)
    relay = f" We think of {settings.smtp_host}." if settings.transport is TransportName.SMTP else ""
    yield Request(
        title="A mail relay",
        text="Host and port of a server that takes mail from us by SMTP for recipients outside the organisation."
        f"{relay} From which networks or machines may it be reached?",
        setting="smtp_host, smtp_port",
    )
    yield Request(
        title="Protection",
        text="STARTTLS, or TLS from the first byte? If your own authority has signed the certificate, its CA file.",
        setting="smtp_tls, smtp_ca_file",
    )
    yield Request(
        title="A login",
        text="An account for this purpose alone, with the right to send, and how it logs in.",
        setting="MLGROUP_SMTP_USER and MLGROUP_SMTP_PASSWORD in .env",
    )
    yield Request(
        title="Exchange Online, if it is that",
        text="It takes no password. An application in Entra ID with the application permission SMTP.SendAsApp of "
        "“Office 365 Exchange Online” and admin consent; its service principal in Exchange "
        "(New-ServicePrincipal) with full access to the mailbox that sends (Add-MailboxPermission); SMTP AUTH "
        "allowed for that mailbox. We need the tenant, the application's id, and its secret (until when is it "
        "good?) or the right to upload a certificate.",
        setting="MLGROUP_SMTP_OAUTH_TENANT, _CLIENT_ID, _CLIENT_SECRET or _CERTIFICATE in .env",
    )
    yield Request(
        title="Sender addresses",
        text=f"The right to send as {', '.join(_senders(project))}, in the From line and in the envelope.",
        setting="sender in mlgroup.toml",
    )
    yield _mailbox(project)
    yield Request(
        title="SPF",
        text=f"The relay's outgoing addresses in the SPF record of {domains}: which “include:” is it?",
    )
    yield Request(
        title="DKIM",
        text=f"The relay signs what we send with a key of {domains} (d= as in the From line, 2048 bits). Selector?",
    )
    yield _dmarc(domains)
    yield Request(
        title="Limits",
        text="How many messages a minute and a day, how many connections at once, how large a message? "
        "What does the server answer when it is too much?",
        setting="smtp_per_minute, smtp_per_day, smtp_connections",
    )
    yield Request(
        title="Headers",
        text="Does the relay replace the Message-ID or drop headers such as List-Unsubscribe? "
        "They have to arrive as we send them.",
    )


def _mailbox(project: Project) -> Request:
    return Request(
        title="A mailbox that people read",
        text=f"{project.group.opt_out_address}: replies, bounces and opt-outs arrive there. Can a program "
        "read it too (IMAP; on Exchange Online with OAuth)?",
        setting="opt_out_address, reply_to",
    )


def _dmarc(domains: str) -> Request:
    return Request(
        title="DMARC",
        text=f"The policy of {domains}, and who reads its reports. Gmail and Outlook ask bulk senders for one.",
    )


def missing_records(project: Project, settings: Settings) -> tuple[DnsRecord, ...] | None:
    """The DNS records that SendGrid waits for; None where it does not know a sender's domain yet, or is not used.

    Raises ConfigurationError where it cannot be asked, NotShownError where the key may not read it.
    """
    if settings.transport is not TransportName.SENDGRID or settings.sendgrid_api_key is None:
        return None
    with SendGridReader(settings) as reader:
        found = reader.domains()
    needed = missing_domains(_senders(project), found)
    known = [domain for domain in found if any(domain.covers(address) for address in needed)]
    if not all(any(domain.covers(address) for domain in known) for address in needed):
        return None
    return tuple({record: None for domain in known for record in domain.missing})


def _senders(project: Project) -> list[str]:
    return sorted({table.address for table in project.file.sender.values()})


def _domains(project: Project) -> str:
    return ", ".join(sorted({addresses.domain(address) for address in _senders(project)}))


def letter(project: Project, settings: Settings, records: Sequence[DnsRecord] | None = None) -> str:
    """The requests as a text to be mailed, in lines of 78 characters. `records` as for `requests`."""
    server = "SendGrid over HTTPS" if settings.transport is TransportName.SENDGRID else "a mail server by SMTP"
    opening = (
        f"{project.group.name} sends newsletters, invitations and calls to the people on its list: one message "
        "a person, each sent once, with List-Unsubscribe (RFC 2369), and nothing more to whoever opts out. "
        f"The software is mlgroup-mail; it hands messages to {server}. For that we would like to ask you for:"
    )
    parts = ["To the IT department", _wrapped(opening)]
    for number, request in enumerate(requests(project, settings, records), start=1):
        label = f"{number}. "
        text = f"{request.title}. {request.text}" + (f" [{request.setting}]" if request.setting else "")
        indent = " " * len(label)
        parts.append("\n".join([_wrapped(label + text, indent=indent), *(indent + line for line in request.lines)]))
    parts.append(_wrapped("In [brackets] stands where we put your answer. Thank you!"))
    return "\n\n".join(parts)


def _wrapped(text: str, *, indent: str = "") -> str:
    return textwrap.fill(text, 78, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
