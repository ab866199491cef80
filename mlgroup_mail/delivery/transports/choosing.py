"""Which transport the settings ask for."""

from pathlib import Path

from mlgroup_mail.delivery.transports.base import Transport
from mlgroup_mail.errors import ConfigurationError
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
            raise ConfigurationError(
                "sending through SendGrid's interface comes with a later version",
                where="MLGROUP_TRANSPORT",
                mend="Use its SMTP relay: MLGROUP_TRANSPORT=smtp, MLGROUP_SMTP_HOST=smtp.sendgrid.net, port 587, "
                "user apikey, the key as password.",
            )
