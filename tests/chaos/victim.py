"""The launcher: makes a process a victim, then runs the command line in it.

`python -m tests.chaos.victim serve` is a process that has everything imported and forks a victim for each request, a
JSON object a line: {"arguments", "folder", "environment", "out", "err", "rehearsal"} starts one, answered with {"pid"};
{"pid", "signal"} sends one a signal. What has ended is told as {"ended", "status"}. At the end of its input it kills
those that are left.
"""

import gc
import json
import logging
import os
import select
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.chaos.points import VARIABLE, Orders, Points
from tests.chaos.wire import watch_sockets


def become_victim(orders: Orders) -> None:
    """Watch this process, and change what the orders change."""
    from tests.chaos import plants, product

    points = Points(orders)
    product.set_constants(orders)
    product.set_clock(orders)
    product.set_host(orders)
    plants.plant(orders.plant)
    product.watch_commits(points)
    if orders.port:
        watch_sockets(points, orders.port, orders.wire)


def run_command(arguments: list[str]) -> int:
    """The command line, as its entry point runs it."""
    from mlgroup_mail.cli.main import run

    become_victim(Orders.from_text(os.environ.get(VARIABLE, "")))
    sys.argv = ["mlgroup-mail", *arguments]
    try:
        run()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def run_script(arguments: list[str]) -> int:
    """A sender that ours is compared with: a Python script of its own."""
    import runpy

    from tests.chaos.files import watch_sqlite

    orders = Orders.from_text(os.environ.get(VARIABLE, ""))
    points = Points(orders)
    watch_sqlite(points)
    watch_sockets(points, orders.port)
    sys.argv = arguments
    runpy.run_path(arguments[0], run_name="__main__")
    return 0


def serve() -> None:
    """Fork a victim for each request until the input ends."""
    _import_everything()
    # What is there by now stays as it is: a victim need not copy it to look through it for garbage.
    gc.freeze()
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    living: set[int] = set()
    rest = b""
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _reap(living)
        if 0 in ready:
            read = os.read(0, 1 << 16)
            if not read:
                break
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                _answer(json.loads(line), living)
    for pid in living:
        os.kill(pid, signal.SIGKILL)


def _answer(request: dict[str, Any], living: set[int]) -> None:
    if "signal" in request:
        # Not reaped yet, so the number is still that process's.
        if request["pid"] in living:
            os.kill(request["pid"], request["signal"])
        return
    if request["rehearsal"]:
        _rehearse(request)
        return
    pid = os.fork()
    if pid == 0:
        _child(request)
    living.add(pid)
    _tell({"pid": pid})


def _child(request: dict[str, Any]) -> None:
    code = 70
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _take_place(request)
        code = run_command(request["arguments"])
    except BaseException as error:
        sys.stderr.write(f"the launcher failed: {type(error).__name__}: {error}\n")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _take_place(request: dict[str, Any]) -> None:
    """The folder, the environment and the files of a victim."""
    for descriptor, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, request["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND),
        (2, request["err"], os.O_WRONLY | os.O_CREAT | os.O_APPEND),
    ):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    for name in [name for name in os.environ if name.startswith(("MLGROUP_", "CHAOS_"))]:
        del os.environ[name]
    os.environ.update(request["environment"])
    os.chdir(request["folder"])


def _rehearse(request: dict[str, Any]) -> None:
    """Run a command here, unwatched, so that what is loaded and compiled at first use is there for every victim."""
    from mlgroup_mail.cli.main import run

    kept, folder = [os.dup(descriptor) for descriptor in range(3)], Path.cwd()
    _take_place(request)
    sys.argv = ["mlgroup-mail", *request["arguments"]]
    code = 0
    try:
        run()
    except SystemExit as end:
        code = int(end.code or 0)
    sys.stdout.flush()
    sys.stderr.flush()
    for descriptor, copy in enumerate(kept):
        os.dup2(copy, descriptor)
        os.close(copy)
    os.chdir(folder)
    # A victim sets up its own log.
    logging.root.handlers.clear()
    logging.root.setLevel(logging.WARNING)
    gc.collect()
    gc.freeze()
    _tell({"pid": os.getpid()})
    _tell({"ended": os.getpid(), "status": code})


def _reap(living: set[int]) -> None:
    for pid in list(living):
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            living.discard(pid)
            _tell({"ended": pid, "status": os.waitstatus_to_exitcode(status)})


def _tell(answer: dict[str, Any]) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")


def _import_everything() -> None:
    """What the commands import when they run, so that a victim starts within milliseconds."""
    for name in (
        "mlgroup_mail.cli.main",
        "mlgroup_mail.content.compiling.html",
        "mlgroup_mail.delivery.transports.sendgrid",
        "mlgroup_mail.delivery.transports.smtp",
        "mlgroup_mail.delivery.verifying",
        "mlgroup_mail.reporting.status",
        "mlgroup_mail.settings.app",
        "mlgroup_mail.web.app",
        "mlgroup_mail.web.serving",
        "psycopg",
        "sqlalchemy.dialects.postgresql.psycopg",
        "sqlalchemy.dialects.sqlite",
        "tests.chaos.plants",
        "uvicorn",
    ):
        import_module(name)


if __name__ == "__main__":
    match sys.argv[1]:
        case "serve":
            serve()
        case "script":
            sys.exit(run_script(sys.argv[2:]))
        case _:
            sys.exit(run_command(sys.argv[2:]))
