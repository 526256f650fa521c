"""Keys of warnings: each is for exercises or live, says so, and is never shown."""

from __future__ import annotations

import base64
import copy
import json
import pickle
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from jointwatch.cli.main import main
from jointwatch.formats.warning_keys import KEY_BITS, WarningCertificate, WarningKey
from jointwatch.joint.signing import Signer
from jointwatch.node.key_files import keep_link_key, keep_warning_key, load_link_key, load_warning_key
from jointwatch.records import BadInput

START_NS = int(datetime(2026, 1, 5, 22, 0, tzinfo=UTC).timestamp()) * 1_000_000_000
YEAR_NS = 31_557_600 * 1_000_000_000
SENDER = "amber.jointwatch.example"


@pytest.fixture(scope="module")
def key() -> WarningKey:
    return WarningKey.made(SENDER, True, START_NS)


@pytest.fixture(scope="module")
def live() -> WarningKey:
    return WarningKey.made(SENDER, False, START_NS)


@pytest.fixture(scope="module")
def wide() -> WarningKey:
    return WarningKey.made(SENDER, True, START_NS, also=(f"{SENDER}-Blue", f"{SENDER}-Green"))


def certificate_of(private: Any, begins: datetime, units: tuple[str, ...] = (), name: str = SENDER) -> bytes:
    """A certificate of another's making."""
    parts = [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in units]
    subject = x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(private.public_key())
        .serial_number(7).not_valid_before(begins).not_valid_after(begins + timedelta(days=400))
        .sign(private, SHA256())
    )  # fmt: skip
    return made.public_bytes(Encoding.PEM)


def test_a_certificate_says_whose_key_it_is_and_what_for(key: WarningKey, live: WarningKey) -> None:
    said = key.certificate
    assert (said.sender, said.purpose) == (SENDER, "exercise")
    assert live.certificate.purpose == "live"
    assert said.from_ns == START_NS and said.to_ns == START_NS + 2 * YEAR_NS
    assert not said.is_valid(START_NS - 1) and not said.is_valid(said.to_ns + 1)
    assert said.is_valid(START_NS) and said.is_valid(said.to_ns)
    assert WarningCertificate.of_pem(said.pem(), "again") == said
    public = said.x509_certificate.public_key()
    assert isinstance(public, rsa.RSAPublicKey) and public.key_size == KEY_BITS
    text = said.x509_certificate.subject.rfc4514_string()
    assert "OU=EXERCISE" in text and f"CN={SENDER}" in text


def test_a_private_key_is_never_shown_copied_or_pickled(key: WarningKey) -> None:
    body = key.secret_pem().split(b"\n")[2].decode()
    assert body not in repr(key) and body not in str(key)
    for way in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="neither copied nor pickled"):
            way(key)


def test_a_key_is_the_same_again_from_its_own_certificate_only(key: WarningKey, live: WarningKey) -> None:
    again = WarningKey.of_pem(key.secret_pem(), key.certificate.pem(), "test")
    assert again.sign(b"words") == key.sign(b"words") != live.sign(b"words")
    with pytest.raises(BadInput, match="another key's"):
        WarningKey.of_pem(key.secret_pem(), live.certificate.pem(), "test")


def test_a_certificate_without_purpose_or_name_is_no_warning_key(key: WarningKey) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    for units in ((), ("EXERCISE", "LIVE"), ("exercise",)):
        certificate = WarningCertificate.of_pem(certificate_of(private, begins, units), "test")
        assert certificate.purpose == ""
        with pytest.raises(BadInput, match="EXERCISE or LIVE"):
            WarningKey(private, certificate, "test")


def test_weak_keys_and_other_kinds_are_refused_and_p256_of_others_is_taken() -> None:
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    other = ec.generate_private_key(ec.SECP384R1())
    for private in (weak, other):
        with pytest.raises(BadInput, match="certificate's key"):
            WarningCertificate.of_pem(certificate_of(private, begins), "test")
    good = WarningCertificate.of_pem(certificate_of(ec.generate_private_key(ec.SECP256R1()), begins), "test")
    assert good.sender == SENDER


@pytest.mark.parametrize("sender", ["", "two words", "a,b", "a<b", "a&b", "x" * 65, "א" * 33, "a\nb"])
def test_a_sender_that_cap_or_a_certificate_cannot_name_has_no_key(sender: str) -> None:
    with pytest.raises(BadInput, match="sender"):
        WarningKey.made(sender, True, START_NS)
    with pytest.raises(BadInput, match="years"):
        WarningKey.made(SENDER, True, START_NS, 0.0)


