"""What of a partner's report may enter the picture: a faulty or lying sender must not spoil a good neighbour.

In: a record as it came over the link, who issued it, and when it was sealed; out: the record without what
cannot be used, with a line for each part that was taken out, or why nothing of it can be used.  A record
that decodes can still say what no sensor could, or speak for somebody else: these are the checks of that.

They ask nothing of the receiver's clock: whoever admits a message finds the same in it, so nodes that hold
the same messages have the same picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.joint.claims import (
    why_no_alert,
    why_no_health,
    why_no_impact,
    why_no_launch,
    why_not_announced,
)
from jointwatch.joint.faults import (
    AHEAD_S,
    LONGEST_NAME,
    LONGEST_TEXT,
    ROUNDING,
    Fault,
    Terms,
    first_of,
    fresh,
    inside,
    not_after,
    numbered,
    of_part,
    of_report,
    of_source,
    prefix,
    readable,
    whole_number,
    within,
)
from jointwatch.records import (
    Alert,
    AnnouncedReport,
    HealthReport,
    ImpactReport,
    InfraredScan,
    LaunchReport,
    Message,
    PlotReport,
    Sector,
    Track,
    TrackBegun,
    TrackEnded,
    Tracklet,
    TrackletReport,
    TrackReport,
)
from jointwatch.sensing.infrared import faults_of, sound, why_no_look

LEAST_RADIUS_M, GREATEST_RADIUS_M = 6.2e6, 5e7
"""Distances from the Earth's middle between which there is anything to report."""
FASTEST_MS = 20e3
VARIANCES = (0, 7, 13, 18, 22, 25, 27)
"""Where the variances stand in the upper triangle of a 7 x 7 covariance by rows."""
SUREST = 50.0
"""Log odds that no evidence of one look, nor all before it, exceeds: above, an exponential has no use."""
FINEST_M, FINEST_MS = 0.01, 1e-3
"""No look tells a place or a velocity better than this (one standard deviation)."""
MOST_TOLD = 100
"""Parts taken out that are told one by one; the others are only counted."""
UPPER6 = np.triu_indices(6)


class Screened(Struct, frozen=True):
    """A record without its bad parts, and a line for each of those; or, without a record, what is wrong."""

    record: Message | None
    dropped: tuple[str, ...] = ()
    fault: Fault | None = None


def why_refused(track: Track, partner: str, received_ns: int) -> str:
    """Why `partner` cannot use a track that another one sent; "" if it can."""
    if track.header.originator == partner or track.number.startswith(prefix(partner)):
        return "our own track came back"
    if len(track.state) != 7 or not all(map(math.isfinite, track.state)):
        return "state is not seven finite numbers"
    if len(track.covariance) != 28 or not all(map(math.isfinite, track.covariance)):
        return "covariance is not 28 finite numbers"
    if min(track.covariance[i] for i in VARIANCES) <= 0.0:
        return "covariance has a variance that is not positive"
    if len(track.phases) != 3 or not all(0.0 <= p <= 1.0 for p in (*track.phases, track.existence)):
        return "a probability is not between 0 and 1"
    if not math.isfinite(track.thrust_ms2):
        return "thrust is not a finite number"
    if not LEAST_RADIUS_M < math.hypot(*track.state[:3]) < GREATEST_RADIUS_M:
        return "position is not near the Earth"
    if math.hypot(*track.state[3:6]) > FASTEST_MS:
        return "velocity is more than anything that falls has"
    if track.header.measured_ns > received_ns + AHEAD_S * 1e9:
        return "measured after it was received"
    return ""


def screen(record: Message, terms: Terms) -> Screened:
    """What of a record its reader may use.

    Reports lose their bad parts and keep the others, sectors and scans their bad plots; a launch or an alert
    is one thing, good or not.  A report of which nothing is left is refused for what was wrong with its first
    part.
    """
    fault = of_report(record.header, terms) or _told_as(record, terms)
    if fault is not None:
        return Screened(None, fault=fault)
    if isinstance(record, LaunchReport):
        return _whole(record, why_no_launch(record, terms))
    if isinstance(record, Alert):
        return _whole(record, why_no_alert(record, terms))
    if isinstance(record, PlotReport):
        look = record.sector
        fault = _look(look, terms)
        if fault is not None:
            return Screened(None, fault=inside("sector", fault))
        if isinstance(look, InfraredScan):
            return _lines(record, look)
        return _plots(record, look)
    return _parted(record, terms)


# ---------------------------------------------------------------------- reports and their parts


