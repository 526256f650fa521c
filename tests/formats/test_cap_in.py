"""What is taken in as a warning: any bytes are read as a CAP message, its beginning alone too, or refused by
name."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_cap import DATA, SENDER, START_NS, ZONES, alert, every_message, needs_data

from jointwatch.formats.cap import alert_to_cap
from jointwatch.formats.cap_in import read_cap, read_head
from jointwatch.records import BadInput

MINIMAL = b"""<?xml version="1.0" encoding="UTF-8"?><!-- first a remark -->
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>1</identifier><sender>s</sender>
<sent>2026-01-05T22:00:00+02:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>
<info><category>Safety</category><event>e</event><urgency>Past</urgency><severity>Minor</severity>
<certainty>Likely</certainty><area><areaDesc>a</areaDesc><polygon>1,2 1,3 2,3 1,2</polygon>
<circle>1.5,-2 0.5</circle></area></info></alert>"""


def test_a_small_message_is_read() -> None:
    message = read_cap(MINIMAL, "small")
    assert message.sent_ns == START_NS - 2 * 3600 * 10**9
    (area,) = message.infos[0].areas
    assert area.polygons == (((2.0, 1.0), (3.0, 1.0), (3.0, 2.0), (2.0, 1.0)),)
    assert area.circles == ((-2.0, 1.5, 500.0),)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (b"<scope>Public</scope>", b"", "alert.scope"),
        (b"<scope>Public</scope>", b"<scope>Everyone</scope>", "alert.scope"),
        (b"<scope>Public</scope>", b"<scope>Public</scope><scope>Public</scope>", "alert.scope"),
        (b"<scope>", b"<surprise/><scope>", "alert.scope"),
        (b"</info>", b"</info><surprise/>", "alert.surprise"),
        (b"cap:1.2", b"cap:1.3", "alert"),
        (b"+02:00", b"Z", "alert.sent"),
        (b"2026-01-05", b"2026-02-30", "alert.sent"),
        (b"<urgency>Past", b"<urgency>Soon", "alert.info.urgency"),
        (b"1,2 1,3 2,3 1,2", b"1,2 1,3 2,3 4,4", "alert.info.area.polygon"),
        (b"1,2 1,3 2,3 1,2", b"1,2 1,3 2,nan 1,2", "alert.info.area.polygon"),
        (b"1,2 1,3 2,3 1,2", b"99,2 1,3 2,3 99,2", "alert.info.area.polygon"),
        (b"1.5,-2 0.5", b"1.5 -2 0.5", "alert.info.area.circle"),
        (b"<event>e<", b"<event><b/>e<", "alert.info.event"),
        (b"<event>e<", b"<event>&open;<", "message"),
        (b"<identifier>1<", b"<identifier>1,2<", "alert.identifier"),
        (b"<info>", b"<references>a,b</references><info>", "alert.references"),
        (b"<alert ", b"<!DOCTYPE alert [<!ENTITY a 'b'>]><alert ", "DOCTYPE"),
        (b"<?xml", b"\xff<?xml", "byte 0"),
        (b"</alert>", b"", "message"),
    ],
)
def test_a_wrong_message_is_refused_and_the_element_named(old: bytes, new: bytes, field: str) -> None:
    assert old in MINIMAL
    with pytest.raises(BadInput) as refused:
        read_cap(MINIMAL.replace(old, new, 1), "wrong")
    assert refused.value.field == field
    assert str(refused.value).startswith("wrong: ")


def beginning(data: bytes) -> tuple[str, ...]:
    head = read_head(data, "test")
    return head.version, head.identifier, head.sender, head.status, head.message_type


def test_a_message_s_beginning_is_read_without_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remarks within a word are left out as where all is read; what comes after may be anything."""
    data = alert_to_cap(alert(), ZONES, SENDER)
    at = data.index(b"</msgType>") + len(b"</msgType>")
    whole = read_cap(data, "test")
    monkeypatch.setattr("jointwatch.formats.cap_in.parse_hostile", None)
    for sample in (data, data[:at], data[:at] + b"<" * 900_000, b"\xef\xbb\xbf" + data):
        assert read_head(sample, "test").sent_ns == whole.sent_ns
        assert beginning(sample) == ("1.2", whole.identifier, SENDER, whole.status, whole.message_type)
    remarks = data.replace(b"<sender>amber", b"<!-- <sender/> --><sender>am<!-- x -->b<?x y?>er")
    assert beginning(remarks) == beginning(data)