def test_a_certificate_covers_other_senders_of_its_own_name_and_no_others(key: WarningKey) -> None:
    also = (f"{SENDER}-Blue", f"{SENDER}-כחול")
    wide = WarningKey.made(SENDER, True, START_NS, also=(*also, also[0])).certificate
    assert wide.also == also and WarningCertificate.of_pem(wide.pem(), "again") == wide
    for sender, by_wide, by_narrow in (
        (SENDER, True, True), (also[0], True, False), (also[1], True, False), (f"{SENDER}-Red", False, False),
        ("Blue", False, False), ("", False, False),
    ):  # fmt: skip
        assert (wide.covers(sender), key.certificate.covers(sender)) == (by_wide, by_narrow)
    with pytest.raises(BadInput, match=f"found {SENDER}-Red, wanted {SENDER} or {SENDER}-Blue or"):
        wide.check_use("Exercise", f"{SENDER}-Red", "test")
    wide.check_use("Exercise", also[0], "test")
    with pytest.raises(BadInput, match="also"):
        WarningKey.made(SENDER, True, START_NS, also=("blue.jointwatch.example",))
    with pytest.raises(BadInput, match="sender"):
        WarningKey.made(SENDER, True, START_NS, also=(f"{SENDER}-two words",))


def test_a_certificate_that_names_another_node_does_not_cover_it() -> None:
    """Whoever makes it: names that are not of its own name are not read from it."""
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SENDER)])
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    names: list[x509.GeneralName] = [x509.DNSName(f"{SENDER}-dns")]
    for name in ("blue.jointwatch.example", f"{SENDER}-Blue", SENDER):
        names.append(x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])))
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(private.public_key())
        .serial_number(7).not_valid_before(begins).not_valid_after(begins + timedelta(days=400))
        .add_extension(x509.SubjectAlternativeName(names), critical=False).sign(private, SHA256())
    )  # fmt: skip
    certificate = WarningCertificate.of_pem(made.public_bytes(Encoding.PEM), "test")
    assert certificate.also == (f"{SENDER}-Blue",)


def damaged(pem: bytes, data: st.DataObject) -> bytes:
    out = bytearray(pem)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(out) - 1))
        out[at : at + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=4))
    return bytes(out)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_a_damaged_certificate_is_read_or_refused(wide: WarningKey, data: st.DataObject) -> None:
    """One with other names too, whose extension is read."""
    try:
        WarningCertificate.of_pem(damaged(wide.certificate.pem(), data), "fuzz")
    except BadInput:
        pass


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_a_certificate_damaged_within_covers_nobody_else(wide: WarningKey, data: st.DataObject) -> None:
    der = bytearray(wide.certificate.x509_certificate.public_bytes(Encoding.DER))
    # most often in its other names, where the damage is not seen at once
    begins = der.index(b"-Blue") - 60
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(begins, begins + 120) | st.integers(0, len(der) - 1))
        der[at] = data.draw(st.integers(0, 255))
    body = base64.encodebytes(bytes(der)).decode()
    try:
        read = WarningCertificate.of_pem(
            f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n", "fuzz"
        )
    except BadInput:
        return
    assert all(name.startswith(f"{read.sender}-") for name in read.also)


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_a_damaged_key_is_refused_without_a_word_of_it(key: WarningKey, data: st.DataObject) -> None:
    try:
        WarningKey.of_pem(damaged(key.secret_pem(), data), key.certificate.pem(), "fuzz")
    except BadInput as error:
        assert key.secret_pem().split(b"\n")[2].decode() not in str(error)


# ---------------------------------------------------------------------- files and the command


def test_a_key_on_disk_is_its_owners_alone_and_is_never_replaced(key: WarningKey, tmp_path: Path) -> None:
    secret, public = keep_warning_key(key, tmp_path)
    assert (secret.name, public.name) == (f"{SENDER}-exercise.key.pem", f"{SENDER}-exercise.cert.pem")
    assert secret.stat().st_mode & 0o777 == 0o600
    assert load_warning_key(secret).certificate == key.certificate
    with pytest.raises(BadInput, match="not replaced"):
        keep_warning_key(key, tmp_path)
    secret.chmod(0o640)
    with pytest.raises(BadInput, match="chmod 600"):
        load_warning_key(secret)
    secret.chmod(0o600)
    public.unlink()
    with pytest.raises(BadInput, match=r"cert\.pem"):
        load_warning_key(secret)
    with pytest.raises(BadInput, match="not replaced"):
        keep_warning_key(key, tmp_path)
    assert not public.exists(), "nothing is written where one of the two is there"


