// What each picture knew of every event, and when: sums by kind, then a row an event with a mark a picture.
// Each picture has a lane and a shape of its own, so that marks at one time do not hide each other.
// Counts of outcomes in words, only those that are there.
function outcomeWords(sums, falseAlarm) {
  const { gained = 0, same = 0, lost = 0, never = 0, only_together = 0, only_alone = 0 } = sums;
  const counts = falseAlarm
    ? [
        [gained, "avoided or shorter", "ok"],
        [same, "same", ""],
        [lost, "added or longer", "late"],
        [never, "not raised", ""],
      ]
    : [
        [gained - only_together, "sooner", "ok"],
        [only_together, "only together", "ok"],
        [same, "same", ""],
        [lost - only_alone, "later", "late"],
        [only_alone, "lost", "late"],
        [never, "known to nobody", ""],
      ];
  const cell = node("span");
  for (const [count, words, tone] of counts) {
    if (!count) continue;
    const text = `${count} ${words}`;
    cell.append(cell.childNodes.length ? ", " : "", tone ? node("b", text, { class: tone }) : text);
  }
  return cell;
}
const signed = v => (Math.abs(v) < 0.05 ? "0 s" : `${v > 0 ? "+" : ""}${format.seconds(v)}`);

function fillJoining(joining) {
  const box = node("div", null, { class: "knew" }),
    alone = pictureNames.filter(name => name !== "joint");
  const heads = [
    "",
    ["Events", "n"],
    ...alone.map(name => `Over ${labelOf(name)}`),
    "Over who alone knew first",
    ["Median", "n"],
    ["Worst", "n"],
  ];
  const overview = table(
    heads,
    Object.values(joining.by_kind).map(sums => [
      sums.label,
      String(sums.events),
      ...alone.map(name => outcomeWords(sums.over[name] || {}, sums.false_alarm)),
      outcomeWords(sums, sums.false_alarm),
      has(sums.gained_s.median) ? signed(sums.gained_s.median) : null,
      has(sums.gained_s.worst) ? signed(sums.gained_s.worst) : null,
    ]),
  );
  overview.className = "sums";
  // on a narrow screen each cell says its own head
  for (const row of overview.tBodies[0].rows)
    [...row.cells].forEach((cell, i) => (cell.dataset.head = Array.isArray(heads[i]) ? heads[i][0] : heads[i]));
  box.append(
    overview,
    node(
      "p",
      "Within 1 s is the same (5 s for how long a false alarm stood). Seconds gained are negative where joining knew later, or a false alarm stood longer; median and worst are over who alone knew first. In the rows, “new” is what that partner alone never knew, “lost” what only it knew. Choose a row to see its moment on the map.",
    ),
    knewKey(),
  );
  Object.entries(joining.by_kind).forEach(([kind, sums], i) =>
    box.append(knewKind(sums, joining.events.filter(e => e.kind === kind), i === 0)),
  );
  section("What each knew, and when", joining.sentence, box, true);
}

function knewMark(name, more = "", style = "") {
  const lane = pictureNames.indexOf(name);
  const shape = name === "joint" ? "together" : lane === 1 ? "second" : "first";
  return node("i", null, {
    class: `mark ${shape} ${more}`,
    style: `--pc: var(--${pictureToken(name)}); --lane: ${lane}; ${style}`,
  });
}
function knewKey() {
  const key = node("p", null, { class: "key" });
  for (const name of pictureNames) key.append(node("span", null, {}, knewMark(name), labelOf(name)));
  key.append(
    node("span", null, {}, knewMark(pictureNames[0], "never"), "hollow: never"),
    node("span", null, {}, node("i", null, { class: "due" }), "last moment to reach shelter"),
    node("span", null, {}, node("i", null, { class: "stood" }), "how long a false alarm stood"),
  );
  return key;
}

