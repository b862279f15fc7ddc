// The service as the status API tells it: tiles, circuits, queues, dead letters, targets.

import { byId, count, el, facts, keyed, number, row, say, show, span, tone } from "./dom.js";
import { drawIncidents } from "./incidents.js";
import { drawTrend } from "./trend.js";

const sum = (list, key) => list.reduce((total, each) => total + (each[key] ?? 0), 0);

/** How much waits in all queues. */
export const waiting = ({ queues }) => sum(queues, "waiting") + sum(queues, "delayed");

/** Whether something goes on that one wants to watch closely. */
export function restless(picture) {
  return picture && (waiting(picture) > 0 || picture.incidents.some((each) => each.open) || picture.circuits.some((each) => !each.at_rest));
}

/** Show a picture. Ages are those at its own time: it may be old, and this machine's clock wrong. */
export function drawPicture(picture) {
  const { circuits, queues, targets, incidents, dead_letters: letters, problems } = picture;
  const now = Date.parse(picture.at);
  const none = (id, list, text) => {
    show(byId(id), list.length === 0);
    say(byId(id), problems.length ? "None, as far as could be read." : text);
  };
  drawMode(picture.stack);
  drawTiles(picture);
  none("no-incidents", incidents, "None in the ledger.");
  drawIncidents(incidents, now);
  none("no-circuits", circuits, "This stack has no circuit.");
  keyed(byId("circuits"), circuits, (each) => each.name, makeCircuit, (node, each) => updateCircuit(node, each, now));
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
  alarms.sort((one, other) => (other.state === "ALARM") - (one.state === "ALARM"));
  none("no-targets", alarms, "The healer has no target here.");
  table("targets", alarms, (each) => `${each.target} ${each.name}`, ["", "wide", ""], (cells, each) => {
    say(cells[0], each.target);
    say(cells[1], each.state === "ALARM" && each.reason ? `${each.name}: ${each.reason}` : each.name);
    if (!cells[2].firstChild) cells[2].append(el("span", { class: "pill" }));
    const [word, look] = ALARMS[each.state] ?? ["unknown", "quiet"];
    say(cells[2].firstChild, word);
    tone(cells[2].firstChild, look);
  });
  show(byId("problems-card"), problems.length > 0);
  keyed(byId("problems"), problems, (each) => each, (each) => el("li", {}, each), () => {});
}

function drawMode({ mode, baseline }) {
  const changed = mode && baseline && mode !== baseline;
  say(byId("mode"), `healer: ${mode ?? "mode unknown"}${changed ? `, deployed: ${baseline}` : ""}`);
  tone(byId("mode"), changed || !mode ? "warn" : "quiet");
  show(byId("mode"), true);
}

const ALARMS = { OK: ["ok", "good"], ALARM: ["alarm", "bad"], INSUFFICIENT_DATA: ["no data", "quiet"] };

function table(id, items, keyOf, classes, update) {
  const node = byId(id);
  show(node, items.length > 0);
  keyed(node.tBodies[0], items, keyOf, () => row(...classes), (each, item) => update(each.cells, item));
}

function drawTiles(picture) {
  const { circuits, queues, targets, incidents, dead_letters: letters, problems, budget } = picture;
  const alarms = targets.flatMap((each) => each.alarms);
  const firing = alarms.filter((each) => each.state === "ALARM").length;
  const open = incidents.filter((each) => each.open).length;
  const unknown = letters.some((each) => each.letters === null);
  const dead = sum(letters, "letters");
  const worst = circuits.find((each) => each.state === "open") ?? circuits.find((each) => !each.at_rest) ?? circuits[0];
  const good = problems.length ? "quiet" : "good"; // what is not known is not well
  const [look, note] = worst ? phaseOf(worst) : [];
  const tiles = [
    worst && ["Circuit", "circuits", worst.state, circuitNote(worst, note), look === "good" ? good : look],
    queues.length && ["Waiting", "queues", number(waiting(picture)), `${number(sum(queues, "in_flight"))} in flight`, waiting(picture) > 100 ? "warn" : "quiet"],
    letters.length && ["Dead letters", "queues", number(dead), unknown ? "not all could be counted" : `in ${count(letters.length, "place")}`, dead ? "bad" : good],
    ["Incidents", "incidents", number(open), open ? "open" : "none open", open ? "bad" : good],
    alarms.length && ["Alarms", "targets", number(firing), `of ${number(alarms.length)} firing`, firing ? "bad" : good],
    budget && ["Remediations", "incidents", number(budget.used), `${budget.limit === null ? "" : `of ${number(budget.limit)} `}in 24 h`,
      budget.used >= (budget.limit ?? Infinity) ? "warn" : "quiet"],
    problems.length && ["Not readable", "problems", number(problems.length), "may hide trouble", "warn"],
  ].filter(Boolean);
  keyed(byId("tiles"), tiles, (each) => each[0],
    ([name, part]) => el("div", { class: "tile" },
      el("dt", {}, el("a", { href: `#${part}-title` }, name)), el("dd", { class: "value" }), el("dd", { class: "note" })),
    (node, [, , ...shown]) => {
      [1, 2].forEach((at) => say(node.children[at], shown[at - 1]));
      tone(node, shown[2]);
    });
}

function circuitNote({ forced, calls, failures }, note) {
  if (forced) return `forced by ${forced.by}`;
  return note ?? (calls ? `${number(failures)} of ${count(calls, "call")} failed` : "at rest");
}

function makeCircuit() {
  return el("article", { class: "circuit" }, el("h3"), el("span", { class: "pill" }), el("p"), el("dl", { class: "facts" }));
}

function updateCircuit(node, circuit, now) {
  const [title, pill, text, list] = node.children;
  say(title, circuit.name);
  say(pill, circuit.state);
  const [look, , meaning] = phaseOf(circuit);
  tone(pill, look);
  say(text, meaning);
  const until = (moment) => span(Date.parse(moment) - now);
  const { since, forced } = circuit;
  facts(list, [
    ["Calls", `${number(circuit.calls)} in 10 s, ${number(circuit.failures)} failed`],
    since && ["Since", `${span(now - Date.parse(since))} ago`],
    circuit.next_probe_at && ["Next probe", Date.parse(circuit.next_probe_at) > now ? `in ${until(circuit.next_probe_at)}` : "any moment"],
    circuit.openings && ["Openings", `${number(circuit.openings)} in a row`],
    forced && ["Forced", `${forced.state} by ${forced.by}, for another ${until(forced.until)}: ${forced.why}`],
  ]);
}

// Of a circuit: tone, note of the tile, and what it means.
const PHASES = {
  closed: ["good", null, "Consumers call the downstream."],
  starting: ["warn", "slow start", "The downstream answers again. Consumers start slowly and work off the backlog."],
  open: ["bad", "calls are refused", "The downstream fails. Consumers are paused, orders wait, and none is lost."],
  "half-open": ["warn", "one probe at a time", "One probe at a time shows whether the downstream is back."],
};

function phaseOf({ state, at_rest: atRest }) {
  return PHASES[state === "closed" && !atRest ? "starting" : state] ?? ["warn", "", ""];
}
