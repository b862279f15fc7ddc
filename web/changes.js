// What has changed between two pictures, in sentences. Each is said once; what merely goes on is not said again.

import { count, words } from "./dom.js";

const by = (list, key = "name") => new Map(list.map((each) => [each[key], each]));

/** Return [{text, tone}] for what differs. */
export function changes(before, after) {
  return [
    ...circuits(before, after),
    ...alarms(before, after),
    ...incidents(before, after),
    ...letters(before, after),
    ...mode(before, after),
  ];
}

function* circuits(before, after) {
  const known = by(before.circuits);
  for (const { name, state, at_rest: atRest, forced } of after.circuits) {
    const was = known.get(name);
    if (!was) continue;
    if (was.state !== state) {
      if (state === "open") {
        yield { text: `Circuit ${name} opened${forced ? `, forced by ${forced.by}` : ""}. Orders wait.`, tone: "bad" };
      } else if (state === "half-open") yield { text: `Circuit ${name} is half-open: one probe at a time decides.`, tone: "warn" };
      else yield { text: `Circuit ${name} closed${atRest ? "" : ": slow start, the backlog drains"}.`, tone: "good" };
    } else if (state === "closed" && atRest && !was.at_rest) {
      yield { text: `Circuit ${name} is at rest: consumers run at full concurrency.`, tone: "good" };
    }
  }
}

function* incidents(before, after) {
  const known = by(before.incidents, "id");
  for (const incident of after.incidents.toReversed()) {
    const was = known.get(incident.id);
    const why = words(incident.reason);
    if (!was && incident.open) yield { text: `Incident of ${incident.target} opened: ${why}.`, tone: "bad" };
    else if (!was && incident.opened_at > before.at) {
      yield { text: `Incident of ${incident.target} opened and closed: ${why}.`, tone: "good" };
    } else if (was?.open && !incident.open) {
      yield { text: `Incident of ${incident.target} closed, ${words(incident.status).toLowerCase()}: ${why}.`, tone: "good" };
    } else if (was && was.status !== incident.status) {
      const bad = incident.status === "ESCALATED";
      yield { text: `Incident of ${incident.target} is ${incident.status}: ${why}.`, tone: bad ? "bad" : "warn" };
    }
  }
}

function* alarms(before, after) {
  const known = by(before.targets.flatMap((each) => each.alarms));
  for (const { name: target, alarms: own } of after.targets) {
    for (const { name, state } of own) {
      const was = known.get(name);
      if (!was?.state || !state || was.state === state) continue;
      if (state === "ALARM") yield { text: `Alarm of ${target} fires: ${name}.`, tone: "bad" };
      else if (was.state === "ALARM") yield { text: `Alarm of ${target} is over: ${name}.`, tone: "good" };
    }
  }
}

function* letters(before, after) {
  const known = by(before.dead_letters);
  for (const { name, letters: now } of after.dead_letters) {
    const was = known.get(name)?.letters;
    if (typeof was === "number" && now > was) yield { text: `${count(now - was, "new dead letter")} of ${name}.`, tone: "bad" };
  }
}

function* mode(before, after) {
  const [was, now] = [before.stack.mode, after.stack.mode];
  if (was && now && was !== now) yield { text: `The healer's mode is ${now}, it was ${was}.`, tone: "warn" };
}
