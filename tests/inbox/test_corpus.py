"""The corpus of replies is whole: its form, its sizes, the shares of its ends, and nobody real in it."""

import re
from collections import Counter
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.inbox.corpus import DECISIONS, FOLDER, PARTS, CorpusError, CorpusMessage, read_corpus, read_file

CORPUS = read_corpus()
LANGUAGES = sorted({message.language for message in CORPUS})
ALL = pytest.mark.parametrize("language", LANGUAGES)

SMALLEST = {"open": 20, "kept": 10}
# Of a language's messages: the least and the most that may have this end.
SHARES = {
    "opt_out": (0.28, 0.48),
    "opt_out_topic": (0.06, 0.16),
    "join": (0.02, 0.10),
    "auto_reply": (0.04, 0.14),
    "bounce": (0.01, 0.10),
    "review": (0.14, 0.30),
    "other": (0.16, 0.34),
}

RESERVED = re.compile(r"(?:^|\.)(?:example\.(?:org|com)|example|test|invalid)$", re.IGNORECASE)
# What stands where only a host can stand: after an @, in a link, in the trace and in a delivery report.
HOST = r"((?:[\w-]+\.)*[\w-]*[^\W\d_][\w-]*)"
IN_TEXT = re.compile(rf"(?:@|://|\bwww\.){HOST}")
IN_TRACE = re.compile(rf"(?:^Received: (?:from|by) |^\s+by |\bdns; ?){HOST}|\b{HOST}(?=\[\d)", re.M)
BY_ITS_END = re.compile(r"\b((?:[a-z0-9-]+\.)+(?:com|net|org|eu|int|gov))\b")
IN_RAW = (IN_TEXT, IN_TRACE, BY_ITS_END)


def hosts(text: str, *patterns: re.Pattern[str]) -> set[str]:
    return {next(filter(None, found.groups())) for pattern in patterns for found in pattern.finditer(text)}


def written(message: CorpusMessage) -> str:
    return "\n".join((message.subject, message.quote_head, message.text, *message.headers.values()))


def parsed(message: CorpusMessage) -> EmailMessage:
    return message_from_bytes(message.raw.lstrip("\n").encode(), policy=policy.default)


def unwrapped(message: CorpusMessage) -> str:
    """A whole mail as it stands, without quoted-printable's soft line breaks, and once more with its bodies decoded."""
    bodies = [part.get_content() for part in parsed(message).walk() if part.get_content_maintype() == "text"]
    return "\n".join((message.raw.replace("=\n", ""), *bodies))


def test_every_id_is_there_once_and_names_its_language() -> None:
    twice = [id_ for id_, times in Counter(message.id for message in CORPUS).items() if times > 1]
    assert twice == []
    assert [message.id for message in CORPUS if not message.id.startswith(f"{message.language}-")] == []


def test_no_message_is_written_twice() -> None:
    said = Counter((message.subject, " ".join(message.text.split()), message.raw) for message in CORPUS)
    assert [key for key, times in said.items() if times > 1] == []


def test_only_the_two_parts_hold_messages() -> None:
    assert {path.parent.name for path in FOLDER.rglob("*.toml")} <= set(PARTS)
    assert {path.parent.parent for path in FOLDER.rglob("*.toml")} == {FOLDER}


@ALL
@pytest.mark.parametrize("part", PARTS)
def test_each_language_has_enough_messages_in_both_parts(language: str, part: str) -> None:
    counted = sum(message.language == language and message.part == part for message in CORPUS)
    assert counted >= SMALLEST[part]


@ALL
def test_each_language_has_its_share_of_every_end(language: str) -> None:
    ends = [message.decision for message in CORPUS if message.language == language]
    shares = {end: ends.count(end) / len(ends) for end in SHARES}
    assert {end: share for end, share in shares.items() if not SHARES[end][0] <= share <= SHARES[end][1]} == {}


@ALL
def test_what_is_kept_back_tests_the_wish_its_doubt_and_its_absence(language: str) -> None:
    kept = Counter(message.decision for message in CORPUS if message.language == language and message.part == "kept")
    assert kept["opt_out"] >= 3
    assert kept["review"] >= 1
    assert kept["other"] >= 1


