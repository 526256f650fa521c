// The map: what is known at one time in one picture, painted; two canvases (all and close up) share the painter.
// A view: canvas, centre (km) and pixels per km.
function makeView(canvas) {
  return { canvas, cx: 0, cy: 0, k: 1, w: 0, h: 0 };
}
function fit(view, list, margin = 0.08, leastKm = 60) {
  const xs = list.map(p => px(p[0])),
    ys = list.map(p => py(p[1]));
  if (!xs.length) return;
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  view.cx = (x0 + x1) / 2;
  view.cy = (y0 + y1) / 2;
  view.k =
    Math.min(view.w / Math.max(x1 - x0, leastKm), view.h / Math.max(y1 - y0, leastKm)) * (1 - 2 * margin);
}
function resize(view) {
  const box = view.canvas.parentElement.getBoundingClientRect(),
    dpr = window.devicePixelRatio || 1;
  const w = Math.round(box.width),
    h = Math.round(box.height);
  if (view.w === w && view.h === h && view.dpr === dpr) return false;
  Object.assign(view, { w, h, dpr });
  view.canvas.width = w * dpr;
  view.canvas.height = h * dpr;
  return true;
}
const toScreen = (view, x, y) => [(x - view.cx) * view.k + view.w / 2, (view.cy - y) * view.k + view.h / 2];

const MOST_KM = 250; // a launch area longer than this is not drawn

// Labels beside their points, right, left, below or above, where no other stands; one that finds no room is left out.
function writeLabels(view, ctx, labels, text) {
  const taken = [];
  for (const label of labels.sort((a, b) => a.rank - b.rank)) {
    ctx.font = label.font;
    ctx.letterSpacing = label.place ? "2px" : "0px";
    const w = ctx.measureText(label.words).width,
      { x, y, gap } = label;
    const lefts = label.place
      ? [[clamp(x - w / 2, 8, Math.max(8, view.w - w - 8)), y]]
      : [
          [x + gap, y + 4],
          [x - gap - w, y + 4],
          [x - w / 2, y + gap + 12],
          [x - w / 2, y - gap - 4],
        ];
    if (x < -w || x > view.w + w || y < -10 || y > view.h + 10) continue;
    const free = lefts.find(
      ([left, base]) =>
        !taken.some(b => left < b[1] && left + w > b[0] && base - 10 < b[3] && base + 3 > b[2]),
    );
    if (!free) continue;
    taken.push([free[0] - 3, free[0] + w + 3, free[1] - 11, free[1] + 4]);
    text(label.words, free[0], free[1], label.colour, label.font);
  }
  ctx.letterSpacing = "0px";
}

