// The ground under the map: Mercator scaled to kilometres at the middle of the exercise, and every fixed shape on it
// projected once.
const points = [
  ...zones.map(z => [z.lon, z.lat]),
  ...(data.sensors || []).map(s => [s.lon, s.lat]),
  ...falls.map(f => [f.lon, f.lat]),
  ...truth
    .filter(o => o.class !== "aircraft" && o.end !== "orbit")
    .flatMap(o => o.path.map(p => [p[1], p[2]])),
];
const R_KM = 6371,
  RAD = Math.PI / 180;
const lat0 = points.length
  ? (Math.min(...points.map(p => p[1])) + Math.max(...points.map(p => p[1]))) / 2
  : 0;
const SCALE = R_KM * Math.cos(lat0 * RAD);
const px = lon => lon * RAD * SCALE;
const py = lat => Math.log(Math.tan(Math.PI / 4 + (clamp(lat, -85, 85) * RAD) / 2)) * SCALE;
const unLon = x => x / SCALE / RAD;
const unLat = y => (2 * Math.atan(Math.exp(y / SCALE)) - Math.PI / 2) / RAD;

function ringPath(ring, path = new Path2D()) {
  ring.forEach(([lon, lat], i) => (i ? path.lineTo(px(lon), py(lat)) : path.moveTo(px(lon), py(lat))));
  path.closePath();
  return path;
}
// Ellipse on the ground, bearing of the major axis clockwise from north; good to < 1 % below 300 km.
function ellipsePath(lon, lat, aKm, bKm, bearingDeg, path = new Path2D()) {
  const c = Math.cos(bearingDeg * RAD),
    s = Math.sin(bearingDeg * RAD),
    k = Math.cos(lat0 * RAD) / Math.cos(lat * RAD);
  for (let i = 0; i < 48; i++) {
    const u = aKm * Math.cos((i * Math.PI) / 24),
      v = bKm * Math.sin((i * Math.PI) / 24);
    const x = px(lon) + k * (u * s + v * c),
      y = py(lat) + k * (u * c - v * s);
    i ? path.lineTo(x, y) : path.moveTo(x, y);
  }
  path.closePath();
  return path;
}
// The region of a fall, rows of page_data._region: a half ellipse to either end of its axis.
function fallPath([, lon, lat, east, north, back, sideEast, sideNorth], path = new Path2D()) {
  const k = Math.cos(lat0 * RAD) / Math.cos(lat * RAD);
  for (let i = 0; i < 48; i++) {
    const along = Math.cos((i * Math.PI) / 24),
      u = along > 0 ? along : along * back,
      v = Math.sin((i * Math.PI) / 24);
    const x = px(lon) + k * (u * east + v * sideEast),
      y = py(lat) + k * (u * north + v * sideNorth);
    i ? path.lineTo(x, y) : path.moveTo(x, y);
  }
  path.closePath();
  return path;
}
function circlePath(lon, lat, km) {
  // great-circle distance, for range rings of 1,000 km
  const path = new Path2D(),
    d = km / R_KM,
    f = lat * RAD;
  for (let i = 0; i < 120; i++) {
    const b = (i * Math.PI) / 60,
      g = Math.asin(Math.sin(f) * Math.cos(d) + Math.cos(f) * Math.sin(d) * Math.cos(b));
    const l =
      lon * RAD +
      Math.atan2(Math.sin(b) * Math.sin(d) * Math.cos(f), Math.cos(d) - Math.sin(f) * Math.sin(g));
    i ? path.lineTo(px(l / RAD), py(g / RAD)) : path.moveTo(px(l / RAD), py(g / RAD));
  }
  path.closePath();
  return path;
}

const land = new Path2D();
for (const ring of data.outlines || []) ringPath(ring, land);
const allZones = new Path2D();
// partners whose zones are so few that each can be named on the map of the whole region
const fewZones = new Set(partners.filter(name => zones.filter(z => z.partner === name).length <= 20));
for (const zone of zones) {
  zone.site = !(zone.ring && zone.ring.length > 2);
  zone.path = zone.site
    ? ellipsePath(zone.lon, zone.lat, (zone.radius_m || 2000) / 1000, (zone.radius_m || 2000) / 1000, 0)
    : ringPath(zone.ring);
  zone.x = px(zone.lon);
  zone.y = py(zone.lat);
  allZones.addPath(zone.path);
}
for (const sensor of data.sensors || []) sensor.ring = circlePath(sensor.lon, sensor.lat, sensor.range_km);
// rows [t, x, y, phase, altitude]
const project = path => path.map(p => [p[0], px(p[1]), py(p[2]), p[4] ?? 1, p[3] || 0]);
for (const object of truth) object.xy = project(object.path);
for (const name of pictureNames)
  for (const track of data.pictures[name].tracks || []) {
    track.xy = project(track.path);
    if (track.launch)
      track.launch.path = ellipsePath(
        track.launch.lon,
        track.launch.lat,
        track.launch.a_km,
        track.launch.b_km,
        track.launch.bearing_deg,
      );
  }
function headAt(xy, t) {
  // [x, y, phase, altitude km, speed km/s over ground] at t, or null where the path does not reach
  const i = lastAt(xy, t);
  if (i < 0 || (i === xy.length - 1 && t > xy[i][0] + 12)) return null;
  const a = xy[i],
    b = xy[Math.min(i + 1, xy.length - 1)],
    w = b[0] > a[0] ? (t - a[0]) / (b[0] - a[0]) : 0;
  const k = Math.cos(unLat(a[2]) * RAD) / Math.cos(lat0 * RAD);
  const v = b[0] > a[0] ? (Math.hypot(b[1] - a[1], b[2] - a[2]) * k) / (b[0] - a[0]) : 0;
  return [a[1] + w * (b[1] - a[1]), a[2] + w * (b[2] - a[2]), a[3], a[4] + w * (b[4] - a[4]), v];
}
const impactAt = (track, t) => {
  const i = lastAt(track.impacts || [], t),
    impact = i < 0 ? null : track.impacts[i];
  return impact && t <= impact[8] ? impact : null;
};
