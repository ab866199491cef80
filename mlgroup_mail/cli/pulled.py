"""What a pull did to the stored list, or would have done, as tables for people and as JSON for programs."""

from typing import TYPE_CHECKING, Any

from mlgroup_mail.cli.output import say, show_table

if TYPE_CHECKING:
    from mlgroup_mail.delivery.storing import PullResult, Stop

_GO_ON = "mlgroup-mail contacts pull --accept-changes"


def show_pulled(result: "PullResult") -> None:
    """What changed, and what somebody should look at."""
    if result.stop:
        _show_stop(result, result.stop)
    else:
        show_table(("People on the stored list", "Number"), _changes(result).items())
    if result.opted_out:
        say(f"New opt-outs of all mail, because a status in the list says so: {result.opted_out}.")
    if result.stored.outdated:
        say(
            f"Moved, and still at their old address in the list: {result.stored.outdated}. "
            "The new address stays; correct the list."
        )
    if result.orphaned:
        say(
            f"On the list by a source that contacts.toml no longer has: {result.orphaned}. They go on getting mail. "
            f"Put that source back, or take these people off: {_GO_ON}"
        )
    if result.orphans_left:
        say(f"Taken off, because contacts.toml no longer has the source that they came by: {result.orphans_left}.")
    if result.erased:
        say(
            f"Not stored, because they were erased at their own wish: {result.erased}. "
            f"Take them off the list too: {_some(result.erased_masked, result.erased)}."
        )
    _show_moves(result)


def _show_stop(result: "PullResult", stop: "Stop") -> None:
    show_table(("The pull would make of the stored list", "People"), _changes(result).items())
    if stop.fields:
        show_table(("Field that would change", "People"), stop.fields.items())
    rows = [
        (each.contact_id, each.address_masked, ", ".join(each.fields) if each.fields else "leaves the list")
        for each in stop.examples
    ]
    show_table(("Contact", "Address", "What would change"), rows, title="For example")
    affected = result.stored.left + result.stored.changed
    say(
        f"Stopped: {affected} of {stop.people} people would leave the list or change. Is an export cut off, or a "
        f"column another one? Nothing was stored, nor any opt-out that the list states. If it is right: {_GO_ON}"
    )


def _show_moves(result: "PullResult") -> None:
    if not result.suspected:
        return
    rows = [
        (move.from_id, move.from_masked, move.to_id or "new", move.to_masked, "held: opted out" if move.held else "")
        for move in result.moves
    ]
    show_table(("Vanished", "Address", "New", "Address", "What now"), rows, title="Perhaps the same people")
    if result.suspected > len(result.moves):
        say(f"... and {result.suspected - len(result.moves)} more.")
    say("They have the same name, and no other organisation. Say which it is, by the numbers:")
    say("  the same person:  mlgroup-mail person move VANISHED NEW --reason WHY")
    if any(move.held for move in result.moves):
        say("  two people:       mlgroup-mail person apart VANISHED NEW --reason WHY")
        say("Whoever is held gets no mail until then, because the vanished one had opted out.")


def pulled_json(result: "PullResult") -> dict[str, Any]:
    """The same for programs: `stored`, or `would` and `examples` where it was stopped."""
    told: dict[str, Any] = {
        "stopped": result.stopped,
        "opted_out": result.opted_out,
        "outdated": result.stored.outdated,
        "orphaned": result.orphaned,
        "orphans_left": result.orphans_left,
        "erased": result.erased,
        "suspected_moves": result.suspected,
        "moves": [
            {
                "from": move.from_masked,
                "to": move.to_masked,
                "from_id": move.from_id,
                "to_id": move.to_id or None,
                "held": move.held,
            }
            for move in result.moves
        ],
    }
    if result.stop is None:
        return told | {"stored": _changes(result)}
    return told | {
        "would": _changes(result) | {"people": result.stop.people, "fields": result.stop.fields},
        "examples": [
            {"contact_id": each.contact_id, "address": each.address_masked, "fields": list(each.fields)}
            for each in result.stop.examples
        ],
    }


def _changes(result: "PullResult") -> dict[str, int]:
    stored = result.stored
    return {
        "added": stored.added,
        "changed": stored.changed,
        "unchanged": stored.unchanged,
        "returned": stored.returned,
        "left": stored.left,
    }


def _some(shown: tuple[str, ...], count: int) -> str:
    return ", ".join(shown) + (f" and {count - len(shown)} more" if count > len(shown) else "")
