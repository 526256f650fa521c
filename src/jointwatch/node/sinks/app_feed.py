"""An exercise's alerts in the shape that Israeli alert apps poll, always as drills, on this machine alone.

In: CAP messages of an exercise; out, over HTTP, the two JSON documents of the Home Front Command's unofficial
interface as the npm package `pikud-haoref-api` 4.0.0 reads it:

/warningMessages/alert/Alerts.json: an object {id, cat, title, data, desc} while something was told in the
last `SHOWN_S` seconds, else an empty line.  One object has one category: where several are due the most
urgent is shown, and the others are in the history.
/warningMessages/alert/History/AlertsHistory.json: a list of {alertDate, title, data, category}, one a zone,
the newest first; alertDate is Israel's local time, when this machine was told.

The numbers of categories in the two differ.  Those here are drills' (101 and 102, in the history 15 and 17),
each title begins with the word for exercise, and nothing that is set, given or received changes either: there
is no way to have a real category.  That something is over has no category of a drill, so it is told as a
general drill whose title says it.  A zone is told when its state changes, not each time a message repeats it.
What a message says holds until it expires, as CAP has it: an all clear may never come, and what it was to end
must not stand for ever and keep the next raid from being told.  Nor does what another journal of the same
sender said: an exercise played anew knows nothing of it.

Given a folder, it keeps its messages there (`sinks.files`), with the time at which it told each as the file's
own, and made anew it stands where it stood.  Without one it begins with nothing: zones that stand told are
told again, and an end is told for what it is, by its own words.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jointwatch.formats.cap import CapInfo, CapMessage, read_cap
from jointwatch.node.http_exchange import is_loopback
from jointwatch.node.sinks.feed import Page
from jointwatch.node.sinks.files import Files
from jointwatch.node.sinks.sink import Answer
from jointwatch.records import EXERCISE, BadInput
from jointwatch.warning.words import Wording, words_in

if TYPE_CHECKING:
    from jointwatch.node.sinks.feed_server import FeedServer

LIVE_PATH = ("warningMessages", "alert", "Alerts.json")
HISTORY_PATH = ("warningMessages", "alert", "History", "AlertsHistory.json")
JSON_TYPE = "application/json; charset=utf-8"
SHOWN_S, KEPT_S = 10, 86_400
"""What is told is shown as active for so long, and is in the history for so long."""
MOST_KEPT = 5000
"""Entries of the history."""
MOST_SERIES = 1000
LANGUAGE, ZONE = "he-IL", "Asia/Jerusalem"
State = Literal["shelter", "early", "all_clear", "early_ended"]
_S = 1_000_000_000
_NEVER_NS = 2**63
Place = tuple[str, str]
"""A zone: whose it is, and its key, which another partner's may have too."""


class _Drill(NamedTuple):
    """What one kind of notice is called: its category in the one document and in the other."""

    live: int
    history: int


_DRILLS: dict[State, _Drill] = {
    "shelter": _Drill(101, 15),
    "early": _Drill(102, 17),
    "all_clear": _Drill(102, 17),
    "early_ended": _Drill(102, 17),
}
"""In order of urgency."""
_OVER: dict[State, State] = {"shelter": "all_clear", "early": "early_ended"}
"""What a zone is told when nothing stands any more, by what it was told last."""


class _Told(NamedTuple):
    """Zones that were told of a change at one time (ns UTC of this machine)."""

    state: State
    zones: tuple[Place, ...]
    time_ns: int


class _Stands(NamedTuple):
    """What a series keeps up for a zone, until when (ns UTC) on the senders' clock and on this machine's.

    An exercise has a time of its own, and is played faster, and again: whichever clock is there first, it is
    void.
    """

    state: State
    expires_ns: int
    until_ns: int


class _Series(NamedTuple):
    """What a series keeps up, the journal that it is of (its sender, and how its identifiers begin), and when
    a message of it was told last (ns UTC, this machine's clock)."""

    journal: tuple[str, str]
    standing: dict[Place, _Stands]
    told_ns: int


