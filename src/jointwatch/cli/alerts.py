"""The alerts command: one CAP message, or those of a feed: who signed it, whether it is fresh, what it says.

In: a file or an address, and certificates that are trusted; out: words, or JSON, and an exit status.  A
message is judged by the gate that a node has (`formats.cap_gate`), as at a time that can be set.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jointwatch.formats.cap_gate import CapGate
from jointwatch.formats.cap_in import CapMessage, read_cap
from jointwatch.formats.others_words import headline, one_line, places
from jointwatch.formats.warning_keys import WarningCertificate
from jointwatch.formats.xml_signature import verify_cap
from jointwatch.node.key_files import load_certificate
from jointwatch.node.sources.feed import AlertFeed
from jointwatch.node.sources.source import MOST_BYTES, LookFailed
from jointwatch.records import AlertSender, Header, OthersAlert
from jointwatch.records.errors import BadInput

_NOWHERE = Header(originator="command line", source="command line", sequence=1, measured_ns=0)


def check_alerts(place: str, trust: Sequence[Path], at: str | None, as_json: bool) -> int:
    """Say of each message at `place` what there is to say; 0 if a node that trusts these certificates (or
    shows this sender unverified, where there are none) would take them all, 1 if not."""
    now_ns = time.time_ns() if at is None else _time_ns(at)
    trusted = [load_certificate(path) for path in trust]
    messages = _messages(place)
    told = [_told(data, place, trusted, now_ns, only=len(messages) == 1) for data in messages]
    if as_json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        print("\n\n".join("\n".join(_in_words(one)) for one in told) or f"{place}: no message")
    return 0 if told and all(one["taken"] for one in told) else 1


def _messages(place: str) -> tuple[bytes, ...]:
    """The messages of a file, or of an address; BadInput if nothing can be had."""
    if place.startswith(("http://", "https://")):
        try:
            look = AlertFeed("feed", place, exercise=True, every_s=1.0).look()
        except LookFailed as failed:
            raise BadInput(place, "feed", str(failed), "an answer") from None
        if look.troubles and not look.messages:
            raise BadInput(place, "feed", look.troubles[0], "messages")
        return look.messages
    try:
        with Path(place).open("rb") as file:
            return (file.read(MOST_BYTES + 1),)
    except OSError as error:
        raise BadInput(place, "file", error.strerror or str(error), "a file that can be read") from None


def _told(
    data: bytes, place: str, trusted: Sequence[WarningCertificate], now_ns: int, only: bool
) -> dict[str, Any]:
    """One message; of what is none, why: BadInput if it is all there is."""
    try:
        message = read_cap(data, place)
    except BadInput as error:
        if only:
            raise
        return {"taken": False, "refused": str(error)}
    signed_by, why_not = None, ""
    try:
        signed_by = verify_cap(data, place, trusted, now_ns).certificate
    except BadInput as error:
        why_not = str(error)
    alert, refused = _judged(data, place, message, trusted, now_ns)
    return {
        "status": message.status,
        "sender": one_line(message.sender),
        "identifier": one_line(message.identifier),
        "kind": message.message_type,
        "sent": _day(message.sent_ns),
        "age_s": (now_ns - message.sent_ns) * 1e-9,
        "expires": _day(alert.expires_ns) if alert is not None else None,
        "headline": headline(alert) if alert is not None else _first(message),
        "places": places(alert) if alert is not None else "",
        "signed_by": signed_by.fingerprint if signed_by is not None else None,
        "not_signed": why_not or None,
        "taken": alert is not None,
        "refused": refused or None,
    }


def _judged(
    data: bytes, place: str, message: CapMessage, trusted: Sequence[WarningCertificate], now_ns: int
) -> tuple[OthersAlert | None, str]:
    """The alert as a node of its kind would take it, or why not."""
    sender = AlertSender(
        name=message.sender,
        certificates=tuple(certificate.pem().decode() for certificate in trusted),
        show_unverified=not trusted,
    )
    try:
        gate = CapGate((sender,), message.status == "Exercise")
        return gate.take(data, place, now_ns, lambda _: _NOWHERE), ""
    except BadInput as error:
        return None, str(error)


def _in_words(told: dict[str, Any]) -> list[str]:
    if "status" not in told:
        return [f"No CAP message: {told['refused']}"]
    status = "EXERCISE" if told["status"] == "Exercise" else told["status"]
    lines = [
        f"{status}: {told['kind']} of {told['sender']}, {told['identifier']}",
        f"Says:   {told['headline'] or 'nothing'}{' (' + told['places'] + ')' if told['places'] else ''}",
        f"Sent:   {told['sent']}, {_ago(told['age_s'])}",
    ]
    if told["expires"]:
        lines.append(f"Until:  {told['expires']}")
    signed = f"by a certificate that is trusted ({told['signed_by'][:16]})" if told["signed_by"] else ""
    lines.append(f"Signed: {signed or 'not that one could know: ' + told['not_signed']}")
    lines.append(f"Taken:  {'yes' if told['taken'] else 'no: ' + told['refused']}")
    return lines


def _first(message: CapMessage) -> str:
    return one_line((message.infos[0].headline or message.infos[0].event) if message.infos else "")


def _ago(age_s: float) -> str:
    return f"{age_s:,.0f} s ago" if age_s >= 0 else f"{-age_s:,.0f} s ahead of this clock"


def _day(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _time_ns(text: str) -> int:
    """A time as it stands on the command line; BadInput if it is none."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        if 1970 <= moment.year < 2200:
            return int(moment.timestamp()) * 1_000_000_000
    except ValueError:
        pass
    raise BadInput("command line", "--at", text, "a time from 1970 to 2199, as in 2026-01-31T12:00:00Z")