// One kind: its events in order of time, on one axis of seconds from the event.
function knewKind(sums, events, open) {
  const heading = node("summary", null, {}, node("b", sums.label), `: ${events.length} `);
  heading.append(events.length === 1 ? "event. " : "events. ", outcomeWords(sums, sums.false_alarm), ".");
  const details = node("details", null, open ? { open: "" } : {}, heading);
  const ends = events.flatMap(e =>
    Object.values(e.pictures).flatMap(p =>
      has(p.knew_s) ? [p.knew_s, p.knew_s + (has(p.stood_s) ? p.stood_s : 0)] : [],
    ),
  );
  if (!ends.length) {
    const names = events.map(e => e.object || e.zone || "unnamed").join(", ");
    details.append(node("p", `${sums.false_alarm ? "No picture raised one" : "No picture knew"}: ${names}.`));
    return details;
  }
  const low = Math.min(0, ...ends),
    high = Math.max(0, ...ends, low + 1),
    // what was never known stands apart, right of the axis; a false alarm never raised has no mark
    share = sums.false_alarm ? 0.97 : 0.88,
    x = s => `${(1.5 + 100 * (share - 0.015) * ((s - low) / (high - low))).toFixed(2)}%`;
  const step = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600].find(s => (high - low) / s <= 6) || 7200;
  const ticks = [];
  for (let s = Math.ceil(low / step) * step; s <= high; s += step) ticks.push(s);
  const axis = node("div", null, { class: "axis" });
  for (const s of ticks) axis.append(node("span", number(s, step < 1 ? 1 : 0), { style: `left:${x(s)}` }));
  if (!sums.false_alarm) axis.append(node("span", "never", { style: "left:95%" }));
  const errors = events.some(e => Object.values(e.pictures).some(p => has(p.error_m)));
  if (!errors) details.className = "plain";
  const unit = node("span", `seconds from ${sums.since}`, { class: "what" });
  const head = node("div", null, { class: "row head" }, unit, axis);
  head.append(node("span", errors ? "off by, km" : "", { class: "told" }));
  const over = node("span", null, { class: "gain" });
  for (const name of pictureNames) if (name !== "joint") over.append(node("span", `over ${labelOf(name).split(" ")[0]}`));
  head.append(over);
  details.append(head, ...events.map(e => knewRow(sums, e, ticks, x)));
  return details;
}
function knewRow(sums, event, ticks, x) {
  const lanes = node("div", null, { class: "lanes" });
  for (const s of ticks) lanes.append(node("u", null, { style: `left:${x(s)}`, class: s === 0 ? "zero" : "" }));
  if (has(event.shelter_s))
    lanes.append(node("i", null, { class: "due", style: `left:${x(-event.shelter_s)}` }));
  const told = node("span", null, { class: "told" }),
    said = [];
  for (const name of pictureNames) {
    const p = event.pictures[name];
    if (!p) continue;
    if (has(p.knew_s)) {
      if (has(p.stood_s))
        lanes.append(
          node("i", null, {
            class: "stood",
            style: `--pc: var(--${pictureToken(name)}); --lane: ${pictureNames.indexOf(name)}; left:${x(p.knew_s)}; right:calc(100% - ${x(p.knew_s + p.stood_s)})`,
          }),
        );
      lanes.append(knewMark(name, "", `left:${x(p.knew_s)}`));
    } else if (!sums.false_alarm) lanes.append(knewMark(name, "never", "left:95%"));
    said.push(`${labelOf(name)}: ${knewWords(p, sums)}`);
    if (name === "joint" && event.lost_in_cut) said.push("The link was cut when it was first known.");
    if (has(p.error_m))
      told.append(
        node("span", number(p.error_m / 1000, 1), { style: `color: var(--${pictureToken(name)})` }),
      );
    else if ("error_m" in p) told.append(node("span", "–"));
  }
  const what = node("span", `T+${mmss(event.time_s)} `, { class: "what" });
  what.append(node("b", event.zone || event.object || "clutter"));
  const rest = [event.zone ? event.object : null, event.class].filter(Boolean).join(", ");
  if (rest) what.append(` ${rest}`);
  const row = node("div", null, { class: "row go", title: said.join("\n") }, what, lanes, told, gainWords(event, sums));
  row.onclick = () => {
    seek(event.time_s);
    window.scrollTo({ top: 0, behavior: "smooth" });
  };
  return row;
}
function knewWords(p, sums) {
  if (!has(p.knew_s)) return sums.false_alarm ? "did not" : "never";
  const parts = [`${number(p.knew_s, 1)} s from ${sums.since}`];
  if (has(p.stood_s)) parts.push(`stood ${format.seconds(p.stood_s)}`);
  if (p.withdrawn) parts.push("withdrawn");
  if (has(p.margin_s)) parts.push(`margin over time to shelter ${format.seconds(p.margin_s)}`);
  if (has(p.error_m)) parts.push(`error ${format.km(p.error_m)}`);
  if (p.track) parts.push(`track ${p.track}`);
  return parts.join(", ");
}
// What joining gained over each partner alone.
function gainWords(event, sums) {
  const tones = { gained: "ok", lost: "late" },
    bare = sums.false_alarm ? { gained: "avoided", lost: "added" } : { gained: "new", lost: "lost" },
    cell = node("span", null, { class: "gain" });
  for (const name of pictureNames) {
    if (name === "joint") continue;
    const outcome = (event.outcome_over || {})[name],
      seconds = (event.gained_over_s || {})[name];
    const text = outcome in tones ? (has(seconds) ? signed(seconds) : bare[outcome]) : outcome === "same" ? "same" : "–";
    cell.append(node(outcome in tones ? "b" : "span", text, { class: tones[outcome] || "" }));
  }
  return cell;
}
