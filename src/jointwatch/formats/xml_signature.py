"""Signed CAP messages: XML signatures (XML-DSig, enveloped) put on what leaves and checked on what comes in.

A CAP 1.2 message and a `WarningKey` go in, the same message with a <Signature> as the last child of <alert>
comes out; or anybody's bytes and the certificates that are trusted go in, and what was signed comes out, read
from the very bytes that the signature is over.  We sign by RSA PKCS#1 v1.5 with SHA-256, whose signatures
repeat, over Exclusive C14N.  Of others only what leaves no room is taken: one signature, one reference to the
whole document, no transform but the enveloped one and Exclusive C14N.  The key that a message brings along
proves nothing and is taken out before the check.
References: W3C, XML Signature Syntax and Processing 1.1; W3C, Exclusive XML Canonicalization 1.0; McIntosh &
Austel 2005 (signature wrapping); CAP 1.2, section 3.3.4.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from signxml import (
    CanonicalizationMethod,
    DigestAlgorithm,
    InvalidDigest,
    InvalidSignature,
    SignatureConfiguration,
    SignatureMethod,
    XMLSigner,
    XMLVerifier,
)
from signxml.exceptions import SignXMLException

from jointwatch.formats.cap_in import CapMessage, read_cap
from jointwatch.formats.cap_structure import check_structure, child_text
from jointwatch.formats.hostile_xml import parse_hostile, without_remarks
from jointwatch.formats.warning_keys import WarningCertificate, WarningKey
from jointwatch.records import BadInput

XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
ENVELOPED = XMLDSIG + "enveloped-signature"
EXCLUSIVE = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
RSA_METHODS = frozenset({SignatureMethod.RSA_SHA256, SignatureMethod.RSA_SHA384, SignatureMethod.RSA_SHA512})
METHODS = RSA_METHODS | {SignatureMethod.ECDSA_SHA256}
DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Signed(NamedTuple):
    """What a trusted certificate's key has signed: the canonical bytes that the signature is over."""

    certificate: WarningCertificate
    signed: bytes


class Verified(NamedTuple):
    """A message that a trusted certificate's key has signed.

    signed: the canonical bytes that the signature is over; message: read from them.
    """

    message: CapMessage
    certificate: WarningCertificate
    signed: bytes


def sign_cap(data: bytes, key: WarningKey) -> bytes:
    """The CAP 1.2 message (UTF-8) in `data`, signed: the same bytes and key give the same bytes.

    BadInput if it is none, is signed already, or has a status other than what the key is for or another
    sender than the key's.  Whether the certificate holds is the caller's to look at (`node.certificate`), and
    whoever checks refuses what is signed with one that does not: no warning is lost here for that.
    """
    source = "message to sign"
    # structure and head only: to read all of a long message takes longer than to sign it
    head = without_remarks(parse_hostile(data, source))
    version = check_structure(head, source)
    if version != "1.2":
        raise BadInput(source, "alert", f"CAP {version}", "CAP 1.2")
    certificate = key.certificate
    certificate.check_use(child_text(head, "status"), child_text(head, "sender"), source)
    root = parse_hostile(data, source)
    if any(True for _ in root.iter(_ds("Signature"))):
        raise BadInput(source, "Signature", "one already", "none")
    _refuse_what_readers_see_differently(root, source)
    signer = XMLSigner(
        signature_algorithm=SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=EXCLUSIVE,
    )
    # the library asks of a key that it signs, and of no more: it never has the private one
    signing: Any = _Signing(key)
    signed = signer.sign(root, key=signing, cert=[certificate.x509_certificate])
    out: bytes = etree.tostring(signed, xml_declaration=True, encoding="UTF-8")
    return out


class _Signing:
    """What the library calls to have SignedInfo signed."""

    def __init__(self, key: WarningKey) -> None:
        self._key = key

    def sign(self, data: bytes, padding: object, algorithm: object) -> bytes:
        return self._key.sign(data)


