"""One click (RFC 8058): heard in every form in which mail programs send it, at once, once, and durable."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgroup_mail.model import ALL_TOPICS
from mlgroup_mail.web.pages.forms import LARGEST_BODY, MOST_FIELDS, fields_of
from mlgroup_mail.web.pages.opt_out import is_one_click
from tests.cli.conftest import Run
from tests.web.readers import ONE_CLICK, PARTS, Pages, dump, every, rules, token

FORM = "application/x-www-form-urlencoded"
LETTER = (1, "newsletter", "page", True)


def test_one_click_stops_its_topic_at_once_without_cookie_redirect_or_login(pages: Pages) -> None:
    answer = pages.post(token(1), ONE_CLICK)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert rules(pages.app.store) == [LETTER]


def test_the_link_out_of_everything_stops_everything(pages: Pages) -> None:
    assert pages.post(every(1), ONE_CLICK).status_code == 200
    assert rules(pages.app.store) == [(1, ALL_TOPICS, "page", True)]


def test_the_evidence_names_mailing_and_button_and_neither_address_nor_browser(pages: Pages, run: Run) -> None:
    pages.post(token(1), ONE_CLICK, headers={"User-Agent": "Mail/1.0", "X-Forwarded-For": "192.0.2.7"})
    (rule,) = [line for line in run("opt-out", "list", "--json").out.splitlines() if line]
    assert "letter/issue: one click in the mail program" in rule
    assert "192.0.2.7" not in repr(dump(pages.app.store))
    assert "Mail/1.0" not in repr(dump(pages.app.store))


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"List-Unsubscribe=One-Click", FORM),
        (b"List-Unsubscribe=One-Click", f"{FORM}; charset=utf-8"),
        (b"List-Unsubscribe=One-Click", ""),
        (b"List-Unsubscribe=One-Click\r\n", "text/plain"),
        (b"List%2DUnsubscribe=One%2DClick", FORM),
        (b"list-unsubscribe=one-click", FORM),
        (b"a=b&List-Unsubscribe=One-Click", FORM),
        PARTS,
        (PARTS[0].replace(b"\r\n", b"\n"), PARTS[1]),
        (PARTS[0], 'Multipart/Form-Data; boundary="b1"; charset=utf-8'),
        (b"preamble\r\n" + PARTS[0], PARTS[1]),
        (PARTS[0].replace(b"--b1--\r\n", b""), PARTS[1]),
    ],
)
@pytest.mark.parametrize("agent", ["", "Mozilla/5.0", "\u00fc\u00fc".encode("latin-1").decode("latin-1")])
def test_every_form_of_one_click_is_heard_whatever_program_sends_it(
    pages: Pages, body: bytes, content_type: str, agent: str
) -> None:
    headers = [(b"content-type", content_type.encode()), (b"user-agent", agent.encode("latin-1"))]
    answer = pages.ask("POST", f"/opt-out/{token(1)}", content=body, headers=headers)
    assert answer.status_code == 200
    assert rules(pages.app.store) == [LETTER]


@pytest.mark.parametrize("body", [b"", b"List-Unsubscribe", b"List-Unsubscribe=Two", b"One-Click", b"\xff\x00", b"{}"])
def test_a_post_that_asks_for_nothing_changes_nothing_and_is_not_said_to_have(pages: Pages, body: bytes) -> None:
    before = dump(pages.app.store)
    assert pages.ask("POST", f"/opt-out/{token(1)}", content=body).status_code == 400
    assert dump(pages.app.store) == before


def test_clicked_again_and_again_it_is_one_opt_out_and_costs_no_further_write(pages: Pages) -> None:
    pages.post(token(1), ONE_CLICK)
    before = dump(pages.app.store)
    for _ in range(3):
        assert pages.post(token(1), ONE_CLICK).status_code == 200
    assert dump(pages.app.store) == before


def test_many_clicks_at_once_are_all_kept_each_once(pages: Pages) -> None:
    clicks = [("POST", f"/opt-out/{token(number)}", {"data": ONE_CLICK}) for number in range(1, 7)] * 20
    assert {answer.status_code for answer in pages.ask_all(clicks)} == {200}
    assert sorted(rules(pages.app.store)) == [(number, "newsletter", "page", True) for number in range(1, 7)]


def test_after_a_person_has_lifted_it_a_new_click_counts_anew(pages: Pages, run: Run) -> None:
    pages.post(token(1), ONE_CLICK)
    assert run("opt-out", "lift", "person1@office.example", "--reason", "wants it again").code == 0
    pages.post(token(1), ONE_CLICK)
    assert rules(pages.app.store) == [(1, "newsletter", "page", False), LETTER]
    assert run("verify").code == 0


def test_a_body_is_read_up_to_a_limit_whatever_it_says_of_its_length(pages: Pages) -> None:
    too_large = pages.ask("POST", f"/opt-out/{token(1)}", content=b"List-Unsubscribe=One-Click&" + b"x" * LARGEST_BODY)
    assert too_large.status_code == 413
    assert rules(pages.app.store) == []


def test_where_the_ledger_cannot_be_written_it_is_not_said_to_be(pages: Pages) -> None:
    with pages.app.store.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE signal RENAME TO gone")
    assert pages.post(token(1), ONE_CLICK).status_code == 500
    with pages.app.store.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE gone RENAME TO signal")
    assert pages.post(token(1), ONE_CLICK).status_code == 200, "and the next one is heard"
    assert rules(pages.app.store) == [LETTER]


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(content_type=st.one_of(st.text(max_size=60), st.just(PARTS[1])), body=st.binary(max_size=300))
def test_no_body_of_any_type_is_too_odd(content_type: str, body: bytes) -> None:
    assert len(fields_of(content_type, body)) <= MOST_FIELDS


_ODD = st.text("\r\n-=;:\"'*%0b1 abcäé", max_size=40).map(lambda text: text.encode("utf-8"))


@settings(max_examples=300)
@given(
    type_rest=st.text("\t ;=*%'\"'utf8boundary0123b1", max_size=40),
    heads=st.lists(_ODD, max_size=4),
    parameters=st.text(" ;=*%'\"nameutf80123\\", max_size=40),
)
def test_no_parts_of_a_form_are_too_odd(type_rest: str, heads: list[bytes], parameters: str) -> None:
    part = b"Content-Disposition: form-data; " + parameters.encode() + b"\r\nContent-Transfer-Encoding: base64\r\n\r\nA"
    body = b"--b1\r\n" + b"\r\n--b1\r\n".join([*heads, part]) + b"\r\n--b1--"
    for content_type in ("multipart/form-data; boundary=b1" + type_rest, "multipart/form-data" + type_rest):
        assert isinstance(fields_of(content_type, body), dict)


@given(st.dictionaries(st.text("abcdef-", min_size=1, max_size=9), st.text(max_size=20), max_size=5))
def test_both_encodings_of_a_form_say_the_same(fields: dict[str, str]) -> None:
    from httpx import Request

    encoded = Request("POST", "http://127.0.0.1", data=fields)
    in_parts = Request("POST", "http://127.0.0.1", files={name: (None, value) for name, value in fields.items()})
    if fields:
        found = [fields_of(each.headers["content-type"], each.read()) for each in (encoded, in_parts)]
        plain = {name: value.strip() for name, value in fields.items()}
        assert found[0] == plain
        # Line breaks within a part are the reader's: one click has none.
        assert all(found[1][name].split() == value.split() for name, value in plain.items())


def test_the_first_field_of_a_name_counts() -> None:
    assert is_one_click(fields_of(FORM, b"List-Unsubscribe=One-Click&list-unsubscribe=no"))
