"""Countries and domains in a report: the largest by themselves, the rest as one, and nobody lost."""

from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.model import DeliveryState
from mlgroup_mail.reporting.report.groups import SHOWN, Group, Grouped, grouped
from mlgroup_mail.store.outcome_counts import Share

shares = st.lists(
    st.builds(
        Share,
        group=st.text(max_size=3),
        state=st.sampled_from(DeliveryState),
        number=st.integers(min_value=1, max_value=10**6),
        put_off=st.integers(min_value=0, max_value=9),
    ),
    max_size=60,
    unique_by=lambda share: (share.group, share.state),
)


@given(shares)
def test_every_recipient_is_in_one_group(found: list[Share]) -> None:
    result = grouped(found, unknown="nobody knows")
    recipients = [share for share in found if share.state is not DeliveryState.EXCLUDED]
    assert sum(group.recipients for group in result.groups) == sum(share.number for share in recipients)
    assert sum(group.put_off for group in result.groups) == sum(share.put_off for share in recipients)
    for state in DeliveryState:
        expected = sum(share.number for share in recipients if share.state is state)
        assert sum(group.counts[state] for group in result.groups) == expected
    assert len(result.groups) <= SHOWN + 1


@given(shares)
def test_the_largest_come_first_and_the_rest_last(found: list[Share]) -> None:
    result = grouped(found, unknown="nobody knows")
    shown = [group.recipients for group in result.groups[: SHOWN if result.others else None]]
    assert shown == sorted(shown, reverse=True)
    if result.others:
        assert result.groups[-1].name == f"{result.others} others"
        assert len(result.groups) == SHOWN + 1


def test_nobody_makes_no_group() -> None:
    excluded = Share(group="FR", state=DeliveryState.EXCLUDED, number=3, put_off=0)
    assert grouped([excluded], unknown="?") == Grouped()


def test_what_nobody_knows_has_a_name() -> None:
    share = Share(group="", state=DeliveryState.ACCEPTED, number=3, put_off=0)
    assert [group.name for group in grouped([share], unknown="no country known").groups] == ["no country known"]


def test_a_share_of_few_among_many_is_not_none() -> None:
    group = Group(name="x", recipients=1_000_000, counts={}, put_off=0)
    shares = [group.share(number) for number in (0, 1, 15_000, 45_678, 999_000)]
    assert shares == ["0 %", "<0.1 %", "1.5 %", "4.6 %", "100 %"]
