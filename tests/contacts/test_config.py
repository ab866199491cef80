"""`contacts.toml`: what it says, and what a slip in it is answered with."""

from pathlib import Path

import pytest

from mlgroup_mail.contacts.config import read_config
from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.errors import ConfigurationError

MINIMAL = '[[source]]\nname = "members"\npath = "members.csv"\n'
QUERIED = '[[source]]\nname = "members"\nquery = "select 1"\n'


def config_file(folder: Path, text: str) -> Path:
    (folder / "contacts.toml").write_text(text, encoding="utf-8")
    return folder


def test_the_file_of_the_design_is_read(tmp_path: Path) -> None:
    text = (
        MINIMAL
        + 'columns = { email = "Email", name = "Name" }\ndefaults = { status = "member" }\n'
        + '[segment.members]\nstatus = ["member", "lead"]\nnot = { country = "FR" }\n'
    )
    config = read_config(config_file(tmp_path, text))
    (source,) = config.source
    assert source.place(tmp_path) == tmp_path / "members.csv"
    assert source.columns.given() == {Field.EMAIL: "Email", Field.NAME: "Name"}
    assert source.defaults.given() == {Field.STATUS: "member"}
    assert config.segment["members"].status == ("member", "lead")


WRONG: list[tuple[str, str, str]] = [
    ("", "the key “source” is missing", "source"),
    ("source = []\n", "“source”", ""),
    ("[[source]]\nname = 1\n", "“name”", ""),
    ('[[source]]\nname = "a"\n', "give either “path”, or “url” with “query”", ""),
    (MINIMAL + 'url = "sqlite:///a.db"\nquery = "select 1"\n', "give either “path”, or “url”", ""),
    ('[[source]]\nname = "a"\nurl = "sqlite:///a.db"\n', "“url” and “query” belong together", ""),
    (MINIMAL + 'query = "select 1"\n', "“url” and “query” belong together", ""),
    (QUERIED + 'url = "members"\n', "“url”", ""),
    (QUERIED + 'url = "postgresql://me:hunter2@host/name"\n', "a password does not belong into this file", ""),
    (QUERIED + 'url = "postgresql://host/name?user=me&password=hunter2"\n', 'write url = "env:NAME"', ""),
    (QUERIED + 'url = "env:MEMBERS_URL"\nsheet = "Members"\n', "are for files", ""),
    (MINIMAL + "header_row = 100000\n", "“header_row”", ""),
    (MINIMAL + 'delimiter = "x"\n', "cannot stand between cells", ""),
    (MINIMAL + 'encoding = "hex"\n', "the encoding “hex” is not known", ""),
    (MINIMAL + 'pathh = "x"\n', "the key “pathh” is not known here", "Did you mean “path”?"),
    (MINIMAL + 'columns = { mail = "E" }\n', "the key “columns.mail” is not known", "Did you mean “email”?"),
    (MINIMAL + 'defaults = { email = "a@b" }\n', "cannot have a default", ""),
    (MINIMAL + "header_row = 0\n", "“header_row”", ""),
    (MINIMAL + 'delimiter = "::"\n', "“delimiter”", ""),
    (MINIMAL + 'encoding = "utf-99"\n', "the encoding “utf-99” is not known", ""),
    (MINIMAL + MINIMAL, "two sources are called “members”", ""),
    (MINIMAL + '[segment.a]\nstatsu = "x"\n', "the key “segment.a.statsu” is not known", "Did you mean “status”?"),
    (MINIMAL + '[segment.a]\ncountry = "Absurdistan"\n', "the country “Absurdistan” is not known", ""),
    (MINIMAL + '[segment.a]\nnot = { langauge = "en" }\n', "the key “segment.a.not.langauge” is not known", ""),
    (MINIMAL + "[segment.a]\nstatus = []\n", "“segment.a.status”", ""),
    ("[[source]\n", "this is not valid TOML", ""),
]


@pytest.mark.parametrize(("text", "message", "mend"), WRONG)
def test_every_slip_names_the_file_the_key_and_the_mend(tmp_path: Path, text: str, message: str, mend: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_config(config_file(tmp_path, text))
    problem = caught.value.problem
    assert problem.where.startswith(str(tmp_path / "contacts.toml"))
    assert message in problem.message
    assert mend in problem.mend
    assert "hunter2" not in str(caught.value)


def test_a_source_is_a_file_a_remote_object_or_a_query(tmp_path: Path) -> None:
    text = (
        MINIMAL
        + '[[source]]\nname = "far"\npath = "s3://group/members.xlsx"\n'
        + '[[source]]\nname = "asked"\nurl = "env:MEMBERS_URL"\nquery = "select email from members"\n'
        + '[[source]]\nname = "small"\nurl = "sqlite:///members.db"\nquery = "select email from members"\n'
    )
    near, far, asked, small = read_config(config_file(tmp_path, text)).source
    assert near.place(tmp_path) == tmp_path / "members.csv"
    assert far.place(tmp_path) == "s3://group/members.xlsx"
    assert (asked.url, small.url) == ("env:MEMBERS_URL", "sqlite:///members.db")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="this file is missing") as caught:
        read_config(tmp_path)
    assert caught.value.problem.where == str(tmp_path / "contacts.toml")
