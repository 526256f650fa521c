"""The keys commands: make a key for warnings or for the link, and say what a key or certificate is for."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from jointwatch.formats.warning_keys import WarningCertificate, WarningKey
from jointwatch.joint.signing import Signer
from jointwatch.node.key_files import (
    KEY,
    LINK_KEY,
    LINK_PUBLIC,
    keep_link_key,
    keep_warning_key,
    load_certificate,
    load_link_key,
    load_link_public,
    load_warning_key,
)
from jointwatch.records.errors import BadInput


def new_key(
    sender: str,
    exercise: bool,
    live: bool,
    link: bool,
    years: float,
    folder: Path,
    as_json: bool,
    begins: str | None = None,
    also: Sequence[str] = (),
) -> None:
    """Make one key and say where it is and what it is for; BadInput unless exactly one purpose is named.

    begins: the day (UTC) from which a certificate holds, as it stands on the command line; None: now.
    also: other senders that a certificate covers.
    """
    if exercise + live + link != 1:
        named = [name for name, on in (("--exercise", exercise), ("--live", live), ("--link", link)) if on]
        wanted = "one of --exercise, --live and --link: no key is for two"
        raise BadInput("command line", "purpose", " ".join(named) or "none", wanted)
    if link and also:
        raise BadInput("command line", "--also", " ".join(also), "none with --link: it signs for the partner")
    if link:
        _new_link_key(sender, folder, as_json)
        return
    begins_ns = time.time_ns() if begins is None else _begin_ns(begins)
    key = WarningKey.made(sender, exercise, begins_ns, years, also)
    secret, public = keep_warning_key(key, folder)
    said = about(key.certificate, time.time_ns())
    if as_json:
        print(json.dumps({"key": str(secret), "certificate": str(public), **said}))
        return
    print(f"A new key for {_PURPOSES[key.certificate.purpose]} of {sender}.")
    print(f"Key:         {secret} (for its owner only: do not send it to anybody)")
    print(f"Certificate: {public} (for whoever checks the warnings)")
    _say(said)


def _begin_ns(text: str) -> int:
    """The first instant of a day (UTC); BadInput if it is none."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise BadInput("command line", "--from", text, "a day, as in 2026-01-31") from None
    if not 1970 <= day.year < 2200:
        raise BadInput("command line", "--from", text, "a day from 1970 to 2199")
    return int(day.timestamp()) * 1_000_000_000


def _new_link_key(partner: str, folder: Path, as_json: bool) -> None:
    if not re.fullmatch(r"\S(?:.{0,62}\S)?", partner) or not partner.isprintable():
        raise BadInput("command line", "SENDER", partner, "a partner's name of 1 to 64 characters")
    signer = Signer.made()
    secret, public = keep_link_key(signer, partner, folder)
    if as_json:
        print(json.dumps({"key": str(secret), "public": str(public), "public_key": signer.public.hex()}))
        return
    print(f"A new key of {partner} for the link between partners.")
    print(f"Key:        {secret} (for its owner only: do not send it to anybody)")
    print(f"Public key: {public} (for the partners)")
    print(f"            {signer.public.hex()}")


def show_key(path: Path, as_json: bool) -> None:
    """Say whose a key or a certificate is, what it is for, and how long; of a secret nothing is printed."""
    if path.name.endswith((LINK_KEY, LINK_PUBLIC)):
        shown = _link_public(path)
        print(json.dumps({"for": "link", "public_key": shown}) if as_json else f"Link key, public: {shown}")
        return
    now_ns = time.time_ns()
    if path.name.endswith(KEY):
        certificate = load_warning_key(path).certificate
    else:
        certificate = load_certificate(path)
    said = about(certificate, now_ns)
    if as_json:
        print(json.dumps(said))
        return
    purpose = _PURPOSES.get(certificate.purpose, "a purpose that it does not name, the key")
    print(f"For {purpose} of {certificate.sender or 'nobody by name'}.")
    _say(said)


_PURPOSES = {"exercise": "EXERCISE warnings", "live": "LIVE warnings"}


def _link_public(path: Path) -> str:
    if path.name.endswith(LINK_KEY):
        return load_link_key(path).public.hex()
    return load_link_public(path).hex()


def about(certificate: WarningCertificate, now_ns: int) -> dict[str, object]:
    """What there is to say of a certificate, for a program to read."""
    return {
        "for": certificate.purpose or None,
        "sender": certificate.sender or None,
        "also": list(certificate.also),
        "valid_from": _day(certificate.from_ns),
        "valid_to": _day(certificate.to_ns),
        "valid_now": certificate.is_valid(now_ns),
        "fingerprint": certificate.fingerprint,
    }


def _say(said: dict[str, object]) -> None:
    if said["also"]:
        print(f"Also for:    {', '.join(map(str, said['also']))}")  # type: ignore[call-overload]
    expired = "" if said["valid_now"] else " (it does not hold now)"
    print(f"Valid:       {said['valid_from']} to {said['valid_to']}{expired}")
    print(f"Fingerprint: {said['fingerprint']} (SHA-256)")


def _day(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
