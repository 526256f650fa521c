"""How long the certificate of a node's key still holds, watched while it runs and told before it is too late.

In: the certificate, the time, and what the journal says was told of it; out: what is to be journalled now
(`CertificateChecked`), the words for a person, and BadInput for a node that would begin with one that does
not hold.

A node that begins is watched by whoever starts it, and goes no further with a certificate that does not hold.
One that is running, or comes back from its journal after a crash, perhaps in the middle of a raid and with
nobody there, goes on: it signs with that key and sends.  The signature still shows who says it; a date has
passed, and nobody has stolen the key.  Who looks at dates refuses the message, who does not takes shelter.
Kept back until there is a new key it would be void, and unsigned it would convince fewer still.  So nothing
is given up for it here, and everything says so: a note in the journal at each change and once a day, what
the node says when it comes back, and the state of each sink.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from jointwatch.records import BadInput, CertificateChecked, CertificateState

if TYPE_CHECKING:
    from jointwatch.formats.warning_keys import WarningCertificate

DAY_NS = 86_400_000_000_000
SOON_NS = 30 * DAY_NS
"""A certificate that ends within 30 days is told of: time enough to make one and have it pinned by others."""


class CertificateWatch:
    """The certificate of one node's key (None: it signs nothing, and there is nothing to tell)."""

    def __init__(self, certificate: WarningCertificate | None) -> None:
        self._certificate = certificate
        self._told: CertificateState = "holds"
        self._told_ns = 0

    def check_begin(self, name: str, now_ns: int) -> None:
        """BadInput if a node of this name may not begin with it now."""
        state = self._state(now_ns)
        if self._certificate is not None and state in ("ended", "not_yet"):
            held = f"that of {self._certificate.sender}, which holds {_period(self._certificate)}"
            wanted = f"one that holds on {_day(now_ns)} (jointwatch keys new ...)"
            raise BadInput(f"{name}'s sinks", "key's certificate", held, wanted)

    def due(self, now_ns: int) -> CertificateState | None:
        """What is to be journalled now: its state where that is another than was told, or is bad and a day
        old; None for nothing."""
        state = self._state(now_ns)
        is_old = state != "holds" and not 0 <= now_ns - self._told_ns < DAY_NS
        return state if is_old or state != self._told else None

    def took(self, record: CertificateChecked) -> None:
        """Take what was told: only once it is in the journal."""
        self._told, self._told_ns = record.state, record.header.measured_ns

    def words(self, state: CertificateState) -> str:
        """What a state means, for a person; "" while it holds for long."""
        if self._certificate is None or state == "holds":
            return ""
        if state == "ends_soon":
            return f"the key's certificate holds until {_day(self._certificate.to_ns)} only"
        holds = f"the key's certificate holds {_period(self._certificate)}"
        return f"{holds} only: what is sent now is signed all the same, and refused by who looks at that"

    def said(self, now_ns: int) -> str:
        """What there is to say of it now."""
        return self.words(self._state(now_ns))

    def _state(self, now_ns: int) -> CertificateState:
        held = self._certificate
        if held is None:
            return "holds"
        if now_ns < held.from_ns:
            return "not_yet"
        if now_ns > held.to_ns:
            return "ended"
        return "ends_soon" if held.to_ns - now_ns <= SOON_NS else "holds"


def _period(certificate: WarningCertificate) -> str:
    return f"from {_day(certificate.from_ns)} to {_day(certificate.to_ns)}"


def _day(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d")
