"""What people say through one node: drafts, their release by another person, and what is issued by it.

In: `Drafted`, `Released`, and `Assessed`, of which the node drafts advisories itself; out: alerts and
advisories that two stand behind, and notes of what was drafted, released, refused or lapsed.  The names are
those that the edge vouches for; there is no command for it yet: whoever runs a node hands it these records
(`Node.step`, `RunningNode.take`).
"""

from __future__ import annotations

from collections.abc import Sequence

from jointwatch.node.config import NodeConfig
from jointwatch.node.decisions import Decisions
from jointwatch.node.scribe import Output, Scribe
from jointwatch.records import Advisory, Assessed, BadInput, Drafted, ManualAlert, Note, Released
from jointwatch.warning.advisories import Advisories, check_draft, check_not_over, draft_from, issue_advisory
from jointwatch.warning.names import same_person
from jointwatch.warning.release import LONGEST_NAME, Desk, Draft

Said = Drafted | Released | Assessed
ASSESSMENT = "assessment"
"""The name of the node's own draft, of which there is at most one; no draft of a person's has it."""


class People:
    """Drafts that wait at one node, and the advisories it issued."""

    def __init__(self, config: NodeConfig, scribe: Scribe, decisions: Decisions) -> None:
        self._config, self._scribe, self._decisions = config, scribe, decisions
        self._places = config.places or (config.partner,)
        self._desk = Desk(f"node {config.name}")
        self._let_out: Draft | None = None
        self.advisories = Advisories()

    def drafts(self) -> tuple[Draft, ...]:
        """What waits for its release, by name."""
        return self._desk.drafts()

    def begin(self) -> None:
        """A step begins, whatever it is of: no draft has been let out in it yet."""
        self._let_out = None

    def take(self, record: Said, now: int) -> list[Output]:
        """What comes of what a person says, or of an assessment."""
        try:
            if isinstance(record, Drafted):
                return self._drafted(record, now)
            if isinstance(record, Released):
                return self._released(record, now)
            return self._assessed(record, now)
        except BadInput as error:
            subject = ASSESSMENT if isinstance(record, Assessed) else record.draft
            kind = "release_refused" if isinstance(record, Released) else "draft_refused"
            return [self._scribe.note(now, kind, subject[:200], str(error)[:500])]

    def lapse(self, now: int) -> list[Output]:
        """Notes of drafts that nobody let out in time."""
        return [
            self._scribe.note(now, "draft_lapsed", draft.name, f"drafted by {draft.drafted_by}")
            for draft in self._desk.lapsed(now)
        ]

    def said(self, outputs: Sequence[Output], before: Advisories) -> None:
        """What the journal says of the last step stands, also where it would be decided otherwise now: the
        advisories in it, after those before it, and which draft was let out."""
        released = {o.subject for o in outputs if isinstance(o, Note) and o.kind == "released"}
        for name in released:
            self._desk.take(name)
        if self._let_out is not None and self._let_out.name not in released:
            self._desk.put_back(self._let_out)
        for advisory in (o for o in outputs if isinstance(o, Advisory)):
            before = before.after(advisory)
        self.advisories = before

    def _drafted(self, record: Drafted, now: int) -> list[Output]:
        source = f"draft {record.draft}"
        # each would take the other's place without a word, and be let out for it by who reads the name; what
        # is longer is no name at all
        if same_person(record.draft[:LONGEST_NAME], ASSESSMENT):
            wanted = "another name: by this one goes what an assessment asks for"
            raise BadInput(source, "draft", record.draft, wanted)
        if isinstance(record.content, ManualAlert):
            after = self._decisions.check_manual(record.content, now, source)
        else:
            after = 0
            check_draft(record.content, source)
            check_not_over(record.content, now, source)
            self.advisories.followed(record.content, now, source)
        return [self._put(self._desk.put(record, now, after), now)]

    def _assessed(self, record: Assessed, now: int) -> list[Output]:
        content = draft_from(record, self._places, self.advisories, now)
        if content is None:
            # what an earlier assessment asked for is asked for no more
            self._desk.take(ASSESSMENT)
            return []
        return [self._put(self._desk.put_own(ASSESSMENT, content, now), now)]

    def _put(self, draft: Draft, now: int) -> Note:
        said = f"by {draft.drafted_by}; to release it: {draft.digest}"
        return self._scribe.note(now, "drafted", draft.name, said)

    def _released(self, record: Released, now: int) -> list[Output]:
        draft, source = self._desk.release(record, now), f"draft {record.draft}"
        said = f"drafted by {draft.drafted_by}, released by {record.released_by}"
        issued: list[Output]
        if isinstance(draft.content, ManualAlert):
            manual, ended = self._decisions.left_to_say(draft.content, now, source, draft.after)
            issued = self._decisions.say(manual, now, source)
            if ended:
                said += f"; ended meanwhile: {', '.join(ended)}"[:500]
        else:
            header = self._scribe.header(now, handling="public")
            exercise, epoch = self._config.exercise, self._scribe.epoch
            advisory = issue_advisory(
                draft, draft.content, record.released_by, self.advisories, header, exercise, epoch
            )
            self.advisories = self.advisories.after(advisory)
            issued = [advisory]
        self._desk.take(draft.name)
        self._let_out = draft
        return [self._scribe.note(now, "released", draft.name, said), *issued]
