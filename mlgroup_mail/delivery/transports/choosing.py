"""Which transport the settings ask for."""

from pathlib import Path

from mlgroup_mail.delivery.transports.base import Transport
from mlgroup_mail.settings.environment import Settings, TransportName


def make_transport(settings: Settings, *, outbox: Path) -> Transport:
    """The transport of `MLGROUP_TRANSPORT`; connects at its first `open`."""
    match settings.transport:
        case TransportName.OUTBOX:
            from mlgroup_mail.delivery.transports.outbox import OutboxTransport

            return OutboxTransport(outbox)
        case TransportName.SMTP:
            from mlgroup_mail.delivery.transports.smtp import SmtpTransport
            from mlgroup_mail.delivery.transports.smtp_server import server_of

            return SmtpTransport(server_of(settings))
        case TransportName.SENDGRID:
            from mlgroup_mail.delivery.transports.sendgrid import SendGridTransport
            from mlgroup_mail.delivery.transports.sendgrid_account import account_of

            return SendGridTransport(account_of(settings))
