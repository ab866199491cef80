"""A fake and a client of it for each test."""

from collections.abc import Iterator

import pytest

from mlgroup_mail.testing.sendgrid import FakeSendGrid, fake_sendgrid
from tests.testing.sendgrid.raw import Client


@pytest.fixture
def fake() -> Iterator[FakeSendGrid]:
    with fake_sendgrid(keep_content=True) as running:
        yield running


@pytest.fixture
def client(fake: FakeSendGrid) -> Iterator[Client]:
    connected = Client(fake)
    yield connected
    connected.close()
