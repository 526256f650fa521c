"""Signed CAP messages: what was signed is what is read, and only a trusted key's owner can have signed it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from jointwatch.formats import xml_signature
from jointwatch.formats.cap import alert_to_cap, read_cap
from jointwatch.formats.warning_keys import WarningCertificate, WarningKey
from jointwatch.formats.xml_signature import XMLDSIG, sign_cap, verify_cap
from jointwatch.records import Alert, BadInput, Header, Zone

START_NS = int(datetime(2026, 1, 5, 22, 0, tzinfo=UTC).timestamp()) * 1_000_000_000
SENDER = "amber.jointwatch.example"
DATA = Path(os.environ["JOINTWATCH_DATA"]) / "cap" if "JOINTWATCH_DATA" in os.environ else None
needs_data = pytest.mark.skipif(DATA is None, reason="JOINTWATCH_DATA (cap schemas and samples) is not set")
XMLSEC1 = shutil.which("xmlsec1")
needs_xmlsec1 = pytest.mark.skipif(XMLSEC1 is None, reason="xmlsec1 is not installed (make system-deps)")
ZONE = Zone(
    key="Z1", name="Northfield & <East>", partner="Amber", longitude_deg=35.05, latitude_deg=32.05,
    shelter_s=60, rings=(((35.0, 32.0), (35.1, 32.0), (35.1, 32.1), (35.0, 32.1), (35.0, 32.0)),),
)  # fmt: skip
KEY = WarningKey.made(SENDER, True, START_NS)
LIVE = WarningKey.made(SENDER, False, START_NS)
OTHER = WarningKey.made(SENDER, True, START_NS)
TRUSTED = [KEY.certificate]


def message(exercise: bool = True, sender: str = SENDER, sent_ns: int = START_NS) -> bytes:
    header = Header(originator="Amber", source="amber-node", sequence=7, measured_ns=sent_ns)
    alert = Alert(
        header=header, identifier="AMBER-2026-0001", action="alert", tier="shelter", partner="Amber",
        zones=("Z1",), sent_ns=sent_ns, impact_ns=sent_ns + 10**11, evidence=(("A-1", 0.9),),
        exercise=exercise,
    )  # fmt: skip
    return alert_to_cap(alert, [ZONE], sender)


PLAIN = message()
SIGNED = sign_cap(PLAIN, KEY)
SIGNATURE = SIGNED[SIGNED.index(b"<ds:Signature") : SIGNED.index(b"</alert>")]


def refused(data: bytes, *fields: str, trusted: list[WarningCertificate] = TRUSTED) -> BadInput:
    with pytest.raises(BadInput) as caught:
        verify_cap(data, "hostile", trusted, START_NS)
    assert caught.value.field in fields, str(caught.value)
    return caught.value


# ---------------------------------------------------------------------- ours


def test_a_signed_message_is_known_again_with_what_was_signed() -> None:
    verified = verify_cap(SIGNED, "ours", [OTHER.certificate, KEY.certificate], START_NS)
    assert verified.certificate == KEY.certificate
    assert verified.message == read_cap(PLAIN, "plain")
    assert b"Signature" not in verified.signed and read_cap(verified.signed, "signed") == verified.message


def test_the_same_message_and_key_give_the_same_bytes() -> None:
    again = WarningKey.of_pem(KEY.secret_pem(), KEY.certificate.pem(), "again")
    assert sign_cap(PLAIN, again) == SIGNED


@needs_data
def test_a_signed_message_is_valid_by_the_schema_and_the_signature_stands_last() -> None:
    assert DATA is not None
    schema = etree.XMLSchema(etree.parse(DATA / "cap12.xsd"))
    root = etree.fromstring(SIGNED)
    schema.assertValid(root)
    assert root[-1].tag == f"{{{XMLDSIG}}}Signature"


def test_a_key_signs_what_it_is_for_and_nothing_else() -> None:
    sign_cap(message(exercise=False), LIVE)
    for data, key in ((PLAIN, LIVE), (message(exercise=False), KEY)):
        with pytest.raises(BadInput, match=r"alert\.status"):
            sign_cap(data, key)
    for status in (b"Test", b"System", b"Draft"):
        for key in (KEY, LIVE):
            with pytest.raises(BadInput, match=r"alert\.status"):
                sign_cap(PLAIN.replace(b"<status>Exercise", b"<status>" + status), key)
    with pytest.raises(BadInput, match=r"alert\.sender"):
        sign_cap(message(sender="blue.jointwatch.example"), KEY)
    with pytest.raises(BadInput, match="one already"):
        sign_cap(SIGNED, KEY)


def test_an_exercise_signed_by_whatever_means_with_a_live_key_is_refused() -> None:
    """The status is held against the certificate by the reader too, who trusts no signer's program."""
    good = verify_cap(SIGNED, "ours", TRUSTED, START_NS).certificate
    turned = good._replace(purpose="live")
    assert refused(SIGNED, "alert.status", trusted=[turned]).wanted.startswith("Actual")
    refused(SIGNED, "alert.sender", trusted=[good._replace(sender="blue.example")])


