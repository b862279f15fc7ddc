// The backlog of the last minutes as a small chart, with the times in which a circuit was not closed behind it.

import { clock, el, number, say } from "./dom.js";

const KEEP_MS = 10 * 60_000;
const LEAST_MS = 60_000;
const [WIDTH, HEIGHT] = [480, 72];
const SVG = "http://www.w3.org/2000/svg";

const samples = [];

function svg(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

/** Add what waits now, and draw. */
export function drawTrend(figure, waiting, broken) {
  const now = Date.now();
  samples.push({ at: now, waiting, broken });
  while (samples[0].at < now - KEEP_MS) samples.shift();
  if (samples.length < 2) return;
  const from = Math.min(samples[0].at, now - LEAST_MS);
  const most = Math.max(...samples.map((each) => each.waiting));
  const x = (at) => (((at - from) / (now - from)) * WIDTH).toFixed(1);
  const y = (value) => (HEIGHT - 2 - (value / Math.max(most, 1)) * (HEIGHT - 6)).toFixed(1);
  const line = samples.map(({ at, waiting: value }) => `${x(at)},${y(value)}`).join("L");
  const chart = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  samples.slice(1).forEach((each, at) => {
    if (!samples[at].broken) return;
    const [left, right] = [x(samples[at].at), x(each.at)];
    chart.append(svg("rect", { class: "broken", x: left, width: (right - left + 0.3).toFixed(1), y: 0, height: HEIGHT }));
  });
  chart.append(
    svg("path", { class: "area", d: `M${x(samples[0].at)},${HEIGHT}L${line}L${WIDTH},${HEIGHT}Z` }),
    svg("path", { class: "line", d: `M${line}` }),
  );
  figure.firstElementChild?.localName === "svg" ? figure.firstElementChild.replaceWith(chart) : figure.prepend(chart);
  let caption = figure.querySelector("figcaption");
  if (!caption) figure.append((caption = el("figcaption", {}, el("span"), el("span"))));
  say(caption.firstChild, `since ${clock(from)}: most ${number(most)} waiting`);
  say(caption.lastChild, samples.some((each) => each.broken) ? "shaded: circuit not closed" : "");
  figure.hidden = false;
}
