"""Lists on remote stores: fetched over a store's own interface, then read as any file."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import fsspec
import pytest
from fsspec.registry import _registry as known_stores
from moto.server import ThreadedMotoServer

from mlgroup_mail.contacts.sources import limits, remote
from mlgroup_mail.contacts.sources.tables import read_configured, read_source
from mlgroup_mail.errors import ContactSourceError
from tests.contacts.files import csv_file, ods_file, source, xlsx_file

PEOPLE = [["Email", "Name"], ["zoe@example.org", "Zoë"], ["ben@example.org", "Ben"]]


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    """A real S3 interface on loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> "boto3.resources.base.ServiceResource":
    """A bucket, with the credentials and the endpoint where AWS's own programs look for them."""
    for name, value in {
        "AWS_ENDPOINT_URL": s3_endpoint,
        "AWS_ACCESS_KEY_ID": "reader",
        "AWS_SECRET_ACCESS_KEY": "hunter2-secret",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)
    found = boto3.resource("s3").Bucket("group")
    found.create(CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield found
    found.objects.all().delete()
    found.delete()


def test_each_kind_of_file_is_read_from_s3(bucket: "boto3.resources.base.ServiceResource", tmp_path: Path) -> None:
    files = [
        csv_file(tmp_path / "list.csv", PEOPLE, delimiter=";", encoding="cp1252"),
        xlsx_file(tmp_path / "list.xlsx", Members=PEOPLE),
        ods_file(tmp_path / "list.ods", Members=PEOPLE),
    ]
    for path in files:
        bucket.upload_file(str(path), f"lists/{path.name}")
        table = read_configured(source(path=f"s3://group/lists/{path.name}"), tmp_path)
        assert table.frame["name"].tolist() == ["Zoë", "Ben"]


def test_an_object_that_is_not_there_is_named(bucket: "boto3.resources.base.ServiceResource") -> None:
    with pytest.raises(ContactSourceError, match="this file is missing") as caught:
        read_source("s3://group/gone.csv", source())
    assert caught.value.problem.where == "s3://group/gone.csv"


def test_a_store_that_does_not_answer_ends_in_one_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "reader")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2-secret")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(ContactSourceError, match="cannot be fetched") as caught:
        read_source("s3://group/list.csv", source())
    assert "hunter2" not in str(caught.value)


def test_without_credentials_the_error_says_so(
    s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ContactSourceError, match="credentials"):
        read_source("s3://group/list.csv", source())


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    """fsspec's store in memory."""
    store = fsspec.filesystem("memory")
    yield store
    store.store.clear()


def test_any_store_of_fsspec_serves(memory: fsspec.AbstractFileSystem) -> None:
    memory.pipe("/lists/members.csv", b"Email,Name\na@example.org,Anna\n")
    assert read_source("memory://lists/members.csv", source()).frame["name"].tolist() == ["Anna"]


def test_an_error_in_the_file_names_the_remote_path(memory: fsspec.AbstractFileSystem) -> None:
    memory.pipe("/lists/members.xlsx", b"Email,Name\n")
    with pytest.raises(ContactSourceError, match="this is not an Excel workbook") as caught:
        read_source("memory://lists/members.xlsx", source())
    assert caught.value.problem.where == "memory://lists/members.xlsx"


def test_a_remote_file_without_end_is_refused(
    memory: fsspec.AbstractFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "LARGEST_FILE", 3_000_000)
    memory.pipe("/members.csv", b"Email,Name\n" + b"a@example.org,Anna\n" * 200_000)
    with pytest.raises(ContactSourceError, match="far more than a list of contacts has"):
        read_source("memory://members.csv", source())
    assert limits.LARGEST_FILE < 10**9


def test_a_kind_of_store_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ContactSourceError, match="stores of the kind “nosuch” are not known"):
        read_source("nosuch://bucket/list.csv", source())


def test_without_the_extra_the_error_tells_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The modules are made unimportable, as they are where the extra was not installed."""
    for missing in ("s3fs", "fsspec"):
        monkeypatch.setitem(sys.modules, missing, None)
        # fsspec remembers the stores that it has met.
        monkeypatch.delitem(known_stores, "s3", raising=False)
        with pytest.raises(ContactSourceError) as caught:
            read_source("s3://group/list.csv", source())
        assert 'pip install "mlgroup-mail[remote]"' in caught.value.problem.mend


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://bucket/list.csv", "s3://bucket/list.csv"),
        ("https://key:secret@host.example/list.csv?sig=secret#x", "https://host.example/list.csv"),
        (
            "abfs://container@account.dfs.core.windows.net/list.csv",
            "abfs://container@account.dfs.core.windows.net/list.csv",
        ),
    ],
)
def test_keys_in_a_path_are_not_shown(url: str, shown: str) -> None:
    assert remote.shown(url) == shown


def test_a_windows_path_is_no_remote_one() -> None:
    assert not remote.is_remote(r"C:\lists\members.csv")
    assert not remote.is_remote(Path("s3:/bucket"))
    assert remote.is_remote("s3://bucket/members.csv")
