"""Advisories: the slow tier, a warning for places and a period ahead of any fire.

In: places, a period and words, or the posture that the partners' assessment led to; out: an `AdvisoryDraft`,
which goes through the same two hands as all that people say (`warning.release`), then the `Advisory` itself,
numbered, with references to what it renews or withdraws.  What stands is a fold over those issued; one whose
period is over stands no more, and nothing is sent of that.  An advisory says where and when to take care and
what to do; it never says from whom or from where fire may come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from jointwatch.records import Advisory, AdvisoryDraft, Assessed, BadInput, Header
from jointwatch.warning.names import same_person
from jointwatch.warning.release import Draft
from jointwatch.warning.standing import MOST_REFERENCES, numbers_of, stem_of
from jointwatch.warning.words import OWN_LANGUAGE, advisory_wording, check_languages, words_in

Words = tuple[tuple[str, str, str], ...]
"""(language, headline, text) in languages other than that of `OWN_LANGUAGE`."""


class Advisories(Struct, frozen=True):
    """The latest advisory of each series, by the series' number, until its period is over; count: the last
    number given."""

    latest: Mapping[int, Advisory] = field(default_factory=dict)
    count: int = 0

    def after(self, advisory: Advisory) -> Advisories:
        """What there is after one advisory more.  Those whose period was over when it was issued are void,
        as they are to the sinks: nothing follows them, and they are forgotten."""
        number, _ = numbers_of(advisory)
        issued_ns = advisory.header.measured_ns
        going = {n: a for n, a in self.latest.items() if issued_ns < a.valid_to_ns}
        return Advisories({**going, number: advisory}, max(self.count, number))

    def standing(self, now_ns: int) -> tuple[Advisory, ...]:
        """Those that are in force or yet to come at now_ns: neither withdrawn nor over, by series."""
        return tuple(
            advisory
            for _, advisory in sorted(self.latest.items())
            if advisory.action != "cancel" and now_ns < advisory.valid_to_ns
        )

    def followed(self, draft: AdvisoryDraft, now_ns: int, source: str) -> Advisory | None:
        """The advisory that a draft renews or withdraws.

        BadInput if that is none that stands, a withdrawal is not for its very places and period, or a renewal
        leaves one of its places out: it takes the place of what was said there, and those people would be
        told of no end.
        """
        if draft.action == "alert":
            return None
        for advisory in self.standing(now_ns):
            if advisory.identifier != draft.follows:
                continue
            same = advisory.places, advisory.valid_from_ns, advisory.valid_to_ns
            if draft.action == "cancel" and (draft.places, draft.valid_from_ns, draft.valid_to_ns) != same:
                raise BadInput(source, "places", list(draft.places), "the places and period it withdraws")
            if dropped := [place for place in advisory.places if place not in draft.places]:
                wanted = f"{', '.join(dropped)} too, or the withdrawal of {advisory.identifier} and a new one"
                raise BadInput(source, "places", list(draft.places), wanted)
            return advisory
        raise BadInput(source, "follows", draft.follows or "nothing", "the latest of an advisory that stands")


def draft_advisory(
    places: Sequence[str],
    window_ns: tuple[int, int],
    headline: str = "",
    *,
    text: str = "",
    words: Words = (),
    renews: str = "",
    source: str = "advisory",
) -> AdvisoryDraft:
    """A draft for `places`, valid over window_ns (from, to; ns UTC).

    headline, text: what people are told; set words, which name places and period, if "".  words: headline and
    text in other languages; in those that it leaves out the set words are sent.  renews: identifier of the
    standing advisory in whose place it comes.
    BadInput if a place or a word is empty, a language is unknown or there twice, or the window does not end
    after it begins.
    """
    draft = AdvisoryDraft(
        places=tuple(places),
        valid_from_ns=window_ns[0],
        valid_to_ns=window_ns[1],
        headline=headline or words_in(OWN_LANGUAGE).advisory.headline,
        text=text,
        words=words,
        action="update" if renews else "alert",
        follows=renews,
    )
    if not text:
        check_window(draft, source)
        wording = advisory_wording(OWN_LANGUAGE, draft.places, window_ns, source)
        draft = replace(draft, text=wording.description)
    check_draft(draft, source)
    return draft


def withdraw_advisory(advisory: Advisory) -> AdvisoryDraft:
    """The draft that takes a standing advisory back, for its places and period."""
    window_ns = advisory.valid_from_ns, advisory.valid_to_ns
    wording = advisory_wording(OWN_LANGUAGE, advisory.places, window_ns, advisory.identifier, withdrawn=True)
    return AdvisoryDraft(
        places=advisory.places,
        valid_from_ns=advisory.valid_from_ns,
        valid_to_ns=advisory.valid_to_ns,
        headline=wording.headline,
        text=wording.description,
        action="cancel",
        follows=advisory.identifier,
    )


def check_window(draft: AdvisoryDraft, source: str) -> None:
    """BadInput without a place, or a period that does not end after its beginning."""
    if not draft.places or not all(place.strip() for place in draft.places):
        raise BadInput(source, "places", list(draft.places), "at least one place, each with a name")
    if draft.valid_to_ns <= draft.valid_from_ns:
        window_ns = draft.valid_from_ns, draft.valid_to_ns
        raise BadInput(source, "window", window_ns, "an end after its beginning")


def check_not_over(draft: AdvisoryDraft, now_ns: int, source: str) -> None:
    """BadInput for a period that is over at now_ns: nobody is told of that any more."""
    if now_ns >= draft.valid_to_ns:
        raise BadInput(source, "window", "a period that is over", "one that ends later than now")


def check_draft(draft: AdvisoryDraft, source: str) -> None:
    """BadInput for a draft that says too little, or in a language that there are no set words in."""
    check_window(draft, source)
    # its period has to be sayable, whoever words it: those of other languages may be left out
    advisory_wording(OWN_LANGUAGE, draft.places, (draft.valid_from_ns, draft.valid_to_ns), source)
    for name, value in (("headline", draft.headline), ("text", draft.text)):
        if not value.strip():
            raise BadInput(source, name, "nothing", "words")
    if draft.words:
        check_languages([OWN_LANGUAGE, *(language for language, _, _ in draft.words)], source, "words")
    for language, *texts in draft.words:
        if not all(each.strip() for each in texts):
            raise BadInput(source, f"words.{language}", "nothing", "a headline and a text")
    if (draft.action == "alert") is bool(draft.follows):
        found = draft.follows or "nothing"
        raise BadInput(source, "follows", found, "what it renews or withdraws, or nothing for a new one")


def draft_from(
    assessed: Assessed, places: Sequence[str], advisories: Advisories, now_ns: int
) -> AdvisoryDraft | None:
    """What an assessment asks for, or None if what stands for these places says it already.

    A posture above normal: an advisory over the watch window, or the renewal of one with another window.  A
    normal one: the withdrawal of what stands.
    """
    standing = [a for a in advisories.standing(now_ns) if a.places == tuple(places)]
    latest = standing[-1] if standing else None
    if assessed.posture == "normal":
        return withdraw_advisory(latest) if latest is not None else None
    window_ns = assessed.from_ns, assessed.to_ns
    if now_ns >= assessed.to_ns or (latest and (latest.valid_from_ns, latest.valid_to_ns) == window_ns):
        return None
    return draft_advisory(places, window_ns, renews=latest.identifier if latest else "")


def issue_advisory(
    draft: Draft,
    content: AdvisoryDraft,
    released_by: str,
    advisories: Advisories,
    header: Header,
    exercise: bool,
    epoch: str = "",
) -> Advisory:
    """The draft, let out by a second person, as the next advisory after those issued.

    header: its `measured_ns` is the time of issue, its originator the partner, its source the node.
    epoch: of the node's journal (`standing.epoch_of`).
    BadInput if one person is behind it, it says too little, its period is over, or what it renews or
    withdraws stands no more.
    """
    source, now_ns = f"draft {draft.name}", header.measured_ns
    if not released_by.strip() or same_person(released_by, draft.drafted_by):
        raise BadInput(source, "released_by", released_by or "nobody", "another person than who drafted it")
    check_draft(content, source)
    check_not_over(content, now_ns, source)
    before = advisories.followed(content, now_ns, source)
    number, count = numbers_of(before) if before else (advisories.count + 1, 0)
    stem = stem_of(header.source, epoch, exercise)
    return Advisory(
        header=header,
        identifier=f"{stem}-advisory-{number:02d}-{count + 1:04d}",
        partner=header.originator,
        places=content.places,
        valid_from_ns=content.valid_from_ns,
        valid_to_ns=content.valid_to_ns,
        headline=content.headline,
        text=content.text,
        drafted_by=draft.drafted_by,
        reviewed_by=released_by,
        exercise=exercise,
        words=content.words,
        action=content.action,
        references=(*before.references, before.identifier)[-MOST_REFERENCES:] if before else (),
    )
