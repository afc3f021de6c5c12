"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const form = document.querySelector("form.filters");
const rows = [...document.querySelectorAll(".runs tbody tr")];
const figures = [...document.querySelectorAll("figure.panel")];
const WIDTH = 460, HEIGHT = 250, LEFT = 46, RIGHT = 10, TOP = 10, BOTTOM = 24, ROW = 40, LISTED = 14;
const DASHES = ["", "7 3", "2 3", "9 3 2 3", "5 5", "1 4"];
const view = { smoothing: 0.6, logX: false, visible: data.runs.map(() => true) };

const colour = (run) => (run < 6 ? `var(--s${run})` : `hsl(${(run * 137.5) % 360} 55% 50%)`);

function node(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function html(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/* Exponential moving average without the bias of its start; the first value counts as one value. */
function smooth(values, weight) {
  let sum = 0, mass = 0;
  return values.map((value) => {
    sum = weight * sum + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    return sum / mass;
  });
}

function ticks(low, high, wanted) {
  if (!(high > low)) return [low];
  const raw = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= raw * 0.999);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(k * step);
  return found;
}

function powers(low, high) {
  const found = [], first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
  for (let e = first; e <= last; e += Math.max(1, Math.round((last - first) / 6)))
    for (const k of high / low < 200 ? [1, 2, 5] : [1]) if (k * 10 ** e >= low * 0.999 && k * 10 ** e <= high * 1.001) found.push(k * 10 ** e);
  return found.length > 1 ? found : [low, high];
}

function say(value, percent) {
  if (value === null || value === undefined) return "";
  const shown = percent ? 100 * value : value;
  if (percent) return shown.toFixed(1);
  const size = Math.abs(shown);
  if (size !== 0 && (size < 0.001 || size >= 1e6)) return shown.toExponential(2);
  return String(Number(shown.toPrecision(4)));
}

/* A number on an axis: as short as it can be. */
function mark(value, percent) {
  const shown = percent ? 100 * value : value;
  const size = Math.abs(shown);
  return size !== 0 && (size < 0.001 || size >= 1e5) ? shown.toExponential(0) : String(Number(shown.toPrecision(3)));
}

/* From values to pixels. The logarithm of steps is of step + 1, so that step 0 has a place. */
function scale(low, high, from, to, kind) {
  const f = kind === "log" ? Math.log10 : kind === "steps" ? (v) => Math.log10(v + 1) : (v) => v;
  const a = f(low), span = f(high) - a || 1;
  return (v) => from + ((f(v) - a) / span) * (to - from);
}

function stepTicks(low, high) {
  if (!view.logX) return ticks(low, high, 6).filter((v) => Number.isInteger(v));
  return [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 1e5].filter((v) => v >= low && v <= high);
}

function padded(low, high, zero) {
  if (zero) [low, high] = [Math.min(low, 0), Math.max(high, 0)];
  const room = (high - low || Math.abs(high) || 1) * 0.05;
  return [low >= 0 && low - room < 0 ? 0 : low - room, high + room];
}

function frame(plot, x, y, xs, ys, percent, xMark = String) {
  for (const v of ys) {
    plot.append(node("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(v), y2: y(v) }));
    plot.append(node("text", { x: LEFT - 6, y: y(v) + 4, "text-anchor": "end" }, mark(v, percent)));
  }
  plot.append(node("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM }));
  for (const v of xs) plot.append(node("text", { x: x(v), y: HEIGHT - BOTTOM + 16, "text-anchor": "middle" }, xMark(v)));
}

const path = (line, values, x, y) => line.x.map((step, k) => `${k ? "L" : "M"}${x(step).toFixed(1)} ${y(values[k]).toFixed(1)}`).join("");

function drawCurves(panel, plot, tip) {
  let lines = panel.lines.filter((l) => view.visible[l.run]);
  if (panel.logY) lines = lines.map((l) => positive(l)).filter((l) => l.x.length);
  if (!lines.length) return false;
  const labels = [...new Set(panel.lines.map((l) => l.label))];
  const weight = panel.smoothed ? view.smoothing : 0;
  const all = lines.flatMap((l) => l.y), steps = lines.flatMap((l) => l.x);
  const lowX = Math.min(...steps), highX = Math.max(...steps);
  const [low, high] = panel.logY ? [Math.min(...all) * 0.9, Math.max(...all) * 1.1] : padded(Math.min(...all), Math.max(...all));
  const x = scale(lowX, highX, LEFT, WIDTH - RIGHT, view.logX ? "steps" : "");
  const y = scale(low, high, HEIGHT - BOTTOM, TOP, panel.logY ? "log" : "");
  frame(plot, x, y, stepTicks(lowX, highX), panel.logY ? powers(low, high) : ticks(low, high, 5), panel.percent);
  const drawn = lines.map((l) => ({ ...l, drawn: smooth(l.y, weight) }));
  for (const line of drawn) {
    const stroke = colour(line.run), dash = DASHES[labels.indexOf(line.label) % DASHES.length];
    if (weight > 0) plot.append(node("path", { class: "raw", d: path(line, line.y, x, y), stroke }));
    plot.append(node("path", { class: "line", d: path(line, line.drawn, x, y), stroke, "stroke-dasharray": dash, "data-run": line.run }));
    if (line.x.length < 15 && !panel.smoothed)
      line.x.forEach((s, k) => plot.append(node("circle", { class: "mark", cx: x(s), cy: y(line.drawn[k]), r: 3, fill: stroke })));
  }
  const every = [...new Set(steps)].sort((a, b) => a - b);
  pointer(plot, tip, every.map(x), (k) => curveTip(panel, plot, drawn, every[k], x, y, weight));
  return true;
}

function positive(line) {
  const kept = line.y.map((v, k) => k).filter((k) => line.y[k] > 0);
  return { ...line, x: kept.map((k) => line.x[k]), y: kept.map((k) => line.y[k]) };
}

function curveTip(panel, plot, lines, step, x, y, weight) {
  const here = node("g", { class: "here" });
  here.append(node("line", { class: "rule", x1: x(step), x2: x(step), y1: TOP, y2: HEIGHT - BOTTOM }));
  const found = [];
  for (const line of lines) {
    const k = line.x.indexOf(step);
    if (k < 0) continue;
    here.append(node("circle", { class: "mark", cx: x(step), cy: y(line.drawn[k]), r: 4, fill: colour(line.run) }));
    const name = [data.runs[line.run].name, line.label].filter(Boolean).join(" · ");
    const raw = say(line.y[k], panel.percent);
    found.push({ run: line.run, name, value: weight > 0 ? `${say(line.drawn[k], panel.percent)} (${raw})` : raw, order: line.drawn[k] });
  }
  plot.append(here);
  found.sort((a, b) => b.order - a.order);
  return [`step ${step}`, found];
}

function drawLevels(panel, plot, tip) {
  const points = panel.points.filter((p) => view.visible[p.run]);
  if (!points.length) return false;
  const ends = points.flatMap((p) => [p.y, p.low, p.high]).filter((v) => v !== null && v !== undefined);
  const [low, high] = padded(Math.min(...ends), Math.max(...ends), true);
  const height = points.length * ROW + BOTTOM;
  plot.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
  const x = scale(low, high, 8, WIDTH - RIGHT);
  for (const v of ticks(low, high, 6)) {
    plot.append(node("line", { class: v === 0 && panel.zero ? "zero" : "grid", x1: x(v), x2: x(v), y1: 2, y2: height - BOTTOM }));
    plot.append(node("text", { x: x(v), y: height - 8, "text-anchor": "middle" }, mark(v, panel.percent)));
  }
  points.forEach((p, k) => {
    const at = k * ROW, name = [data.runs[p.run].name, p.label].filter(Boolean).join(" · ");
    const interval = p.low === undefined || p.low === null ? "" : ` (${say(p.low, panel.percent)} to ${say(p.high, panel.percent)})`;
    const n = p.n ? `, n ${p.n}` : "";
    plot.append(node("text", { class: "name", x: 8, y: at + 14 }, name.length > 34 ? `${name.slice(0, 33)}…` : name));
    plot.append(node("text", { x: WIDTH - RIGHT, y: at + 14, "text-anchor": "end" }, say(p.y, panel.percent) + interval + n));
    if (interval) plot.append(node("line", { class: "span", x1: x(p.low), x2: x(p.high), y1: at + 27, y2: at + 27, stroke: colour(p.run) }));
    plot.append(node("circle", { class: "mark", cx: x(p.y), cy: at + 27, r: 5, fill: colour(p.run), "data-run": p.run }, node("title", {}, name)));
  });
  return true;
}

function drawAgainst(panel, plot, tip) {
  const points = panel.points.filter((p) => view.visible[p.run]).sort((a, b) => a.x - b.x);
  if (!points.length) return false;
  const ends = points.flatMap((p) => [p.y, p.low, p.high]).filter((v) => v !== null && v !== undefined);
  const [low, high] = padded(Math.min(...ends), Math.max(...ends));
  const lowX = points[0].x, highX = points[points.length - 1].x, sizes = [...new Set(points.map((p) => p.x))];
  const x = scale(panel.logX ? lowX * 0.9 : lowX, panel.logX ? highX * 1.1 : highX, LEFT, WIDTH - RIGHT, panel.logX ? "log" : "");
  const y = scale(low, high, HEIGHT - BOTTOM, TOP);
  frame(plot, x, y, sizes.length < 9 ? sizes : ticks(lowX, highX, 6), ticks(low, high, 5), panel.percent, (v) => String(v));
  const place = (p, k) => x(p.x) + 3 * ((k % 3) - 1); // runs of one size stand side by side
  points.forEach((p, k) => {
    if (p.low !== undefined && p.low !== null)
      plot.append(node("line", { class: "span", x1: place(p, k), x2: place(p, k), y1: y(p.low), y2: y(p.high), stroke: colour(p.run) }));
    plot.append(node("circle", { class: "mark", cx: place(p, k), cy: y(p.y), r: 5, fill: colour(p.run), "data-run": p.run }));
  });
  pointer(plot, tip, points.map(place), (k) => {
    const p = points[k], name = [data.runs[p.run].name, p.label].filter(Boolean).join(" · ");
    const interval = p.low === undefined || p.low === null ? "" : ` (${say(p.low, panel.percent)} to ${say(p.high, panel.percent)})`;
    plot.append(node("g", { class: "here" }, node("circle", { cx: place(p, k), cy: y(p.y), r: 8, fill: "none", stroke: "currentColor" })));
    return [`${panel.xTitle} ${p.x}`, [{ run: p.run, name, value: say(p.y, panel.percent) + interval }]];
  });
  return true;
}

/* Mouse and arrow keys choose the nearest of `places` (pixels along x); `show` draws there and says what to list. */
function pointer(plot, tip, places, show) {
  let current = -1;
  const leave = () => {
    plot.querySelector(".here")?.remove();
    tip.hidden = true;
  };
  const go = (k) => {
    leave();
    current = k;
    const [head, found] = show(k);
    const list = html("table", "");
    for (const item of found.slice(0, LISTED)) {
      const dot = html("i", "");
      dot.style.background = colour(item.run);
      list.append(html("tr", "", html("td", "", dot, item.name), html("td", "", item.value)));
    }
    const more = found.length > LISTED ? [html("small", "", `and ${found.length - LISTED} more`)] : [];
    tip.replaceChildren(html("b", "", head), list, ...more);
    tip.hidden = false;
    const box = plot.getBoundingClientRect(), at = (places[k] / WIDTH) * box.width;
    const room = document.documentElement.clientWidth - box.left - at - 24;
    const right = at > box.width / 2 || tip.offsetWidth > room;
    tip.style.left = right ? "" : `${at + 14}px`;
    tip.style.right = right ? `${box.width - at + 14}px` : "";
    tip.style.top = `${box.top - plot.parentElement.getBoundingClientRect().top + 4}px`;
  };
  plot.onpointermove = (event) => {
    const box = plot.getBoundingClientRect(), at = ((event.clientX - box.left) / box.width) * WIDTH;
    let best = 0;
    places.forEach((p, k) => {
      if (Math.abs(p - at) < Math.abs(places[best] - at)) best = k;
    });
    if (best !== current || tip.hidden) go(best);
  };
  plot.onpointerleave = leave;
  plot.onblur = leave;
  plot.onkeydown = (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    go(Math.min(places.length - 1, Math.max(0, current + by)));
  };
}

const DRAW = { curves: drawCurves, levels: drawLevels, against: drawAgainst };

function draw(figure) {
  const panel = data.sections[figure.dataset.section].panels[figure.dataset.panel];
  const tip = html("div", "tip");
  tip.hidden = true;
  const title = html("button", "", panel.title);
  title.type = "button";
  title.setAttribute("aria-pressed", figure.classList.contains("wide"));
  title.onclick = () => {
    figure.classList.toggle("wide");
    title.setAttribute("aria-pressed", figure.classList.contains("wide"));
  };
  const head = html("h3", "", title, panel.unit ? html("small", "", panel.unit) : "");
  const plot = node("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": panel.title, tabindex: 0 });
  const drawn = DRAW[panel.kind](panel, plot, tip);
  const nothing = drawn ? [] : [html("p", "nothing", "None of the chosen runs has logged this.")];
  figure.replaceChildren(head, ...legend(panel), ...(drawn ? [plot] : nothing), tip);
}

/* Which stroke is which metric, where a panel has several. */
function legend(panel) {
  const labels = panel.kind === "curves" ? [...new Set(panel.lines.map((l) => l.label))] : [];
  if (labels.length < 2) return [];
  const list = html("ul", "legend");
  labels.forEach((label, k) => {
    const stroke = node("svg", { viewBox: "0 0 26 8", "aria-hidden": "true" });
    stroke.append(node("line", { x1: 0, x2: 26, y1: 4, y2: 4, "stroke-dasharray": DASHES[k % DASHES.length] }));
    list.append(html("li", "", stroke, label));
  });
  return [list];
}

function redraw() {
  figures.forEach(draw);
  document.getElementById("shown").textContent = `${view.visible.filter(Boolean).length} of ${data.runs.length}`;
}

rows.forEach((row) => {
  const run = Number(row.dataset.run), box = row.querySelector("input");
  row.querySelector(".swatch line").style.stroke = colour(run);
  box.addEventListener("change", () => {
    view.visible[run] = box.checked;
    row.classList.toggle("off", !box.checked);
    redraw();
  });
});

function choose(on) {
  rows.forEach((row) => {
    if (row.hidden) return;
    row.querySelector("input").checked = on;
    row.classList.toggle("off", !on);
    view.visible[Number(row.dataset.run)] = on;
  });
  redraw();
}

form.smoothing.addEventListener("input", () => {
  view.smoothing = Number(form.smoothing.value);
  form.weight.value = view.smoothing.toFixed(2);
  redraw();
});
form.logx.addEventListener("change", () => {
  view.logX = form.logx.checked;
  redraw();
});
form.search.addEventListener("input", () => {
  const words = form.search.value.toLowerCase().split(/\s+/).filter(Boolean);
  rows.forEach((row) => {
    const run = data.runs[row.dataset.run], text = `${run.name} ${run.experiment}`.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  });
});
form.all.addEventListener("click", () => choose(true));
form.none.addEventListener("click", () => choose(false));
form.addEventListener("submit", (event) => event.preventDefault());
redraw();