def test_every_end_is_in_the_corpus() -> None:
    assert {message.decision for message in CORPUS} == DECISIONS


def test_whole_mails_are_mails() -> None:
    for message in CORPUS:
        if message.raw:
            mail = parsed(message)
            assert [defect for part in mail.walk() for defect in part.defects] == [], message.id
            assert mail["From"] is not None, message.id
            assert mail.get_content_maintype() in {"text", "multipart"}, message.id


def test_nobody_real_is_named() -> None:
    """Only hosts that are reserved for examples (RFC 2606, RFC 6761)."""
    for message in CORPUS:
        named = hosts(written(message), IN_TEXT) | hosts(unwrapped(message), *IN_RAW)
        assert {host for host in named if not RESERVED.search(host)} == set(), message.id


@pytest.mark.parametrize(
    "text",
    [
        "a@office.example.net",
        "see https://group.org/x",
        "www.office.de",
        "Received: from mx.office.fr (",
        "\tby mx.office.fr",
        "host mx.office.fr[192.0.2.1] said",
        "Reporting-MTA: dns; mx.office.fr",
        "Ask mail.eu.",
    ],
)
def test_a_real_host_would_be_seen(text: str) -> None:
    assert {host for host in hosts(text, *IN_RAW) if not RESERVED.search(host)} != set()


GOOD = """
[[message]]
id = "en-1"
decision = "other"
note = "a word of thanks"
subject = "Re: news"
text = "Thank you!"
"""


def test_a_message_as_agreed_is_read(tmp_path: Path) -> None:
    (message,) = read_file(corpus_file(tmp_path, GOOD))
    assert (message.part, message.language, message.sender, message.ends) == ("open", "en", "member", {"other"})


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ('id = "en-1"', "", '"id" is missing'),
        ('id = "en-1"', "id = 1", '"id" is not text'),
        ('id = "en-1"', 'id = "en-1"\nmood = "good"', 'unknown key "mood"'),
        ('"other"', '"remove"', '"decision" is "remove"'),
        ('"other"', '"opt_out_topic"', '"topics" belong'),
        ('"other"', '"opt_out"\ntopics = ["calls"]', '"topics" belong'),
        ('"other"', '"opt_out_topic"\ntopics = ["parties"]', '"topics" is "parties"'),
        ('"other"', '"bounce"', '"kind" belongs'),
        ('"other"', '"other"\nkind = "hard"', '"kind" belongs'),
        ('"other"', '"other"\nalso = ["other"]', '"also" repeats'),
        ('"other"', '"other"\nalso = "review"', '"also" is not a list'),
        ('"other"', '"other"\nfrom = "friend"', '"from" is "friend"'),
        ('"other"', '"other"\nquote = "eudora"', '"quote" is "eudora"'),
        ('"other"', '"other"\nquote_head = "On Monday"', "over no quote"),
        ('"other"', '"other"\nformat = "rtf"', '"format" is "rtf"'),
        ('"other"', '"other"\nheaders = { Precedence = 1 }', '"headers" is not'),
        ('text = "Thank you!"', "", 'either "text" or "raw"'),
        ('text = "Thank you!"', 'text = "Thank you!"\nraw = "From: a@b.example"', 'either "text" or "raw"'),
        ('subject = "Re: news"', "", '"subject" is missing'),
        ("[[message]]", "[[letter]]", "only [[message]]"),
        ('text = "Thank you!"', 'text = "Thank you!', "line"),
    ],
)
def test_what_is_not_as_agreed_is_an_error_that_says_where(tmp_path: Path, line: str, instead: str, said: str) -> None:
    path = corpus_file(tmp_path, GOOD.replace(line, instead))
    with pytest.raises(CorpusError, match=re.escape(said)) as raised:
        read_file(path)
    assert str(path) in str(raised.value)


def corpus_file(folder: Path, text: str) -> Path:
    path = folder / "open" / "en.toml"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    return path
