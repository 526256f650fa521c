// The page's life: controls, keys, the address's #state, and one drawing loop that works only when something changed.
const main = makeView(el("mapCanvas")),
  close = makeView(el("closeCanvas"));
const views = { "Whole region": points };
for (const partner of partners) {
  const own = zones.filter(z => z.partner === partner).map(z => [z.lon, z.lat]);
  if (own.length) views[partner] = own;
}
// The close-up shows the partner whose zones are struck most.
const struck = name => falls.filter(f => (f.zones || []).some(z => zones[z].partner === name)).length;
const closeOn = partners.filter(p => views[p]).sort((a, b) => struck(b) - struck(a))[0];
let view = "Whole region",
  dirty = true,
  last = 0;
const redraw = () => {
  dirty = true;
};

function seek(t) {
  state.t = clamp(Number(t) || 0, 0, data.duration_s);
  state.poster = false;
  redraw();
}
function setPicture(name) {
  if (!data.pictures[name]) return;
  state.picture = name;
  for (const button of document.querySelectorAll("[data-picture]"))
    button.setAttribute("aria-pressed", button.dataset.picture === name);
  fillAlerts();
  redraw();
}
function setTheme(name) {
  const dark = name === "dark";
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  el("theme").textContent = dark ? "Light" : "Dark";
  readColours();
  fillLegend();
  redraw();
}
function setView(name) {
  if (!views[name]) return;
  view = name;
  fit(main, views[name], name === "Whole region" ? 0.06 : 0.1);
  placeLegend();
  for (const button of el("views").querySelectorAll("[data-view]"))
    button.setAttribute("aria-pressed", button.dataset.view === name);
  redraw();
}
// The key goes where it hides least of what the view shows: at the foot, right, middle or left.
function placeLegend() {
  const box = el("legend"),
    w = box.offsetWidth,
    h = box.offsetHeight,
    lowest = main.h - 26 - h;
  const seen = views[view].map(p => toScreen(main, px(p[0]), py(p[1]))).filter(p => p[1] > lowest - 8);
  const hidden = left => seen.filter(p => p[0] > left - 4 && p[0] < left + w + 4).length;
  const places = [main.w - w - 10, (main.w - w) / 2, 200].filter(left => left > 0);
  const best = places.sort((a, b) => hidden(a) - hidden(b))[0] ?? 10;
  box.style.left = `${best}px`;
}
function setSpeed(speed) {
  state.speed = speed;
  for (const button of el("speeds").children)
    button.setAttribute("aria-pressed", Number(button.dataset.speed) === speed);
}
function play(on) {
  if (on && (state.poster || state.t >= data.duration_s)) seek(0); // the still shown at first is not where the play begins
  state.playing = on;
  last = 0;
  el("play").textContent = on ? "❚❚" : "▶";
  redraw();
}

function fillLegend() {
  const burned = pictureNames.some(name => (data.pictures[name].burns || []).length);
  const c = colours,
    svg = inner => `<svg width="22" height="12" viewBox="0 0 22 12">${inner}</svg>`;
  const rows = [
    [
      `<path d="M1 9h11" stroke="${c.boost}" stroke-width="2.6"/><path d="M16 2l4.5 8h-9z" fill="${c.boost}"/>`,
      "boosting",
    ],
    [
      `<path d="M1 6h15" stroke="${c.ballistic}" stroke-width="1.8"/><circle cx="16" cy="6" r="3.4" fill="${c.ballistic}"/>`,
      "ballistic",
    ],
    [`<path d="M1 6h18M15 2v8" stroke="${c.cruise}" stroke-width="1.8"/>`, "aircraft"],
    [
      `<ellipse cx="11" cy="6" rx="9" ry="4.5" fill="none" stroke="${c.impact}" stroke-width="1.2"/>`,
      "where it will fall, 90 %",
    ],
    [
      `<ellipse cx="11" cy="6" rx="9" ry="4.5" fill="none" stroke="${c.launch}" stroke-dasharray="3 2"/>`,
      "launch area",
    ],
    ...(burned
      ? [
          [
            `<ellipse cx="8" cy="6" rx="6.5" ry="4.5" fill="${c.launch}" fill-opacity=".15" stroke="${c.launch}" stroke-width="1.3"/><path d="M8 6h13" stroke="${c.launch}" stroke-width="1.4"/><path d="M8 3l3 3l-3 3l-3-3z" fill="${c.launch}"/>`,
            "launch seen to burn, azimuth",
          ],
          [
            `<ellipse cx="11" cy="6" rx="9" ry="4.5" fill="${c.impact}" fill-opacity=".06" stroke="${c.impact}" stroke-opacity=".75" stroke-dasharray="2 3"/>`,
            "expected impact, no track yet",
          ],
        ]
      : []),
    [
      `<ellipse cx="8" cy="6" rx="7" ry="4.5" fill="none" stroke="${c.group}" stroke-width="1.4"/><text x="16.5" y="10" font-size="10" font-weight="700" fill="${c.group}">5</text>`,
      "flying or launched together",
    ],
    [`<path d="M8 3l6 6m0-6l-6 6" stroke="${c.fall}" stroke-width="1.6"/>`, "fell here"],
    [`<rect x="3" y="1" width="16" height="10" fill="${c.early}" stroke="${c.earlyline}"/>`, "early notice"],
    [`<rect x="3" y="1" width="16" height="10" fill="${c.shelter}"/>`, "take shelter now"],
    [
      `<rect x="3" y="1" width="16" height="10" fill="${c.clear}" fill-opacity=".25" stroke="${c.clear}"/>`,
      "all clear",
    ],
    ...partners
      .slice(0, 2)
      .map((name, i) => [
        `<rect x="7" y="2" width="8" height="8" fill="${c[`p${i}`]}"/>`,
        `${name} radar, range`,
      ]),
    // they stand far off the map
    ...(data.satellites || []).map(s => [
      `<path d="M2 4h4v4h-4zM16 4h4v4h-4z" fill="${partnerColour(s.partner)}"/><path d="M6 6h10" stroke="${partnerColour(s.partner)}"/><circle cx="11" cy="6" r="3" fill="${partnerColour(s.partner)}"/>`,
      `${s.partner} infrared, orbit at ${number(Math.abs(s.lon))}° ${s.lon < 0 ? "W" : "E"}`,
    ]),
  ];
  el("legend").replaceChildren(
    ...rows.map(([inner, label]) => {
      const row = node("div");
      row.innerHTML = svg(inner);
      row.append(label);
      return row;
    }),
  );
}

