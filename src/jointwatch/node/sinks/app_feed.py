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
must not stand for ever and keep the next raid from being told.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jointwatch.formats.cap import CapInfo, CapMessage, read_cap
from jointwatch.node.http_exchange import is_loopback
from jointwatch.node.sinks.feed import Page
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
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """names: of zones, as apps know them; one that is not there is called by its key.  partners: whose
        zones each sender warns; one that is not there warns its own.  port: 0 for any that is free (`address`
        says which).  clock: ns UTC, of this machine, as apps compare with theirs.

        BadInput if the host is not this machine, it cannot listen there, or there are no time zones here.
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
        self._series: dict[str, dict[Place, _Stands]] = {}
        self._series_of: dict[str, str] = {}
        self._told: list[_Told] = []
        self._lock = threading.Lock()
        self._server: FeedServer = serve(name, host, port, self.page)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens at."""
        return self._server.where

    def close(self) -> None:
        """It listens no more."""
        self._server.end()

    # ------------------------------------------------------------------ what is heard

    def deliver(self, identifier: str, data: bytes) -> Answer:
        """Tell the zones whose state a message changes; one that was taken before changes nothing."""
        try:
            message = read_cap(data, identifier)
        except BadInput as error:
            return Answer("refused", str(error))
        is_drill = message.status == "Exercise" and identifier.startswith(EXERCISE)
        if message.identifier != identifier or not is_drill:
            return Answer("refused", f"{message.identifier} of status {message.status}")
        with self._lock:
            if identifier in self._series_of:
                return Answer("delivered", "it was told already")
            changed = self._take(message)
        return Answer("delivered", f"{changed} zones told")

    def _take(self, message: CapMessage) -> int:
        now = self._clock()
        self._drop_void(message.sent_ns, now)
        # each message tells all that stands of its series (`formats.cap`): it takes the place of those before
        known = [self._series_of[r.identifier] for r in message.references if r.identifier in self._series_of]
        series = known[0] if known else message.identifier
        self._series_of[message.identifier] = series
        partner = self._partners.get(message.sender, message.sender)
        named = {*self._series.get(series, ())}
        named |= {zone for info in message.infos for zone in _zones(info, partner)}
        was = {zone: self._state(zone) for zone in named}
        # what was last touched is last, so that the oldest are forgotten first
        self._series.pop(series, None)
        self._series[series] = {
            zone: stands
            for info in message.infos
            for zone, stands in _said(info, partner, message.sent_ns, now).items()
        }
        news: dict[Place, State] = {}
        for zone in sorted(named):
            stands, stood = self._state(zone), was[zone]
            if stands is not None and stands != stood:
                news[zone] = stands
            elif stands is None and stood is not None:
                news[zone] = _OVER[stood]
        for state in _DRILLS:
            zones = tuple(zone for zone, told in news.items() if told == state)
            if zones:
                self._told.append(_Told(state, zones, now))
        self._forget(now)
        return len(news)

    def _state(self, zone: Place) -> State | None:
        """The most urgent that stands of all series for a zone, None for nothing."""
        said = {standing[zone].state for standing in self._series.values() if zone in standing}
        return next((state for state in _DRILLS if state in said), None)

    def _drop_void(self, sent_ns: int, now: int) -> None:
        """Let go what is void when a message was sent (ns UTC, the senders' clock) or now, here."""
        self._series = {
            series: {zone: s for zone, s in standing.items() if s.expires_ns > sent_ns and s.until_ns > now}
            for series, standing in self._series.items()
        }

    def _forget(self, now: int) -> None:
        for series in list(self._series)[:-MOST_SERIES]:
            del self._series[series]
            self._series_of = {n: s for n, s in self._series_of.items() if s != series}
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
