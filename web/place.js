// Places orders. All of them are written down before the first is sent, and whatever did not surely arrive is sent
// again with its own id.

import { byId, count, el, keyed, number, say, show, span, tone } from "./dom.js";
import { explain, request } from "./api.js";
import { bodyOf, STAGES, STEPS } from "./orders.js";

const MANY = 40;
const BUSY_TRIES = 5;
const SHOWN = 8;
const FINAL = new Set(["refused", "missing"]);
const NAMES = { unsent: "not sent", missing: "not there" };

export class Desk {
  #orders; #token; #onPlaced; #onToken; #sending = false; #stage = null; #whole = false;

  /**
   * `token` returns the token or an empty text; `onPlaced` is called when orders were sent, `onToken` with what the
   * API answered when it did not take the token.
   */
  constructor(orders, { token, onPlaced, onToken }) {
    this.#orders = orders;
    this.#token = token;
    this.#onPlaced = onPlaced;
    this.#onToken = onToken;
    byId("place-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#place(1);
    });
    byId("place-many").addEventListener("click", () => byId("place-form").reportValidity() && this.#place(MANY));
    byId("send-again").addEventListener("click", () => this.#send(this.#orders.unsent.toReversed()));
    byId("show-all").addEventListener("click", () => {
      this.#whole = !this.#whole;
      this.draw();
    });
    byId("follow-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#orders.follow(byId("follow").value.trim());
      byId("follow").value = "";
      this.draw();
      this.#onPlaced();
    });
  }

  #place(howMany) {
    if (this.#sending) return;
    const values = {
      article: byId("article").value, quantity: Number(byId("quantity").value), cents: cents(byId("price").value),
    };
    this.#send(this.#orders.add(values, howMany), true);
  }

  /** Send orders one after the other. The first that is not taken ends it: the next would fare the same. */
  async #send(orders, isNew = false) {
    if (this.#sending || !orders.length) return;
    if (!this.#token()) {
      if (isNew) this.#orders.drop(orders);
      this.#onToken({ kind: "token", status: 401 });
      return;
    }
    this.#busy(true, orders.length);
    let [sent, failure] = [0, null];
    for (const order of orders) {
      this.#orders.set(order, "sending");
      this.draw();
      const result = await this.#put(order);
      if (result.kind !== "ok") {
        failure = result;
        this.#orders.set(order, "unsent", explain(result));
        break;
      }
      this.#orders.set(order, "stored");
      sent += 1;
      byId("placing").value = sent;
    }
    // What is refused would be refused again: the values are to be changed, and nothing waits to be sent.
    if (failure && FINAL.has(failure.kind)) this.#orders.drop(orders.slice(sent));
    this.#busy(false);
    this.#tell(sent, orders.length, failure);
    this.draw();
    if (failure?.kind === "token") this.#onToken(failure);
    this.#onPlaced();
  }

  async #put(order) {
    for (let tries = 1; ; tries += 1) {
      const result = await request("PUT", `/orders/${encodeURIComponent(order.id)}`, this.#token(), bodyOf(order));
      if (result.kind !== "busy" || tries === BUSY_TRIES) return result;
      say(byId("placed"), explain(result));
      await new Promise((resume) => setTimeout(resume, result.wait * tries * (0.75 + Math.random() / 2)));
    }
  }

