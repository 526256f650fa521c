// The timeline: one thin row a fall, grouped by raid, from the first alert to the impact, on the map's time axis.
const LEFT = 176,
  RIGHT = 16,
  TOP = 22,
  BOTTOM = 34;
const timeline = { canvas: el("timelineCanvas"), w: 0, h: 0 };
const raids = []; // {name, rows: [fall index], }, by first fall
falls
  .map((fall, i) => [fall.t, i])
  .sort((a, b) => a[0] - b[0])
  .forEach(([, i]) => {
    const name = falls[i].raid || "falls";
    let raid = raids.find(r => r.name === name);
    if (!raid) raids.push((raid = { name, rows: [] }));
    raid.rows.push(i);
  });
// The axis ends soon after the last thing that happens, not with the exercise's empty minutes.
const axisEnd = (() => {
  const last = Math.max(
    0,
    ...falls.map(f => f.t),
    ...pictureNames.flatMap(n => (data.pictures[n].alerts || []).map(a => a.t)),
    ...((data.link || {}).cuts || []).map(c => c[1]),
  );
  return last > 0 ? Math.min(data.duration_s, last + 45) : data.duration_s;
})();
const timeX = t => LEFT + clamp(t / axisEnd, 0, 1) * (timeline.w - LEFT - RIGHT);
const timeAt = x => clamp((x - LEFT) / (timeline.w - LEFT - RIGHT), 0, 1) * axisEnd;

function layoutTimeline() {
  const gap = 5,
    least = 30,
    room = timeline.h - TOP - BOTTOM - gap * raids.length;
  // rows share the height evenly, but a small raid still gets room for its two lines of text
  let free = room,
    many = falls.length;
  for (const raid of [...raids].sort((a, b) => a.rows.length - b.rows.length)) {
    raid.h = Math.max(least, raid.rows.length * Math.min(14, free / Math.max(1, many)));
    free -= raid.h;
    many -= raid.rows.length;
  }
  let y = TOP;
  for (const raid of raids) {
    raid.y = y;
    y += raid.h + gap;
    raid.step = raid.h / raid.rows.length;
  }
}

function drawTimeline() {
  const { canvas, w, h, dpr } = timeline,
    ctx = canvas.getContext("2d"),
    c = colours,
    name = state.picture;
  const family = getComputedStyle(document.body).fontFamily,
    bottom = h - BOTTOM;
  const write = (string, x, y, colour, font = "11px", align = "left") => {
    ctx.font = `${font} ${family}`;
    ctx.textAlign = align;
    ctx.fillStyle = colour;
    ctx.fillText(string, x, y);
  };
  ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
  ctx.clearRect(0, 0, w, h);
  layoutTimeline();
  for (const cut of (data.link || {}).cuts || []) {
    const x = timeX(cut[0]),
      width = timeX(cut[1]) - x;
    ctx.save();
    ctx.beginPath();
    ctx.rect(x, TOP - 2, width, bottom - TOP + 2);
    ctx.clip();
    ctx.globalAlpha = 0.35;
    ctx.strokeStyle = c.faint;
    ctx.lineWidth = 1;
    ctx.beginPath();
    for (let s = x - h; s < x + width; s += 6) {
      ctx.moveTo(s, bottom);
      ctx.lineTo(s + h, bottom - h);
    }
    ctx.stroke();
    ctx.restore();
    write("link cut", x + width / 2, 14, c.soft, "11px", "center");
  }
  const step = [15, 30, 60, 120, 300, 600, 1200, 3600].find(s => (axisEnd / s) * 58 < w - LEFT) || 7200;
  for (let t = 0; t <= axisEnd; t += step) {
    ctx.fillStyle = c.rule;
    ctx.fillRect(Math.round(timeX(t)), TOP - 4, 1, bottom - TOP + 8);
    write(mmss(t), timeX(t), bottom + 16, c.soft, "11px", "center");
  }
  write("time since start, min:s", LEFT - 22, bottom + 16, c.faint, "11px", "right");

  for (const raid of raids) {
    const count = { ok: 0, late: 0, missed: 0, none: 0 };
    const bar = Math.max(1.2, Math.min(9, raid.step * 0.72));
    raid.rows.forEach((index, i) => {
      const fall = falls[index],
        said = warnings[name][index],
        y = raid.y + (i + 0.5) * raid.step,
        x = timeX(fall.t);
      count[said.verdict]++;
      if (said.early < Infinity) {
        ctx.fillStyle = c.early;
        ctx.fillRect(timeX(said.early), y - bar / 2, x - timeX(said.early), bar);
      }
      if (said.shelter < Infinity) {
        ctx.fillStyle = said.verdict === "late" ? c.late : c.ok;
        ctx.fillRect(timeX(said.shelter), y - bar / 2, Math.max(1, x - timeX(said.shelter)), bar);
      }
      if (said.zone >= 0) {
        // the latest moment at which the alert is still in time
        ctx.fillStyle = c.ink;
        ctx.fillRect(timeX(said.due) - 0.5, y - Math.max(bar, 3) / 2, 1.2, Math.max(bar, 3));
      }
      if (name === "joint")
        for (const alone of pictureNames)
          if (alone !== "joint") {
            const then = warnings[alone][index].shelter;
            if (then < Infinity) {
              ctx.fillStyle = c[pictureToken(alone)];
              dot(ctx, timeX(then), y, Math.max(2, Math.min(3, bar / 2)));
            }
          }
      if (said.verdict === "missed") cross(ctx, x, y, 3, c.missed, 2);
      else if (said.verdict === "none") cross(ctx, x, y, 2, c.nobody, 1);
      else {
        ctx.fillStyle = c.fall;
        ctx.fillRect(x - 0.5, y - bar / 2, 2, bar);
      }
    });
    const middle = raid.y + raid.h / 2,
      n = raid.rows.length;
    write(raid.name, 10, middle - 2, c.ink, "600 12px");
    const parts = [`${n} ${n === 1 ? "fall" : "falls"}`];
    if (n > count.none) parts.push(`${count.ok}/${n - count.none} in time`);
    if (count.late) parts.push(`${count.late} late`);
    if (count.missed) parts.push(`${count.missed} missed`);
    write(parts.join(", "), 10, middle + 12, c.soft);
  }
  const cancels = (picture().alerts || []).filter(a => a.action === "cancel");
  for (const alert of cancels) {
    const x = timeX(alert.t),
      y = bottom + 3;
    ctx.fillStyle = c.impact;
    ctx.beginPath();
    ctx.moveTo(x, y - 6);
    ctx.lineTo(x + 5, y);
    ctx.lineTo(x, y + 6);
    ctx.lineTo(x - 5, y);
    ctx.fill();
  }
  drawKey(ctx, write, h, cancels.length, name === "joint");
  const x = timeX(Math.min(state.t, axisEnd));
  ctx.fillStyle = c.ink;
  ctx.fillRect(x - 0.75, TOP - 6, 1.5, bottom - TOP + 12);
  ctx.beginPath();
  ctx.moveTo(x - 5, TOP - 10);
  ctx.lineTo(x + 5, TOP - 10);
  ctx.lineTo(x, TOP - 3);
  ctx.fill();
}

