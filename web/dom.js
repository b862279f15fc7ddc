// Small means to write a page from data. Data only ever becomes text: nothing here reads it as HTML.

export const byId = (id) => document.getElementById(id);

/** Make an element. `props` are attributes, except `on`, which holds listeners by event. */
export function el(tag, props = {}, ...children) {
  const { on = {}, ...attributes } = props;
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  for (const [event, listener] of Object.entries(on)) node.addEventListener(event, listener);
  node.append(...children);
  return node;
}

/** Set a text only where it differs: a screen reader keeps its place. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function tone(node, name) {
  node.dataset.tone = name;
}

export function show(node, shown) {
  node.hidden = !shown;
}

const kept = new WeakMap();

/** Show items as children of a node. An element lives as long as its item, so it keeps focus and what is open. */
export function keyed(parent, items, keyOf, make, update) {
  const known = kept.get(parent) ?? new Map();
  const keys = new Set(items.map(keyOf));
  for (const [key, node] of known) {
    if (!keys.has(key)) {
      node.remove();
      known.delete(key);
    }
  }
  let at = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    if (!known.has(key)) known.set(key, make(item));
    const node = known.get(key);
    update(node, item);
    if (node === at) at = at.nextElementSibling;
    else parent.insertBefore(node, at);
  }
  kept.set(parent, known);
}

/** Make a row of a table; its first cell is the row's header. */
export function row(...classes) {
  return el("tr", {}, ...classes.map((name, at) => (at === 0 ? el("th", { scope: "row", class: name }) : el("td", { class: name }))));
}

/** Show pairs of a name and a text in a `dl`. What is falsy is left out. */
export function facts(list, pairs) {
  keyed(list, pairs.filter((pair) => pair?.[1]), ([name]) => name,
    ([name]) => el("div", {}, el("dt", {}, name), el("dd")),
    (node, [, text]) => say(node.lastChild, text));
}

const PARTS = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
const CLOCK = new Intl.DateTimeFormat(undefined, PARTS);
const DATE = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", ...PARTS });

/** Return a time as people here read it, with its date unless that is today's. */
export function clock(moment) {
  const when = new Date(moment);
  if (Number.isNaN(when.valueOf())) return String(moment);
  return (when.toDateString() === new Date().toDateString() ? CLOCK : DATE).format(when);
}

export function time(moment) {
  return el("time", { datetime: moment }, clock(moment));
}

/** Return a span of time, such as `8 s`, `3 min`, `2 h`, `6 days`. */
export function span(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

export const number = (value) => (typeof value === "number" ? value.toLocaleString() : "unknown");

export function count(value, one, many = `${one}s`) {
  return `${number(value)} ${value === 1 ? one : many}`;
}

/** Return a code such as `alarm-confirmed-by-metrics` as words. */
export const words = (code) => String(code ?? "").replaceAll(/[-_]/g, " ");
