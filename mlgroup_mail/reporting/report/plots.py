"""The plots of a report, drawn by matplotlib: as wide as a telephone shows them, in the page's own colours."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any

from mlgroup_mail.model import DeliveryState
from mlgroup_mail.reporting.report.figures import Report, Stop
from mlgroup_mail.reporting.report.svg import for_page

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure

WIDTH = 360
"""CSS pixels: a telephone shows it nearly as it is, a wide page a little larger."""
_FONT, _SMALL = 13, 12
_ROW, _BAR = 38, 11
_POINTS = 400
_LONGEST = 30
_SMALLEST = 0.008
"""Of the width: one of a million is seen, too."""

INK, QUIET, LINE, TRACK, STANDING = "#0a0a01", "#0a0a02", "#0a0a03", "#0a0a04", "#0a0a05"
_OF_STATES = {state: f"#0a0b{number:02x}" for number, state in enumerate(DeliveryState)}
VARIABLES = {
    INK: "text",
    QUIET: "quiet",
    LINE: "line",
    TRACK: "track",
    STANDING: "standing",
    **{colour: state.value for state, colour in _OF_STATES.items()},
}
"""Colours that stand in for the page's variables, which differ by light and dark."""

_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "report",
    "font.family": "DejaVu Sans",
    "font.size": _FONT,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": LINE,
    "axes.facecolor": "none",
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelsize": _SMALL,
    "ytick.labelsize": _SMALL,
    "path.simplify": False,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One line of a bar chart: its name, what stands at its end, and its parts by the colour of a state."""

    name: str
    told: str
    parts: tuple[tuple[DeliveryState, int], ...]

    @property
    def length(self) -> int:
        """All parts together."""
        return sum(number for _, number in self.parts)


def bar_plot(bars: Sequence[Bar], *, name: str, title: str) -> str:
    """Bars of one scale below their names, as SVG for the page. `name` is unique on it, `title` says what is seen."""
    height = _ROW * len(bars)
    with _figure(height) as figure:
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(height, 0))
        axes.set_axis_off()
        longest = max(bar.length for bar in bars) or 1
        for row, bar in enumerate(bars):
            top = row * _ROW
            axes.text(0, top + 15, _shortened(bar.name), va="baseline")
            axes.text(WIDTH, top + 15, bar.told, va="baseline", ha="right", color=QUIET)
            axes.barh(top + 21, WIDTH, height=_BAR, color=TRACK, align="edge")
            _draw_parts(axes, bar, top + 21, scale=WIDTH / longest)
        return _svg(figure, name=name, title=title)


def progress_plot(report: Report, *, name: str, title: str) -> str:
    """How many were accepted by when, with the times in which the mailing stood still, as SVG for the page."""
    from matplotlib.dates import AutoDateLocator, date2num
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    assert report.attempted, "without an attempt there is no progress"
    moments, numbers = _line(report)
    left, right = _limits(moments)
    with _figure(230) as figure:
        axes = figure.add_axes((0.135, 0.22, 0.83, 0.66))
        # What was accepted stays so: the line goes on to the edge.
        days, numbers = [*date2num(moments), right], [*numbers, numbers[-1]]
        for stop in report.stops:
            _shade(axes, stop, report.attempted)
        axes.fill_between(days, numbers, step="post", color=_OF_STATES[DeliveryState.ACCEPTED], alpha=0.18, linewidth=0)
        axes.step(days, numbers, where="post", color=_OF_STATES[DeliveryState.ACCEPTED], linewidth=2)
        axes.set_ylim(0, max(1, numbers[-1]) * 1.08)
        axes.set_xlim(left, right)
        axes.set_xlabel(f"time in {report.zone.key}", color=QUIET, fontsize=_SMALL)
        axes.text(0, 1.05, "people whose mail was accepted", transform=axes.transAxes, color=QUIET, fontsize=_SMALL)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.grid(axis="y", color=LINE, linewidth=1)
        axes.set_axisbelow(True)
        axes.tick_params(length=0, pad=6)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: _short(number)))
        locator = AutoDateLocator(tz=report.zone, minticks=2, maxticks=5)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(_clock(locator, report))
        return _svg(figure, name=name, title=title)


def _clock(locator: "AutoDateLocator", report: Report) -> "ConciseDateFormatter":
    """Times as a clock shows them; no number stands without its unit."""
    from matplotlib.dates import ConciseDateFormatter

    return ConciseDateFormatter(
        locator,
        tz=report.zone,
        formats=["%Y", "%b", "%-d %b", "%H:%M", "%H:%M", "%H:%M:%S"],
        zero_formats=["", "%Y", "%-d %b", "%-d %b", "%H:%M", "%H:%M:%S"],
        show_offset=False,
    )


def _draw_parts(axes: "Axes", bar: Bar, top: float, *, scale: float) -> None:
    left = 0.0
    for state, number in bar.parts:
        if number:
            width = max(number * scale, _SMALLEST * WIDTH)
            left = min(left, WIDTH - width)
            axes.barh(top, width, left=left, height=_BAR, color=_OF_STATES[state], align="edge")
            left += width


def _shortened(name: str) -> str:
    """A long domain without its middle: the table has it whole."""
    half = _LONGEST // 2
    return name if len(name) <= _LONGEST else f"{name[:half]}…{name[-half:]}"


def _line(report: Report) -> tuple[list[datetime], list[int]]:
    """Where the line begins, at most some hundred of its steps, and where it ends."""
    assert report.attempted, "without an attempt there is no progress"
    begin, end = report.attempted
    every = max(1, len(report.progress) // _POINTS)
    steps = [*report.progress[::every], *report.progress[-1:]]
    found = [(begin, 0), *steps, (max(end, *(moment for moment, _ in steps)) if steps else end, 0)]
    numbers = [number for _, number in found]
    numbers[-1] = max(numbers)
    return [moment for moment, _ in found], numbers


def _limits(moments: Sequence[datetime]) -> tuple[Any, Any]:
    """A mailing of one instant has a width all the same."""
    from matplotlib.dates import date2num

    margin = max((moments[-1] - moments[0]) * 0.03, timedelta(seconds=2))
    return date2num(moments[0] - margin), date2num(moments[-1] + margin)


def _shade(axes: "Axes", stop: Stop, attempted: tuple[datetime, datetime]) -> None:
    from matplotlib.dates import date2num

    until = stop.until or attempted[1]
    if until > stop.since:
        axes.axvspan(date2num(stop.since), date2num(until), color=STANDING, linewidth=0)
    axes.axvline(date2num(stop.since), color=QUIET, linewidth=1, linestyle=(0, (3, 3)))


def _short(number: float) -> str:
    """1500000 as 1.5M: the table beside it has whole numbers."""
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if abs(number) >= unit:
            return f"{number / unit:g}{letter}"
    return f"{number:g}"


@contextmanager
def _figure(height: int) -> Iterator["Figure"]:
    """A figure whose units are CSS pixels; no window, no state that others share."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72)
        figure.patch.set_visible(False)
        yield figure


def _svg(figure: "Figure", *, name: str, title: str) -> str:
    written = StringIO()
    figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return for_page(written.getvalue(), name=name, title=title, variables=VARIABLES)