# ---------------------------------------------------------------------- who may have signed


def test_a_certificate_in_the_message_proves_nothing() -> None:
    """A forger signs with a key of his own and sends its certificate along: none but those pinned counts."""
    forged = sign_cap(PLAIN, OTHER)
    refused(forged, "SignatureValue")
    refused(forged, "trusted certificates", trusted=[])
    pinned = b64encode(KEY.certificate.x509_certificate.public_bytes(Encoding.DER))
    at = re.compile(rb"(<ds:X509Certificate>).*(</ds:X509Certificate>)", re.DOTALL)
    refused(at.sub(rb"\1" + pinned + rb"\2", forged), "SignatureValue")
    # and without any certificate in it the message is as good as with it
    bare = re.sub(rb"<ds:KeyInfo>.*</ds:KeyInfo>", b"", SIGNED, flags=re.DOTALL)
    assert verify_cap(bare, "bare", TRUSTED, START_NS).certificate == KEY.certificate


def test_a_certificate_is_good_as_long_as_it_holds() -> None:
    for now_ns in (KEY.certificate.from_ns - 1, KEY.certificate.to_ns + 1):
        with pytest.raises(BadInput, match="do not hold now"):
            verify_cap(SIGNED, "late", TRUSTED, now_ns)
        # it is signed all the same, which is for its node to tell of: the date is for who hears it to judge
        sent_ns = now_ns // 10**9 * 10**9
        late = sign_cap(message(sent_ns=sent_ns), KEY)
        with pytest.raises(BadInput, match="do not hold now"):
            verify_cap(late, "late", TRUSTED, now_ns)
        assert verify_cap(late, "late", TRUSTED, START_NS).message.sent_ns == sent_ns


def test_every_changed_word_is_found() -> None:
    for old, new in ((b"Northfield", b"Southfield"), (b"take shelter", b"stay in bed"), (b"35.1", b"35.2")):
        assert old in PLAIN
        refused(SIGNED.replace(old, new, 1), "DigestValue")
    refused(PLAIN, "Signature")


# ---------------------------------------------------------------------- attacks on the form

XSLT = b'<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/>'


def edited(old: bytes, new: bytes) -> bytes:
    assert SIGNED.count(old) >= 1
    return SIGNED.replace(old, new, 1)


def test_signature_wrapping_is_refused() -> None:
    evil = PLAIN.replace(b"Northfield", b"Southfield").replace(
        b"<?xml version='1.0' encoding='UTF-8'?>\n", b""
    )
    inner = SIGNED[SIGNED.index(b"<alert") :]
    # the signed message within another, as an object, as a block, beside it, and with a reference by name
    wrapped = evil.replace(b"</alert>", inner + b"</alert>")
    refused(wrapped, "Signature")
    within = SIGNATURE.replace(
        b"</ds:Signature>", b"<ds:Object>" + PLAIN[PLAIN.index(b"<alert") :] + b"</ds:Object></ds:Signature>"
    )
    refused(evil.replace(b"</alert>", within + b"</alert>"), "Signature")
    named = SIGNATURE.replace(b'URI=""', b'URI="#a"')
    refused(evil.replace(b"<alert ", b'<alert Id="a" ').replace(b"</alert>", named + b"</alert>"), "alert")
    refused(evil.replace(b"</alert>", named + b"</alert>"), "Reference")
    refused(evil.replace(b"</alert>", SIGNATURE + b"</alert>"), "DigestValue")
    hidden = evil.replace(b"</info>", SIGNATURE + b"</info>")
    refused(hidden, "Signature")