function draw() {
  if (resize(main)) setView(view);
  if (resize(close) && closeOn) fit(close, views[closeOn], 0.08);
  resize(timeline);
  drawMap(main, true);
  if (closeOn) drawMap(close, false);
  drawTimeline();
  el("clock").querySelector("b").textContent = `T+${mmss(state.t)}`;
  el("clock").querySelector(".utc").textContent = utc(state.t) && `${utc(state.t)} UTC`;
  el("scrub").value = state.t;
  const cut = ((data.link || {}).cuts || []).find(c => c[0] <= state.t && state.t < c[1]);
  el("banner").hidden = !cut;
  if (cut) el("banner").textContent = `Link cut until T+${mmss(cut[1])}: each partner is on its own`;
  const n = main.sheltering.filter(zone => zone.partner === closeOn).length;
  el("closeTitle").textContent = closeOn
    ? `${closeOn}, close up: ${n} ${n === 1 ? "zone" : "zones"} told to shelter`
    : "";
}
function frame(now) {
  if (state.playing) {
    if (last)
      state.t = Math.min(data.duration_s, state.t + Math.min(0.25, (now - last) / 1000) * state.speed);
    last = now;
    dirty = true;
    if (state.t >= data.duration_s) play(false);
  }
  if (dirty) {
    dirty = false;
    draw();
  }
  requestAnimationFrame(frame);
}

// The moment shown first tells most: many told to shelter while much is still in the air.
function fullestMoment() {
  const spans = spansOf[state.picture].flat().filter(s => s.tier === "shelter");
  let best = 0,
    at_ = 0;
  for (let t = 0; t <= data.duration_s; t += 10) {
    const told = spans.filter(s => s.from <= t && t < s.to).length,
      flying = (picture().tracks || []).filter(k => headAt(k.xy, t)?.[2] < 2).length;
    if (told * flying > best) {
      best = told * flying;
      at_ = t;
    }
  }
  return at_;
}
function readHash() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  if (wanted.has("theme")) setTheme(wanted.get("theme"));
  if (wanted.has("picture")) setPicture(wanted.get("picture"));
  if (wanted.has("view")) setView(wanted.get("view"));
  if (wanted.has("truth")) {
    state.truth = wanted.get("truth") !== "0";
    el("views").querySelector("[data-toggle=truth]").setAttribute("aria-pressed", state.truth);
  }
  if (wanted.has("t")) seek(wanted.get("t"));
}

el("title").textContent = data.title;
el("meta").textContent = [
  data.scenario && `scenario ${data.scenario}`,
  has(data.seed) && `seed ${data.seed}`,
  data.start_utc && `${data.start_utc.slice(0, 10)}, simulated`,
]
  .filter(Boolean)
  .join(" · ");
// numbers of the sentence stand out; it goes in as text
data.sentence
  .split(/([+−-]?\d[\d.,]*\d(?: ?(?:%|s|km)\b)?|[+−-]?\d(?: ?(?:%|s|km)\b)?)/)
  .forEach((part, i) => el("sentence").append(i % 2 ? node("b", part) : part));