def test_a_link_key_on_disk_is_its_owners_alone(tmp_path: Path) -> None:
    signer = Signer(bytes(range(32)))
    secret, public = keep_link_key(signer, "../Amber north", tmp_path)
    assert secret.parent == tmp_path and secret.name == "_._Amber_north.link.key"
    assert load_link_key(secret).public == signer.public
    assert public.read_text() == f"{signer.public.hex()}\n"
    secret.chmod(0o604)
    with pytest.raises(BadInput, match="chmod 600"):
        load_link_key(secret)


def called(monkeypatch: Any, capsys: Any, *arguments: object) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["jointwatch", *map(str, arguments)])
    status = 0
    try:
        main()
    except SystemExit as left:
        status = int(left.code or 0)
    return status, *capsys.readouterr()


def test_the_command_makes_a_key_and_says_what_it_is_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status, out, _ = called(monkeypatch, capsys, "keys", "new", SENDER, "--exercise", "--out", tmp_path)
    secret, public = tmp_path / f"{SENDER}-exercise.key.pem", tmp_path / f"{SENDER}-exercise.cert.pem"
    assert status == 0 and str(secret) in out and str(public) in out and "EXERCISE" in out
    certificate = load_warning_key(secret).certificate
    body = secret.read_text().splitlines()[2]
    for file in (secret, public):
        status, out, _ = called(monkeypatch, capsys, "keys", "show", file)
        assert status == 0 and "EXERCISE" in out and SENDER in out and certificate.fingerprint in out
        assert body not in out
        shown = json.loads(called(monkeypatch, capsys, "keys", "show", file, "--json")[1])
        assert shown["for"] == "exercise" and shown["sender"] == SENDER and shown["valid_now"] is True
        assert shown["fingerprint"] == certificate.fingerprint
    again = called(monkeypatch, capsys, "keys", "new", SENDER, "--exercise", "--out", tmp_path)
    assert again[0] == 2 and "not replaced" in again[2] and again[1] == ""


def test_the_command_makes_a_key_for_other_partners_zones_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    new = ("keys", "new", "amber", "--live", "--out", tmp_path)
    status, out, _ = called(monkeypatch, capsys, *new, "--also", "amber-Blue", "--also", "amber-Red")
    assert status == 0 and "Also for:    amber-Blue, amber-Red" in out
    assert load_warning_key(tmp_path / "amber-live.key.pem").certificate.also == ("amber-Blue", "amber-Red")
    shown = called(monkeypatch, capsys, "keys", "show", tmp_path / "amber-live.cert.pem", "--json")[1]
    assert json.loads(shown)["also"] == ["amber-Blue", "amber-Red"]
    for flag, also, why in (("--exercise", "blue", "begins with amber-"), ("--link", "amber-Blue", "--also")):
        wrong = called(monkeypatch, capsys, *new[:3], flag, "--out", tmp_path / "none", "--also", also)
        assert wrong[0] == 2 and why in wrong[2]
    assert not (tmp_path / "none").exists()


def test_the_command_makes_keys_of_the_link_and_refuses_two_purposes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status, out, _ = called(monkeypatch, capsys, "keys", "new", "Amber", "--link", "--out", tmp_path)
    public = load_link_key(tmp_path / "Amber.link.key").public.hex()
    assert status == 0 and public in out
    for name in ("Amber.link.key", "Amber.link.pub"):
        assert public in called(monkeypatch, capsys, "keys", "show", tmp_path / name)[1]
    for flags in ((), ("--live", "--exercise"), ("--live", "--link")):
        wrong = called(monkeypatch, capsys, "keys", "new", "B", *flags, "--out", tmp_path / "none")
        assert wrong[0] == 2 and "no key is for two" in wrong[2]
    assert not (tmp_path / "none").exists()
    missing = called(monkeypatch, capsys, "keys", "show", tmp_path / "nothing.cert.pem")
    assert missing[0] == 2 and "nothing.cert.pem" in missing[2]