def _parted(record: Message, terms: Terms) -> Screened:
    """A report without its bad parts."""
    changes: dict[str, tuple[Any, ...]] = {}
    dropped: list[str] = []
    first: Fault | None = None
    left = 0
    for field, check in PARTS[type(record)]:
        parts: tuple[Any, ...] = getattr(record, field)
        faults = [check(part, terms) for part in parts]
        if check is _tracklet:
            _informed(parts, faults)
        for i, (part, fault) in enumerate(zip(parts, faults, strict=True)):
            if fault is not None:
                first = first or fault._replace(field=f"{field}[{i}].{fault.field}")
                dropped.append(f"{field}[{i}] {_name(part)}: {fault.field}: {fault.why}")
        changes[field] = tuple(p for p, fault in zip(parts, faults, strict=True) if fault is None)
        left += len(changes[field])
    if first is None:
        return Screened(record)
    if not left:
        return Screened(None, fault=first)
    return Screened(msgspec.structs.replace(record, **changes), _told(dropped))


def _told(dropped: list[str]) -> tuple[str, ...]:
    more = len(dropped) - MOST_TOLD
    return (*dropped[:MOST_TOLD], f"and {more} more") if more > 0 else tuple(dropped)


def _name(part: Any) -> str:
    """What a part of a report is called, fit to be printed."""
    for field in ("number", "track", "source", "name"):
        if hasattr(part, field):
            name: str = getattr(part, field)
            return name[:LONGEST_NAME] if name.isprintable() else repr(name)[:LONGEST_NAME]
    return ""


def _whole(record: Message, fault: Fault | None) -> Screened:
    return Screened(record) if fault is None else Screened(None, fault=fault)


def _told_as(record: Message, terms: Terms) -> Fault | None:
    """The rule that released it, as its issuer calls it."""
    return None if isinstance(record, Alert | LaunchReport) else readable("rule", record.rule, empty=True)


# ---------------------------------------------------------------------- tracks


def _track(track: Track, terms: Terms) -> Fault | None:
    fault = of_part(track.header, terms) or numbered(track.number, track.parent, terms)
    if fault is not None:
        return fault
    why = why_refused(track, terms.me, terms.sealed_ns)
    if why:
        return Fault("bad values", why.partition(" ")[0], why)
    return first_of(
        whole_number("hits", track.hits),
        not_after("first_ns", track.first_ns, terms.latest_ns),
        within("thrust_ms2", track.thrust_ms2, -1e3, 1e4),
    )


def _begun(begun: TrackBegun, terms: Terms) -> Fault | None:
    return first_of(
        numbered(begun.number, begun.parent, terms),
        not_after("first_ns", begun.first_ns, terms.latest_ns),
        within("log_odds", begun.log_odds, -SUREST, SUREST),
    )


def _ended(ended: TrackEnded, terms: Terms) -> Fault | None:
    return first_of(
        numbered(ended.number, "", terms),
        readable("reason", ended.reason, LONGEST_TEXT, empty=True),
        not_after("time_ns", ended.time_ns, terms.latest_ns),
    )


def _tracklet(tracklet: Tracklet, terms: Terms) -> Fault | None:
    fault = first_of(
        numbered(tracklet.number, "", terms),
        of_source(tracklet.source, terms),
        whole_number("sequence", tracklet.sequence),
        fresh("time_ns", tracklet.time_ns, terms),
        within("evidence", tracklet.evidence, -SUREST, SUREST),
    )
    if fault is not None:
        return fault
    point, information = tracklet.point, tracklet.information
    if len(point) != 6 or not all(map(math.isfinite, point)):
        return Fault("bad values", "point", "is not six finite numbers")
    if not LEAST_RADIUS_M < math.hypot(*point[:3]) < GREATEST_RADIUS_M:
        return Fault("bad values", "point", "is not near the Earth")
    if math.hypot(*point[3:]) > FASTEST_MS:
        return Fault("bad values", "point", "moves faster than anything that falls")
    if len(information) != 21 or not all(map(math.isfinite, information)):
        return Fault("bad values", "information", "is not 21 finite numbers")
    return None


def _informed(tracklets: Sequence[Tracklet], faults: list[Fault | None]) -> None:
    """Find, of the tracklets without a fault, those whose information no look can give; in place."""
    rows = [i for i, fault in enumerate(faults) if fault is None and any(tracklets[i].information)]
    if not rows:
        return
    information = np.array([tracklets[i].information for i in rows])
    too_much, indefinite = improbable(information)
    for row, much, wrong in zip(rows, too_much.tolist(), indefinite.tolist(), strict=True):
        if much:
            faults[row] = Fault("bad values", "information", "is more than any sensor tells")
        elif wrong:
            faults[row] = Fault("bad values", "information", "is not positive semidefinite")


