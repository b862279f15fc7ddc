// The service as the status API tells it: tiles, circuits, queues, dead letters, targets.

import { byId, count, el, facts, keyed, number, row, say, show, span, tone } from "./dom.js";
import { drawIncidents } from "./incidents.js";
import { drawTrend } from "./trend.js";

const sum = (list, key) => list.reduce((total, each) => total + (each[key] ?? 0), 0);

/** How much waits in all queues. */
export const waiting = (picture) => sum(picture.queues ?? [], "waiting") + sum(picture.queues ?? [], "delayed");

/** Whether something goes on that one wants to watch closely. */
export function restless(picture) {
  return Boolean(picture)
    && (waiting(picture) > 0 || (picture.incidents ?? []).some((each) => each.open) || (picture.circuits ?? []).some((each) => !each.at_rest));
}

export function drawPicture(picture) {
  const { circuits = [], queues = [], targets = [], incidents = [], dead_letters: letters = [], problems = [], stack } = picture;
  say(byId("mode"), stack?.mode ? `healer: ${stack.mode}` : "healer: mode unknown");
  show(byId("mode"), true);
  drawTiles(picture);
  drawIncidents(incidents);
  show(byId("no-circuits"), circuits.length === 0);
  keyed(byId("circuits"), circuits, (each) => each.name, makeCircuit, updateCircuit);
  if (queues.length) drawTrend(byId("trend"), waiting(picture), circuits.some((each) => each.state !== "closed"));
  const most = Math.max(1, ...queues.map((each) => each.waiting));
  table("queues", queues, (each) => each.name, ["", "number bar", "number", "number"], (cells, each) => {
    [each.name, number(each.waiting), number(each.in_flight), number(each.delayed)].forEach((text, at) => say(cells[at], text));
    cells[1].style.setProperty("--share", each.waiting / most);
  });
  const some = letters.filter((each) => each.letters !== 0);
  table("letters", some, (each) => each.name, ["", "number"], (cells, each) => {
    say(cells[0], each.name);
    say(cells[1], number(each.letters));
    tone(cells[1], each.letters ? "bad" : "quiet");
  });
  show(byId("no-letters"), letters.length > 0 && some.length === 0);
  say(byId("no-letters"), `No dead letter in ${count(letters.length, "place")}.`);
  const alarms = targets.flatMap((target) => target.alarms.map((alarm) => ({ target: target.name, ...alarm })));
  show(byId("no-targets"), alarms.length === 0);
  table("targets", alarms, (each) => `${each.target} ${each.name}`, ["", "wide", ""], (cells, each) => {
    say(cells[0], each.target);
    say(cells[1], each.state === "ALARM" && each.reason ? `${each.name}: ${each.reason}` : each.name);
    if (!cells[2].firstChild) cells[2].append(el("span", { class: "pill" }));
    say(cells[2].firstChild, alarmWord(each.state));
    tone(cells[2].firstChild, { OK: "good", ALARM: "bad" }[each.state] ?? "quiet");
  });
  show(byId("problems-card"), problems.length > 0);
  keyed(byId("problems"), problems, (each) => each, (each) => el("li", {}, each), () => {});
}

function alarmWord(state) {
  return { OK: "ok", ALARM: "alarm", INSUFFICIENT_DATA: "no data" }[state] ?? "unknown";
}

function table(id, items, keyOf, classes, update) {
  const node = byId(id);
  show(node, items.length > 0);
  keyed(node.tBodies[0], items, keyOf, () => row(...classes), (each, item) => update(each.cells, item));
}

function drawTiles(picture) {
  const { circuits = [], queues = [], targets = [], incidents = [], dead_letters: letters = [], budget } = picture;
  const alarms = targets.flatMap((each) => each.alarms);
  const firing = alarms.filter((each) => each.state === "ALARM").length;
  const open = incidents.filter((each) => each.open).length;
  const unknown = letters.some((each) => typeof each.letters !== "number");
  const dead = sum(letters, "letters");
  const worst = circuits.find((each) => each.state === "open") ?? circuits.find((each) => !each.at_rest) ?? circuits[0];
  const flight = sum(queues, "in_flight");
  const tiles = [
    worst && ["Circuit", worst.state, circuitNote(worst), circuitTone(worst)],
    queues.length && ["Waiting", number(waiting(picture)), `${number(flight)} in flight`, waiting(picture) > 100 ? "warn" : "quiet"],
    letters.length && ["Dead letters", number(dead), unknown ? "not all could be counted" : `in ${count(letters.length, "place")}`, dead ? "bad" : "good"],
    ["Incidents", number(open), open ? "open" : "none open", open ? "bad" : "good"],
    alarms.length && ["Alarms", number(firing), `of ${number(alarms.length)} firing`, firing ? "bad" : "good"],
    budget && ["Remediations", number(budget.used), budget.limit === null ? "in 24 h" : `of ${number(budget.limit)} in 24 h`,
      budget.limit !== null && budget.used >= budget.limit ? "warn" : "quiet"],
  ].filter(Boolean);
  keyed(byId("tiles"), tiles, (each) => each[0],
    ([name]) => el("div", { class: "tile" }, el("dt", {}, name), el("dd", { class: "value" }), el("dd", { class: "note" })),
    (node, [, value, note, look]) => {
      say(node.children[1], value);
      say(node.children[2], note);
      tone(node, look);
    });
}

function circuitTone({ state, at_rest: atRest }) {
  return state === "open" ? "bad" : state === "half-open" || !atRest ? "warn" : "good";
}

function circuitNote({ state, at_rest: atRest, calls, failures, forced }) {
  if (forced) return `forced by ${forced.by}`;
  if (state === "open") return "calls are refused";
  if (state === "half-open") return "one probe at a time";
  if (!atRest) return "slow start";
  return calls ? `${number(failures)} of ${count(calls, "call")} failed` : "at rest";
}

function makeCircuit() {
  return el("article", { class: "circuit" }, el("h3"), el("span", { class: "pill" }), el("p"), el("dl", { class: "facts" }));
}

function updateCircuit(node, circuit) {
  const [title, pill, text, list] = node.children;
  say(title, circuit.name);
  say(pill, circuit.state);
  tone(pill, circuitTone(circuit));
  say(text, MEANING[circuit.state === "closed" && !circuit.at_rest ? "starting" : circuit.state] ?? "");
  const until = (moment) => span(new Date(moment) - Date.now());
  const { since, forced } = circuit;
  facts(list, [
    ["Calls", `${number(circuit.calls)} in 10 s, ${number(circuit.failures)} failed`],
    since && ["Since", `${span(Date.now() - new Date(since))} ago`],
    circuit.next_probe_at && ["Next probe", new Date(circuit.next_probe_at) > Date.now() ? `in ${until(circuit.next_probe_at)}` : "any moment"],
    circuit.openings && ["Openings", `${number(circuit.openings)} in a row`],
    forced && ["Forced", `${forced.state} by ${forced.by}, for another ${until(forced.until)}: ${forced.why}`],
  ]);
}

const MEANING = {
  closed: "Consumers call the downstream.",
  starting: "The downstream answers again. Consumers start slowly and work off the backlog.",
  open: "The downstream fails. Consumers are paused, orders wait, and none is lost.",
  "half-open": "One probe at a time shows whether the downstream is back.",
};
