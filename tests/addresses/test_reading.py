"""Cells of addresses: every row of the table, and what holds for every cell there may be."""

import email.utils
import re
import subprocess
import sys
import unicodedata

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail import addresses
from mlgroup_mail.addresses import AddressError, AddressReading, pieces
from tests.addresses.texts import AROUND, BLANKS, DOMAINS, LOCALS, NAMES, UNSEEN, sprinkled
from tests.contacts.cells.addresses import ADDRESS_CELLS, AddressCell


@pytest.mark.parametrize(
    "cell", [cell for cell in ADDRESS_CELLS if not cell.error], ids=lambda cell: ascii(cell.cell)[:60]
)
def test_a_cell_is_read_as_the_table_says(cell: AddressCell) -> None:
    assert addresses.read_cell(cell.cell) == AddressReading(
        address=cell.address, further=cell.further, remarks=cell.remarks
    )


@pytest.mark.parametrize("cell", [cell for cell in ADDRESS_CELLS if cell.error], ids=lambda cell: ascii(cell.cell)[:60])
def test_a_cell_that_cannot_be_read_says_why(cell: AddressCell) -> None:
    with pytest.raises(AddressError) as caught:
        addresses.read_cell(cell.cell)
    assert cell.error in str(caught.value)


@pytest.mark.parametrize("cell", [cell for cell in ADDRESS_CELLS if cell.error], ids=lambda cell: ascii(cell.cell)[:60])
def test_the_reason_does_not_repeat_the_cell(cell: AddressCell) -> None:
    """Reasons are logged; addresses and names must not be."""
    with pytest.raises(AddressError) as caught:
        addresses.read_cell(cell.cell)
    shown = str(caught.value).casefold()
    for secret in ("anna", "novak", "ben@", "everybody", "it's", "j\ufffd", "☃"):
        assert secret not in shown


def test_the_table_has_many_scripts() -> None:
    scripts = {unicodedata.name(char).split()[0] for cell in ADDRESS_CELLS for char in cell.cell if char.isalpha()}
    assert len(ADDRESS_CELLS) >= 150
    assert len(scripts - {"FULLWIDTH", "MODIFIER"}) >= 15


@pytest.mark.parametrize(
    "cell", [cell for cell in ADDRESS_CELLS if not cell.error], ids=lambda cell: ascii(cell.cell)[:60]
)
def test_where_one_address_is_asked_for_several_are_refused(cell: AddressCell) -> None:
    """A command's argument or a setting means one person."""
    if cell.further or addresses.SOME_UNREADABLE in cell.remarks:
        with pytest.raises(AddressError, match="more than one address"):
            addresses.read(cell.cell)
    else:
        assert addresses.read(cell.cell) == cell.address


ANY_TEXT = st.text(max_size=40)
PIECES = """
anna@example.org ben@пример.example @ < > ( ) " ' = ; , or mailto: %0d%0a %40 ? Bcc: ＠ 。 / . xn-- a é
"""
LIKE_CELLS = st.lists(
    st.one_of(st.sampled_from([*PIECES.split(), "\n", " ", "\u200b", "\u200c", "\u0301"]), st.text(max_size=3)),
    max_size=10,
).map("".join)


@given(st.one_of(ANY_TEXT, LIKE_CELLS, st.builds("{}@{}".format, st.text(max_size=20), st.text(max_size=20))))
def test_whatever_is_read_is_clean_and_reads_the_same_again(cell: str) -> None:
    try:
        reading = addresses.read_cell(cell)
    except AddressError:
        return
    for address in (reading.address, *reading.further):
        again = addresses.read_cell(address)
        assert (again.address, again.further) == (address, ())
        assert addresses.read(address) == address == addresses.normalise(address)
        assert address.count("@") == 1
        assert not any(char.isspace() or not char.isprintable() for char in address)
        assert addresses.domain(address).isascii()
        assert email.utils.parseaddr(address)[1] == address
    mailboxes = [addresses.key(each) for each in (reading.address, *reading.further)]
    assert len(mailboxes) == len(set(mailboxes))
    for remark in reading.remarks:
        assert reading.address not in remark


