"""Signing: a record that a sharing rule has released, into bytes that any node can check, forward and prove.

In: a record, who issues it, to whom, its place in that stream and when, and a key; out: the bytes of a signed
`Envelope`, and the answer whether an envelope is its issuer's.  The signature is Ed25519 (Josefsson &
Liusvaara 2017, RFC 8032) over a prefix of our own and the envelope's canonical bytes without a signature, so
that nothing else that is ever signed with the key can pass for a message, nor a message for anything else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn, Protocol

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from jointwatch.records import MESSAGES, BadInput, Envelope, Message, Receipt, decode, encode

PREFIX = b"jointwatch message %d\0" % MESSAGES
RECEIPT_PREFIX = b"jointwatch receipt %d\0" % MESSAGES
KEY_BYTES, SIGNATURE_BYTES = 32, 64
MOST_BYTES = 1_000_000
"""No message is longer: some 25,000 plots or 2,500 tracklets.  A longer one is refused before anything is
made of it; what is more is sent as several.  It also fits the largest message that a broker takes unasked."""

_encoder = msgspec.msgpack.Encoder()
_receipts: msgspec.msgpack.Decoder[Receipt] = msgspec.msgpack.Decoder(Receipt)


class PrivateKey(Protocol):
    """What can sign for a partner: a `Signer`, or a device that never lets the key out."""

    def sign(self, data: bytes, /) -> bytes:
        """The Ed25519 signature (64 bytes) of data."""


class Signer:
    """A private key in this process.  It is never shown, copied, pickled or written into a record."""

    __slots__ = ("_key", "public")

    public: bytes
    """The public key, 32 bytes."""

    def __init__(self, secret: bytes) -> None:
        """From the 32 bytes of a private key; BadInput (which does not repeat them) if they are not 32."""
        if not isinstance(secret, bytes) or len(secret) != KEY_BYTES:
            found = f"{len(secret)} bytes" if isinstance(secret, bytes) else type(secret).__name__
            raise BadInput("private key", "length", found, f"{KEY_BYTES} bytes")
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self.public = self._key.public_key().public_bytes_raw()

    @classmethod
    def made(cls) -> Signer:
        """A new key, from the system's own randomness: for whoever makes keys, never for a computation."""
        return cls(Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def of_hex(cls, text: str) -> Signer:
        """From 64 hexadecimal digits, with white space about them; BadInput (without them) otherwise."""
        secret = _unhexed(text)
        if secret is None:
            found = f"{len(text)} characters that are not all digits"
            raise BadInput("private key", "digits", found, f"{2 * KEY_BYTES} hexadecimal digits")
        return cls(secret)

    def secret(self) -> bytes:
        """The 32 bytes themselves: for the one file that keeps them."""
        return self._key.private_bytes_raw()

    def sign(self, data: bytes, /) -> bytes:
        """The Ed25519 signature (64 bytes) of data."""
        return self._key.sign(data)

    def __repr__(self) -> str:
        return f"Signer(public={self.public.hex()})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a private key is neither copied nor pickled")


def public_key(key: str | bytes, source: str) -> Ed25519PublicKey:
    """A public key of 32 bytes or 64 hexadecimal digits; BadInput naming source if it is none."""
    raw = _unhexed(key) if isinstance(key, str) else key
    wanted = f"{2 * KEY_BYTES} hexadecimal digits"
    if raw is None or len(raw) != KEY_BYTES:
        raise BadInput(source, "public key", key, wanted)
    if raw == bytes(KEY_BYTES):
        # what a place holder looks like; it is also a point of small order, for which anybody can sign
        raise BadInput(source, "public key", "noughts", wanted)
    try:
        return Ed25519PublicKey.from_public_bytes(raw)
    except ValueError:
        raise BadInput(source, "public key", raw.hex(), "a point of the curve") from None


def _unhexed(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text.strip())
    except ValueError:
        return None


def seal(
    record: Message, issuer: str, audience: Iterable[str], sequence: int, time_ns: int, key: PrivateKey
) -> bytes:
    """A record as a signed message: canonical bytes of its `Envelope`.

    audience: other partners that it is released to, in any order.  sequence: from 1 on without a gap for each
    issuer and audience.  time_ns: now.  BadInput naming the issuer if one of these cannot be, if the message
    is longer than MOST_BYTES, or if the key gives something that is no signature.
    """
    # a whole number where a fraction is declared would be written as such, and come back as other bytes
    payload = encode(decode(encode(record), issuer))
    return seal_payload(payload, issuer, audience, sequence, time_ns, key)


def seal_payload(
    payload: bytes, issuer: str, audience: Iterable[str], sequence: int, time_ns: int, key: PrivateKey
) -> bytes:
    """A record's canonical bytes as a signed message; otherwise as `seal`."""
    names = tuple(sorted(set(audience)))
    if not names or issuer in names or "" in names:
        raise BadInput(issuer, "audience", ", ".join(names) or "nobody", "other partners' names")
    if not 1 <= sequence < 2**63:
        raise BadInput(issuer, "sequence", sequence, "a whole number from 1 on")
    unsigned = Envelope(
        version=MESSAGES, issuer=issuer, audience=names, sequence=sequence, time_ns=time_ns, payload=payload
    )
    signature = key.sign(signed_bytes(unsigned))
    if not isinstance(signature, bytes) or len(signature) != SIGNATURE_BYTES:
        raise BadInput(issuer, "signature", "something else", f"{SIGNATURE_BYTES} bytes")
    data = envelope_bytes(msgspec.structs.replace(unsigned, signature=signature))
    if len(data) > MOST_BYTES:
        raise BadInput(issuer, "message", f"{len(data)} bytes", f"at most {MOST_BYTES}: send it as several")
    return data


def envelope_bytes(envelope: Envelope) -> bytes:
    """Canonical bytes of an envelope."""
    return _encoder.encode(envelope)


def signed_bytes(envelope: Envelope) -> bytes:
    """What an envelope's signature is over: our prefix, and all of the envelope but the signature."""
    return PREFIX + _encoder.encode(msgspec.structs.replace(envelope, signature=b""))


def is_signed(envelope: Envelope, key: Ed25519PublicKey) -> bool:
    """Whether an envelope's signature is that of the key's owner over what stands in it."""
    try:
        key.verify(envelope.signature, signed_bytes(envelope))
    except InvalidSignature:
        return False
    return True


def seal_receipt(receipt: Receipt, key: PrivateKey) -> bytes:
    """A receipt's canonical bytes, signed."""
    signature = key.sign(RECEIPT_PREFIX + _encoder.encode(msgspec.structs.replace(receipt, signature=b"")))
    return _encoder.encode(msgspec.structs.replace(receipt, signature=signature))


def open_receipt(data: bytes, key: Ed25519PublicKey) -> Receipt | None:
    """The receipt in data, if it is one and signed by the key's owner."""
    try:
        receipt = _receipts.decode(data)
        signed = RECEIPT_PREFIX + _encoder.encode(msgspec.structs.replace(receipt, signature=b""))
        key.verify(receipt.signature, signed)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidSignature):
        return None
    return receipt if _encoder.encode(receipt) == data else None