function drawMap(view, isMain) {
  const ctx = view.canvas.getContext("2d"),
    { k, dpr } = view,
    c = colours,
    t = state.t;
  const u = 1 / k; // one pixel, in km
  const world = () =>
    ctx.setTransform(
      k * dpr,
      0,
      0,
      -k * dpr,
      (view.w / 2 - view.cx * k) * dpr,
      (view.h / 2 + view.cy * k) * dpr,
    );
  const screen = () => ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
  const stroke = (path, colour, width, dash = []) => {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width * u;
    ctx.setLineDash(dash.map(d => d * u));
    ctx.stroke(path);
    ctx.setLineDash([]);
  };
  const fill = (path, colour, alpha) => {
    ctx.globalAlpha = alpha;
    ctx.fillStyle = colour;
    ctx.fill(path);
    ctx.globalAlpha = 1;
  };
  const text = (string, x, y, colour, font, align = "left") => {
    ctx.font = font;
    ctx.textAlign = align;
    ctx.lineJoin = "round";
    ctx.strokeStyle = c.halo;
    ctx.lineWidth = 3;
    ctx.strokeText(string, x, y);
    ctx.fillStyle = colour;
    ctx.fillText(string, x, y);
  };
  const labels = []; // written last, the most important first, none over another
  const FONT = `11px ${getComputedStyle(document.body).fontFamily}`;
  screen();
  ctx.fillStyle = c.sea;
  ctx.fillRect(0, 0, view.w, view.h);
  world();
  ctx.lineJoin = "round";
  fill(land, c.land, 1);
  graticule(view, ctx, u);
  stroke(land, c.border, 0.8);

  // zones: all at once where nothing is said, one by one where something is
  fill(allZones, c.zonefill, 1);
  stroke(allZones, c.zone, 0.5);
  const spans = spansOf[state.picture];
  const groups = { clear: [], early: [], shelter: [] };
  zones.forEach((zone, i) => {
    const how = lit(spans[i], t);
    if (how) groups[how].push(zone);
  });
  const together = list => {
    const path = new Path2D();
    for (const zone of list) path.addPath(zone.path);
    return path;
  };
  const early = together(groups.early),
    clear = together(groups.clear),
    shelter = together(groups.shelter);
  // small zones grow by their outline, so that a country of villages still shows which are told
  fill(early, c.early, 1);
  stroke(early, k > 2.5 ? c.earlyline : c.early, k > 2.5 ? 0.7 : 1.2);
  fill(clear, c.clear, 0.35);
  stroke(clear, c.clear, 1.4);
  fill(shelter, c.shelter, 0.9);
  stroke(shelter, c.shelter, 1.8);
  screen();
  // a zone told to shelter is never too small to see
  for (const zone of groups.shelter)
    if (!zone.site) {
      const [x, y] = toScreen(view, zone.x, zone.y);
      ctx.beginPath();
      ctx.arc(x, y, isMain ? 3 : 4, 0, 7);
      ctx.fillStyle = c.shelter;
      ctx.strokeStyle = c.halo;
      ctx.lineWidth = 1.2;
      ctx.stroke();
      ctx.fill();
    }
  // a site smaller than a few pixels still shows: a ring of at least 4 pixels
  for (const zone of zones)
    if (zone.site) {
      const [x, y] = toScreen(view, zone.x, zone.y),
        r = Math.max(4, ((zone.radius_m || 2000) / 1000) * k);
      const how = groups.shelter.includes(zone)
        ? "shelter"
        : groups.early.includes(zone)
          ? "early"
          : groups.clear.includes(zone)
            ? "clear"
            : "";
      ctx.beginPath();
      ctx.arc(x, y, r, 0, 7);
      if (r <= 4 && how) {
        ctx.fillStyle = c[how];
        ctx.fill();
      }
      ctx.strokeStyle = how === "early" ? c.earlyline : how ? c[how] : partnerColour(zone.partner);
      ctx.lineWidth = 1.2;
      ctx.stroke();
      if (k > 4 || (isMain && fewZones.has(zone.partner)))
        labels.push({ rank: how === "shelter" ? 1 : 2, words: zone.name, x, y, gap: r + 3, colour: c.soft, font: FONT });
    }
  for (const label of data.labels || []) {
    const [x, y] = toScreen(view, px(label.lon), py(label.lat));
    labels.push({ rank: 3, words: label.name.toUpperCase(), x, y, colour: c.place, font: `600 ${FONT}`, place: true });
  }

  world();
  if (state.rings)
    for (const sensor of data.sensors || []) {
      ctx.globalAlpha = isMain ? 0.55 : 0.3;
      stroke(sensor.ring, partnerColour(sensor.partner), 1, [2, 4]);
      ctx.globalAlpha = 1;
    }
  if (state.truth) {
    const path = new Path2D();
    for (const object of truth) tracePath(path, object.xy, t);
    ctx.globalAlpha = 0.55;
    stroke(path, c.truth, 0.7, [2, 3]);
    ctx.globalAlpha = 1;
  }

  // tracks: the whole past faintly, the last minute brightly and brighter towards its head
  const past = [new Path2D(), new Path2D(), new Path2D()],
    trail = [0, 1, 2].map(() => [0, 1, 2].map(() => new Path2D()));
  const phaseColour = [c.boost, c.ballistic, c.cruise];
  const launches = new Path2D(),
    impacts = new Path2D(),
    heads = [],
    centres = [];
  for (const track of picture().tracks || []) {
    const end = lastAt(track.xy, t);
    if (end < 0) continue;
    const now = headAt(track.xy, t);
    tracePath(past[track.xy[end][3] === 2 ? 2 : 1], track.xy, t);
    for (let i = Math.max(1, lastAt(track.xy, t - TRAIL_S) + 1); i <= end; i++) {
      const path = trail[track.xy[i][3]][clamp(Math.floor((t - track.xy[i][0]) / (TRAIL_S / 3)), 0, 2)];
      path.moveTo(track.xy[i - 1][1], track.xy[i - 1][2]);
      path.lineTo(track.xy[i][1], track.xy[i][2]);
    }
    if (now) {
      trail[now[2]][0].moveTo(track.xy[end][1], track.xy[end][2]);
      trail[now[2]][0].lineTo(now[0], now[1]);
      heads.push([now, track]);
    }
    const impact = impactAt(track, t);
    if (impact) {
      fallPath(impact, impacts);
      centres.push([px(impact[1]), py(impact[2])]);
    }
    // an area of half a continent says nothing, and hides the rest
    if (track.launch && track.launch.t <= t && track.launch.a_km <= MOST_KM) launches.addPath(track.launch.path);
  }
  past.forEach((path, phase) => {
    ctx.globalAlpha = 0.22;
    stroke(path, phaseColour[phase], 1);
  });
  ctx.globalAlpha = 1;
  trail.forEach((bins, phase) =>
    bins.forEach((path, bin) => {
      ctx.globalAlpha = [1, 0.7, 0.45][bin];
      stroke(path, phaseColour[phase], phase === 2 ? 1.3 : phase === 0 ? 2.6 : 1.8);
    }),
  );
  ctx.globalAlpha = 1;
  stroke(launches, c.launch, 1, [4, 3]);
  fill(impacts, c.impact, 0.07);
  stroke(impacts, c.impact, 1.1);
  drawBurns(view, ctx, t, world, screen, stroke, fill);

  screen();
  ctx.fillStyle = c.impact;
  for (const [x, y] of centres) {
    const p = toScreen(view, x, y);
    ctx.fillRect(p[0] - 1, p[1] - 1, 2, 2);
  }
  for (const object of truth)
    if (object.end === "breakup" && object.xy.length && object.xy[object.xy.length - 1][0] <= t) {
      const last = object.xy[object.xy.length - 1];
      const [x, y] = toScreen(view, last[1], last[2]);
      labels.push({ rank: 0, words: "✱ broke up", x, y, gap: 0, colour: c.ink, font: FONT });
    }
  for (const fall of falls)
    if (fall.t <= t) {
      const [x, y] = toScreen(view, px(fall.lon), py(fall.lat)),
        r = isMain ? 3 : 4;
      for (const [colour, width] of [
        [c.halo, 4],
        [c.fall, 1.6],
      ]) {
        ctx.strokeStyle = colour;
        ctx.lineWidth = width;
        ctx.beginPath();
        ctx.moveTo(x - r, y - r);
        ctx.lineTo(x + r, y + r);
        ctx.moveTo(x + r, y - r);
        ctx.lineTo(x - r, y + r);
        ctx.stroke();
      }
    }
  for (const [now] of heads) drawHead(ctx, ...toScreen(view, now[0], now[1]), now[2], phaseColour[now[2]]);
  drawGroups(view, ctx, t, labels, FONT);
  for (const sensor of data.sensors || []) {
    const [x, y] = toScreen(view, px(sensor.lon), py(sensor.lat)),
      colour = partnerColour(sensor.partner);
    ctx.fillStyle = colour;
    ctx.strokeStyle = c.halo;
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    ctx.rect(x - 4, y - 4, 8, 8);
    ctx.stroke();
    ctx.fill();
    labels.push({ rank: 1, words: sensor.name, x, y, gap: 8, colour, font: `600 ${FONT}` });
  }
  writeLabels(view, ctx, labels, text);
  scaleBar(view, ctx, text, FONT);
  view.heads = heads;
  view.sheltering = groups.shelter;
}