@given(LOCALS, DOMAINS, st.sampled_from(["{}@{}", "x {}@{}", "{}@{}@x", "{}@{}_", "Anna\nX-A: {}@{}", "{}@{}\x00"]))
def test_no_reason_repeats_an_address(local: str, domain: str, form: str) -> None:
    assert "q7" not in _reason(form.format(f"q7{local}q7", f"q7{domain}"))


@given(NAMES, DOMAINS, AROUND, BLANKS, st.lists(UNSEEN, max_size=3))
def test_what_comes_by_copying_changes_nothing(
    local: str, domain: str, form: str, blank: str, noise: list[str]
) -> None:
    """Links, names, brackets, blanks around and unseen characters anywhere."""
    plain = f"{local}@{domain}"
    cell = blank + sprinkled(form.format(plain), noise) + blank
    assert _outcome(cell) == _outcome(plain)


@given(
    st.one_of(
        st.from_regex(addresses.USUAL_PATTERN, fullmatch=True),
        st.builds("{}@{}".format, LOCALS, st.from_regex(r"[A-Za-z0-9.-]{0,20}[A-Za-z0-9]", fullmatch=True)),
        st.builds(
            "{}@{}.example".format, st.sampled_from(["info", "NoReply", "Anna", "xn--a"]), st.just("xn--80ak6aa92e")
        ),
    )
)
def test_usual_texts_are_decided_by_their_domain_and_role(text: str) -> None:
    """What the pass over whole columns relies on: it calls no `read_cell` for these."""
    local, _, host = text.rpartition("@")
    if not re.fullmatch(addresses.USUAL_PATTERN, text) or len(local) > 64 or len(text) > 254:
        return
    checked = addresses.checked_domain(host)
    remarks = tuple(filter(None, (checked.remark, addresses.role_remark(local))))
    if checked.wrong:
        assert _outcome(text) == checked.wrong
    else:
        assert _outcome(text) == AddressReading(address=f"{local}@{checked.ascii}", remarks=remarks)
    assert bool(addresses.role_remark(local)) == (local.lower() in addresses.ROLE_LOCALS)


def test_the_usual_pattern_means_the_same_to_arrow() -> None:
    """`re` and RE2 agree on every cell of the table."""
    cells = [cell.cell for cell in ADDRESS_CELLS]
    found = pc.match_substring_regex(pa.array(cells), rf"\A(?:{addresses.USUAL_PATTERN})\z").to_pylist()
    assert found == [bool(re.fullmatch(addresses.USUAL_PATTERN, cell)) for cell in cells]
    assert any(found)


@given(st.text(st.sampled_from("@ a.<>()[]\"';,\n/:?="), max_size=60).map(lambda text: text * 70))
def test_an_endless_cell_is_read_or_refused(cell: str) -> None:
    assert _reason(cell) or addresses.read_cell(cell).address


def test_plain_addresses_cost_no_heavy_import() -> None:
    """`mlgroup-mail --help` must answer at once; what is for look-alikes and IDN loads where one is met."""
    program = "import sys; from mlgroup_mail import addresses; print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert not {"regex", "rapidfuzz", "email_validator", "idna", "tomllib"} & set(shown.split())


def _reason(cell: str) -> str:
    """Why a cell is refused; empty where it is not."""
    try:
        addresses.read_cell(cell)
    except AddressError as error:
        return str(error)
    return ""


def _outcome(cell: str) -> AddressReading | str:
    return _reason(cell) or addresses.read_cell(cell)


@given(st.text("@.ab ", max_size=12))
def test_a_word_is_like_an_address_with_one_at_sign_and_a_full_stop_inside_its_host(word: str) -> None:
    """As the pattern says, which would look at a long word again and again."""
    assert pieces._is_like_address(word) == bool(re.fullmatch(r"[^@]+@[^@]+\.[^@]+", word))


def test_many_addresses_in_brackets_behind_a_word_that_is_none_are_all_read() -> None:
    cell = f"a@{'.' * 1_000}@ " + "".join(f"<p{number}@example.org> " for number in range(100))
    reading = addresses.read_cell(cell)
    assert (reading.address, *reading.further) == tuple(f"p{number}@example.org" for number in range(100))
