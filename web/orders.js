// The orders of this tab: what was asked for, and where each is. Kept in the tab's session, so that a reload neither
// forgets one nor makes a second one of it: an order's id is made here, once, and is its idempotency key.

import { keep, recall } from "./session.js";

const KEY = "selfheal.orders";
const MOST = 300;
const DEAD_AGAIN_MS = 15_000;

export const STAGES = ["unsent", "stored", "received", "accepted", "attempted", "fulfilled", "dead"];

/** How far a stage is on the way, of 4. */
export const STEPS = { unsent: 0, missing: 0, stored: 0, received: 1, accepted: 2, attempted: 3, fulfilled: 4, dead: 3 };

export class Orders {
  /** Newest first. */
  all;

  constructor() {
    this.all = read();
    for (const order of this.all) {
      if (order.stage !== "sending") continue;
      order.stage = "unsent";
      order.reason = "The page was left before the answer came. Sent again, it is still one order.";
    }
  }

  /** Write down new orders before any is sent. */
  add(values, howMany) {
    const made = Array.from({ length: howMany }, () => ({
      id: crypto.randomUUID(), ...values, stage: "unsent", reason: "", placedAt: Date.now(), seenAt: 0,
    }));
    this.all.unshift(...made.toReversed());
    this.#save();
    return made;
  }

  /** Follow an order that was placed elsewhere. */
  follow(id) {
    const known = this.all.find((order) => order.id === id);
    if (known) return known;
    const order = { id, stage: "missing", reason: "", placedAt: Date.now(), seenAt: 0, followed: true };
    this.all.unshift(order);
    this.#save();
    return order;
  }

  drop(orders) {
    const gone = new Set(orders);
    this.all = this.all.filter((order) => !gone.has(order));
    this.#save();
  }

  set(order, stage, reason = "") {
    Object.assign(order, { stage, reason });
    this.#save();
  }

  /** Take in what the API tells of an order, and return whether its stage has changed. */
  heard(order, data) {
    const before = order.stage;
    const now = Date.now();
    order.seenAt = now;
    if (data && STAGES.includes(data.state)) {
      Object.assign(order, { stage: data.state, reason: String(data.reason ?? ""), work: data.work, conflicts: data.conflicts });
      if (order.followed && data.receivedAt) order.placedAt = 1000 * data.receivedAt;
      if (data.state === "fulfilled") order.endedAt ??= ended(data.work) ?? now;
      else if (data.state === "dead") order.endedAt ??= now;
      else delete order.endedAt;
    }
    this.#save();
    return order.stage !== before;
  }

  /** Return what to ask about next: the longest unseen first. The dead may be redriven, and are asked about rarely. */
  due(most) {
    const now = Date.now();
    const open = ({ stage, seenAt }) =>
      ["stored", "received", "accepted", "attempted"].includes(stage)
      || (["dead", "missing"].includes(stage) && now - seenAt > DEAD_AGAIN_MS);
    return this.all.filter(open).sort((one, other) => one.seenAt - other.seenAt).slice(0, most);
  }

  get unsent() {
    return this.all.filter((order) => order.stage === "unsent");
  }

  /** Whether any is on its way. */
  get moving() {
    return this.all.some((order) => ["sending", "stored", "received", "accepted", "attempted"].includes(order.stage));
  }

  #save() {
    // The oldest of what is done makes room: what is not sent, or on its way, is never forgotten.
    while (this.all.length > MOST) {
      const done = this.all.findLastIndex(({ stage }) => ["fulfilled", "dead", "missing"].includes(stage));
      if (done < 0) break;
      this.all.splice(done, 1);
    }
    keep(KEY, JSON.stringify(this.all));
  }
}

/** What is sent for an order: always the same, however often. */
export function bodyOf({ id, article, quantity, cents }) {
  return JSON.stringify({ id, article, quantity, cents });
}

function read() {
  try {
    return JSON.parse(recall(KEY)).filter((each) => typeof each.id === "string");
  } catch {
    return [];
  }
}

/** When the last consumer was done, by the service's clock, which need not be this machine's: at most now. */
function ended(work) {
  const times = Object.values(work ?? {}).map((each) => each?.doneAt).filter((at) => typeof at === "number");
  return times.length ? Math.min(Date.now(), 1000 * Math.max(...times)) : null;
}
