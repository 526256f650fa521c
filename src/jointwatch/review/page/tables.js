// The tables: what is not in the data is left out. All text goes in as text, never as markup.
function node(tag, text, attributes = {}, ...children) {
  const e = document.createElement(tag);
  if (text !== null && text !== undefined) e.textContent = text;
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
}
const at = (object, path) =>
  path.split(".").reduce((o, key) => (o === null || o === undefined ? undefined : o[key]), object);
const has = value => value !== null && value !== undefined;
const number = (value, digits = 0) =>
  value
    .toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })
    .replace("-", "\u2212");
const format = {
  count: v => number(v, Number.isInteger(v) ? 0 : 1),
  seconds: v => `${number(v, Math.abs(v) < 10 ? 1 : 0)} s`,
  km: v => `${number(v / 1000, Math.abs(v) < 9950 ? 1 : 0)} km`,
  percent: v => `${number(v * 100)} %`,
  ratio: v => number(v, 2),
  ms: v => `${number(v, 1)} ms`,
};
// [label, path in a picture's summary, format, better: +1 more, -1 less, 0 neither]
const METRICS = [
  ["Launches detected", "detected", "count", 1],
  ["Launches missed", "missed", "count", -1],
  ["False tracks", "false_tracks", "count", -1],
  ["Track swaps", "track_swaps", "count", -1],
  ["GOSPA (distance of picture from truth)", "gospa_m", "km", -1],
  ["NEES (6 is consistent)", "nees", "ratio", 0],
  ["First track after launch, median", "first_track_s.median", "seconds", -1],
  ["First track after launch, greatest", "first_track_s.max", "seconds", -1],
  ["First launch report after launch, median", "first_launch_report_s.median", "seconds", -1],
  ["First launch report after launch, greatest", "first_launch_report_s.max", "seconds", -1],
  ["Launches seen to burn", "burns.matched", "count", 1],
  ["Launches seen to burn twice over", "burns.doubles", "count", -1],
  ["False launches told of by a burn", "burns.false", "count", -1],
  ["Zones struck", "zones.struck", "count", 0],
  ["Zones that this picture's sensors could warn in time", "zones.feasible", "count", 1],
  ["Zones warned in time", "zones.warned_in_time", "count", 1],
  ["Zones warned late", "zones.late", "count", -1],
  ["Zones struck without warning", "zones.missed", "count", -1],
  ["Zones told to shelter without need", "zones.false", "count", -1],
  ["Warning before impact, median", "lead_time_s.median", "seconds", 1],
  ["Warning before impact, least", "lead_time_s.min", "seconds", 1],
  ["Margin over time to shelter, median", "margin_s.median", "seconds", 1],
  ["Margin over time to shelter, least", "margin_s.min", "seconds", 1],
  ["Impact error at first alert, median", "impact_error_m.median", "km", -1],
  ["Impact error at first alert, 90th percentile", "impact_error_m.p90", "km", -1],
  ["True fall inside 50 % region", "impact_coverage_50", "percent", 0],
  ["True fall inside 90 % region", "impact_coverage_90", "percent", 0],
  ["Launch error, median", "launch_error_m.median", "km", -1],
  ["Launch error, 90th percentile", "launch_error_m.p90", "km", -1],
  ["True launch inside 90 % ellipse", "launch_coverage_90", "percent", 0],
  ["Origins stated", "origin.stated", "count", 0],
  ["Origins stated wrongly", "origin.wrong", "count", -1],
  ["Origins that cannot be told", "origin.undetermined", "count", 0],
  ["Alerts sent", "alerts", "count", 0],
  ["Alerts withdrawn", "cancelled", "count", 0],
];
const HEADLINE = [
  ["Zones warned in time", "zones.warned_in_time", "count"],
  ["Median warning before impact", "lead_time_s.median", "seconds"],
  ["Launches detected", "detected", "count"],
  ["Zones without warning", "zones.missed", "count"],
  ["Zones told without need", "zones.false", "count"],
  ["Impact error, 90th percentile", "impact_error_m.p90", "km"],
];
const summaryOf = name => data.pictures[name].summary || {};
const labelOf = name => data.pictures[name].label || name;

