"""The fake as a process: `python -m mlgroup_mail.testing.sendgrid --port 8025`.

Says on its first line, as JSON, where it listens, its key, and where the truth log lies. Ends at SIGTERM and Ctrl-C.
"""

import argparse
import json
import signal
import sys
import tempfile
import threading
from pathlib import Path

from mlgroup_mail.testing.sendgrid.fake import Checking, FakeSendGrid
from mlgroup_mail.testing.sendgrid.faults import from_document


def main() -> int:
    """Serve until told to end."""
    options = _options()
    fake = FakeSendGrid(
        options.log, port=options.port, checking=Checking(options.checking), keep_content=options.keep_content
    )
    if options.faults:
        fake.faults.add(*[from_document(each) for each in json.loads(options.faults.read_text(encoding="utf-8"))])
    ended = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: ended.set())
    print(json.dumps({"url": fake.url, "key": fake.key, "log": str(options.log)}), flush=True)
    ended.wait()
    fake.close()
    return 0


def _options() -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="python -m mlgroup_mail.testing.sendgrid", description="A fake SendGrid.")
    reader.add_argument("--port", type=int, default=0, help="on 127.0.0.1; a free one unless told")
    reader.add_argument("--log", type=Path, help="the truth log; a line for each accepted recipient")
    reader.add_argument("--checking", choices=list(Checking), default=Checking.FULL)
    reader.add_argument("--keep-content", action="store_true", help="the log keeps what each recipient gets")
    reader.add_argument("--faults", type=Path, help="a JSON file: a list of faults")
    options = reader.parse_args()
    options.log = options.log or Path(tempfile.mkdtemp(prefix="fake-sendgrid-")) / "truth.jsonl"
    return options


if __name__ == "__main__":
    sys.exit(main())
