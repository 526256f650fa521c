"""Two people for whatever a person says: a draft by one name, let out by another.

In: drafts and releases (`records.people`), each with the time it came; out: the draft that two people stand
behind, or `BadInput` why it stays where it is.  What lies on the desk is a fold over these inputs alone, so a
node made again from its journal has the same drafts.  Names are handed in by the edge, which vouches for
them; here they are only told apart.
"""

from __future__ import annotations

import hashlib

import msgspec
from msgspec import Struct

from jointwatch.records import BadInput, Content, Drafted, ManualAlert, Released
from jointwatch.warning.names import is_name, is_plain, same_person, scripts_of

ALERT_LAPSES_S, ADVISORY_LAPSES_S = 300.0, 86_400.0
"""A draft that nobody has let out after so long lapses: what was true of the next minutes is no more."""
MOST_DRAFTS = 100
"""Drafts that may lie on the desk at once."""
LONGEST_NAME = 200
"""Letters of a person's or a draft's name."""


class Draft(Struct, frozen=True, kw_only=True):
    """A draft on the desk: its name, what it says, who drafted it and when (ns UTC), until when it may be
    released, and after which of the warner's messages it was drafted."""

    name: str
    content: Content
    drafted_by: str
    drafted_ns: int
    lapses_ns: int
    after: int = 0

    @property
    def digest(self) -> str:
        """What a release must name."""
        return digest_of(self.name, self.content, self.drafted_by)


def digest_of(name: str, content: Content, drafted_by: str) -> str:
    """SHA-256, in hexadecimal digits, of all that a draft says and who drafted it."""
    return hashlib.sha256(msgspec.msgpack.encode((name, content, drafted_by))).hexdigest()


class Desk:
    """Drafts that nobody has let out yet, each until it lapses."""

    def __init__(self, node: str) -> None:
        """node: the name that the node itself drafts under; no person goes by it."""
        self._node = node
        self._drafts: dict[str, Draft] = {}

    def drafts(self) -> tuple[Draft, ...]:
        """What lies on it, by name."""
        return tuple(self._drafts[name] for name in sorted(self._drafts))

    def put(self, record: Drafted, now_ns: int, after: int = 0) -> Draft:
        """A person's draft; it takes the place of another under its name, whose release it is not.

        BadInput if a name is none, of several scripts, or the node's own, or there are too many drafts.
        """
        self._check_person(record.drafted_by, record.draft, "drafted_by")
        return self._put(record.draft, record.content, record.drafted_by, now_ns, after)

    def put_own(self, name: str, content: Content, now_ns: int) -> Draft:
        """A draft of the node's own: a person is to let it out."""
        return self._put(name, content, self._node, now_ns)

    def release(self, record: Released, now_ns: int) -> Draft:
        """The draft that a second person lets out; it stays on the desk until it is taken from there.

        BadInput if there is no such draft (any more), it is another than was read, or it is let out by
        whoever drafted it, by the node, by nobody, in letters of several scripts or with letters hidden.
        """
        source = f"draft {record.draft}"
        self._check_person(record.released_by, record.draft, "released_by")
        draft = self._drafts.get(record.draft)
        if draft is None or draft.lapses_ns <= now_ns:
            raise BadInput(source, "draft", "none of this name", "one that waits for its release")
        if record.digest != draft.digest:
            raise BadInput(source, "digest", record.digest, "that of the draft as it stands now")
        if same_person(record.released_by, draft.drafted_by):
            raise BadInput(source, "released_by", record.released_by, "another person than who drafted it")
        return draft

    def put_back(self, draft: Draft) -> None:
        """A draft that was not let out after all."""
        self._drafts[draft.name] = draft

    def take(self, name: str) -> None:
        """A draft leaves the desk: it was let out, or is no more wanted."""
        self._drafts.pop(name, None)

    def lapsed(self, now_ns: int) -> list[Draft]:
        """Drafts that nobody let out in time; they leave the desk."""
        gone = [draft for draft in self.drafts() if draft.lapses_ns <= now_ns]
        for draft in gone:
            del self._drafts[draft.name]
        return gone

    def _put(self, name: str, content: Content, drafted_by: str, now_ns: int, after: int = 0) -> Draft:
        if len(self._drafts) >= MOST_DRAFTS and name not in self._drafts:
            raise BadInput(f"draft {name}", "draft", f"{MOST_DRAFTS} others", "fewer that wait for release")
        lapses_s = ALERT_LAPSES_S if isinstance(content, ManualAlert) else ADVISORY_LAPSES_S
        draft = Draft(
            name=name,
            content=content,
            drafted_by=drafted_by,
            drafted_ns=now_ns,
            lapses_ns=now_ns + round(lapses_s * 1e9),
            after=after,
        )
        self._drafts[name] = draft
        return draft

    def _check_person(self, person: str, draft: str, field: str) -> None:
        for where, name in (("draft", draft), (field, person)):
            if not is_name(name) or len(name) > LONGEST_NAME:
                wanted = f"a name of at most {LONGEST_NAME} letters"
                raise BadInput(
                    f"draft {draft[:LONGEST_NAME]}", where, name[:LONGEST_NAME] or "nothing", wanted
                )
        if not is_plain(person):
            raise BadInput(f"draft {draft}", field, ascii(person), "a name in which nothing is hidden")
        if mixed := scripts_of(person):
            # what looks like one name in one script must not be written as another in two
            found = f"{person}: {', '.join(mixed)}"
            raise BadInput(f"draft {draft}", field, found, "a name in the letters of one script")
        if same_person(person, self._node):
            raise BadInput(f"draft {draft}", field, person, "a person: this is the node")
