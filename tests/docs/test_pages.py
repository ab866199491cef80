"""What the documentation says is so: commands, links, names, settings, states."""

import ast
import importlib
import re
import shlex
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
import yaml

from mlgroup_mail.cli import main
from mlgroup_mail.model import ExclusionReason
from mlgroup_mail.settings.environment import PREFIX, Settings
from tests.docs import tables
from tests.docs.pages import PAGES, ROOT, anchors, blocks, prose

_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_TEST = re.compile(r"`?(?P<file>tests/[\w/]+\.py)(?:::(?P<name>\w+))?")
_SETTING = re.compile(r"^\| `(MLGROUP_\w+)` \| (.+?) \| .+ \|$", re.MULTILINE)
_PLACEHOLDERS = {"CAMPAIGN/MAILING": "letter/issue", "CAMPAIGN[/MAILING]": "letter/issue"}
_NOT_A_SETTING = {
    "MLGROUP_PROJECT",
    "MLGROUP_REPEATABLE_TESTS",
    "MLGROUP_REQUIRE_SERVERS",
    "MLGROUP_TEST_SENDGRID_FROM",
    "MLGROUP_TEST_SENDGRID_KEY",
}
"""Read by the command line and by the tests, before or beside the settings."""


@pytest.fixture(params=PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def page(request: pytest.FixtureRequest) -> Path:
    """Each page of the documentation."""
    return Path(request.param)


def test_every_link_leads_somewhere(page: Path) -> None:
    for found in _LINK.finditer(prose(page.read_text(encoding="utf-8"))):
        path, _, anchor = found["target"].partition("#")
        if path.startswith(("http://", "https://")):
            continue
        target = (page.parent / path) if path else page
        assert target.exists(), f"{found['target']}: no such file"
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{found['target']}: no such heading"


def test_every_command_exists_with_these_options(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for command in _console_lines(text):
        _parse(command, complete=True)
    for command in _CODE.findall(prose(text)):
        if command.startswith("mlgroup-mail "):
            _parse(command, complete=False)


def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"^\$ make (\w+)|`make (\w+)", text, re.MULTILINE)
    assert {one or other for one, other in named} <= targets


def test_every_test_that_is_named_exists(page: Path) -> None:
    for found in _TEST.finditer(page.read_text(encoding="utf-8")):
        path = ROOT / found["file"]
        assert path.is_file(), found["file"]
        if found["name"]:
            assert re.search(rf"^ *(?:async )?def {found['name']}\b", path.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_setting_that_is_named_exists(page: Path) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | _NOT_A_SETTING
    # On `MLGROUP_X_FILE` see the page on settings: each setting may be read from a file.
    named = {name.removesuffix("_FILE") for name in re.findall(r"\bMLGROUP_[A-Z_]*[A-Z]\b", page.read_text("utf-8"))}
    assert named - known <= {name for name in named if name + "_FILE" in known}


def test_the_table_of_settings_is_complete_and_right() -> None:
    rows = dict(_SETTING.findall((ROOT / "docs" / "settings.md").read_text(encoding="utf-8")))
    assert rows.keys() == {PREFIX + name.upper() for name in Settings.model_fields} | {"MLGROUP_PROJECT"}
    for name, field in Settings.model_fields.items():
        assert rows[PREFIX + name.upper()] == _default(field.default), name


def test_the_page_on_settings_names_every_value_that_may_stand() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `MLGROUP_")}
    for name, field in Settings.model_fields.items():
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, StrEnum):
                for value in kind:
                    assert f"`{value}`" in rows[PREFIX + name.upper()]


def test_the_reasons_of_exclusions_are_those_of_the_code() -> None:
    text = (ROOT / "docs" / "concepts.md").read_text(encoding="utf-8")
    table = text.partition("| reason | meaning |\n|---|---|\n")[2].partition("\n\n")[0]
    assert table.splitlines() == [f"| `{reason}` | {reason.meaning} |" for reason in ExclusionReason]


def test_states_and_steps_are_those_of_the_code() -> None:
    written = tables.PAGE.read_text(encoding="utf-8")
    assert written == tables.with_parts(written), "run: python -m tests.docs.tables"
    for part in tables.PARTS.values():
        assert part() in written


def test_every_name_of_the_architecture_is_in_the_code() -> None:
    rooms = {path.name for path in (ROOT / "mlgroup_mail").iterdir() if path.is_dir()} | {"flows"}
    found = 0
    for name in _CODE.findall(prose(tables.PAGE.read_text(encoding="utf-8"))):
        parts = name.removesuffix("()").split(".")
        if len(parts) > 1 and parts[0] in rooms and all(part.isidentifier() for part in parts):
            _import(name, parts)
            found += 1
    assert found > 30


def test_the_main_path_is_shown_as_it_stands() -> None:
    (shown,) = [block.text for block in blocks(tables.PAGE.read_text("utf-8")) if block.language == "python"]
    source = (ROOT / "mlgroup_mail" / "delivery" / "dispatch.py").read_text(encoding="utf-8")
    (dispatch,) = [
        node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == "dispatch"
    ]
    whole = ast.get_source_segment(source, dispatch)
    assert whole is not None
    docstring = ast.get_source_segment(source, dispatch.body[0])
    assert docstring is not None
    assert shown.strip() == whole.replace(f"    {docstring}\n", "").strip()


def test_every_deployment_that_is_named_is_deployed(page: Path) -> None:
    file = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    deployed = {
        f"{each['entrypoint'].rpartition('.')[2].replace('_', '-')}/{each['name']}" for each in file["deployments"]
    }
    text = page.read_text(encoding="utf-8")
    assert set(re.findall(r"prefect deployment run (\S+?)`?(?:\s|$)", text)) <= deployed
    assert set(re.findall(r"^\| `([\w-]+/[\w-]+)` \| (?:every|off|by hand)", text, re.MULTILINE)) <= deployed
    pools = {each["work_pool"]["name"] for each in file["deployments"]}
    assert set(re.findall(r"^\$ prefect .*?(?:--pool|work-pool create) (\w+)", text, re.MULTILINE)) <= pools


def _console_lines(text: str) -> list[str]:
    lines = [line for block in blocks(text) if block.language == "console" for line in block.text.splitlines()]
    return [line[2:] for line in lines if line.startswith("$ mlgroup-mail")]


def _parse(line: str, *, complete: bool) -> None:
    """Let the command line itself parse it; an incomplete one may leave arguments out but invents no option."""
    words = [_PLACEHOLDERS.get(word, word) for word in shlex.split(line)[1:]]
    command: Any = typer.main.get_command(main.app)
    while getattr(command, "commands", None) and words and not words[0].startswith("-"):
        assert words[0] in command.commands, f"{line}: there is no command {words[0]}"
        command = command.commands[words.pop(0)]
    options = {option for parameter in command.params for option in parameter.opts} | {"--help", "--project"}
    for word in words:
        if word.startswith("--"):
            assert word.partition("=")[0] in options, f"{line}: there is no option {word}"
    if complete and "--help" not in words:
        command.make_context(command.name, words)


def _default(value: object) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, tuple):
        return f"`{', '.join(map(str, value))}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _import(name: str, parts: list[str]) -> None:
    """Import `store.claims.Claims.next` and the like; `flows` stands beside the package."""
    parts = parts if parts[0] == "flows" else ["mlgroup_mail", *parts]
    for end in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[end:]:
            assert hasattr(found, attribute), f"{name}: there is no {attribute}"
            found = getattr(found, attribute)
        return
    raise AssertionError(f"{name}: there is no such module")