def improbable(information: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which information matrices, upper triangles (m, 21), are too much, and which indefinite: (m,) each.

    Places and velocities have their own scale each, that of what the look tells best of them: so rounding is
    told from an eigenvalue below nought whatever the sensor measures.
    """
    full = np.zeros((len(information), 6, 6))
    full[:, UPPER6[0], UPPER6[1]] = information
    diagonal = np.einsum("mii->mi", full).copy()
    place, velocity = diagonal[:, :3].max(axis=1), diagonal[:, 3:].max(axis=1)
    too_much = (place > FINEST_M**-2) | (velocity > FINEST_MS**-2)
    # 0.001 s and 1,000 s between them: where one is nought, what ties it to the other must be so too
    place, velocity = np.maximum(place, 1e-6 * velocity), np.maximum(velocity, 1e-6 * place)
    scale = np.sqrt(np.maximum(np.column_stack([place] * 3 + [velocity] * 3), 1e-300))
    with np.errstate(over="ignore"):
        full /= scale[:, :, None] * scale[:, None, :]
    # off a matrix that is semidefinite nothing exceeds the diagonal: so this also keeps what is solved finite
    wild = (np.abs(full) > 1.0 + ROUNDING).any(axis=(1, 2)) | (diagonal < 0.0).any(axis=1)
    full[wild] = 0.0
    indefinite = wild | (np.linalg.eigvalsh(full, UPLO="U")[:, 0] < -ROUNDING)
    return too_much, indefinite


# ---------------------------------------------------------------------- plots


def _look(look: Sector | InfraredScan, terms: Terms) -> Fault | None:
    """What is wrong with a look as a whole: whose it is, and when it was."""
    fault = of_part(look.header, terms)
    if fault is None and not terms.owns(look.sensor):
        fault = Fault("out of scope", "sensor", "is not one of the issuer's")
    return fault or first_of(
        readable("sensor", look.sensor),
        fresh("header.measured_ns", look.header.measured_ns, terms),
        not_after("received_ns", look.received_ns, terms.latest_ns),
    )


def _lines(report: PlotReport, scan: InfraredScan) -> Screened:
    """A scan without the plots that no motor could have given."""
    why = why_no_look(scan)
    if why:
        return Screened(None, fault=Fault("bad values", "sector", f"has its {why}"))
    faults = faults_of(scan)
    if not faults:
        return Screened(report)
    bad = sorted((int(i), why) for why, plots in faults.items() for i in plots)
    dropped = [f"plots[{i}] {_name(scan.header)}: is {why}" for i, why in bad]
    left, whole = sound(scan)
    if not whole and not left.along_x:
        return Screened(None, fault=Fault("bad values", "sector", "has no plot that is a line of sight"))
    told = msgspec.structs.replace(report, sector=left, whole=report.whole and whole)
    return Screened(told, _told(dropped))


def _plots(report: PlotReport, sector: Sector) -> Screened:
    fault: Fault | None = None
    if not math.isfinite(sector.azimuth_to_rad - sector.azimuth_from_rad):
        fault = Fault("bad values", "azimuth_to_rad", "and azimuth_from_rad are no wedge")
    names = ("range_m", "azimuth_rad", "elevation_rad", "range_rate_ms")
    columns = {name: column for name in names if (column := getattr(sector, name))}
    if fault is None and len({len(column) for column in columns.values()}) > 1:
        fault = Fault("bad values", " ".join(columns), "are columns of unequal length")
    if fault is not None:
        return Screened(None, fault=inside("sector", fault))
    if all(all(map(math.isfinite, column)) for column in columns.values()):
        return Screened(report)
    plots = list(zip(*columns.values(), strict=True))
    good = [all(map(math.isfinite, plot)) for plot in plots]
    kept: dict[str, Any] = {
        name: tuple(value for value, fine in zip(column, good, strict=True) if fine)
        for name, column in columns.items()
    }
    dropped = [
        f"plots[{i}] {_name(sector.header)}: is not finite numbers" for i, fine in enumerate(good) if not fine
    ]
    if not any(good):
        return Screened(None, fault=Fault("bad values", "sector", "has no plot of finite numbers"))
    # what was taken out may have been there: the sector proves no more that there was nothing else
    whole = msgspec.structs.replace(report, sector=msgspec.structs.replace(sector, **kept), whole=False)
    return Screened(whole, _told(dropped))


PARTS: dict[type[Struct], tuple[tuple[str, Callable[[Any, Terms], Fault | None]], ...]] = {
    TrackletReport: (("begun", _begun), ("tracklets", _tracklet), ("ended", _ended)),
    TrackReport: (("tracks", _track),),
    ImpactReport: (("impacts", why_no_impact),),
    HealthReport: (("sensors", why_no_health),),
    AnnouncedReport: (("announced", why_not_announced),),
}
"""The parts of each report, and what is asked of each."""