def test_two_signatures_are_refused() -> None:
    other = sign_cap(PLAIN, OTHER)
    second = other[other.index(b"<ds:Signature") : other.index(b"</alert>")]
    for extra in (SIGNATURE, second):
        refused(SIGNED.replace(b"</alert>", extra + b"</alert>"), "Signature")
    refused(edited(b"</ds:Signature>", SIGNATURE + b"</ds:Signature>"), "Signature")


@pytest.mark.parametrize(
    "old, new, field",
    [
        (b'URI=""', b'URI="http://elsewhere.example/x"', "Reference"),
        (b'URI=""', b'URI="#xpointer(/)"', "Reference"),
        (b'<ds:Reference URI="">', b"<ds:Reference>", "Reference"),
        (b'<ds:Reference URI="">', b'<ds:Reference URI="" Type="x">', "Reference"),
        (b"rsa-sha256", b"rsa-sha1", "SignatureMethod"),
        (b"rsa-sha256", b"hmac-sha256", "SignatureMethod"),
        (b"rsa-sha256", b"ecdsa-sha256", "SignatureMethod"),
        (b"xmlenc#sha256", b"xmldsig#sha1", "DigestMethod"),
        (b"#enveloped-signature", b"#base64", "Transform"),
        (b'xml-exc-c14n#"/></ds:Transforms>', b'xml-exc-c14n#WithComments"/></ds:Transforms>', "Transform"),
        (b'n#"/><ds:SignatureMethod', b'n#WithComments"/><ds:SignatureMethod', "CanonicalizationMethod"),
        (b"</ds:Transforms>", XSLT + b"</ds:Transforms>", "Transforms"),
        (b"</ds:SignedInfo>", b'<ds:Reference URI="#b"/></ds:SignedInfo>', "SignedInfo"),
        (b"</ds:Signature>", b"<ds:Object/></ds:Signature>", "Signature"),
        (b"<sender>", b"<sender><!-- x -->", "message"),
        (b"<sender>", b"<sender><?x y?>", "message"),
        (b"<ds:SignatureValue>", b"<ds:SignatureValue><!-- x -->", "message"),
        (b"<alert ", b'<?xml-stylesheet href="x"?><alert ', "message"),
        (b"<alert ", b"<!DOCTYPE alert><alert ", "DOCTYPE"),
        (b"<alert ", b'<!DOCTYPE alert [<!ENTITY x "y">]><alert ', "DOCTYPE"),
    ],
)  # fmt: skip
def test_whatever_leaves_room_is_refused(old: bytes, new: bytes, field: str) -> None:
    refused(edited(old, new), field)


def test_a_comment_between_elements_changes_nothing_of_what_is_read() -> None:
    data = edited(b"<info>", b"<!-- <info> --><info>")
    assert verify_cap(data, "remark", TRUSTED, START_NS).message == read_cap(PLAIN, "plain")


def test_an_element_is_looked_through_once_however_many_remarks_are_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """140 KB of comments before the first element took a minute, which anybody could send."""
    looked: list[str] = []
    look = xml_signature._has_elements
    monkeypatch.setattr(xml_signature, "_has_elements", lambda e: looked.append(e.tag) or look(e))
    data = edited(b"<identifier>", b"<!---->" * 20_000 + b"<identifier>")
    assert verify_cap(data, "remarks", TRUSTED, START_NS).message == read_cap(PLAIN, "plain")
    assert len(looked) == 1
    refused(edited(b"<info>", b"<info><event>" + b"<?x y?>z" * 20_000 + b"</event>"), "message")
    assert len(looked) == 2