const MORE_IS_BETTER = new Set(["zones.warned_in_time", "lead_time_s.median", "detected"]);

// The few numbers beside the map; their column heads choose the picture.
function fillCompare() {
  const table = node("table"),
    head = node("tr", null, {}, node("th"));
  pictureNames.forEach((name, i) => {
    const button = node("button", null, {
      "data-picture": name,
      title: `key ${i + 1}`,
      style: `--pc: var(--${pictureToken(name)})`,
    });
    button.append(node("i"), labelOf(name));
    button.onclick = () => setPicture(name);
    head.append(node("th", null, {}, button));
  });
  table.append(node("thead", null, {}, head));
  HEADLINE.forEach(([label, path, how], index) => {
    if (!pictureNames.some(name => has(at(summaryOf(name), path)))) return;
    const row = node("tr", null, index < 2 ? { class: "big" } : {}, node("th", label));
    // together stands out only where nobody alone does better
    const sign = MORE_IS_BETTER.has(path) ? 1 : -1,
      joint = pictureNames.includes("joint") ? at(summaryOf("joint"), path) : undefined,
      best = pictureNames.every(name => !(sign * at(summaryOf(name), path) > sign * joint));
    for (const name of pictureNames) {
      const value = at(summaryOf(name), path),
        cell = node("td", null, name === "joint" && best ? { class: "together" } : {});
      cell.append(has(value) ? format[how](value) : "–");
      const whole =
        path === "zones.warned_in_time"
          ? at(summaryOf(name), "zones.struck")
          : path === "detected" && has(summaryOf(name).missed)
            ? value + summaryOf(name).missed
            : undefined;
      if (has(value) && has(whole)) cell.append(" ", node("small", `of ${whole}`));
      if (path === "zones.warned_in_time" && has(value) && whole)
        cell.append(
          node(
            "div",
            null,
            { class: "bar", style: `--pc: var(--${pictureToken(name)})` },
            node("span", null, { style: `width:${clamp((100 * value) / whole, 0, 100)}%` }),
          ),
        );
      row.append(cell);
    }
    table.append(row);
  });
  el("compare").replaceChildren(table);
}

function section(title, note, content, wide = false) {
  const s = node("section", null, wide ? { class: "wide" } : {}, node("h2", title));
  if (note) s.append(node("p", note));
  s.append(content);
  el("tables").append(s);
}
function table(heads, rows) {
  // heads: text, or [text, "n"] for a column of numbers; cells: text or node
  const kind = heads.map(h => (Array.isArray(h) ? h[1] : "")),
    head = node("tr");
  heads.forEach((h, i) =>
    head.append(node("th", Array.isArray(h) ? h[0] : h, kind[i] ? { class: kind[i] } : {})),
  );
  const body = node("tbody");
  for (const row of rows) {
    const tr = node("tr");
    row.forEach((cell, i) => {
      const td = node("td", null, kind[i] ? { class: kind[i] } : {});
      td.append(has(cell) ? cell : "–");
      tr.append(td);
    });
    body.append(tr);
  }
  return node("table", null, {}, node("thead", null, {}, head), body);
}
// A dictionary as rows: words for keys, units from their suffix.
function rowsOf(object, prefix = "") {
  return Object.entries(object).flatMap(([key, value]) => {
    const unit = /_(s|m|ms)$/.exec(key),
      words = (prefix + key.replace(/_(s|m|ms)$/, "")).replaceAll("_", " ");
    if (value && typeof value === "object" && !Array.isArray(value)) return rowsOf(value, `${words}, `);
    const how = !unit ? "count" : { s: "seconds", m: "km", ms: "ms" }[unit[1]];
    return [
      [
        words[0].toUpperCase() + words.slice(1),
        typeof value === "number"
          ? format[how](value)
          : Array.isArray(value)
            ? value.join(", ")
            : has(value)
              ? String(value)
              : null,
      ],
    ];
  });
}
const chance = p =>
  has(p) ? (p > 0 && p < 0.01 ? "< 1 %" : p < 1 && p > 0.99 ? "> 99 %" : format.percent(p)) : "–";