@pytest.mark.parametrize(
    "old, new, field",
    [
        (b"<sender>", b"<sender>a b", "alert.sender"),
        (b"<identifier>", b"<sender/><identifier>", "alert.identifier"),
        (b"<sent>", b"<sent>x", "alert.sent"),
        (b"<status>", b"<status>x", "alert.status"),
        (
            b"<identifier>",
            b"<identifier><msgType>Alert</msgType></identifier><identifier>",
            "alert.identifier",
        ),
        (b"<alert ", b"<!DOCTYPE alert><alert ", "DOCTYPE"),
        (b"cap:1.2", b"cap:1.3", "alert"),
        (b"<sent>", b"<sent><", "message"),
        (b"<sent>", b"<sent>\xff", "byte "),
        (b"<identifier>", b"<!-- -->" * 10_000 + b"<identifier>", "message"),
    ],
)
def test_what_begins_as_no_message_is_refused(old: bytes, new: bytes, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_head(alert_to_cap(alert(), ZONES, SENDER).replace(old, new, 1), "test")
    assert caught.value.field.startswith(field), str(caught.value)
    for nothing in (b"", b"junk", b"<alert"):
        with pytest.raises(BadInput, match="well-formed"):
            read_head(nothing, "test")


def test_entities_reach_neither_files_nor_memory(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    laughs = "".join(f'<!ENTITY l{i} "{"&l" + str(i - 1) + ";" if i else "ha"}">' for i in range(30))
    for subset in (
        f'<!ENTITY x SYSTEM "file://{secret}">',
        laughs,
        '<!ENTITY % x SYSTEM "http://0.0.0.0/x"> %x;',
    ):
        attack = MINIMAL.replace(b"<alert ", f"<!DOCTYPE alert [{subset}]><alert ".encode(), 1)
        with pytest.raises(BadInput, match="DOCTYPE"):
            read_cap(attack.replace(b"<event>e", b"<event>&x;"), "attack")
    with pytest.raises(BadInput):  # the same behind another encoding than the one that is checked
        read_cap(attack.decode().replace("UTF-8", "UTF-16").encode("utf-16"), "attack")


def test_a_message_longer_than_the_limit_is_refused_unread() -> None:
    with pytest.raises(BadInput, match="at most"):
        read_cap(b" " * (8 * 1024 * 1024 + 1), "long")


@needs_data
def test_recorded_messages_read_and_the_two_bad_ones_do_not() -> None:
    assert DATA is not None
    samples = sorted([*DATA.glob("*.cap"), *DATA.glob("*.xml")])
    assert len(samples) >= 8
    refused = {}
    for sample in samples:
        try:
            message = read_cap(sample.read_bytes(), sample.name)
        except BadInput as error:
            refused[sample.name] = error.field
        else:
            assert message.identifier and message.sender and message.sent_ns > 0
    assert refused == {"invalid.cap": "alert.scope", "xee.cap": "DOCTYPE"}


@needs_data
def test_a_recorded_update_names_the_messages_it_follows_and_its_areas() -> None:
    assert DATA is not None
    message = read_cap((DATA / "canada.cap").read_bytes(), "canada.cap")
    assert [reference.sender for reference in message.references] == ["cap@ec.gc.ca"] * 2
    assert [info.language for info in message.infos] == ["en-CA", "fr-CA"]
    area = message.infos[0].areas[0]
    assert area.description == "Windsor - Leamington - Essex County"
    assert area.polygons[0][0] == (-82.9314, 42.3481)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for candidate in (data, b"<alert>" + data, MINIMAL[:60] + data):
        try:
            read_cap(candidate, "fuzz")
        except BadInput:
            pass


SAMPLES = [MINIMAL, *every_message()]
if DATA is not None:
    SAMPLES += [path.read_bytes() for path in sorted(DATA.glob("*.cap"))]


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_a_damaged_message_is_read_or_refused(data: st.DataObject) -> None:
    sample = bytearray(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(sample) - 1))
        length = data.draw(st.integers(0, 12))
        sample[at : at + length] = data.draw(
            st.binary(max_size=6) | st.sampled_from([b"", b"<", b"&#0;", b"]]>", b"9"])
        )
        if not sample:
            break
    try:
        message = read_cap(bytes(sample), "fuzz")
    except BadInput:
        return
    # whoever looks at the beginning alone sees no other message
    head = read_head(bytes(sample), "fuzz")
    assert msgspec.structs.asdict(head).items() <= msgspec.structs.asdict(message).items()
