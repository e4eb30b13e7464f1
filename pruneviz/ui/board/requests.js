// What is asked of Python next, with one request in flight?

import { endPlaying, EVENLY, isPooled, takeLevels, takeLocks, takeTouched } from "./plan.js";
import { lookAt } from "./view.js";
import { isNumber } from "./wire.js";

/** @import { Entry, Flight, Pin, Requests, Settled, State } from "./types.d.ts" */

const LOST_AFTER = 5000; // ms without an echo before a request counts as lost
const QUIET = 250; // ms without a further key before a keyboard change settles
const RESTS = 150; // ms without a move after which a thumb that is held rests
const LONGEST_QUEUE = 8;
const ALONE = new Set([ // each is asked for by itself
  "undo", "redo", "pin", "cancel", "measure", "return", "match"]);

/** @returns {Requests} */
export function newRequests() {
  return {
    seq: 0,
    planSeq: 0,
    flight: null,
    queue: [],
    unsettled: false,
    sentFocus: "",
    flightTimer: null,
    quietTimer: null,
    restTimer: null,
    lookTimer: null,
  };
}

/**
 * @param {State} state
 * @param {string} kind
 */
function changesPlan(state, kind) {
  if (kind === "lock") return isPooled(state);
  return ["drag", "play", "settle", "pin", "undo", "redo", "return", "match"].includes(kind);
}

/**
 * Each entry keeps a copy of the screen as it was, so that a release is never mixed with the
 * drag after it, and the layers changed since the entry before (`touched`), which an older
 * echo may not move back.
 * @param {State} state
 * @param {string} kind
 * @param {Pin | string | null} [what] a stroke to pin, or the point to return to
 */
export function enqueue(state, kind, what = null) {
  const { queue } = state.requests;
  const entry = {
    kind,
    pin: typeof what === "string" ? null : what,
    point: typeof what === "string" ? what : "",
    sparsity: { ...state.plan.sparsity },
    locked: Object.keys(state.plan.locked),
    touched: takeTouched(state),
  };
  const last = queue.at(-1);
  if (last && supersedes(entry, last, queue.length)) {
    queue.pop();
    for (const name of last.touched) entry.touched.add(name);
  }
  queue.push(entry);
  pump(state);
}

/**
 * @param {Entry} entry
 * @param {Entry} last
 * @param {number} length
 */
function supersedes(entry, last, length) {
  if (ALONE.has(entry.kind) || ALONE.has(last.kind)) return false;
  if (last.kind === "play") return ["play", "drag", "settle"].includes(entry.kind);
  if (last.kind === "drag") return entry.kind === "drag" || entry.kind === "settle";
  if (["focus", "need", "sharpen", "look"].includes(last.kind)) {
    return entry.kind !== "need";
  }
  if (last.kind !== entry.kind) return false;
  const same = last.touched.size === entry.touched.size;
  const equal = same && [...last.touched].every((name) => entry.touched.has(name));
  return entry.kind === "lock" || equal || length >= LONGEST_QUEUE;
}

/** @param {State} state */
export function pump(state) {
  const { requests, network, plan, view } = state;
  if (requests.flight !== null) return;
  const entry = requests.queue.shift();
  if (entry === undefined) return;
  requests.seq += 1;
  const request = {
    seq: requests.seq,
    kind: entry.kind,
    sparsity: entry.sparsity,
    locked: entry.locked,
    focus: view.focus,
    scale: view.scale,
    allocation: plan.method || EVENLY,
    measure: view.measure,
    lose: view.lose,
    have: { scene: network.sceneId, picture: network.pictureIds.get(view.focus) ?? "",
      sensitivity: network.sensitivityId, allocation: network.allocationId,
      chart: network.chartId },
    thumbnails: ["drag", "play"].includes(entry.kind) ? [] : state.thumbnails.wanted,
    ...(entry.pin ? { pin: entry.pin } : {}),
    ...(entry.point ? { point: entry.point } : {}),
  };
  if (changesPlan(state, entry.kind)) requests.planSeq = requests.seq;
  requests.sentFocus = view.focus;
  requests.flight = { request, wait: LOST_AFTER };
  send(state, requests.flight);
}

/**
 * @param {State} state
 * @param {Flight} flight
 */
function send(state, flight) {
  awaitEcho(state, flight);
  state.send(flight.request);
}

/**
 * The same seq again: had it arrived after all, Python sees no change and just answers.
 * @param {State} state
 * @param {Flight} flight
 */
function awaitEcho(state, flight) {
  const { requests } = state;
  clearTimeout(requests.flightTimer ?? undefined);
  requests.flightTimer = setTimeout(() => {
    if (requests.flight !== flight) return;
    flight.wait *= 2;
    send(state, flight);
  }, flight.wait);
}

