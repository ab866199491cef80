"""The checks of `doctor` on keys and on what answers: database, mail server, pages, clock, schedules."""

import http.client
import os
import tomllib
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from mlgroup_mail.consent.tokens import fingerprint
from mlgroup_mail.delivery import signing_keys
from mlgroup_mail.delivery.ledger_file import FILE as LEDGER_FILE
from mlgroup_mail.delivery.ledger_file import named_ledger
from mlgroup_mail.delivery.transports.choosing import make_transport
from mlgroup_mail.errors import ConfigurationError, TransportError
from mlgroup_mail.reporting.diagnosis import Examined, Finding, failed, passed, warned
from mlgroup_mail.settings.environment import RESERVED_DOMAINS, Environment, Settings, Tls, TransportName
from mlgroup_mail.settings.project import PROJECT_FILE
from mlgroup_mail.store.deliveries import ledger_id
from mlgroup_mail.store.signing_keys import SigningKey
from mlgroup_mail.store.upgrade import require_current

_PATIENCE = 10.0
"""Seconds that a server may take for one step: somebody is waiting at the terminal."""
_LOCAL = {"localhost", "127.0.0.1", "::1"}
_NEW_KEY = 'python3 -c "import secrets; print(secrets.token_hex(32))"'


def opt_out_keys(examined: Examined) -> Finding:
    """Without a key no opt-out link can be made, and so no mail."""
    number = len(examined.settings.secret_keys)
    if not number:
        return failed("MLGROUP_SECRET_KEYS is not set", f"Add it to .env; a fresh key: {_NEW_KEY}")
    if missing := _missing_keys(examined):
        return failed(f"{signing_keys.told(missing)}; live commands refuse", signing_keys.mend(missing))
    return passed("one key" if number == 1 else f"{number} keys; new links are made with the first")


def _missing_keys(examined: Examined) -> list[SigningKey]:
    """Those that links were signed with and that are not set; none where the ledger cannot be asked."""
    if examined.database_is_new:
        return []
    try:
        require_current(examined.store)
    except ConfigurationError:
        return []
    kept = {fingerprint(key.get_secret_value()) for key in examined.settings.secret_keys}
    with examined.store.reading() as connection:
        return signing_keys.missing_keys(connection, kept)


def erasure_key(examined: Examined) -> Finding:
    """Erased people are recognised by it, should a list bring them back."""
    if examined.settings.erasure_key is None:
        return warned(
            "MLGROUP_ERASURE_KEY is not set: nobody can be erased",
            f"Add it to .env once, and never change it; a fresh one: {_NEW_KEY}",
        )
    return passed("set; it must never change")


def database(examined: Examined) -> Finding:
    """It answers, and its tables are this version's."""
    if examined.database_is_new:
        return passed(f"{_place(examined)} is made when it is first needed")
    require_current(examined.store)
    return passed(f"{_place(examined)} answers, its tables are up to date")


def ledger(examined: Examined) -> Finding:
    """Live mail is recorded in the ledger that `ledger.toml` names."""
    named = named_ledger(examined.project.root)
    if named is None:
        return passed(f"no {LEDGER_FILE} yet: the first live send writes it; commit it then")
    mend = "Point MLGROUP_DATABASE_URL to the shared database, or take over: mlgroup-mail db adopt --reason WHY"
    if examined.database_is_new:
        return failed(f"{LEDGER_FILE} names a ledger, and the database here is new", mend)
    try:
        require_current(examined.store)
    except ConfigurationError:
        return warned("not known while the database does not answer", "Mend the database first.")
    with examined.store.reading() as connection:
        ours = ledger_id(connection)
    if ours != named:
        return failed(f"{LEDGER_FILE} names the ledger {named}, this one is {ours}", mend)
    return passed(f"this is the ledger that {LEDGER_FILE} names")


def transport(examined: Examined) -> Finding:
    """The mail server answers up to the login; no message is begun. An account of SendGrid has checks of its own."""
    settings = examined.settings
    if settings.transport is TransportName.OUTBOX:
        return passed("outbox: every mail becomes a file in var/outbox/, nothing leaves this machine")
    if settings.transport is TransportName.SENDGRID:
        found = _unreachable(examined, "Is MLGROUP_SENDGRID_URL right? Does a firewall stand between?")
        return found or passed(f"SendGrid answers{_rates(settings.sendgrid_per_minute, settings.sendgrid_per_day)}")
    found = _unreachable(examined, "Are MLGROUP_SMTP_HOST and MLGROUP_SMTP_PORT right? Does a firewall stand between?")
    if found:
        return found
    login = "no login set"
    if settings.smtp_user:
        login = "login by OAuth accepted" if settings.smtp_oauth_client_id else "login accepted"
    answer = f"{settings.smtp_host}:{settings.smtp_port} answers, TLS {settings.smtp_tls}, {login}{_limits(settings)}"
    if settings.smtp_tls is Tls.NONE and settings.smtp_host not in _LOCAL:
        return warned(
            f"{answer}: mail crosses the network in the open", "Set MLGROUP_SMTP_TLS to starttls or implicit."
        )
    return passed(answer)


