"""Others' CAP messages for tests: one sender, exercise or live, signed or not."""

from __future__ import annotations

from datetime import UTC, datetime

from jointwatch.formats.cap_structure import time_to_cap
from jointwatch.formats.warning_keys import WarningKey
from jointwatch.formats.xml_signature import sign_cap

S = 1_000_000_000
START_NS = int(datetime(2026, 1, 5, 22, 0, tzinfo=UTC).timestamp()) * S
SENDER = "north.example"
KEY = WarningKey.made(SENDER, True, START_NS - 86_400 * S)
LIVE_KEY = WarningKey.made(SENDER, False, START_NS - 86_400 * S)


def cap(
    identifier: str = "N-1",
    after_s: float = 0.0,
    status: str = "Exercise",
    kind: str = "Alert",
    refers_to: tuple[str, float] | None = None,
    headline: str = "Take shelter",
) -> bytes:
    """A message sent so long after the start; it stands for an hour."""
    sent = time_to_cap(START_NS + round(after_s * S), "test", "sent")
    expires = time_to_cap(START_NS + round((after_s + 3600) * S), "test", "expires")
    references = ""
    if refers_to is not None:
        then = time_to_cap(START_NS + round(refers_to[1] * S), "test", "sent")
        references = f"<references>{SENDER},{refers_to[0]},{then}</references>"
    return f"""<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{identifier}</identifier>
<sender>{SENDER}</sender><sent>{sent}</sent><status>{status}</status><msgType>{kind}</msgType>
<scope>Public</scope>{references}<info><category>Security</category><event>Missile</event>
<urgency>Immediate</urgency><severity>Extreme</severity><certainty>Observed</certainty>
<expires>{expires}</expires><headline>{headline}</headline><area><areaDesc>Hills</areaDesc></area>
</info></alert>""".encode()


def signed(key: WarningKey = KEY, **changes: object) -> bytes:
    """The same, signed."""
    return sign_cap(cap(**changes), key)  # type: ignore[arg-type]
