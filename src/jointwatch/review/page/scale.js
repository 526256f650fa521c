// What tells places and distances on the map: meridians and parallels, and the bar of kilometres.
function graticule(view, ctx, u) {
  const step = [0.1, 0.25, 0.5, 1, 2, 5, 10, 20].find(s => s * RAD * SCALE * view.k > 110) || 30;
  const west = unLon(view.cx - (view.w / 2) * u),
    east = unLon(view.cx + (view.w / 2) * u);
  const south = unLat(view.cy - (view.h / 2) * u),
    north = unLat(view.cy + (view.h / 2) * u);
  ctx.strokeStyle = colours.grid;
  ctx.lineWidth = 0.8 * u;
  ctx.beginPath();
  const ticks = [];
  for (let lon = Math.ceil(west / step) * step; lon < east; lon += step) {
    ctx.moveTo(px(lon), py(south));
    ctx.lineTo(px(lon), py(north));
    ticks.push([lon, null]);
  }
  for (let lat = Math.ceil(south / step) * step; lat < north; lat += step) {
    ctx.moveTo(px(west), py(lat));
    ctx.lineTo(px(east), py(lat));
    ticks.push([null, lat]);
  }
  ctx.globalAlpha = 0.8;
  ctx.stroke();
  ctx.globalAlpha = 1;
  view.ticks = ticks;
}
function scaleBar(view, ctx, text, font) {
  const size = `10px ${font.split("px ")[1]}`,
    degree = (v, plus, minus) => `${Math.abs(+v.toFixed(2))}°${v >= 0 ? plus : minus}`;
  const km = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000].filter(d => d * view.k < 170).pop() || 1;
  const x = 14,
    y = view.h - 26,
    w = (km * view.k * Math.cos(lat0 * RAD)) / Math.cos(unLat(view.cy) * RAD);
  for (const [lon, lat] of view.ticks) {
    if (lon !== null) {
      const p = toScreen(view, px(lon), 0)[0];
      if (p > 20 && p < view.w - 20)
        text(degree(lon, "E", "W"), p, view.h - 6, colours.faint, size, "center");
    } else {
      const p = toScreen(view, 0, py(lat))[1];
      if (p > 56 && p < view.h - 60) text(degree(lat, "N", "S"), 5, p - 3, colours.faint, size);
    }
  }
  ctx.strokeStyle = colours.ink;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  ctx.moveTo(x, y - 4);
  ctx.lineTo(x, y);
  ctx.lineTo(x + w, y);
  ctx.lineTo(x + w, y - 4);
  ctx.stroke();
  text(`${km.toLocaleString("en")} km`, x + w / 2, y - 6, colours.ink, font, "center");
}
