// Launches told of by their burns: the launch area with its azimuth until a track has it, and where it is expected to
// come down for as long as no track shows it.
const MOST_IMPACT_KM = 2000, // an expected impact longer than this is told in words and not drawn
  WEDGE = 1.645; // standard deviations to either side that hold 90 %

for (const name of pictureNames)
  for (const burn of data.pictures[name].burns || [])
    for (const [, told] of burn.told) {
      const l = told.launch;
      l.path = ellipsePath(l.lon, l.lat, l.a_km, l.b_km, l.bearing_deg);
      if (told.impact) told.impact.unshift(0); // rows of falls begin with a time
    }

// What the chosen picture knew by burns at t: {burn, told, impact, drawn}; impact null where a track shows it.
function burnsAt(t) {
  return (picture().burns || []).flatMap(burn => {
    const i = lastAt(burn.told, t);
    if (i < 0 || t >= burn.over) return [];
    const told = burn.told[i][1],
      impact = told.impact,
      open = impact && t <= impact[8] && !(has(burn.tracked) && t >= burn.tracked);
    const long = impact ? (1 + impact[5]) * Math.hypot(impact[3], impact[4]) : 0;
    return [{ burn, told, impact: open ? impact : null, drawn: open && long <= MOST_IMPACT_KM }];
  });
}
function drawBurns(view, ctx, t, world, screen, stroke, fill) {
  const known = burnsAt(t),
    areas = new Path2D(),
    impacts = new Path2D(),
    c = colours;
  for (const { told, impact, drawn } of known) {
    if (told.launch.a_km <= MOST_KM) areas.addPath(told.launch.path);
    if (drawn) fallPath(impact, impacts);
  }
  world();
  fill(impacts, c.impact, 0.03);
  ctx.globalAlpha = 0.65;
  stroke(impacts, c.impact, 1, [3, 4]);
  ctx.globalAlpha = 1;
  fill(areas, c.launch, 0.12);
  stroke(areas, c.launch, 1.3);
  screen();
  for (const { told } of known) {
    if (told.launch.a_km > MOST_KM) continue;
    const [x, y] = toScreen(view, px(told.launch.lon), py(told.launch.lat));
    drawAzimuth(ctx, x, y, told.launch, Math.max(26, told.launch.a_km * view.k + 14));
    ctx.fillStyle = c.launch;
    ctx.strokeStyle = c.halo;
    ctx.lineWidth = 1.2;
    ctx.beginPath();
    ctx.moveTo(x, y - 4);
    ctx.lineTo(x + 4, y);
    ctx.lineTo(x, y + 4);
    ctx.lineTo(x - 4, y);
    ctx.closePath();
    ctx.stroke();
    ctx.fill();
  }
  view.burns = known;
}
// In which direction it went, and the wedge that holds it nine times in ten.
function drawAzimuth(ctx, x, y, launch, length) {
  if (!has(launch.azimuth_deg)) return;
  const to = (launch.azimuth_deg - 90) * RAD,
    off = Math.min(WEDGE * (launch.azimuth_sigma_deg || 0), 90) * RAD;
  ctx.fillStyle = ctx.strokeStyle = colours.launch;
  ctx.globalAlpha = 0.16;
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.arc(x, y, length, to - off, to + off);
  ctx.closePath();
  ctx.fill();
  ctx.globalAlpha = 1;
  ctx.lineWidth = 1.4;
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(x + length * Math.cos(to), y + length * Math.sin(to));
  ctx.stroke();
}
const sensorsWords = n => (n ? `${n} ${n === 1 ? "sensor" : "sensors"}` : "");
// A standard deviation of an azimuth, degrees: a tenth is the least that is told apart.
const sigmaWords = v => number(Math.max(v, 0.1), v < 9.5 ? 1 : 0);
const azimuthWords = l =>
  has(l.azimuth_deg)
    ? `azimuth ${number(l.azimuth_deg)}°${has(l.azimuth_sigma_deg) ? ` ± ${sigmaWords(l.azimuth_sigma_deg)}°` : ""}`
    : "azimuth not known";
// Where a launch was, or why that cannot be told.
const originWords = l => `from: ${l.origin || "cannot be told"}${l.why ? ` (${l.why})` : ""}`;
// The burn nearest to the pointer within so many pixels, in words, or "".
function describeBurn(view, x, y, within) {
  let said = "";
  for (const { burn, told, impact } of view.burns || []) {
    const p = toScreen(view, px(told.launch.lon), py(told.launch.lat)),
      d = Math.hypot(p[0] - x, p[1] - y);
    if (d >= within) continue;
    within = d;
    const l = told.launch;
    said = [
      `${burn.number}  ${told.class}, seen to burn${l.sensors ? ` by ${sensorsWords(l.sensors)}` : ""}`,
      azimuthWords(l),
      originWords(l),
      ...(impact ? [`expected to fall about T+${mmss(impact[8])}, 90 % region ${extent(impact)} km`] : []),
    ].join("\n");
  }
  return said;
}
