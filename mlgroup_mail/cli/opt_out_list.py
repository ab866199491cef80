"""`opt-out list`: who is not written to, with the evidence, or how fast each road was."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from mlgroup_mail.cli.context import JsonLines, opened
from mlgroup_mail.cli.output import print_json, say, show_table
from mlgroup_mail.errors import UsageError
from mlgroup_mail.model.consent import Restriction, SignalKind

if TYPE_CHECKING:
    from mlgroup_mail.model import Suppression

_BY_A_GATEWAY = "perhaps by a mail gateway that presses links"
_WHAT = {SignalKind.OPT_OUT: "opt-out", SignalKind.BOUNCE: "bounce", SignalKind.COMPLAINT: "complaint"}


def list_(
    address: Annotated[str | None, typer.Argument(help="One person's; else everybody's.")] = None,
    timing: Annotated[
        bool, typer.Option("--timing", help="How long each took from the request to its effect, by road.")
    ] = False,
    as_json: JsonLines = False,
) -> None:
    """Show standing opt-outs and holds, with their evidence; with --timing, how fast all there have been were."""
    from mlgroup_mail.consent.applying import standing_suppressions
    from mlgroup_mail.store.bursts import flagged_rules
    from mlgroup_mail.store.contact_lookup import read_address

    if timing:
        _show_timing(address, as_json=as_json)
        return
    with opened() as app:
        found = standing_suppressions(app.store, address=read_address(address) if address else None)
        with app.store.reading() as connection:
            flagged = flagged_rules(connection)
    if as_json:
        for rule in found:
            print_json(_as_json(rule, flagged))
        return
    show_table(
        ["address", "topic", "what", "road", "since", "why"],
        [
            [
                rule.address or (f"contact {rule.contact_id}" if rule.contact_id else "unknown"),
                rule.on,
                "hold" if rule.restriction is Restriction.HOLD else _WHAT.get(rule.kind, rule.kind),
                rule.road,
                f"{rule.at:%Y-%m-%d}",
                why(rule, burst=rule.suppression_id in flagged),
            ]
            for rule in found
        ],
    )
    people = len({rule.address or rule.contact_id for rule in found})
    say(f"{len(found)} standing{f', of {people} people' if people < len(found) else ''}.")


def why(rule: "Suppression", *, burst: bool = False) -> str:
    """Reason and evidence in one, and nothing twice."""
    reason, evidence = rule.reason, rule.evidence
    if reason.removeprefix("by ") in evidence:
        reason = ""
    elif evidence in reason:
        evidence = ""
    return "; ".join(filter(None, (reason, evidence, _BY_A_GATEWAY if burst else "")))


def _as_json(rule: "Suppression", flagged: Mapping[int, str]) -> dict[str, object]:
    return {
        "address": rule.address,
        "contact_id": rule.contact_id,
        "restriction": rule.restriction,
        "kind": rule.kind,
        "topic": rule.topic,
        "reason": rule.reason,
        "road": rule.road,
        "evidence": rule.evidence,
        "at": rule.at.isoformat(),
        "burst": flagged.get(rule.suppression_id),
    }


def _show_timing(address: str | None, *, as_json: bool) -> None:
    from mlgroup_mail.reporting.opt_out_timing import by_road, timed_json
    from mlgroup_mail.reporting.report.words import speed
    from mlgroup_mail.store.opt_out_timing import timed_opt_outs

    if address:
        raise UsageError("--timing is about everybody: leave the address out, or see explain")
    with opened() as app, app.store.reading() as connection:
        found = timed_opt_outs(connection)
    roads = by_road(found)
    if as_json:
        print_json({"roads": [each.as_json() for each in roads], "opt_outs": [timed_json(each) for each in found]})
        return
    show_table(
        ["road", "opt-outs", "half of them within", "all of them within", "from before the ledger"],
        [
            [
                each.road,
                each.number,
                "" if each.median is None else speed(each.median),
                "" if each.slowest is None else speed(each.slowest),
                each.moved_in,
            ]
            for each in roads
        ],
    )
    say(
        f"{counted(len(found))}, lifted ones too. A file counts from the time that stands in it; what was asked for "
        "before this ledger began says nothing of its speed."
    )


def counted(number: int) -> str:
    """So many opt-outs, in words."""
    return "1 opt-out" if number == 1 else f"{number} opt-outs"
