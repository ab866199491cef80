"""The truth can be relied on: what was accepted is on disk before anybody is told, and nothing else is."""

import smtplib
from pathlib import Path

import pytest

from tests.chaos.sink import Fault, Trouble, TruthSink, truth_sink

MESSAGE = (
    b"Message-ID: <7.0123456789abcdef@example.org>\r\n"
    b"List-Unsubscribe:\r\n <mailto:leave@example.org?subject=opt%20out%20abc>\r\n"
    b"\r\nThere is news.\r\n"
)


def _send(sink: TruthSink) -> None:
    with smtplib.SMTP("127.0.0.1", sink.port, timeout=10) as smtp:
        smtp.sendmail("news@example.org", ["reader@office.example"], MESSAGE)


def test_what_is_accepted_is_written_down_with_what_tells_it_from_others(tmp_path: Path) -> None:
    with truth_sink(tmp_path) as sink:
        _send(sink)
        (arrival,) = sink.arrivals()
    assert arrival.recipient == "reader@office.example"
    assert arrival.message_id == "<7.0123456789abcdef@example.org>"
    assert arrival.unsubscribe.endswith("opt%20out%20abc")


@pytest.mark.parametrize(
    ("trouble", "arrives"),
    [
        (Trouble.CUTS, False),
        (Trouble.CUTS_AFTER, True),
        (Trouble.DIES, False),
        (Trouble.DIES_AFTER, True),
    ],
)
def test_without_an_answer_it_has_arrived_only_where_it_was_taken_first(
    tmp_path: Path, trouble: Trouble, arrives: bool
) -> None:
    with truth_sink(tmp_path) as sink:
        sink.faults.append(Fault(verb="dot", trouble=trouble))
        with pytest.raises((smtplib.SMTPException, ConnectionError)):
            _send(sink)
        assert bool(sink.arrivals()) is arrives
        assert sink.doubts == 1
        sink.mend()
        _send(sink)
        assert len(sink.arrivals()) == 1 + arrives


def test_who_is_refused_is_noted_and_has_not_got_it(tmp_path: Path) -> None:
    with truth_sink(tmp_path) as sink:
        sink.faults.append(Fault(verb="rcpt", trouble=Trouble.SAYS, answer="550 5.1.1 No such mailbox"))
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            _send(sink)
        assert sink.refused == {"reader@office.example"}
        assert sink.arrivals() == []