def verify_cap(data: bytes, source: str, trusted: Sequence[WarningCertificate], now_ns: int) -> Verified:
    """The CAP message in `data` if one of the certificates' keys signed all of it; otherwise BadInput.

    trusted: certificates that were agreed on; no other is asked, whatever the message brings along.  One
    that does not hold now (now_ns) is not trusted.  A certificate that says what its key is for is good for
    that status and that sender only.
    """
    certificate, signed = what_was_signed(parse_hostile(data, source), source, trusted, now_ns)
    message = read_cap(signed, source)
    certificate.check_use(message.status, message.sender, source)
    return Verified(message, certificate, signed)


def what_was_signed(
    root: etree._Element, source: str, trusted: Sequence[WarningCertificate], now_ns: int
) -> Signed:
    """The bytes that one of the certificates' keys signed, as `verify_cap`, whatever they say: whether they
    are a message, and one that the key is for, is left to ask.

    root: from `parse_hostile`, with its remarks; the key that it brings along is taken out of it.
    """
    # what is not signed at all is refused first: nobody need have made it with care
    signature = _the_signature(root, source)
    _refuse_what_readers_see_differently(root, source)
    if any(True for _ in _remarks(signature)):
        raise _remark_within(source)
    method = _check_shape(signature, source)
    key_info = signature.find(_ds("KeyInfo"))
    if key_info is not None:
        signature.remove(key_info)
    holding = [certificate for certificate in trusted if certificate.is_valid(now_ns)]
    if not holding:
        found = "only certificates that do not hold now" if trusted else "none"
        raise BadInput(source, "trusted certificates", found, "one that holds now")
    fit = [certificate for certificate in holding if _fits(certificate, method)]
    if not fit:
        wanted = "the method of a trusted certificate's key"
        raise BadInput(source, "SignatureMethod", method.value, wanted)
    for certificate in fit:
        signed = _signed_by(certificate, root, source, now_ns)
        if signed is not None:
            return Signed(certificate, signed)
    raise BadInput(source, "SignatureValue", "of another key, or of another message", "a trusted key's")