def test_what_is_not_signed_is_refused_before_anything_else_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(xml_signature, "_refuse_what_readers_see_differently", None)
    refused(PLAIN.replace(b"<identifier>", b"<!---->" * 20_000 + b"<identifier>"), "Signature")


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_a_damaged_message_is_refused_or_says_the_same(data: st.DataObject) -> None:
    sample = bytearray(SIGNED)
    begin = data.draw(st.sampled_from([0, len(SIGNED) - len(SIGNATURE)]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(min(begin, len(sample) - 1), len(sample) - 1))
        length = data.draw(st.integers(0, 12))
        sample[at : at + length] = data.draw(
            st.binary(max_size=6) | st.sampled_from([b"", b"<", b"&#0;", b"]]>", b"9", b"<ds:X/>", b"=="])
        )
    try:
        verified = verify_cap(bytes(sample), "fuzz", TRUSTED, START_NS)
    except BadInput:
        return
    assert verified.message == read_cap(PLAIN, "plain")


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    for candidate in (data, b"<alert>" + data, SIGNED[:500] + data, data + SIGNATURE):
        with pytest.raises(BadInput):
            verify_cap(candidate, "fuzz", TRUSTED, START_NS)


# ---------------------------------------------------------------------- beside another's implementation


def xmlsec1(*arguments: object) -> subprocess.CompletedProcess[bytes]:
    assert XMLSEC1 is not None
    return subprocess.run([XMLSEC1, *map(str, arguments)], capture_output=True, timeout=30)


@needs_xmlsec1
def test_xmlsec1_verifies_ours_with_the_pinned_certificate_only(tmp_path: Path) -> None:
    pinned, other = tmp_path / "pinned.pem", tmp_path / "other.pem"
    pinned.write_bytes(KEY.certificate.pem())
    other.write_bytes(OTHER.certificate.pem())
    good, bad = tmp_path / "good.xml", tmp_path / "bad.xml"
    good.write_bytes(SIGNED)
    bad.write_bytes(SIGNED.replace(b"Northfield", b"Northfielt", 1))
    # no key but by name is looked at in the message: what it brings along is left out
    only = ("--verify", "--enabled-key-data", "key-name", "--pubkey-cert-pem")
    assert xmlsec1(*only, pinned, good).returncode == 0
    assert xmlsec1(*only, pinned, bad).returncode != 0
    assert xmlsec1(*only, other, good).returncode != 0


TEMPLATE = """<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo>
<CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#{method}"/>
<Reference URI=""><Transforms>
<Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
<Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></Transforms>
<DigestMethod Algorithm="http://www.w3.org/2001/04/{digest}"/><DigestValue/></Reference></SignedInfo>
<SignatureValue/></Signature>"""


@needs_xmlsec1
@pytest.mark.parametrize(
    "method, digest",
    [
        ("rsa-sha256", "xmlenc#sha256"),
        ("rsa-sha384", "xmldsig-more#sha384"),
        ("rsa-sha512", "xmlenc#sha512"),
        ("ecdsa-sha256", "xmlenc#sha256"),
    ],
)
def test_what_xmlsec1_signs_is_verified_by_ours(method: str, digest: str, tmp_path: Path) -> None:
    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if method.startswith("rsa"):
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    else:
        private = ec.generate_private_key(ec.SECP256R1())
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Another authority")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
        .serial_number(7).not_valid_before(begins).not_valid_after(begins + timedelta(days=400))
        .sign(private, SHA256())
    )  # fmt: skip
    trusted = [KEY.certificate, WarningCertificate.of_pem(made.public_bytes(Encoding.PEM), "theirs")]
    key, template, signed = tmp_path / "key.pem", tmp_path / "template.xml", tmp_path / "signed.xml"
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    empty = TEMPLATE.format(method=method, digest=digest).encode()
    template.write_bytes(PLAIN.replace(b"</alert>", empty + b"</alert>"))
    done = xmlsec1("--sign", "--privkey-pem", key, "--output", signed, template)
    assert done.returncode == 0, done.stderr
    data = signed.read_bytes()
    verified = verify_cap(data, "theirs", trusted, START_NS)
    assert verified.certificate == trusted[1] and verified.message == read_cap(PLAIN, "plain")
    refused(data.replace(b"Northfield", b"Southfield"), "DigestValue", trusted=trusted)
    refused(data, "SignatureValue", "SignatureMethod")
