"""Lists on remote stores, by paths such as `s3://bucket/members.xlsx`: fetched through fsspec, then read as files."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from mlgroup_mail.contacts.sources.limits import LARGEST_FILE, too_much
from mlgroup_mail.errors import ContactSourceError

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_CHUNK = 1 << 20
_EXTRA = 'pip install "mlgroup-mail[remote]"'


def is_remote(where: str | Path) -> bool:
    """Whether this names an object on a store rather than a file."""
    return isinstance(where, str) and _SCHEME.match(where) is not None


def shown(url: str) -> str:
    """A remote path as it may be shown: without a key before the host, and without its query, which may be signed."""
    parts = urlsplit(url)
    before, _, host = parts.netloc.rpartition("@")
    # "container@account" of Azure is no secret.
    return parts._replace(netloc=host if ":" in before else parts.netloc, query="", fragment="").geturl()


@contextmanager
def local_copy(url: str) -> Iterator[Path]:
    """A copy of a remote file, of the same suffix; it goes when the context ends.

    Credentials and endpoints come from where the store's own programs take them (for S3: `AWS_...`). Raises
    ContactSourceError where the file cannot be fetched or is far too large; errors inside name the remote path.
    """
    suffix = PurePosixPath(urlsplit(url).path).suffix
    with tempfile.TemporaryDirectory(prefix="mlgroup-mail-") as folder:
        path = Path(folder) / f"list{suffix}"
        _fetch(url, path)
        try:
            yield path
        except ContactSourceError as error:
            problem = error.problem
            where = problem.where.replace(str(path), shown(url))
            raise ContactSourceError(problem.message, where=where, mend=problem.mend) from None


def _fetch(url: str, path: Path) -> None:
    where = shown(url)
    try:
        import fsspec

        # Never an instance from before: it would know old credentials, and what lay there then.
        with fsspec.open(url, "rb", skip_instance_cache=True) as source, path.open("wb") as copy:
            size = 0
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if size > LARGEST_FILE:
                    raise too_much(f"the file has more than {LARGEST_FILE // 1_000_000:,} MB", where=where)
                copy.write(chunk)
    except ContactSourceError:
        raise
    except ImportError as error:
        raise ContactSourceError(
            f"reading from this store needs a package that is not installed ({error.name or 'fsspec'})",
            where=where,
            mend=f"Install it: {_EXTRA}",
        ) from None
    except FileNotFoundError:
        raise ContactSourceError("this file is missing", where=where, mend="Check “path”, or put it there.") from None
    except PermissionError:
        raise ContactSourceError(
            "the store refuses to give this file", where=where, mend="Check the credentials, and what they may read."
        ) from None
    except ValueError as error:
        if "Protocol not known" not in str(error):
            raise _unreachable(error, where) from None
        raise ContactSourceError(
            f"stores of the kind “{urlsplit(url).scheme}” are not known",
            where=where,
            mend="Known are s3, abfs, gcs, https and others of fsspec.",
        ) from None
    except Exception as error:
        # Each store has exceptions of its own. Their texts may hold keys and signed addresses: the kind is enough.
        raise _unreachable(error, where) from None


def _unreachable(error: Exception, where: str) -> ContactSourceError:
    return ContactSourceError(
        f"this file cannot be fetched ({type(error).__name__})",
        where=where,
        mend="Check the network, the credentials of the store, and its endpoint.",
    )