def _signed_by(
    certificate: WarningCertificate, root: etree._Element, source: str, now_ns: int
) -> bytes | None:
    """The bytes that the certificate's key has signed, None where it did not sign SignedInfo; BadInput if it
    did, and what stands in the document is not what it signed."""
    expected = SignatureConfiguration(
        location="./",
        expect_references=1,
        signature_methods=METHODS,
        digest_algorithms=DIGESTS,
        verification_time=_EPOCH + timedelta(microseconds=now_ns // 1000),
    )
    try:
        result = XMLVerifier().verify(root, x509_cert=certificate.x509_certificate, expect_config=expected)
    except InvalidDigest:
        found = "another than the message's"
        raise BadInput(source, "DigestValue", found, "the message as it was signed") from None
    except InvalidSignature:
        return None
    except (SignXMLException, etree.LxmlError, ValueError, TypeError) as error:
        raise BadInput(source, "Signature", str(error).partition("\n")[0], "an XML signature") from None
    assert not isinstance(result, list)  # of one expected reference there is one result
    return result.signed_data


def _ds(name: str) -> str:
    return f"{{{XMLDSIG}}}{name}"


def _refuse_what_readers_see_differently(root: etree._Element, source: str) -> None:
    """BadInput where two careful readers may take one signed document for two messages.

    Comments are not signed, so that one within a text may be put there by anybody, and where a reader stops
    at it he reads less than was signed.  What stands outside <alert> is signed by some and not by others.
    An attribute that names <alert> is what a reference of another document could point at.
    """
    looked_at: set[etree._Element] = set()
    for remark in _remarks(root):
        parent = remark.getparent()
        # once for each element, however many remarks are in it: anybody may put in a hundred thousand
        if parent is None or parent in looked_at:
            continue
        looked_at.add(parent)
        if not _has_elements(parent):
            raise _remark_within(source)
    outside = [*root.itersiblings(preceding=True), *root.itersiblings()]
    if any(node.tag is etree.ProcessingInstruction for node in outside):
        raise BadInput(source, "message", "an instruction outside <alert>", "none in a signed message")
    if any(etree.QName(name).localname.lower() == "id" for name in root.attrib):
        raise BadInput(source, "alert", "an identifier of the element", "none")


def _remarks(element: etree._Element) -> Iterator[etree._Element]:
    """The comments and processing instructions within an element."""
    remarks: Iterator[etree._Element] = element.iter(etree.Comment, etree.ProcessingInstruction)
    return remarks


def _remark_within(source: str) -> BadInput:
    return BadInput(source, "message", "a comment or instruction within a text", "text only")


def _has_elements(element: etree._Element) -> bool:
    """Whether there is any element in it, beside text and remarks."""
    return next(element.iterchildren("*"), None) is not None


def _the_signature(root: etree._Element, source: str) -> etree._Element:
    """The one signature, a child of <alert>; BadInput if there is none, another, or one elsewhere."""
    found: list[etree._Element] = list(root.iter(_ds("Signature")))
    if len(found) != 1:
        raise BadInput(source, "Signature", f"{len(found)} of them" if found else "none", "exactly one")
    parent = found[0].getparent()
    if parent is None or parent is not root:
        raise BadInput(source, "Signature", "one that is not a child of <alert>", "a child of <alert>")
    return found[0]


def _check_shape(signature: etree._Element, source: str) -> SignatureMethod:
    """How SignedInfo is signed; BadInput unless it is one reference to all of the document but the signature.

    All that the standard leaves open besides (objects, manifests, other transforms, XPath, a second
    reference) is what signature wrapping is made of, and none of it has a use in CAP.
    """
    parts = _children(signature, source, "SignedInfo", "SignatureValue", optional="KeyInfo")
    canonical, method, reference = _children(
        parts[0], source, "CanonicalizationMethod", "SignatureMethod", "Reference"
    )
    _check_algorithm(canonical, source, {EXCLUSIVE.value})
    _check_algorithm(method, source, {m.value for m in METHODS})
    if dict(reference.attrib) != {"URI": ""}:
        found = ", ".join(f'{name}="{value}"' for name, value in reference.attrib.items())
        raise BadInput(source, "Reference", found or "no URI", 'URI="": the whole document')
    transforms, digest, _ = _children(reference, source, "Transforms", "DigestMethod", "DigestValue")
    enveloped, exclusive = _children(transforms, source, "Transform", "Transform")
    _check_algorithm(enveloped, source, {ENVELOPED})
    _check_algorithm(exclusive, source, {EXCLUSIVE.value})
    _check_algorithm(digest, source, {d.value for d in DIGESTS})
    return SignatureMethod(method.get("Algorithm"))


def _children(element: etree._Element, source: str, *names: str, optional: str = "") -> list[etree._Element]:
    """The children, which must be those named, in that order (and at most one more, the optional one)."""
    children: list[etree._Element] = list(element)
    tags = [child.tag for child in children]
    wanted = [_ds(name) for name in names]
    if tags != wanted and not (optional and tags == [*wanted, _ds(optional)]):
        found = " ".join(etree.QName(child).localname for child in children)
        raise BadInput(source, etree.QName(element).localname, found or "nothing", " ".join(names))
    return children


def _check_algorithm(element: etree._Element, source: str, allowed: set[str]) -> None:
    """BadInput unless the element names one of the algorithms, and no parameters for it."""
    name = etree.QName(element).localname
    found = element.get("Algorithm", "none")
    if found not in allowed:
        raise BadInput(source, name, found, " or ".join(sorted(allowed)))
    if len(element):
        raise BadInput(source, name, "parameters of the algorithm", "none")


def _fits(certificate: WarningCertificate, method: SignatureMethod) -> bool:
    """Whether the certificate's key is of the kind that the method signs with."""
    is_rsa = isinstance(certificate.x509_certificate.public_key(), rsa.RSAPublicKey)
    return is_rsa == (method in RSA_METHODS)