function fillTables() {
  const metrics = METRICS.filter(m => pictureNames.some(name => has(at(summaryOf(name), m[1]))));
  if (metrics.length)
    section(
      "The three pictures side by side",
      "Every picture is scored on both partners' zones. A partner alone is a node of its own that never had the link, not a filtered view. Bold is the best of a row.",
      table(
        ["", ...pictureNames.map(name => [labelOf(name), "n"])],
        metrics.map(([label, path, how, better]) => {
          const values = pictureNames.map(name => at(summaryOf(name), path)),
            known = values.filter(has).map(v => v * better);
          const best = Math.max(...known),
            differ = better && Math.min(...known) < best;
          return [
            label,
            ...values.map(v =>
              !has(v) ? null : differ && v * better === best ? node("b", format[how](v)) : format[how](v),
            ),
          ];
        }),
      ),
    );
  if (data.value_of_joining || data.link) {
    const box = node("div");
    if (data.value_of_joining)
      box.append(table(["Joining bought", ["", "n"]], rowsOf(data.value_of_joining)));
    if (data.link) {
      const { cuts, ...counts } = data.link;
      const rows = rowsOf(counts);
      for (const cut of cuts || []) rows.push(["Cut and rejoined", `T+${mmss(cut[0])} to T+${mmss(cut[1])}`]);
      box.append(node("h2", "The link"), table(["Messages", ["", "n"]], rows));
    }
    section("What joining was worth", "Measured against the better partner alone.", box);
  }
  if ((data.disagreements || []).length)
    section(
      "Where the pictures disagreed",
      "Conflicts beyond chance between what the partners told. Neither side is taken for wrong: both stay in the picture.",
      table(
        [["From", "n"], ["To", "n"], "What", "Tracks", "Between", "Which evidence differs"],
        data.disagreements.map(d => [
          `T+${mmss(d.from_s)}`,
          has(d.to_s) ? `T+${mmss(d.to_s)}` : "end",
          d.kind,
          d.numbers.join(", "),
          d.between.join(" and "),
          d.detail,
        ]),
      ),
    );
  if (((data.joining || {}).events || []).length) fillJoining(data.joining);
  if ((data.quality || []).length) fillQuality(data.quality);
  if ((data.procedure || []).length)
    section(
      "Procedure: due and done",
      "",
      table(
        ["Step", "Who", "Told", "By", ["Within", "n"], ["In time", "n"], ["Worst due", "n"], ["Done", "n"], ""],
        data.procedure.map(s => [
          s.step,
          s.who,
          Array.isArray(s.told) ? s.told.join(", ") : s.told,
          s.channel,
          has(s.within_s) ? format.seconds(s.within_s) : null,
          has(s.due) ? `${s.done} of ${s.due}` : null,
          has(s.due_s) ? `T+${mmss(s.due_s)}` : null,
          has(s.done_s) ? `T+${mmss(s.done_s)}` : null,
          verdictOf(s),
        ]),
      ),
      true,
    );
  if ((data.advisories || []).length)
    section(
      "Advisories issued ahead",
      "The slow tier: a draft goes out only after another role has reviewed it. It names places in danger, never where fire may come from.",
      table(
        ["To", "Places", "Text", "Drafted by", "Reviewed by"],
        data.advisories.map(a => [a.partner, a.places.join(", "), a.text, a.drafted_by, a.reviewed_by]),
      ),
      true,
    );
  if (data.assessment) fillAssessment(data.assessment);
  if ((data.origins || []).length) fillOrigins(data.origins);
  if (((data.others || {}).sources || []).length) fillOthers(data.others);
  const slot = node("div", null, { id: "alerts" });
  section("Alerts of the chosen picture", "Choose a row to see its moment on the map.", slot, true);
}

