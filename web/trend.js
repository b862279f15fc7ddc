// The backlog of the last minutes as a small chart, with the times in which a circuit was not closed behind it.

import { clock, number, say, show } from "./dom.js";

const KEEP_MS = 10 * 60_000;
const LEAST_MS = 60_000;
const [WIDTH, HEIGHT] = [480, 72]; // as in index.html
const SVG = "http://www.w3.org/2000/svg";

const samples = [];

function svg(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

/** Add what waits now, and draw. */
export function drawTrend(figure, waiting, isBroken) {
  const now = Date.now();
  samples.push({ at: now, waiting, broken: isBroken });
  while (samples[0].at < now - KEEP_MS) samples.shift();
  if (samples.length < 2) return;
  const from = Math.min(samples[0].at, now - LEAST_MS);
  const most = Math.max(...samples.map((each) => each.waiting));
  const x = (at) => (((at - from) / (now - from)) * WIDTH).toFixed(1);
  const y = (value) => (HEIGHT - 2 - (value / Math.max(most, 1)) * (HEIGHT - 6)).toFixed(1);
  const line = samples.map(({ at, waiting: value }) => `${x(at)},${y(value)}`).join("L");
  const [chart, caption] = figure.children;
  const shapes = samples.slice(1).flatMap(({ at }, before) => (samples[before].broken
    ? svg("rect", { class: "broken", x: x(samples[before].at), width: x(at) - x(samples[before].at), height: HEIGHT }) : []));
  chart.replaceChildren(
    ...shapes,
    svg("path", { class: "area", d: `M${x(samples[0].at)},${HEIGHT}L${line}L${WIDTH},${HEIGHT}Z` }),
    svg("path", { class: "line", d: `M${line}` }),
  );
  say(caption.firstChild, `since ${clock(from)}: most ${number(most)} waiting`);
  say(caption.lastChild, shapes.length ? "shaded: circuit not closed" : "");
  show(figure, true);
}
