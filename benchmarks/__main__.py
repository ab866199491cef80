"""`make bench`: how fast the parts are, as ratios within one run. The machine may be busy; nothing here can fail."""

from benchmarks import contact_list, dispatching, merging
from benchmarks.measuring import Figure
from mlgroup_mail.cli.output import say, show_table


def main() -> None:
    """Run every benchmark and print one table."""
    figures: list[Figure] = [*merging.run(), *dispatching.run(), *contact_list.run()]
    show_table(
        ["what", "per second", "against", "ratio", "peak MB"],
        [
            [
                each.name,
                f"{each.rate:,.0f}",
                each.against,
                f"{each.ratio:.2f}" if each.ratio else "",
                f"{each.megabytes:,.0f}" if each.megabytes else "",
            ]
            for each in figures
        ],
        title="Medians of three interleaved runs",
    )
    say("Ratios hold within this run only: the machine's speed drifts.")


if __name__ == "__main__":
    main()