def _unreachable(examined: Examined, mend: str) -> Finding | None:
    """Why there is no connection to the mail server or the provider; None where there is one."""
    settings = examined.settings
    patience = {name: min(getattr(settings, name), _PATIENCE) for name in ("smtp_timeout", "sendgrid_timeout")}
    server = make_transport(settings.model_copy(update=patience), outbox=examined.project.state / "outbox")
    try:
        server.open()
    except TransportError as error:
        if not error.temporary:
            raise
        return failed(Finding.of(error.problem).detail, mend)
    finally:
        server.close()
    return None


def _limits(settings: Settings) -> str:
    """What is kept to, as far as it is more than one connection without a limit."""
    number = settings.connections
    connections = f"; {number} connections at most" if number > 1 else ""
    return connections + _rates(settings.messages_per_minute, settings.messages_per_day, also=bool(connections))


def _rates(per_minute: int | None, per_day: int | None, *, also: bool = False) -> str:
    parts = [f"{rate:,} messages a {unit}" for rate, unit in ((per_minute, "minute"), (per_day, "day")) if rate]
    return f"{',' if also else ';'} {', '.join(parts)}" if parts else ""


def allow_list(examined: Examined) -> Finding:
    """Who may be written to."""
    settings = examined.settings
    if settings.environment is Environment.PRODUCTION:
        return passed("production: everybody on the list may be written to")
    if settings.transport is TransportName.OUTBOX:
        return passed("not asked while the transport is the outbox")
    mend = "MLGROUP_ALLOWED_DOMAINS names the domains for a trial; MLGROUP_ENVIRONMENT=production lifts the list."
    if settings.allowed_domains == RESERVED_DOMAINS:
        return warned("only example domains are written to: nobody real", mend)
    return warned(f"only {', '.join(settings.allowed_domains)} and the domains below are written to", mend)


def clock(examined: Examined) -> Finding:
    """The time is later than that of the files here, and is not held still."""
    now = examined.now.astimezone(UTC)
    if examined.settings.now:
        return warned(f"MLGROUP_NOW holds the time at {examined.settings.now.isoformat()}", "Unset it for real mail.")
    path = examined.project.root / PROJECT_FILE
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    if written > now + timedelta(hours=1):
        return failed(
            f"it is {now:%Y-%m-%d %H:%M} UTC here, and {PROJECT_FILE} is from {written:%Y-%m-%d %H:%M}: the clock is "
            "slow",
            "Set the machine's clock, best by a time service.",
        )
    return passed(f"{now:%Y-%m-%d %H:%M} UTC; the group's time zone is {examined.project.group.timezone}")


def schedules(examined: Examined) -> Finding:  # noqa: ARG001 (every check takes what is examined)
    """A Prefect server answers, if one is named. Prefect itself is not loaded for that."""
    url = os.environ.get("PREFECT_API_URL") or _url_of_profile()
    if not url:
        return warned(
            "no Prefect server is named: mailings go when somebody runs `send --live` or `dispatch --live`",
            "For schedules set PREFECT_API_URL; README.md shows server, worker and deployment.",
        )
    mend = "Is the server running (prefect server start), and PREFECT_API_URL right? It ends in /api."
    address = _web_address(url)
    if address is None:
        return failed("PREFECT_API_URL is not a web address", mend)
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=_PATIENCE) as answer:  # noqa: S310 (http or https)
            answer.read(1000)
    except urllib.error.HTTPError as error:
        error.close()
        return failed(f"{address} answers {error.code}", mend)
    except urllib.error.URLError as error:
        return failed(f"{address} does not answer: {error.reason}", mend)
    except (OSError, http.client.HTTPException) as error:
        return failed(f"{address} does not answer: {type(error).__name__}", mend)
    return passed(f"the Prefect server at {address} answers")


def _url_of_profile() -> str | None:
    """The server of Prefect's active profile; None where there is none."""
    home = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect")
    path = Path(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml")
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    active = os.environ.get("PREFECT_PROFILE") or found.get("active")
    url = found.get("profiles", {}).get(active, {}).get("PREFECT_API_URL")
    return str(url) if url else None


def _web_address(url: str) -> str | None:
    """The URL without a login and a slash at its end, ready to be asked and shown; None where it is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")


def _place(examined: Examined) -> str:
    """The database, for people; a server's URL may hold a password."""
    if file := examined.database_file:
        root = examined.project.root
        return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)
    url = examined.store.engine.url
    return f"{url.get_backend_name()} at {url.host or 'this machine'}, {url.database}"