  #busy(sending, howMany = 1) {
    this.#sending = sending;
    for (const button of [...byId("place-form").querySelectorAll("button"), byId("send-again")]) {
      button.setAttribute("aria-disabled", sending); // stays focusable: disabling would lose the keyboard's place
    }
    Object.assign(byId("placing"), { max: howMany, value: 0, hidden: !sending || howMany === 1 });
    if (!sending) return;
    say(byId("placed"), "");
    say(byId("place-error"), "");
  }

  #tell(sent, all, failure) {
    say(byId("placed"), sent ? `${count(sent, "order")} stored.` : "");
    if (!failure) return;
    const waits = `${count(all - sent, "order is", "orders are")} kept here. Sent again, each has the same id and stays one order.`;
    say(byId("place-error"), `${explain(failure)} ${FINAL.has(failure.kind) ? "Nothing was stored." : waits}`);
  }

  /** Show the orders as they are now. */
  draw() {
    const all = this.#orders.all;
    const counts = Object.fromEntries(STAGES.map((stage) => [stage, all.filter((each) => each.stage === stage).length]));
    if (this.#stage && !counts[this.#stage]) this.#stage = null;
    const chips = STAGES.filter((stage) => stage !== "unsent" || counts.unsent);
    keyed(byId("stages"), all.length ? chips : [], (stage) => stage, (stage) => this.#chip(stage), (node, stage) => {
      say(node.firstChild, number(counts[stage]));
      node.setAttribute("aria-pressed", this.#stage === stage);
      tone(node, counts[stage] ? stage : "none");
    });
    const chosen = all.filter((each) => !this.#stage || each.stage === this.#stage);
    const shown = this.#whole ? chosen : chosen.slice(0, SHOWN);
    show(byId("no-orders"), all.length === 0);
    show(byId("orders"), all.length > 0);
    keyed(byId("orders").tBodies[0], shown, (each) => each.id, (each) => this.#row(each), updateRow);
    const more = byId("show-all");
    show(more, chosen.length > SHOWN);
    more.setAttribute("aria-expanded", this.#whole);
    say(more, this.#whole ? `Show the newest ${SHOWN}` : `Show all ${number(chosen.length)}`);
    const unsent = this.#sending ? 0 : counts.unsent;
    show(byId("again"), unsent > 0);
    say(byId("again-text"), `${count(unsent, "order is", "orders are")} not sent.`);
    say(byId("send-again"), unsent === 1 ? "Send it again" : `Send all ${number(unsent)} again`);
  }

  #chip(stage) {
    const press = () => {
      this.#stage = this.#stage === stage ? null : stage;
      this.draw();
    };
    return el("button", { on: { click: press } }, el("b"), el("span", {}, NAMES[stage] ?? stage));
  }

  #row(order) {
    const what = order.followed ? "followed" : `${number(order.quantity)} × ${order.article}`;
    const price = order.followed ? "" : (order.cents / 100).toLocaleString(undefined, { minimumFractionDigits: 2 });
    const again = el("button", { class: "link", on: { click: () => this.#send([order]) } }, "Send again");
    const steps = el("span", { class: "steps", "aria-hidden": "true" }, ...[1, 2, 3, 4].map(() => el("i")));
    return el("tr", {},
      el("th", { scope: "row" }, el("span", { class: "what" }, el("span", {}, what), el("span", { class: "price" }, price)), el("code", {}, order.id)),
      el("td", {}, el("span", { class: "stage" }, steps, el("span")), el("span", { class: "detail" }), again),
      el("td", { class: "number" }));
  }
}

function updateRow(node, order) {
  const [stage, detail, again] = node.cells[1].children;
  [...stage.firstChild.children].forEach((step, at) => step.classList.toggle("done", at < STEPS[order.stage]));
  say(stage.lastChild, NAMES[order.stage] ?? order.stage);
  tone(node, order.stage);
  say(detail, detailOf(order));
  show(detail, detail.textContent !== "");
  show(again, order.stage === "unsent");
  const until = order.endedAt ?? Date.now();
  say(node.cells[2], order.stage === "unsent" || order.stage === "missing" ? "" : span(until - order.placedAt));
}

function detailOf({ stage, reason, work, conflicts, followed }) {
  const parts = [];
  if (reason) parts.push(reason);
  else if (stage === "attempted") {
    for (const [name, each] of Object.entries(work ?? {})) {
      if (each?.doneAt) parts.push(`${name} done`);
      else if (each?.attempts) parts.push(`${name} ${count(each.attempts, "attempt")}`);
    }
  } else if (stage === "stored") parts.push("in the queue");
  else if (stage === "missing" && followed) parts.push("no such order of this caller");
  if (conflicts) parts.push(`${count(conflicts, "time")} sent with another body, which changed nothing`);
  return parts.join(", ");
}

/** Return a price such as `12.5` or `12,50` as whole cents, without a detour through fractions. */
function cents(text) {
  const [whole, part = ""] = text.trim().split(/[.,]/);
  return Number(whole) * 100 + Number(part.padEnd(2, "0"));
}
