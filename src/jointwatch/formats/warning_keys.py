"""Keys that warnings are signed with, and the certificates that say whose they are and what they are for.

In: PEM text, or for a new key a sender's name, a purpose and a period; out: a `WarningKey`, which signs, and
a `WarningCertificate`, which is handed to whoever checks.  A key is for exercises or for live warnings, never
for both, and the certificate says which (its organizational unit is EXERCISE or LIVE), so that a message of
an exercise signed with a live key cannot be made, and one signed with an exercise's key cannot pass for live.
Whose a key is the certificate says by its common name.  A node that warns another partner's zones too sends
those messages as NAME-PARTNER; its certificate may name such senders besides (as directory names, which hold
any script), and none that is not of its own name, so that no certificate speaks for another node.
References: RFC 5280 (certificates; 4.2.1.6: subject alternative names), RFC 8017 section 8.2
(RSASSA-PKCS1-v1_5: a signature that repeats).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, NoReturn

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from jointwatch.records import BadInput

Purpose = Literal["exercise", "live", ""]
"""What a certificate says that its key is for; "": it does not say (another authority's)."""

KEY_BITS = 3072
"""128 bits of security (NIST SP 800-57); a signature takes 2.3 ms, with 2,048 bits 0.9 ms."""
LEAST_BITS = 2048
"""Others' RSA keys may be as short as this."""
MOST_SENDER = 64
"""Bytes (UTF-8) of a name that a certificate can hold: RFC 5280, appendix A.1 says characters, and the
library that writes it counts bytes."""
YEAR_DAYS = 365.25
_UNITS: dict[str, Purpose] = {"EXERCISE": "exercise", "LIVE": "live"}
_STATUSES: dict[Purpose, str] = {"exercise": "Exercise", "live": "Actual"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class WarningCertificate(NamedTuple):
    """A certificate, and what it says.

    sender: its common name.  from_ns, to_ns: when its key may be used.  fingerprint: SHA-256 of it, in
    hexadecimal digits.  also: other senders that it covers, each of which begins with the sender and "-".
    """

    x509_certificate: x509.Certificate
    sender: str
    purpose: Purpose
    from_ns: int
    to_ns: int
    fingerprint: str
    also: tuple[str, ...] = ()

    @classmethod
    def of_pem(cls, pem: str | bytes, source: str) -> WarningCertificate:
        """From PEM text with one certificate; BadInput if it is none, or its key is weak or of another kind
        than RSA and ECDSA on P-256."""
        data = pem.encode() if isinstance(pem, str) else pem
        wanted = "one X.509 certificate in PEM"
        try:
            (certificate,) = x509.load_pem_x509_certificates(data)
            return cls._of(certificate, source)
        except BadInput:
            raise
        except (ValueError, UnsupportedAlgorithm) as error:
            raise BadInput(source, "certificate", str(error).partition("\n")[0], wanted) from None

    @classmethod
    def _of(cls, certificate: x509.Certificate, source: str) -> WarningCertificate:
        key = certificate.public_key()
        strong = isinstance(key, rsa.RSAPublicKey) and key.key_size >= LEAST_BITS
        if not strong and not (isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp256r1"):
            found = f"{type(key).__name__} of {getattr(key, 'key_size', '?')} bits"
            raise BadInput(source, "certificate's key", found, f"RSA of {LEAST_BITS} bits or P-256")
        unit = _only(certificate.subject, NameOID.ORGANIZATIONAL_UNIT_NAME)
        sender = _only(certificate.subject, NameOID.COMMON_NAME)
        return cls(
            x509_certificate=certificate,
            sender=sender,
            purpose=_UNITS.get(unit, ""),
            from_ns=_ns(certificate.not_valid_before_utc),
            to_ns=_ns(certificate.not_valid_after_utc),
            fingerprint=certificate.fingerprint(SHA256()).hex(),
            also=tuple(name for name in _also(certificate) if sender and name.startswith(f"{sender}-")),
        )

    def pem(self) -> bytes:
        """The certificate as PEM text."""
        return self.x509_certificate.public_bytes(Encoding.PEM)

    def is_valid(self, now_ns: int) -> bool:
        """Whether the key may be used now."""
        return self.from_ns <= now_ns <= self.to_ns

    def covers(self, sender: str) -> bool:
        """Whether its key signs what this sender sends."""
        return sender in (self.sender, *self.also)

    def check_use(self, status: str, sender: str, source: str) -> None:
        """BadInput if the certificate is one of an exercise or of live warnings, and a CAP message with this
        status and sender is not what its key is for."""
        if not self.purpose:
            return
        wanted = _STATUSES[self.purpose]
        if status != wanted:
            raise BadInput(source, "alert.status", status, f"{wanted}: the key is for no other")
        if not self.covers(sender):
            wanted = f"{' or '.join((self.sender, *self.also))}, whose key it is"
            raise BadInput(source, "alert.sender", sender, wanted)


class WarningKey:
    """A private key with its certificate.  It is never shown, copied, pickled or written into a record."""

    __slots__ = ("_key", "certificate")

    certificate: WarningCertificate

    def __init__(self, key: rsa.RSAPrivateKey, certificate: WarningCertificate, source: str) -> None:
        """BadInput if the certificate is another key's, or does not say what the key is for and whose."""
        if key.public_key() != certificate.x509_certificate.public_key():
            raise BadInput(source, "certificate", "another key's", "the certificate of this key")
        if not certificate.purpose or not certificate.sender:
            wanted = "a sender's name, and EXERCISE or LIVE as organizational unit"
            raise BadInput(
                source, "certificate", certificate.x509_certificate.subject.rfc4514_string(), wanted
            )
        self._key, self.certificate = key, certificate

    @classmethod
    def made(
        cls, sender: str, exercise: bool, from_ns: int, years: float = 2.0, also: Sequence[str] = ()
    ) -> WarningKey:
        """A new key, from the system's own randomness: for whoever makes keys, never for a computation.

        from_ns: its certificate holds from then on, for so many years.  also: other senders that it covers.
        BadInput if a sender is no name that CAP allows, or longer than a certificate can hold, or one of the
        others does not begin with the sender and "-".
        """
        for each in (sender, *also):
            check_sender(each, "new key")
        for each in also:
            if not each.startswith(f"{sender}-"):
                raise BadInput("new key", "also", each, f"a name that begins with {sender}-")
        if not 0.0 < years <= 30.0:
            raise BadInput("new key", "years", years, "more than 0, at most 30")
        key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "EXERCISE" if exercise else "LIVE"),
                x509.NameAttribute(NameOID.COMMON_NAME, sender),
            ]
        )
        begins = _EPOCH + timedelta(seconds=from_ns // 1_000_000_000)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(begins + timedelta(days=YEAR_DAYS * years))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_SIGNS_ONLY, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        if also:
            names = [x509.DirectoryName(_common_name(each)) for each in dict.fromkeys(also)]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        pem = builder.sign(key, SHA256()).public_bytes(Encoding.PEM)
        return cls(key, WarningCertificate.of_pem(pem, "new key"), "new key")

    @classmethod
    def of_pem(cls, key: bytes, certificate: bytes, source: str) -> WarningKey:
        """From PEM text of both; BadInput (which repeats none of the key) if they are none."""
        wanted = "an RSA private key in PEM, not encrypted"
        try:
            private = load_pem_private_key(key, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise BadInput(source, "private key", f"{len(key)} bytes", wanted) from None
        if not isinstance(private, rsa.RSAPrivateKey):
            raise BadInput(source, "private key", "a key of another kind", wanted)
        return cls(private, WarningCertificate.of_pem(certificate, source), source)

    def secret_pem(self) -> bytes:
        """The private key itself, as PEM text: for the one file that keeps it."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, data: bytes, /) -> bytes:
        """The signature of data: RSASSA-PKCS1-v1_5 with SHA-256, the same for the same data."""
        return self._key.sign(data, PKCS1v15(), SHA256())

    def __repr__(self) -> str:
        said = self.certificate
        return f"WarningKey({said.sender}, {said.purpose}, {said.fingerprint[:16]})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a private key is neither copied nor pickled")


_SIGNS_ONLY = x509.KeyUsage(
    digital_signature=True,
    content_commitment=True,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


def check_sender(name: str, source: str) -> None:
    """BadInput if a sender's name is none that CAP allows, or longer than a certificate can hold."""
    # what cannot be printed may have no bytes either
    is_plain = name.isprintable() and not set(name) & set(" ,<&")
    if not is_plain or not 0 < len(name.encode()) <= MOST_SENDER:
        wanted = f"1 to {MOST_SENDER} bytes of UTF-8 without space, comma, < or &"
        raise BadInput(source, "sender", name, wanted)


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _also(certificate: x509.Certificate) -> list[str]:
    """The common names among a certificate's other names; none where they cannot be read."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return []
    return [_only(name, NameOID.COMMON_NAME) for name in names.get_values_for_type(x509.DirectoryName)]


def _only(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    """The one value of a part of a name; "" where there is none, or more than one."""
    values = [str(part.value) for part in name.get_attributes_for_oid(oid)]
    return values[0] if len(values) == 1 else ""


def _ns(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(seconds=1) * 1_000_000_000