// What became of a step over all its cases, in words; a step given without counts has its one case only.
function verdictOf(s) {
  const counts = [
    [s.never, "not done"],
    [s.late, "late"],
    [s.early, "too early"],
    [s.pending, "still open"],
  ];
  const said = counts.filter(c => c[0]).map(c => `${c[0]} ${c[1]}`);
  if (s.due === 0) return node("span", "never due");
  if (!said.length) said.push(s.ok ? "in time" : has(s.done_s) ? "late" : "not done");
  const kind = s.ok ? "ok" : s.never || !has(s.done_s) ? "missed" : "late";
  return node("b", said.join(", "), { class: kind });
}
function fillAssessment(a) {
  const box = node("div"),
    indicators = a.indicators || [];
  box.append(chancesDrawing(a));
  const words = [];
  if (has(a.pooled))
    words.push(
      `Pooled ${chance(a.pooled)}${has(a.spread) ? `, spread between the partners ${number(a.spread * 100)} points` : ""}.`,
    );
  if (a.posture) words.push(`Posture: ${a.posture}.`);
  if (a.watch_window) words.push(`Watch window: ${a.watch_window.join(" to ")}.`);
  box.append(node("p", words.join(" ")));
  if (indicators.length)
    box.append(
      table(
        ["Date", "Indicator", "Points to fire", "Grade", "Source's interest", "Notes"],
        indicators.map(i => {
          const notes = [];
          if (i.own_action) notes.push("own action");
          if ((i.conflicts_with || []).length)
            notes.push(node("b", `conflicts with: ${i.conflicts_with.join("; ")}`, { class: "late" }));
          const cell = node("span");
          notes.forEach((n, k) => cell.append(k ? "; " : "", n));
          return [i.date, i.text, String(i.direction), i.grade, i.source_interest, cell];
        }),
      ),
    );
  section("How likely is fire: the joint assessment", a.question, box, true);
}
function chancesDrawing(a) {
  // 0 to 100 % on one line: each partner a dot, the pooled estimate a diamond
  const W = 560,
    x = p => 20 + p * (W - 40),
    NS = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", `0 0 ${W} 74`);
  svg.setAttribute("width", W);
  svg.setAttribute("style", "max-width:100%;display:block");
  const add = (tag, attributes, text) => {
    const e = document.createElementNS(NS, tag);
    for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
    if (text) e.textContent = text;
    svg.append(e);
  };
  const label = (px_, y, text, fill, anchor = "middle") =>
    add("text", { x: px_, y, fill, "text-anchor": anchor, "font-size": 11 }, text);
  add("rect", { x: x(0), y: 29, width: x(1) - x(0), height: 2, fill: "var(--rule)" });
  for (const p of [0, 0.25, 0.5, 0.75, 1]) {
    add("rect", { x: x(p), y: 26, width: 1, height: 8, fill: "var(--faint)" });
    label(x(p), 68, `${p * 100} %`, "var(--soft)");
  }
  const entries = Object.entries(a.partners || {}).sort((m, n) => m[1] - n[1]);
  entries.forEach(([name, p], i) => {
    const fill = `var(--p${partners.indexOf(name) === 1 ? 1 : 0})`;
    add("circle", { cx: x(p), cy: 30, r: 6, fill });
    label(x(p) + (i ? 4 : -4), 17, `${name} ${chance(p)}`, fill, i ? "start" : "end");
  });
  if (has(a.pooled)) {
    const p = x(a.pooled);
    add("path", { d: `M${p} 22 l7 8 l-7 8 l-7 -8 z`, fill: "var(--joint)" });
    label(p, 50, `pooled ${chance(a.pooled)}`, "var(--joint)");
  }
  return svg;
}

