"""Who gets a mailing: recipients, and exclusions each with its gravest reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail import addresses
from mlgroup_mail.contacts.audience import figures, missing_values, split_audience
from mlgroup_mail.contacts.config import ContactsConfig
from mlgroup_mail.contacts.segments import segment_for
from mlgroup_mail.model import Audience, Contact, ExclusionReason, MailingRef

CONFIG = ContactsConfig.model_validate({"source": [{"name": "members", "path": "x.csv"}]})
EVERYBODY = segment_for(CONFIG, {})


def person(number: int, **fields: object) -> Contact:
    return Contact(**{"contact_id": number, "address": f"p{number}@example.org", **fields})  # type: ignore[arg-type]


def split(*contacts: Contact, **parts: object) -> Audience:
    usual: dict[str, object] = {
        "segment": EVERYBODY,
        "topic": "newsletter",
        "topic_default": True,
        "restrictions": {},
        "allowed_domains": None,
    }
    return split_audience(contacts, **{**usual, **parts})  # type: ignore[arg-type]


def reasons(audience: Audience) -> dict[int, ExclusionReason]:
    return {exclusion.contact.contact_id: exclusion.reason for exclusion in audience.exclusions}


def test_only_the_segment_is_in_the_audience() -> None:
    audience = split(person(1, status="lead"), person(2), segment=segment_for(CONFIG, {"status": "lead"}))
    assert [contact.contact_id for contact in audience.recipients] == [1]
    assert audience.exclusions == ()


@pytest.mark.parametrize(
    ("chosen", "default", "gets"),
    [
        ((), True, True),
        ((), False, False),
        (("newsletter", "calls"), True, True),
        (("newsletter",), False, True),
        (("calls",), True, False),
    ],
)
def test_filled_topics_mean_exactly_these_and_empty_ones_the_default(
    chosen: tuple[str, ...], default: bool, gets: bool
) -> None:
    audience = split(person(1, topics=chosen), topic_default=default)
    assert (len(audience.recipients) == 1) is gets
    assert reasons(audience) == ({} if gets else {1: ExclusionReason.NOT_SUBSCRIBED})


def test_each_restriction_excludes_with_its_reason() -> None:
    restrictions = dict(enumerate(ExclusionReason, start=1))
    contacts = [person(number) for number in restrictions]
    audience = split(*contacts, person(99), restrictions=restrictions)
    assert reasons(audience) == restrictions
    assert [contact.contact_id for contact in audience.recipients] == [99]


def test_an_opt_out_holds_for_the_mailbox() -> None:
    """Two people of the list share a mailbox; one opted out, so nothing goes there, whoever comes first."""
    shared = [person(1, address="office@example.org"), person(2, address="Office@example.org")]
    audience = split(*shared, restrictions={2: ExclusionReason.OPTED_OUT})
    assert reasons(audience) == {1: ExclusionReason.OPTED_OUT, 2: ExclusionReason.OPTED_OUT}


def test_a_mailbox_gets_one_copy() -> None:
    audience = split(person(1, address="office@example.org"), person(2, address="OFFICE@example.org"), person(3))
    assert reasons(audience) == {2: ExclusionReason.DUPLICATE}


def test_a_mailbox_of_somebody_who_chose_otherwise_is_no_duplicate() -> None:
    first = person(1, address="office@example.org", topics=("calls",))
    audience = split(first, person(2, address="office@example.org"))
    assert reasons(audience) == {1: ExclusionReason.NOT_SUBSCRIBED}
    assert [contact.contact_id for contact in audience.recipients] == [2]


def test_outside_production_only_allowed_domains_and_theirs_are_written_to() -> None:
    contacts = [
        person(1, address="a@example.org"),
        person(2, address="a@stats.example.org"),
        person(3, address="a@notexample.org"),
        person(4, address="a@example.net"),
    ]
    assert reasons(split(*contacts, allowed_domains=("Example.ORG",))) == {
        3: ExclusionReason.NOT_ALLOWED,
        4: ExclusionReason.NOT_ALLOWED,
    }
    assert len(split(*contacts, allowed_domains=()).recipients) == 0


def test_a_mailbox_of_an_earlier_chunk_is_not_written_to_again() -> None:
    mailboxes: set[str] = set()
    split(person(1, address="office@example.org"), person(2, topics=("calls",)), mailboxes=mailboxes)
    assert mailboxes == {"office@example.org"}
    later = split(person(3, address="Office@example.org"), person(4, address="p2@example.org"), mailboxes=mailboxes)
    assert reasons(later) == {3: ExclusionReason.DUPLICATE}
    assert [contact.contact_id for contact in later.recipients] == [4]


def test_whom_another_mailing_was_accepted_for_is_asked_of_the_answers() -> None:
    correction = segment_for(CONFIG, "accepted:letter/issue")
    answers = {MailingRef("letter", "issue"): {1, 3}}
    audience = split(person(1), person(2), person(3, topics=("calls",)), segment=correction, answers=answers)
    assert [contact.contact_id for contact in audience.recipients] == [1]
    assert reasons(audience) == {3: ExclusionReason.NOT_SUBSCRIBED}


def test_what_the_person_asked_for_is_named_before_our_own_limits() -> None:
    contact = person(1, topics=("calls",))
    both = {"allowed_domains": (), "restrictions": {1: ExclusionReason.OPTED_OUT}}
    assert reasons(split(contact, **both)) == {1: ExclusionReason.OPTED_OUT}
    assert reasons(split(contact, allowed_domains=())) == {1: ExclusionReason.NOT_SUBSCRIBED}


PEOPLE = st.lists(
    st.builds(
        Contact,
        address=st.sampled_from(["a@example.org", "A@example.org", "b@example.org", "c@other.example"]),
        status=st.sampled_from(["member", "left"]),
        topics=st.sampled_from([(), ("newsletter",), ("calls",)]),
    ),
    max_size=8,
).map(lambda people: [person(n, address=p.address, status=p.status, topics=p.topics) for n, p in enumerate(people)])


@given(PEOPLE, st.dictionaries(st.integers(0, 7), st.sampled_from(ExclusionReason)), st.booleans())
def test_nobody_is_lost_or_written_to_twice(
    people: list[Contact], restrictions: dict[int, ExclusionReason], default: bool
) -> None:
    members = segment_for(CONFIG, {"status": "member"})
    audience = split(*people, segment=members, restrictions=restrictions, topic_default=default)
    everybody = [*audience.recipients, *(exclusion.contact for exclusion in audience.exclusions)]
    assert sorted(each.contact_id for each in everybody) == [p.contact_id for p in people if p.status == "member"]
    mailboxes = [addresses.key(contact.address) for contact in audience.recipients]
    assert len(mailboxes) == len(set(mailboxes))
    assert not {contact.contact_id for contact in audience.recipients} & restrictions.keys()


def test_figures_count_members_and_their_countries() -> None:
    contacts = [
        person(1, country="FR"),
        person(2, country="FR", status="lead"),
        person(3, country="BE"),
        person(4),
        person(5, country="NO", status="board"),
        person(6, country="SE", status="left"),
    ]
    assert figures(contacts) == {"members": 4, "countries": 2}


def test_what_is_missing_is_counted_by_field() -> None:
    contacts = [person(1), person(2, name="Anna"), person(3, name="Ben", first_name="Ben", organisation="Office")]
    assert missing_values(contacts) == {"name": 1, "first_name": 2, "organisation": 2}
