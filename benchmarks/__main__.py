"""`make bench`: how fast the parts are, as ratios within one run, and whether it can be trusted when it is killed.

The machine may be busy: no speed can fail, a doubled or lost mail does.
"""

import sys

from benchmarks import chaos, contact_list, dispatching, merging, million, one_click, sendgrid, smtp_speed, webhook
from benchmarks.measuring import Figure
from mlgroup_mail.cli.output import say, show_table


def main() -> int:
    """Run every benchmark and print one table; then the kill harness, whose verdict is the exit code."""
    figures: list[Figure] = [
        *merging.run(),
        *dispatching.run(),
        *sendgrid.run(),
        *million.run(),
        *contact_list.run(),
        *webhook.run(),
        *one_click.run(),
        *smtp_speed.run(),
    ]
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
    return chaos.run()


if __name__ == "__main__":
    sys.exit(main())