class AppFeed:
    """The alerts of one exercise for apps, and the server that tells them."""

    exercise = True
    """It is for exercises only; a live sink cannot be made of it."""

    def __init__(
        self,
        name: str,
        names: Mapping[Place, str],
        partners: Mapping[str, str],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        folder: Path | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """names: of zones, as apps know them; one that is not there is called by its key.  partners: whose
        zones each sender warns; one that is not there warns its own.  port: 0 for any that is free (`address`
        says which).  folder: where it keeps its messages, None for nowhere.  clock: ns UTC, of this machine,
        as apps compare with theirs.

        BadInput if the host is not this machine, it cannot listen there, or there are no time zones here; or
        if the folder is for live messages, or holds what is no message of an exercise.
        """
        from jointwatch.node.sinks.feed_server import serve

        source = f"sink {name}"
        if not is_loopback(host):
            raise BadInput(source, "host", host, "127.0.0.1: drills for apps stay on this machine")
        try:
            self._zone = ZoneInfo(ZONE)
        except ZoneInfoNotFoundError:
            raise BadInput(source, "time zones", "none here", f"{ZONE} (install tzdata)") from None
        self.name, self._names, self._partners, self._clock = name, dict(names), dict(partners), clock
        self._series: dict[str, _Series] = {}
        self._series_of: dict[str, str] = {}
        self._told: list[_Told] = []
        self._lock = threading.Lock()
        self._files = None if folder is None else Files(name, folder, exercise=True)
        if self._files is not None:
            self._files.claim()
            self._load(self._files)
        self._server: FeedServer = serve(name, host, port, self.page)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens at."""
        return self._server.where

    def close(self) -> None:
        """It listens no more."""
        self._server.end()

    # ------------------------------------------------------------------ what is heard

    def _load(self, files: Files) -> None:
        """Tell again, each at its time, what lies in the folder."""
        kept: list[tuple[int, int, str, CapMessage]] = []
        for path, identifier, data in files.kept():
            try:
                message, told_ns = _drill_in(identifier, data), path.stat().st_mtime_ns
            except BadInput as error:
                raise BadInput(f"sink {self.name}", str(path), str(error), "a message of this feed") from None
            kept.append((told_ns, message.sent_ns, identifier, message))
        for told_ns, _, _, message in sorted(kept, key=lambda each: each[:3]):
            self._take(message, told_ns)
        self._forget(self._clock())

    def deliver(self, identifier: str, data: bytes) -> Answer:
        """Tell the zones whose state a message changes; one that was taken before changes nothing."""
        try:
            message = _drill_in(identifier, data)
        except BadInput as error:
            return Answer("refused", str(error))
        now = self._clock()
        # while a disk takes its time, apps are answered; it knows another message of the same name
        if self._files is not None:
            stored = self._files.deliver(identifier, data, now)
            if stored.came != "delivered":
                return stored
        with self._lock:
            if identifier in self._series_of:
                return Answer("delivered", "it was told already")
            return Answer("delivered", f"{self._take(message, now)} zones told")

    def _take(self, message: CapMessage, now: int) -> int:
        """Take a message that is told now (ns UTC); how many zones it changes."""
        self._drop_void(message.sent_ns, now)
        # each message tells all that stands of its series (`formats.cap`): it takes the place of those before
        known = [self._series_of[r.identifier] for r in message.references if r.identifier in self._series_of]
        series = known[0] if known else message.identifier
        self._series_of[message.identifier] = series
        partner = self._partners.get(message.sender, message.sender)
        journal = message.sender, message.identifier.rsplit("-", 2)[0]
        named = {zone for info in message.infos for zone in _zones(info, partner)}
        let_go = [info for info in message.infos if "AllClear" in info.responses]
        ends = {zone: _end(info) for info in let_go for zone in _zones(info, partner)}
        if named:
            self._drop_former(journal)
        # what was last touched is last, so that the oldest are forgotten first
        self._series[series] = before = self._series.pop(series, _Series(journal, {}, now))
        named |= {*before.standing}
        was = {zone: self._state(zone) for zone in named}
        standing = {
            zone: stands
            for info in message.infos
            for zone, stands in _said(info, partner, message.sent_ns, now).items()
        }
        self._series[series] = _Series(journal, standing, now)
        news: dict[Place, State] = {}
        for zone in sorted(named):
            stands, stood = self._state(zone), was[zone]
            if stands is not None and stands != stood:
                news[zone] = stands
            elif stands is None and stood is not None:
                news[zone] = _OVER[stood]
            elif stands is None and zone in ends:
                # what told it is void by now, or was told before this feed began
                news[zone] = ends[zone]
        for state in _DRILLS:
            zones = tuple(zone for zone, told in news.items() if told == state)
            if zones:
                self._told.append(_Told(state, zones, now))
        self._forget(now)
        return len(news)

    def _state(self, zone: Place) -> State | None:
        """The most urgent that stands of all series for a zone, None for nothing."""
        said = {s.standing[zone].state for s in self._series.values() if zone in s.standing}
        return next((state for state in _DRILLS if state in said), None)

    def _drop_void(self, sent_ns: int, now: int) -> None:
        """Let go what is void when a message was sent (ns UTC, the senders' clock) or now, here."""
        for name, series in self._series.items():
            holds = {z: s for z, s in series.standing.items() if s.expires_ns > sent_ns and s.until_ns > now}
            self._series[name] = series._replace(standing=holds)

    def _drop_former(self, journal: tuple[str, str]) -> None:
        """Let go what other journals of a sender said that begins one of its own."""
        for name, series in self._series.items():
            if series.journal[0] == journal[0] and series.journal != journal:
                self._series[name] = series._replace(standing={})

    def _forget(self, now: int) -> None:
        """Let go series that are over and out of the history, and the oldest of too many."""
        gone = set(list(self._series)[:-MOST_SERIES])
        for name, series in self._series.items():
            is_over = all(s.until_ns <= now for s in series.standing.values())
            if is_over and now - series.told_ns > KEPT_S * _S:
                gone.add(name)
        if gone:
            if self._files is not None:
                self._files.drop([n for n, s in self._series_of.items() if s in gone])
            self._series = {name: s for name, s in self._series.items() if name not in gone}
            self._series_of = {n: s for n, s in self._series_of.items() if s not in gone}
        kept: list[_Told] = []
        count = 0
        for told in reversed(self._told):
            count += len(told.zones)
            if (kept and count > MOST_KEPT) or now - told.time_ns > KEPT_S * _S:
                break
            kept.append(told)
        self._told = kept[::-1]

    # ------------------------------------------------------------------ what is told

    def page(self, path: tuple[str, ...]) -> Page | None:
        """What is at an address, given by its parts without percent signs; None if nothing is."""
        if path not in (LIVE_PATH, HISTORY_PATH):
            return None
        now = self._clock()
        with self._lock:
            told = list(self._told)
        said = self._live(told, now) if path == LIVE_PATH else self._history(told, now)
        data = b"\r\n" if said is None else json.dumps(said, ensure_ascii=False).encode()
        return Page(JSON_TYPE, data, f'"{hashlib.sha256(data).hexdigest()[:32]}"')

    def _live(self, told: list[_Told], now: int) -> dict[str, object] | None:
        shown = [t for t in told if 0 <= now - t.time_ns < SHOWN_S * _S]
        for state in _DRILLS:
            due = [t for t in shown if t.state == state]
            if due:
                zones = dict.fromkeys(self._name(zone) for t in due for zone in t.zones)
                return {
                    "id": str(due[-1].time_ns),
                    "cat": str(_DRILLS[state].live),
                    "title": _title(state),
                    "data": list(zones),
                    "desc": _mark() + _wording(state).instruction,
                }
        return None

    def _history(self, told: list[_Told], now: int) -> list[dict[str, object]]:
        return [
            {
                "alertDate": self._local(t.time_ns),
                "title": _title(t.state),
                "data": self._name(zone),
                "category": _DRILLS[t.state].history,
            }
            for t in reversed(told)
            if now - t.time_ns <= KEPT_S * _S
            for zone in t.zones
        ]

    def _name(self, zone: Place) -> str:
        return self._names.get(zone, zone[1])

    def _local(self, time_ns: int) -> str:
        moment = datetime.fromtimestamp(time_ns // _S, UTC).astimezone(self._zone)
        return moment.strftime("%Y-%m-%d %H:%M:%S")


def _drill_in(identifier: str, data: bytes) -> CapMessage:
    """The message of an exercise by this identifier; BadInput if it is none."""
    message = read_cap(data, identifier)
    is_drill = message.status == "Exercise" and identifier.startswith(EXERCISE)
    if message.identifier != identifier or not is_drill:
        found = f"{message.identifier} of status {message.status}"
        raise BadInput(identifier, "status", found, "this message, of an exercise")
    return message


def _zones(info: CapInfo, partner: str) -> list[Place]:
    """The zones of a partner that an <info> is for, by their codes."""
    codes = [value for area in info.areas for name, value in area.geocodes if name == "jointwatch:zone"]
    return [(partner, code) for code in codes]


def _said(info: CapInfo, partner: str, sent_ns: int, now: int) -> dict[Place, _Stands]:
    """What an <info> of a message that was sent at sent_ns tells the zones of a partner to do that it still
    warns; nothing where it lets them go."""
    told: dict[str, State] = {"Shelter": "shelter", "Prepare": "early"}
    state = next((told[response] for response in told if response in info.responses), None)
    if state is None:
        return {}
    zones = _zones(info, partner)
    if info.expires_ns is None:
        return dict.fromkeys(zones, _Stands(state, _NEVER_NS, _NEVER_NS))
    return dict.fromkeys(zones, _Stands(state, info.expires_ns, now + info.expires_ns - sent_ns))


def _end(info: CapInfo) -> State:
    """What ends, where an <info> lets its zones go: by its headline, one of the set sentences."""
    try:
        words = words_in(info.language)
    except BadInput:
        return "all_clear"
    early = words.early_ended.headline, words.early_withdrawn.headline
    return "early_ended" if info.headline.removeprefix(words.mark) in early else "all_clear"


def _mark() -> str:
    return words_in(LANGUAGE).mark


def _wording(state: State) -> Wording:
    words = words_in(LANGUAGE)
    return {
        "shelter": words.shelter,
        "early": words.early,
        "all_clear": words.all_clear,
        "early_ended": words.early_ended,
    }[state]


def _title(state: State) -> str:
    return _mark() + _wording(state).headline