// Azimuths of some launches: one with its uncertainty, or the arc that holds them all and the greatest of theirs.
function azimuthsWords(list) {
  const known = list.filter(o => has(o.azimuth_deg));
  if (!known.length) return list.some(o => "azimuth_deg" in o) ? "not known" : null;
  const first = known[0].azimuth_deg,
    off = known.map(o => ((o.azimuth_deg - first + 540) % 360) - 180),
    sigma = known.map(o => o.azimuth_sigma_deg).filter(has);
  const degrees = v => number(((Math.round(v) % 360) + 360) % 360),
    [low, high] = [Math.min(...off), Math.max(...off)].map(v => degrees(first + v)),
    most = Math.max(...sigma);
  const arc = low === high ? `${low}°` : `${low}° to ${high}°`,
    unsure = sigma.length ? ` ± ${sigma.length > 1 ? "up to " : ""}${sigmaWords(most)}°` : "";
  return arc + unsure + (known.length < list.length ? ` (${list.length - known.length} not known)` : "");
}
function fillOrigins(origins) {
  const groups = new Map();
  for (const o of origins) {
    const key = `${o.class}|${o.statement}|${o.evidence || ""}|${o.sensors || ""}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(o);
  }
  const rows = [...groups.values()].map(list => {
    const places = [...new Set(list.flatMap(o => Object.keys(o.probabilities || {})))];
    const ranges = places
      .map(place => {
        const ps = list.map(o => (o.probabilities || {})[place] || 0).sort((a, b) => a - b),
          low = ps[0],
          high = ps[ps.length - 1];
        return [
          high,
          `${place} ${low === high || chance(low) === chance(high) ? chance(high) : `${chance(low)} to ${chance(high)}`}`,
        ];
      })
      .sort((a, b) => b[0] - a[0])
      .filter(r => r[0] >= 0.005)
      .slice(0, 4);
    // the reason in full where it is one launch's own, else in the row's hint
    const why = [...new Set(list.map(o => o.why).filter(Boolean))],
      said = why.length === 1 ? `${list[0].statement}: ${why[0]}` : list[0].statement;
    return [
      node("span", String(list.length), { title: list.map(o => o.track).join(", ") }),
      list[0].class,
      node("span", why.length > 1 ? `${said}: ${why.length} reasons` : said, why.length ? { title: why.join("\n") } : {}),
      list[0].evidence || null,
      list[0].sensors ? String(list[0].sensors) : null,
      azimuthsWords(list),
      ranges.map(r => r[1]).join(" · "),
    ];
  });
  section(
    "Where from: places, never an actor",
    "Who is responsible is not computed. A place is stated only where independent sensors make it clear enough; otherwise it cannot be told, and why is said. Evidence: what satellites saw burn, what radars tracked, or both; an azimuth is the direction in which it went, from true north, with its standard deviation.",
    table(
      [["Launches", "n"], "Class", "Statement", "Evidence", ["Sensors", "n"], "Azimuth", "Probability of each place"],
      rows,
    ),
    true,
  );
}

function fillAlerts() {
  const alerts = [...(picture().alerts || [])].sort((a, b) => a.t - b.t),
    most = 400;
  const words = { alert: "alert", update: "update", cancel: "withdrawn", all_clear: "all clear" },
    tiers = { early: "early notice", shelter: "take shelter" };
  const list = table(
    [["Sent", "n"], "Message", "Tier", "To", ["Zones", "n"], ["Impact", "n"], "Reason"],
    alerts.slice(0, most).map(a => {
      const names = (a.zones || [])
        .slice(0, 40)
        .map(i => zones[i].name)
        .join(", ");
      return [
        `T+${mmss(a.t)}`,
        node(a.action === "cancel" ? "b" : "span", words[a.action] || a.action),
        tiers[a.tier] || a.tier,
        a.partner,
        node("span", String((a.zones || []).length), { title: names }),
        has(a.impact_t) ? `T+${mmss(a.impact_t)}` : null,
        a.reason || "",
      ];
    }),
  );
  [...list.querySelectorAll("tbody tr")].forEach((row, i) => {
    row.className = "go";
    row.onclick = () => {
      seek(alerts[i].t);
      window.scrollTo({ top: 0, behavior: "smooth" });
    };
  });
  const wrapped = node(
    "details",
    null,
    el("alerts").querySelector("details[open]") ? { open: "" } : {},
    node(
      "summary",
      `${alerts.length} messages, ${labelOf(state.picture)}${alerts.length > most ? ` (the first ${most})` : ""}`,
    ),
    list,
  );
  el("alerts").replaceChildren(wrapped);
}