for (const name of Object.keys(views)) {
  const b = node("button", name, { "data-view": name });
  b.onclick = () => setView(name);
  el("views").append(b);
}
for (const [key, label] of [
  ["truth", "Truth"],
  ["rings", "Ranges"],
  ["legend", "Key"],
]) {
  const b = node("button", label, {
    "data-toggle": key,
    "aria-pressed": "true",
    title: "show or hide",
    style: key === "truth" ? "margin-left:10px" : "",
  });
  b.onclick = () => {
    state[key] = !state[key];
    el("legend").hidden = !state.legend;
    b.setAttribute("aria-pressed", state[key]);
    redraw();
  };
  el("views").append(b);
}
for (const speed of [1, 10, 30, 60]) {
  const b = node("button", `${speed}×`, { "data-speed": speed });
  b.onclick = () => setSpeed(speed);
  el("speeds").append(b);
}
el("scrub").max = data.duration_s;
el("scrub").oninput = event => seek(event.target.value);
el("play").onclick = () => play(!state.playing);
el("theme").onclick = () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
el("closeCanvas").onclick = () => setView(closeOn);
if (!closeOn) el("close").hidden = true;

let drag = null;
main.canvas.onpointerdown = event => {
  drag = [event.clientX, event.clientY];
  main.canvas.setPointerCapture(event.pointerId);
};
main.canvas.onpointerup = () => {
  drag = null;
};
function tip(event, words) {
  el("tip").hidden = !words;
  el("tip").textContent = words;
  el("tip").style.left = `${Math.min(event.clientX + 14, innerWidth - 330)}px`;
  el("tip").style.top = `${event.clientY + 14}px`;
}
for (const v of [main, close]) {
  v.canvas.addEventListener("pointermove", event => {
    if (v === main && drag) {
      main.cx -= (event.clientX - drag[0]) / main.k;
      main.cy += (event.clientY - drag[1]) / main.k;
      drag = [event.clientX, event.clientY];
      redraw();
    } else tip(event, describe(v, event.offsetX, event.offsetY));
  });
  v.canvas.onpointerleave = event => tip(event, "");
}
main.canvas.addEventListener(
  "wheel",
  event => {
    event.preventDefault();
    const k = clamp(main.k * Math.exp(-event.deltaY * 0.0015), 0.05, 60),
      dx = event.offsetX - main.w / 2,
      dy = event.offsetY - main.h / 2;
    main.cx += dx / main.k - dx / k;
    main.cy -= dy / main.k - dy / k;
    main.k = k; // what is under the pointer stays there
    redraw();
  },
  { passive: false },
);
timeline.canvas.onpointerdown = event => {
  seek(timeAt(event.offsetX));
  timeline.canvas.setPointerCapture(event.pointerId);
};
timeline.canvas.onpointermove = event => {
  if (event.buttons) seek(timeAt(event.offsetX));
  tip(event, describeRow(event.offsetY));
};
timeline.canvas.onpointerleave = event => tip(event, "");
document.addEventListener("keydown", event => {
  if (
    event.ctrlKey ||
    event.metaKey ||
    event.altKey ||
    (event.key === " " && event.target.closest("button, summary"))
  )
    return;
  const step = event.shiftKey ? 30 : 5;
  if (event.key === " ") play(!state.playing);
  else if (event.key === "ArrowRight") seek(state.t + step);
  else if (event.key === "ArrowLeft") seek(state.t - step);
  else if (event.key === "0") setView("Whole region");
  else if (/^[1-9]$/.test(event.key) && pictureNames[event.key - 1]) setPicture(pictureNames[event.key - 1]);
  else return;
  event.preventDefault();
});
// a button clicked by mouse gives the space bar back to play and pause
document.addEventListener("click", event => {
  if (event.detail && event.target.closest("button")) event.target.closest("button").blur();
});
window.addEventListener("resize", redraw);
window.addEventListener("hashchange", readHash);

const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
prefersDark.addEventListener("change", event => setTheme(event.matches ? "dark" : "light"));
fillCompare();
fillTables();
setTheme(prefersDark.matches ? "dark" : "light");
setPicture(state.picture);
setSpeed(30);
resize(main);
if (main.w < 700) {
  state.legend = false;
  el("legend").hidden = true;
  el("views").querySelector("[data-toggle=legend]").setAttribute("aria-pressed", false);
}
setView(view);
state.t = fullestMoment();
readHash();
const verdicts = name =>
  warnings[name].map((said, i) => ({
    fall: falls[i].name,
    verdict: said.verdict,
    lead_s: said.shelter < Infinity ? falls[i].t - said.shelter : null,
  }));
window.jointwatch = {
  seek,
  picture: setPicture,
  theme: setTheme,
  view: setView,
  play,
  draw,
  state,
  verdicts,
  groups: groupsAt,
  burns: burnsAt,
};
requestAnimationFrame(frame);