/**
 * A component that goes waits for nothing; one that comes back goes on waiting.
 * @param {State} state
 */
export function stopWaiting(state) {
  const { requests } = state;
  clearTimeout(requests.flightTimer ?? undefined);
  clearTimeout(requests.lookTimer ?? undefined);
  requests.flightTimer = requests.lookTimer = null;
}

/** @param {State} state */
export function goOnWaiting(state) {
  const { flight, flightTimer } = state.requests;
  if (flight !== null && flightTimer === null) awaitEcho(state, flight);
}

/** @param {State} state */
export function settleSoon(state) {
  const { requests } = state;
  clearTimeout(requests.quietTimer ?? undefined);
  requests.quietTimer = setTimeout(() => settleNow(state), QUIET);
  requests.unsettled = true;
}

/** @param {State} state */
export function settleNow(state) {
  clearTimeout(state.requests.quietTimer ?? undefined);
  state.requests.unsettled = false;
  enqueue(state, "settle");
}

/**
 * @param {State} state
 * @param {string} kind
 * @param {Pin | string | null} [what]
 */
export function command(state, kind, what) {
  endPlaying(state);
  if (state.requests.unsettled) settleNow(state);
  enqueue(state, kind, what);
}

/**
 * Numbers on the screen are ahead of what Python was asked.
 * @param {State} state
 */
export function isAhead(state) {
  const { plan, requests } = state;
  return plan.touched.size > 0 || requests.queue.some((entry) => changesPlan(state, entry.kind));
}

/** @param {State} state */
export function isMeasuring(state) {
  const { measured } = state.answer;
  if (measured === null) return false;
  return Boolean(measured.stale) || isAhead(state) || (measured.seq ?? 0) < state.requests.planSeq;
}

/**
 * While a thumb rests and is not let go, its plan is measured on more and more samples.
 * @param {State} state
 */
export function sharpenAtRest(state) {
  const { requests } = state;
  clearTimeout(requests.restTimer ?? undefined);
  if (!canSharpen(state)) return;
  requests.restTimer = setTimeout(() => {
    if (canSharpen(state)) enqueue(state, "sharpen");
  }, RESTS);
}

/**
 * What is measured in the background is looked for when Python says that there may be news, and
 * not before it has answered: it is asked less often the more it has to do.
 * @param {State} state
 */
export function lookLater(state) {
  const { requests, answer } = state;
  clearTimeout(requests.lookTimer ?? undefined);
  requests.lookTimer = null;
  if (!isNumber(answer.data.look)) return;
  requests.lookTimer = setTimeout(() => {
    if (requests.flight === null && requests.queue.length === 0) enqueue(state, "look");
  }, 1000 * answer.data.look);
}

/** @param {State} state */
function canSharpen(state) {
  const { requests, hand, answer } = state;
  const idle = requests.flight === null && requests.queue.length === 0;
  return hand.thumb !== null && idle && answer.measured !== null && !isMeasuring(state)
    && !answer.measured.full && !answer.data.slow;
}

/**
 * Python's plan arrives. Take all of it that the user has not changed since it was asked.
 * @param {State} state
 * @param {Settled} settled
 */
export function adopt(state, settled) {
  const { requests, plan, hand } = state;
  if (requests.flight !== null && settled.seq < requests.flight.request.seq) return;
  requests.flight = null;
  clearTimeout(requests.flightTimer ?? undefined);
  requests.seq = Math.max(requests.seq, settled.seq);
  const changed = new Set();
  for (const entry of requests.queue) {
    for (const name of entry.touched) changed.add(name);
    for (const [name, value] of Object.entries(settled.sparsity)) {
      if (!changed.has(name)) entry.sparsity[name] = value;
    }
  }
  for (const name of [...plan.touched, ...(hand.thumb ?? [])]) changed.add(name);
  takeLevels(state, settled.sparsity, changed);
  if (!requests.queue.some((entry) => entry.kind === "lock")) {
    takeLocks(state, settled.locked);
    for (const entry of requests.queue) entry.locked = Object.keys(settled.locked);
  }
}

/**
 * The browser leads the focus, except where Python moves it by itself.
 * @param {State} state
 * @param {string} named
 */
export function followFocus(state, named) {
  const { requests, network, view } = state;
  const known = network.scene.byName.has(view.focus);
  const free = requests.flight === null && requests.queue.length === 0;
  if (!named || (known && (!free || named === requests.sentFocus))) return;
  lookAt(state, named);
  requests.sentFocus = named;
}
