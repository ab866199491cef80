"""A fake SendGrid on loopback: refuses what the real one refuses, fails when told to, and knows the truth.

    with fake_sendgrid() as sendgrid:
        ...                         # MLGROUP_SENDGRID_URL = sendgrid.url, MLGROUP_SENDGRID_API_KEY = sendgrid.key
        assert [each.address for each in sendgrid.accepted] == ["ana@office.example"]

As a process: `python -m mlgroup_mail.testing.sendgrid --port 8025`. docs/testing.md is for whoever uses it.
"""

from mlgroup_mail.testing.sendgrid.fake import Checking, FakeSendGrid, fake_sendgrid
from mlgroup_mail.testing.sendgrid.faults import Fault, Trouble
from mlgroup_mail.testing.sendgrid.truth import Accepted

__all__ = ["Accepted", "Checking", "FakeSendGrid", "Fault", "Trouble", "fake_sendgrid"]