// The key along the foot, so that the picture explains itself.
function drawKey(ctx, write, h, cancels, joint) {
  const c = colours,
    y = h - 9;
  let x = 10;
  const entry = (draw, label) => {
    draw(x, y);
    write(label, x + 19, h - 5, c.soft);
    x += 19 + ctx.measureText(label).width + 13;
  };
  const box = colour => (a, b) => {
    ctx.fillStyle = colour;
    ctx.fillRect(a, b - 4, 14, 7);
  };
  entry(box(c.early), "early notice");
  entry(box(c.ok), "take shelter, in time");
  entry(box(c.late), "late");
  entry((a, b) => {
    ctx.fillStyle = c.ink;
    ctx.fillRect(a + 6, b - 5, 1.5, 9);
  }, "last moment to reach shelter");
  entry((a, b) => cross(ctx, a + 7, b, 3, c.missed, 2), "no warning");
  if (cancels)
    entry((a, b) => {
      ctx.fillStyle = c.impact;
      ctx.beginPath();
      ctx.moveTo(a + 7, b - 6);
      ctx.lineTo(a + 12, b);
      ctx.lineTo(a + 7, b + 6);
      ctx.lineTo(a + 2, b);
      ctx.fill();
    }, "withdrawn");
  if (joint)
    for (const alone of pictureNames)
      if (alone !== "joint") {
        entry(
          (a, b) => {
            ctx.fillStyle = c[pictureToken(alone)];
            dot(ctx, a + 7, b, 3);
          },
          `${labelOf(alone)} would alert`,
        );
      }
}
function dot(ctx, x, y, r) {
  // rimmed, so that it stands off the bars
  ctx.strokeStyle = colours.panel;
  ctx.lineWidth = 1;
  ctx.beginPath();
  ctx.arc(x, y, r, 0, 7);
  ctx.fill();
  ctx.stroke();
}
function cross(ctx, x, y, r, colour, width) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.beginPath();
  ctx.moveTo(x - r, y - r);
  ctx.lineTo(x + r, y + r);
  ctx.moveTo(x + r, y - r);
  ctx.lineTo(x - r, y + r);
  ctx.stroke();
}
function describeRow(y) {
  for (const raid of raids) {
    const i = Math.floor((y - raid.y) / raid.step);
    if (y < raid.y || i < 0 || i >= raid.rows.length) continue;
    const fall = falls[raid.rows[i]],
      said = warnings[state.picture][raid.rows[i]];
    let words = `${fall.name} (${fall.class}), falls T+${mmss(fall.t)}`;
    if (said.zone < 0) return `${words}\non open ground: no zone struck`;
    const zone = zones[said.zone];
    words += `\n${zone.name}: ${zone.shelter_s} s to shelter`;
    return (
      words +
      (said.shelter < Infinity
        ? `\ntold ${Math.round(fall.t - said.shelter)} s before: ${said.verdict === "ok" ? "in time" : "late"}`
        : "\nno warning")
    );
  }
  return "";
}