// The path up to t, thinned to some 150 points: a faint line needs no more.
function tracePath(path, xy, t) {
  const end = lastAt(xy, t);
  if (end < 1) return;
  const step = Math.ceil(xy.length / 150);
  path.moveTo(xy[0][1], xy[0][2]);
  for (let i = step; i < end; i += step) path.lineTo(xy[i][1], xy[i][2]);
  path.lineTo(xy[end][1], xy[end][2]);
}
// Shape as well as colour tells the phase: triangle boosting, dot ballistic, plus aircraft.
function drawHead(ctx, x, y, phase, colour) {
  ctx.strokeStyle = colours.halo;
  ctx.fillStyle = colour;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  if (phase === 0) {
    ctx.moveTo(x, y - 5.5);
    ctx.lineTo(x + 5, y + 4);
    ctx.lineTo(x - 5, y + 4);
    ctx.closePath();
  } else if (phase === 1) ctx.arc(x, y, 3.4, 0, 7);
  else {
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1.8;
    ctx.moveTo(x - 4, y);
    ctx.lineTo(x + 4, y);
    ctx.moveTo(x, y - 4);
    ctx.lineTo(x, y + 4);
    ctx.stroke();
    return;
  }
  ctx.stroke();
  ctx.fill();
}
// Length and width of the region of a fall, km.
function extent([, , , east, north, back, sideEast, sideNorth]) {
  const sides = [(1 + back) * Math.hypot(east, north), 2 * Math.hypot(sideEast, sideNorth)];
  const words = side => side.toFixed(side < 10 ? 1 : 0);
  return `${words(Math.max(...sides))} × ${words(Math.min(...sides))}`;
}
// What is under the pointer, in words, or "".
function describe(view, x, y) {
  let best = 10,
    said = "";
  for (const [now, track] of view.heads || []) {
    const p = toScreen(view, now[0], now[1]),
      d = Math.hypot(p[0] - x, p[1] - y);
    if (d < best) {
      best = d;
      said = `${track.number}  ${track.class || ""}\n${["boosting", "ballistic", "aircraft"][now[2]]}, ${now[3].toFixed(1)} km high, ${now[4].toFixed(2)} km/s over ground`;
      const impact = impactAt(track, state.t);
      if (impact)
        said += `\nfalls about T+${mmss(impact[8])}, 90 % region ${extent(impact)} km`;
      if (track.launch && track.launch.t <= state.t) {
        if (has(track.launch.azimuth_deg)) said += `\nlaunched with ${azimuthWords(track.launch)}`;
        said += `\n${originWords(track.launch)}`;
      }
    }
  }
  said ||= describeBurn(view, x, y, best);
  for (const sensor of data.sensors || []) {
    const p = toScreen(view, px(sensor.lon), py(sensor.lat));
    if (!said && Math.hypot(p[0] - x, p[1] - y) < 8)
      said = `${sensor.name} (${sensor.partner})\nradar, sees to ${number(sensor.range_km)} km`;
  }
  if (said) return said;
  const wx = (x - view.w / 2) / view.k + view.cx,
    wy = view.cy - (y - view.h / 2) / view.k;
  const ctx = view.canvas.getContext("2d");
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  for (let i = 0; i < zones.length; i++) {
    const zone = zones[i],
      near = zone.site ? 5 / view.k : 0;
    if (Math.abs(zone.x - wx) + Math.abs(zone.y - wy) > 120) continue;
    if (Math.hypot(zone.x - wx, zone.y - wy) < near || ctx.isPointInPath(zone.path, wx, wy)) {
      const how = {
        shelter: "take shelter now",
        early: "early notice",
        clear: "all clear or withdrawn",
        "": "nothing said",
      };
      return `${zone.name} (${zone.partner})\n${zone.shelter_s} s to shelter; ${how[lit(spansOf[state.picture][i], state.t)]}`;
    }
  }
  return "";
}
