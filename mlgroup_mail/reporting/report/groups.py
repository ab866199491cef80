"""Deliveries by group (a country, a domain): the largest groups, and the rest as one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlgroup_mail.model import DeliveryState
from mlgroup_mail.store.outcome_counts import Share

if TYPE_CHECKING:
    from pandas import DataFrame

SHOWN = 15
"""So many groups stand for themselves."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """One group: how many are to get it (the excluded do not count), by state; how many were deferred at least once."""

    name: str
    recipients: int
    counts: dict[DeliveryState, int]
    put_off: int

    def share(self, number: int) -> str:
        """A part of the recipients as people read it: "4.5 %"; "<0.1 %" is not nobody."""
        if not number or not self.recipients:
            return "0 %"
        percent = 100 * number / self.recipients
        return "<0.1 %" if percent < 0.1 else f"{percent:.1f} %" if percent < 10 else f"{percent:.0f} %"


@dataclass(frozen=True, kw_only=True, slots=True)
class Grouped:
    """The largest groups in order, and last the `others` smaller ones as one group, where there are any."""

    groups: tuple[Group, ...] = ()
    others: int = 0

    def as_json(self, what: str) -> list[dict[str, Any]]:
        """For programs."""
        return [
            {what: group.name, "recipients": group.recipients, "deferred_once": group.put_off}
            | {state.value: number for state, number in group.counts.items() if number}
            for group in self.groups
        ]


def grouped(shares: Sequence[Share], *, name: Callable[[str], str] = str, unknown: str) -> Grouped:
    """Group what the database counted; `name` is what people call a group, `unknown` what they call "" ."""
    from pandas import DataFrame

    recipients = [share for share in shares if share.state is not DeliveryState.EXCLUDED]
    if not recipients:
        return Grouped()
    frame = DataFrame(
        [(share.group, share.state.value, share.number, share.put_off) for share in recipients],
        columns=["group", "state", "number", "put_off"],
    )
    table = frame.pivot_table(index="group", columns="state", values="number", aggfunc="sum", fill_value=0)
    table["recipients"] = table.sum(axis="columns")
    table["put_off"] = frame.groupby("group")["put_off"].sum()
    table = table.sort_index().sort_values("recipients", ascending=False, kind="stable")
    # A rest of one would take the same line.
    shown = len(table) if len(table) <= SHOWN + 1 else SHOWN
    groups = [_group(name(key) if key else unknown, table.loc[key].to_dict()) for key in table.index[:shown]]
    return Grouped(groups=(*groups, *_rest(table.iloc[shown:])), others=len(table) - shown)


def _rest(table: "DataFrame") -> list[Group]:
    return [_group(f"{len(table)} others", table.sum().to_dict())] if len(table) else []


def _group(name: str, numbers: dict[Any, Any]) -> Group:
    return Group(
        name=name,
        recipients=int(numbers["recipients"]),
        counts={state: int(numbers.get(state.value, 0)) for state in DeliveryState},
        put_off=int(numbers["put_off"]),
    )
