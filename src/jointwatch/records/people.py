"""What people say into a node, and what is for people to say: drafts, releases, and the posture they hold.

In: who drafts what, and who lets it out, as names that the edge vouches for; out: inputs of the node, each
journalled.  One name drafts and another releases: nothing that a person says leaves otherwise
(`warning.release`).  No free text leaves with an alert: a reason is one of a list.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from jointwatch.records.header import Header
from jointwatch.records.warning import AdvisoryAction, Tier

ManualAction = Literal["alert", "cancel", "all_clear"]
Reason = Literal["seen", "told_by_another", "sensor_down", "false_alarm", "own_launch", "danger_past"]
"""Why people speak: fire was seen or heard; another authority told of it; sensors that would see it are down;
there is no danger behind an alert; what flies is one's own; what was expected is past."""


class ManualAlert(Struct, frozen=True, kw_only=True, tag="manual_alert"):
    """What one person would have a partner's people told.

    zones: their keys; or area: all zones of that area.  One of the two is given.  impact_ns: the earliest
    expected impact, None where it is not known: then it may be at once.  A cancel and an all clear take back
    all that stands told to these zones in this tier, whoever told it.
    """

    action: ManualAction
    tier: Tier
    reason: Reason
    zones: tuple[str, ...] = ()
    area: str = ""
    impact_ns: int | None = None


class AdvisoryDraft(Struct, frozen=True, kw_only=True, tag="advisory_draft"):
    """An advisory not yet issued, under no number yet.

    follows: identifier of the standing one that it renews (update) or withdraws (cancel); "" for a new one.
    The rest is as in `Advisory`; `warning.advisories.draft_advisory` makes one and checks it.
    """

    places: tuple[str, ...]
    valid_from_ns: int
    valid_to_ns: int
    headline: str
    text: str
    words: tuple[tuple[str, str, str], ...] = ()
    action: AdvisoryAction = "alert"
    follows: str = ""


Content = ManualAlert | AdvisoryDraft


class Drafted(Struct, frozen=True, kw_only=True, tag="drafted"):
    """A person's draft, under a name; another one under that name takes its place."""

    header: Header
    draft: str
    content: Content
    drafted_by: str


class Released(Struct, frozen=True, kw_only=True, tag="released"):
    """A person lets a draft out.

    digest: of the draft as that person read it (`warning.release.digest_of`): another draft under the same
    name is not what was released.
    """

    header: Header
    draft: str
    digest: str
    released_by: str


class Assessed(Struct, frozen=True, kw_only=True, tag="assessed"):
    """The posture that the partners' assessment led to, over its watch window (from, to; ns UTC)."""

    header: Header
    posture: Literal["normal", "watch", "raised"]
    from_ns: int
    to_ns: int
