"""Whom to tell, and what was told: zones, alerts, advisories."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from jointwatch.records.header import Header

Tier = Literal["early", "shelter"]
"""early: a notice over a wide area; shelter: take shelter now."""

AlertAction = Literal["alert", "update", "cancel", "all_clear"]
AdvisoryAction = Literal["alert", "update", "cancel"]
"""An advisory is issued, renewed, withdrawn; it ends by itself with its period."""

EXERCISE = "EX-"
"""How the identifiers of an exercise's alerts begin, and no live one's."""

Ring = tuple[tuple[float, float], ...]
"""A closed line of (longitude, latitude) degrees: the first point is repeated at the end."""


class Zone(Struct, frozen=True, kw_only=True):
    """A place to be warned as one.

    key: unique.  rings: outer boundaries of its parts, each a closed polygon of (longitude, latitude)
    degrees (most zones have one part; holes are not kept, people in one are warned with the rest);
    empty for a site, which is a circle of radius_m about (longitude_deg, latitude_deg).
    shelter_s: time its people need to take shelter.  name: in English or as its partner's people say it;
    names: (language, name) in others, the language as its tag ("he-IL") or the first part of one ("he").
    people: how many are there; None: not known.  area: of which it is a part, "" for none.  height_m: of its
    ground above sea level; None: not known.
    """

    key: str
    name: str
    partner: str
    longitude_deg: float
    latitude_deg: float
    shelter_s: float
    rings: tuple[Ring, ...] = ()
    radius_m: float = 0.0
    names: tuple[tuple[str, str], ...] = ()
    people: int | None = None
    area: str = ""
    height_m: float | None = None

    def name_in(self, language: str) -> str:
        """Its name in a language, given by its tag ("he-IL"); `name` where it has none in that."""
        names = dict(self.names)
        return names.get(language) or names.get(language.partition("-")[0]) or self.name


class Alert(Struct, frozen=True, kw_only=True, tag="alert"):
    """One message of one series (one tier of one raid's warning to one partner's people in one area).

    identifier: unique; references: identifiers of the latest messages of the series before this one.
    area: that of its zones, "" for all.
    zones: keys of the zones it is for.  impact_ns: earliest expected impact in them.
    evidence: track numbers behind it, with the largest probability of danger to any of the zones.
    reason: in words; always given for a cancel.  manual: people say it, one drafted and another released it;
    its series is one of theirs, or for what takes others back, that of what it ends.
    """

    header: Header
    identifier: str
    action: AlertAction
    tier: Tier
    partner: str
    zones: tuple[str, ...]
    sent_ns: int
    impact_ns: int
    evidence: tuple[tuple[str, float], ...]
    references: tuple[str, ...] = ()
    reason: str = ""
    exercise: bool = True
    area: str = ""
    manual: bool = False


class Advisory(Struct, frozen=True, kw_only=True, tag="advisory"):
    """The slow tier: a warning for a place and a period ahead of any fire.

    A person reviews it before it is issued: drafted_by and reviewed_by name two different roles.
    headline, text: in American English; words: (language, headline, text) in others, by the same people.
    action: a new one, one that renews another, or the withdrawal of one; references: identifiers of the
    latest messages before it of the series.
    """

    header: Header
    identifier: str
    partner: str
    places: tuple[str, ...]
    valid_from_ns: int
    valid_to_ns: int
    headline: str
    text: str
    drafted_by: str
    reviewed_by: str
    exercise: bool = True
    words: tuple[tuple[str, str, str], ...] = ()
    action: AdvisoryAction = "alert"
    references: tuple[str, ...] = ()


PublicMessage = Alert | Advisory
"""What is for people to hear."""
