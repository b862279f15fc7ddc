// The backlog of the last minutes as a small chart, with the times in which a circuit was not closed behind it.

import { clock, number, say, show } from "./dom.js";

const KEEP_MS = 10 * 60_000;
const LEAST_MS = 60_000;
const [WIDTH, HEIGHT] = [480, 72]; // as in index.html

const samples = [];

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
  const broken = samples.slice(1).map(({ at }, before) => (samples[before].broken
    ? `M${x(samples[before].at)},0V${HEIGHT}H${x(at)}V0Z` : "")).join("");
  const paths = [broken, `M${x(samples[0].at)},${HEIGHT}L${line}L${WIDTH},${HEIGHT}Z`, `M${line}`];
  paths.forEach((path, at) => chart.children[at].setAttribute("d", path));
  say(caption.firstChild, `since ${clock(from)}: most ${number(most)} waiting`);
  say(caption.lastChild, broken ? "shaded: circuit not closed" : "");
  show(figure, true);
}
