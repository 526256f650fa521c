// What the page shows, as values: the data, the chosen time and picture, and who was told what when.
const data = JSON.parse(document.getElementById("data").textContent);
const zones = data.zones || [],
  falls = data.falls || [],
  truth = data.truth || [],
  partners = data.partners || [];
// partners alone first, the joint picture last: the order of the buttons, keys and columns
const pictureNames = Object.keys(data.pictures).sort((a, b) => (a === "joint") - (b === "joint"));
const state = {
  t: 0,
  picture: pictureNames[pictureNames.length - 1],
  playing: false,
  speed: 30,
  truth: true,
  rings: true,
  legend: true,
  poster: true,
};
const picture = () => data.pictures[state.picture];
const startMs = Date.parse(data.start_utc);
const TRAIL_S = 60; // the bright part of a track

const el = id => document.getElementById(id);
const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
function mmss(t) {
  const s = Math.round(Math.abs(t)),
    sign = t < 0 && s > 0 ? "−" : "";
  return `${sign}${String(Math.floor(s / 60)).padStart(2, "0")}:${String(s % 60).padStart(2, "0")}`;
}
const utc = t => (Number.isNaN(startMs) ? "" : new Date(startMs + t * 1000).toISOString().slice(11, 19));
const colours = {};
const NAMES = (
  "bg panel ink soft faint rule sea land border grid place p0 p1 joint boost ballistic cruise truth impact launch fall " +
  "zone zonefill early earlyline shelter clear ok late missed nobody halo group"
).split(" ");
function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of NAMES) colours[name] = style.getPropertyValue("--" + name).trim();
}
const partnerColour = name => colours[partners.indexOf(name) === 1 ? "p1" : "p0"];
function pictureToken(name) {
  // the colour token of a picture: a partner's own, or the joint one
  const index = pictureNames.filter(n => n !== "joint").indexOf(name);
  return name === "joint" ? "joint" : index === 1 ? "p1" : "p0";
}

// Last index whose key is <= t in rows sorted by column 0 (or by `column`); -1 before the first.
function lastAt(rows, t, column = 0) {
  let low = 0,
    high = rows.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (rows[mid][column] <= t) low = mid + 1;
    else high = mid;
  }
  return low - 1;
}

// Per picture and zone: when each tier stood, as {from, to, tier, end: "clear" | "cancel" | ""}, in time order.
// What is not taken back stands to the end, as it does in the scores.
function standing(alerts) {
  const spans = zones.map(() => []),
    open = {};
  const close = (zone, tier, t, end) => {
    const span = open[tier + zone];
    if (!span) return;
    span.to = t;
    span.end = end;
    delete open[tier + zone];
  };
  for (const alert of [...alerts].sort((a, b) => a.t - b.t)) {
    for (const zone of alert.zones || []) {
      if (alert.action === "alert" || alert.action === "update") {
        const key = alert.tier + zone;
        if (!open[key])
          spans[zone].push((open[key] = { from: alert.t, to: Infinity, tier: alert.tier, end: "" }));
      } else {
        // the tiers are two series: an all clear ends shelter, and an early notice stands until it is ended
        close(zone, alert.tier, alert.t, alert.action === "cancel" ? "cancel" : "clear");
      }
    }
  }
  return spans;
}
const spansOf = {};
for (const name of pictureNames) spansOf[name] = standing(data.pictures[name].alerts || []);

// "shelter", "clear" (told before, over now), "early" or "" for a zone at time t.
function lit(spans, t) {
  let result = "";
  for (const span of spans) {
    if (span.from > t) continue;
    if (span.tier === "shelter") {
      if (t < span.to) return "shelter";
      result = "clear";
    } else if (result === "" && t < span.to) result = "early";
  }
  return result;
}

// What the people under one fall were told in one picture: the struck zone with the least warning stands for it.
// {verdict: "ok" | "late" | "missed" | "none" (no zone struck), early, shelter (times), due (latest time in time), zone}
function warningOf(name, fall) {
  let worst = null;
  for (const zone of fall.zones || []) {
    const spans = spansOf[name][zone].filter(span => span.from <= fall.t && fall.t <= span.to);
    const from = tier =>
      spans.filter(span => span.tier === tier).reduce((a, span) => Math.min(a, span.from), Infinity);
    const shelter = from("shelter"),
      early = from("early"),
      due = fall.t - zones[zone].shelter_s;
    const verdict = shelter === Infinity ? "missed" : shelter <= due && shelter < fall.t ? "ok" : "late";
    if (!worst || due - shelter < worst.due - worst.shelter) worst = { verdict, early, shelter, due, zone };
  }
  return worst || { verdict: "none", early: Infinity, shelter: Infinity, due: fall.t, zone: -1 };
}
const warnings = {};
for (const name of pictureNames) warnings[name] = falls.map(fall => warningOf(name, fall));
