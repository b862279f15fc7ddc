// Puts the page together: the token, what is looked at and how often, and what is said about the connection.

import { explain, request } from "./api.js";
import { changes } from "./changes.js";
import { byId, count, el, say, show, span, time, tone } from "./dom.js";
import { Orders } from "./orders.js";
import { drawPicture, restless } from "./picture.js";
import { Desk } from "./place.js";
import { Poll } from "./poll.js";
import { keep, recall } from "./session.js";

const TOKEN = "selfheal.token";
const BUSY_MS = 2_000;
const QUIET_MS = 5_000;
const MISSING_AGAIN_MS = 60_000;
const ORDERS_A_LOOK = 12;
const LOG_LINES = 50;

const orders = new Orders();
let token = recall(TOKEN);
let picture = null;
let [heardAt, missingAt] = [0, 0];
let trouble = null;

const poll = new Poll(look);
const desk = new Desk(orders, { token: () => token, onPlaced: () => poll.now(), onToken: refuseToken });

/** Look at everything once, one request after the other, and return the pause until the next look. */
async function look() {
  const with_ = token;
  const status = await lookAtStatus(with_);
  const vain = ["lost", "token"].includes(status?.kind);
  const followed = vain ? null : await lookAtOrders(with_);
  if (with_ !== token) return 0; // pasted meanwhile: what the old one brought does not count
  const bad = [status, followed].filter((each) => each && each.kind !== "ok");
  const refused = bad.find((each) => each.kind === "token");
  if (refused) {
    refuseToken(refused);
    return Infinity;
  }
  hear(bad[0] ?? null);
  desk.draw();
  if (bad.length) return null;
  return orders.moving || restless(picture) ? BUSY_MS : QUIET_MS;
}

async function lookAtStatus(with_) {
  if (Date.now() - missingAt < MISSING_AGAIN_MS) return null;
  const result = await request("GET", "/status/now", with_);
  if (with_ !== token) return null;
  const missing = result.kind === "missing";
  missingAt = missing ? Date.now() : 0;
  show(byId("status-missing"), missing);
  if (missing) picture = null;
  if (result.kind === "ok") {
    if (picture) changes(picture, result.data).forEach(log);
    picture = result.data;
    heardAt = Date.now();
    drawPicture(picture);
    retitle();
  }
  document.body.classList.toggle("no-picture", !picture);
  return missing ? null : result;
}

async function lookAtOrders(with_) {
  const died = [];
  const wasMoving = orders.moving;
  let result = null;
  for (const order of orders.due(ORDERS_A_LOOK)) {
    result = await request("GET", `/orders/${encodeURIComponent(order.id)}`, with_);
    if (with_ !== token || !["ok", "missing"].includes(result.kind)) return result;
    if (!picture) heardAt = Date.now(); // else it is the picture that gets old
    const changed = orders.heard(order, result.kind === "ok" ? result.data : null);
    if (changed && order.stage === "dead") died.push(order);
    result = null;
  }
  if (died.length) {
    const [{ id, reason }] = died;
    const which = died.length === 1 ? `Order ${id} is` : `${died.length} orders, among them ${id}, are`;
    log({ text: `${which} dead: ${reason}.`, tone: "bad" });
  }
  if (wasMoving && !orders.moving) {
    const done = orders.all.filter((each) => each.stage === "fulfilled").length;
    const all = orders.all.length;
    log({ text: `No order is on its way any more: ${done} of ${all} fulfilled.`, tone: done === all ? "good" : "warn" });
  }
  return result;
}

/** Take in that a look went well (null) or did not. Said once, not at each try. */
function hear(failure) {
  const was = trouble;
  trouble = failure;
  if (failure?.kind === "lost" && was?.kind !== "lost") log({ text: `Connection lost. ${explain(failure)}`, tone: "bad" });
  if (!failure && was?.kind === "lost") log({ text: "Connected again.", tone: "good" });
  tick();
}

/** Say how old the data is. */
function tick() {
  const age = heardAt ? `data from ${span(Date.now() - heardAt)} ago` : "no data yet";
  const again = poll.next ? `, next try in ${span(poll.next - Date.now())}` : ", trying now";
  const [text, look] = !token ? [heardAt ? `No token: ${age}` : "No token", "quiet"]
    : trouble?.kind === "token" ? [`Token not taken: ${age}`, "bad"]
    : trouble?.kind === "lost" ? [`Connection lost: ${age}${again}`, "bad"]
    : trouble ? [`${explain(trouble)} Now ${age}${again}`, "warn"]
    : picture ? [`Live, ${age}`, "good"]
    : missingAt ? ["Connected", "good"]
    : ["Connecting", "quiet"];
  say(byId("connection-text"), text);
  tone(byId("connection"), look);
  show(byId("try-now"), Boolean(trouble) && trouble.kind !== "token");
  document.body.classList.toggle("stale", Boolean(trouble) || !token);
}

function retitle() {
  const open = picture.incidents.filter((each) => each.open).length;
  const broken = picture.circuits.some((each) => each.state === "open");
  const signs = [open && count(open, "incident"), broken && "circuit open"].filter(Boolean);
  document.title = signs.length ? `${signs.join(", ")} - Orders` : "Orders";
}

/** Write a line of "What happened", which screen readers read out. */
function log({ text, tone: look }) {
  const now = new Date().toISOString();
  const list = byId("log");
  list.prepend(el("li", { "data-tone": look }, time(now), el("span", {}, text)));
  while (list.children.length > LOG_LINES) list.lastChild.remove();
  show(byId("no-log"), false);
}

function refuseToken(result) {
  trouble = { ...result, kind: "token" };
  poll.stop();
  say(byId("token-error"), explain(trouble));
  askForToken(true); // without taking the focus away from what is being typed
  tick();
}

function askForToken(asked) {
  show(byId("token-card"), asked);
  byId("change-token").setAttribute("aria-expanded", asked);
  for (const id of ["change-token", "forget-token"]) show(byId(id), Boolean(token));
}

function useToken(given) {
  token = given;
  keep(TOKEN, token);
  byId("token").value = "";
  say(byId("token-error"), "");
  trouble = null;
  missingAt = 0;
  poll.stop();
  askForToken(!token);
  if (token) poll.start();
  tick();
}

byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  useToken(byId("token").value);
  byId("main").focus();
});
byId("forget-token").addEventListener("click", () => useToken(""));
byId("change-token").addEventListener("click", () => {
  askForToken(byId("token-card").hidden);
  byId("token").focus();
});
byId("try-now").addEventListener("click", () => poll.now());

document.body.classList.add("no-picture");
desk.draw();
useToken(token);
setInterval(() => document.hidden || tick(), 1000);
