"""The list read, cleaned, selected and stored, and the opt-outs imported, as a project does it."""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

_START = time.perf_counter()

_CONTACTS = """
[[source]]
name = "everybody"
path = "{path}"

[segment.members]
status = ["member", "lead"]
"""


def main(people: Path, opted_out: Path) -> dict[str, float]:
    """Seconds of each step, and the peak memory of them all in megabytes."""
    from mlgroup_mail import addresses
    from mlgroup_mail.contacts.segments import segment_for
    from mlgroup_mail.delivery.storing import store_list
    from mlgroup_mail.settings.app import open_app
    from mlgroup_mail.shipped import shipped

    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "contacts").mkdir()
        (root / "contacts" / "contacts.toml").write_text(_CONTACTS.format(path=people), encoding="utf-8")
        (root / "mlgroup.toml").write_text(shipped("mlgroup.toml").read_text(encoding="utf-8"), encoding="utf-8")
        with open_app(root) as app:
            cleaned = app.clean_list()
            no_mail = {line.strip() for line in opted_out.read_text(encoding="utf-8").splitlines()}
            members = segment_for(app.contacts, "members")
            selected = sum(
                members.matches(contact) and addresses.key(contact.address) not in no_mail
                for contact in cleaned.contacts
            )
            seconds["selected"] = time.perf_counter() - _START
            seconds["people"] = selected
            seconds["cleaned_megabytes"] = _megabytes()
            start = time.perf_counter()
            limits = app.contacts.pull
            store_list(app.store, cleaned, sources=["everybody"], now=app.clock.now(), limits=limits)
            seconds["stored"] = time.perf_counter() - start
            start = time.perf_counter()
            app.import_opt_out_file(opted_out)
            seconds["imported"] = time.perf_counter() - start
    return seconds | {"megabytes": _megabytes()}


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
