"""Which sensors surely stand behind an object: no more than there are, for what asks for independent ones.

In: of which sensors there are looks that gave a plot, by whose word, and what coarsened reports name; out: a
set of names.  A pseudonym may be that of a sensor that is known by its name as well, so it counts only where
it cannot be.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from jointwatch.joint.faults import PSEUDONYM


class Behind(Struct, frozen=True):
    """What is known of the sensors behind an object.

    looks: originator and source of each sensor whose tracklets gave a plot.  coarse: for each coarsened
    track, its originator and the sources that it names; none where it names none.
    """

    looks: frozenset[tuple[str, str]]
    coarse: tuple[tuple[str, frozenset[str]], ...]


def sensors_behind(behind: Behind, owners: Mapping[str, str]) -> frozenset[str]:
    """Names, or pseudonyms, of sensors of which no two are the same one.

    owners: whose each sensor is that is known by name; of others, whoever names it.  The tracklets of an
    originator under pseudonyms are of its own sensors, and two pseudonyms of two; so of each owner the names
    or the pseudonyms count, whichever are more.  Behind a coarsened track under pseudonyms may be anybody's
    sensors, also ours: it counts only if it has more than all that.
    """
    named: dict[str, set[str]] = {}
    hidden: dict[str, set[str]] = {}
    others: list[frozenset[str]] = []
    for originator, source in behind.looks:
        if source.startswith(PSEUDONYM):
            hidden.setdefault(originator, set()).add(source)
        else:
            named.setdefault(owners.get(source, originator), set()).add(source)
    for originator, sources in behind.coarse:
        clear = {source for source in sources if not source.startswith(PSEUDONYM)}
        for source in clear:
            named.setdefault(owners.get(source, originator), set()).add(source)
        if not clear:
            others.append(sources or frozenset((originator,)))
    sure: set[str] = set()
    for owner in named.keys() | hidden.keys():
        sure |= max(named.get(owner, set()), hidden.get(owner, set()), key=len)
    return max((frozenset(sure), *others), key=len)
