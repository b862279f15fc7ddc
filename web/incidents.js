// Incidents of the healer with their timeline.

import { byId, clock, count, el, facts, keyed, say, show, span, time, tone, words } from "./dom.js";

const TONES = { RECOVERED: "good", CLOSED: "quiet", ESCALATED: "bad", OPEN: "bad" };

/** Show incidents, with ages at a time in ms since the epoch. */
export function drawIncidents(incidents, now) {
  keyed(byId("incidents"), incidents, (each) => each.id, make, (node, each) => update(node, each, now));
}

function make(incident) {
  const pill = () => el("span", { class: "pill" });
  const summary = el("summary", {}, el("h3"), pill(), el("span", { class: "drift pill", "data-tone": "warn" }, "drift"), el("span", { class: "when" }));
  const node = el("details", {}, summary, el("dl", { class: "facts" }), el("ol", { class: "timeline", "aria-label": "Timeline" }));
  node.open = incident.open;
  return node;
}

function update(node, incident, now) {
  const [summary, list, timeline] = node.children;
  const [title, status, drift, when] = summary.children;
  say(title, incident.target);
  say(status, incident.status.toLowerCase());
  tone(status, TONES[incident.status] ?? (incident.open ? "warn" : "quiet"));
  show(drift, Boolean(incident.drift));
  const lasted = (incident.open ? now : new Date(incident.closed_at)) - new Date(incident.opened_at);
  say(when, `${clock(incident.opened_at)}, ${incident.open ? "open " : ""}for ${span(lasted)}`);
  const left = incident.steps - incident.history.length;
  facts(list, [
    ["Now", incident.means],
    ["Remedy", incident.remedy],
    ["Earlier", left && count(left, "step")],
  ]);
  keyed(timeline, incident.history.map((line, at) => ({ ...line, key: left + at })), (line) => line.key,
    (line) => el("li", {}, time(line.at), el("span", { class: "step" }), el("span", { class: "why" })),
    (each, line) => {
      say(each.children[1], line.from === line.to ? line.to.toLowerCase() : `${line.from.toLowerCase()} → ${line.to.toLowerCase()}`);
      say(each.children[2], words(line.reason));
      tone(each, TONES[line.to] ?? "warn");
    });
}
