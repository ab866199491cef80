"""`python -m tests.chaos`: kill `mlgroup-mail` many times, and see whether anybody got a mail twice or none.

python -m tests.chaos                         until 300 processes have died and every case was played
python -m tests.chaos --seed 7 --kills 1000   more, and others
python -m tests.chaos --transport sendgrid    over that transport alone
python -m tests.chaos --seed 7 --only 12      exactly that scenario again
python -m tests.chaos compare                 the naive loop and django-post_office instead, into docs/chaos.md
"""

import argparse
import signal
import sys
from collections.abc import Collection, Sequence

from mlgroup_mail.cli.output import say, show_table
from mlgroup_mail.cli.progress_bar import Tell, progress_bar
from tests.chaos.playing import Played
from tests.chaos.points import Wire
from tests.chaos.results import COLUMNS, lines
from tests.chaos.running import Told, grounds, play_only, play_until

SEED = 20211102


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", choices=("play", "compare"), default="play")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--kills", type=int, default=300, help="how many processes must have died (300)")
    parser.add_argument("--transport", choices=[wire.name.lower() for wire in Wire], help="over this one alone")
    parser.add_argument("--only", type=int, nargs="+", metavar="N", help="these scenarios alone")
    chosen = parser.parse_args()
    # Whoever is asked to end takes its servers along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if chosen.what == "compare":
        from tests.chaos.compare import compare

        return compare(seed=chosen.seed)
    wires = [Wire[chosen.transport.upper()]] if chosen.transport else list(Wire)
    return run(seed=chosen.seed, kills=chosen.kills, wires=wires, only=chosen.only)


def run(*, seed: int, kills: int, wires: Collection[Wire], only: Sequence[int] | None = None) -> int:
    """Play, show the table; 1 where the judge found fault."""
    with grounds() as (ground, missing), progress_bar("deaths", total=kills) as tell:
        told = _teller(tell)
        if only:
            played = play_only(ground, seed=seed, chosen=only, told=told)
        else:
            played = play_until(ground, seed=seed, kills=kills, told=told, wires=wires)
    show_table(COLUMNS, lines(played), title=f"Deaths, and what became of the mail (seed {seed})")
    if missing:
        say(missing)
    return int(any(each.verdict.problems for each in played))


def _teller(tell: Tell) -> Told:
    def told(played: Played, deaths: int) -> None:
        tell(completed=deaths)
        if played.verdict.problems:
            say(f"wrong: python -m tests.chaos {played}")

    return told


if __name__ == "__main__":
    sys.exit(main())
