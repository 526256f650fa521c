// Groups on the map: an outline about tracks that fly together, or about launches of one salvo, and beside it how
// many they are.
const TOLD_S = 7; // a group is told anew every five seconds or so; what is not told again is over

const SALVO_S = 300; // a salvo is told when its number changes and when it is over; then it stays for a while
const SALVO_DEG = 1.4; // what is told so near to a salvo is the same one

// The salvos told up to t, each as it was told last.
function salvosAt(t) {
  const kept = [];
  for (const [at, groups] of (picture().salvos || []).toReversed())
    if (at <= t && t - at <= SALVO_S)
      for (const group of groups)
        if (!kept.some(([, [lon, lat]]) => Math.hypot(lon - group[0], lat - group[1]) < SALVO_DEG))
          kept.push([at, group]);
  return kept;
}

// The groups ("groups" or "salvos") of the chosen picture at t, each moved on since it was told.
function groupsAt(t, of = "groups") {
  if (of === "salvos") return salvosAt(t).map(([at, group]) => drawn(group, t - at));
  const rows = picture()[of] || [],
    i = lastAt(rows, t);
  if (i < 0 || t - rows[i][0] > TOLD_S) return [];
  return rows[i][1].map((group) => drawn(group, t - rows[i][0]));
}
function drawn([lon, lat, a, b, bearing, east, north, number, fewest, most], dt) {
  return {
    x: px(lon + east * dt),
    y: py(lat + north * dt),
    a,
    b,
    bearing,
    words: fewest < most ? `${number} (${fewest}–${most})` : `${number}`,
  };
}
function drawGroups(view, ctx, t, labels, font) {
  ctx.strokeStyle = colours.group;
  ctx.lineWidth = 1.4;
  for (const group of [...groupsAt(t), ...groupsAt(t, "salvos")]) {
    // wide enough to hold the marks of its tracks at any scale
    const a = Math.max(group.a * view.k + 8, 12),
      b = Math.max(group.b * view.k + 8, 9),
      [x, y] = toScreen(view, group.x, group.y),
      turn = (group.bearing - 90) * RAD;
    ctx.beginPath();
    ctx.ellipse(x, y, a, b, turn, 0, 2 * Math.PI);
    ctx.stroke();
    const wide = Math.hypot(a * Math.cos(turn), b * Math.sin(turn));
    labels.push({ rank: 0, words: group.words, x, y, gap: wide + 3, colour: colours.group, font: `700 ${font}` });
  }
}
