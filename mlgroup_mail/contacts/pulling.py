"""Every source of `contacts.toml`, read and cleaned into one list."""

from datetime import datetime
from pathlib import Path

from mlgroup_mail.contacts.cleaning.cleaned import Cleaned, clean
from mlgroup_mail.contacts.config import ContactsConfig
from mlgroup_mail.contacts.sources.tables import read_configured
from mlgroup_mail.contacts.words.readings import Vocabulary
from mlgroup_mail.progress import Progress, silent


def read_all(
    config: ContactsConfig, folder: Path, vocabulary: Vocabulary, *, at: datetime, progress: Progress = silent
) -> Cleaned:
    """Read and clean all sources; earlier ones take precedence. `folder` is that of `contacts.toml`.

    `at` is the time of the opt-out signals. Raises ContactSourceError where a source cannot be used: then nothing of
    any source is returned, so that no half list is stored.
    """
    tables = [read_configured(source, folder) for source in config.source]
    return clean(tables, vocabulary, at=at, progress=progress)
