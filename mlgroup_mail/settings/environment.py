"""The settings of section 5: environment, `NAME_FILE`, `.env`, and `[settings]` of `mlgroup.toml`, in this order."""

import difflib
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from mlgroup_mail.errors import ConfigurationError

PREFIX = "MLGROUP_"


class TransportName(StrEnum):
    """How messages leave."""

    OUTBOX = "outbox"
    """They do not: each becomes a file."""
    SMTP = "smtp"
    """To a mail server."""
    SENDGRID = "sendgrid"
    """To SendGrid's interface."""


class Tls(StrEnum):
    """How the connection to the mail server is protected."""

    NONE = "none"
    """It is not: only for a relay on the same machine."""
    STARTTLS = "starttls"
    """It begins in the open and must be protected before anything else is said."""
    IMPLICIT = "implicit"
    """It is protected from the first byte."""


class Environment(StrEnum):
    """Where this runs."""

    DEVELOPMENT = "development"
    """Only allowed domains are written to."""
    PRODUCTION = "production"
    """Everybody may be."""


class SmtpProfile(StrEnum):
    """Limits that a known mail service sets."""

    EXCHANGE_ONLINE = "exchange-online"
    """Under 30 messages a minute."""

    @property
    def messages_per_minute(self) -> int:
        """The rate that the service allows (Exchange Online limits, "Message rate limit")."""
        return 29


RESERVED_DOMAINS = ("example.org", "example.com", "example.net", "example", "test", "invalid", "localhost")
"""Domains that can never be anybody's (RFC 2606): all that is written to until somebody says otherwise."""

Words = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """Every setting, each under its name in capitals with MLGROUP_ before it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)

    database_url: SecretStr | None = None
    transport: TransportName = TransportName.OUTBOX
    environment: Environment = Environment.DEVELOPMENT
    allowed_domains: Words = RESERVED_DOMAINS
    public_url: str | None = Field(
        default=None, max_length=200, pattern=r"^https?://[A-Za-z0-9._:\[\]-]+(/[A-Za-z0-9._~/-]*)?$"
    )
    secret_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    erasure_key: SecretStr | None = None
    batch_size: int = Field(default=500, ge=1, le=100_000)
    now: AwareDatetime | None = None

    smtp_host: str = "localhost"
    smtp_port: int = Field(default=25, ge=1, le=65535)
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_tls: Tls = Tls.STARTTLS
    smtp_ca_file: Path | None = None
    smtp_per_minute: int | None = Field(default=None, ge=1)
    smtp_profile: SmtpProfile | None = None
    smtp_timeout: float = Field(default=60.0, gt=0)
    smtp_answer_timeout: float = Field(default=600.0, gt=0)

    @property
    def messages_per_minute(self) -> int | None:
        """The rate to keep to: the smaller of what is set and what the profile allows; None for no limit."""
        profile = self.smtp_profile.messages_per_minute if self.smtp_profile else None
        return min((rate for rate in (self.smtp_per_minute, profile) if rate), default=None)

    @field_validator("allowed_domains", "secret_keys", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        """Several values stand apart by commas or blanks."""
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("secret_keys")
    @classmethod
    def _long_enough(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(key.get_secret_value()) < 32 for key in value):
            raise ValueError("each key needs at least 32 characters")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment, then files named by the environment, then `.env`, then what `mlgroup.toml` gave."""
        return (env_settings, _NamedFiles(settings_cls), dotenv_settings, init_settings)


class _NamedFiles(PydanticBaseSettingsSource):
    """`MLGROUP_SMTP_PASSWORD_FILE=/run/secrets/smtp` gives smtp_password, as container platforms hand out secrets."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        name = f"{PREFIX}{field_name.upper()}_FILE"
        path = os.environ.get(name)
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path} cannot be read: {error}", where=name) from None

    def __call__(self) -> dict[str, Any]:
        values = {}
        for name, field in self.settings_cls.model_fields.items():
            value, key, _ = self.get_field_value(field, name)
            if value is not None:
                values[key] = value
        return values


def read_settings(root: Path, table: Mapping[str, Any]) -> Settings:
    """Read every setting once for the project at `root`; `table` is `[settings]` of its `mlgroup.toml`.

    Raises ConfigurationError naming the place, the key and the mend. Values of secrets are never shown.
    """
    values = {key.removeprefix(PREFIX).lower(): value for key, value in table.items()}
    for key in values.keys() - Settings.model_fields.keys():
        near = difflib.get_close_matches(key, Settings.model_fields, n=1)
        raise ConfigurationError(
            f"the key “{key}” is not known here",
            where=f"{root / 'mlgroup.toml'}, [settings]",
            mend=f"Did you mean “{near[0]}”?" if near else "See docs/settings.md for all of them.",
        )
    try:
        return Settings(_env_file=root / ".env", **values)
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + "_".join(str(part) for part in first["loc"] if isinstance(part, str)).upper()
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(
            f"{name}: {message[:1].lower()}{message[1:]}",
            where="settings",
            mend=f"Set it in the environment, in {root / '.env'}, or as “{name.removeprefix(PREFIX).lower()}” "
            f"under [settings] of {root / 'mlgroup.toml'}.",
        ) from None
