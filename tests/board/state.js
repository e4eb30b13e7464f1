// What do the tests of the board share? A state without a page, and a clock that stands still.

import { newAnswer, newNetwork } from "../../pruneviz/ui/board/answers.js";
import { newHand } from "../../pruneviz/ui/board/hand.js";
import { STOPS } from "../../pruneviz/ui/board/numbers.js";
import { newPlan } from "../../pruneviz/ui/board/plan.js";
import { newRequests } from "../../pruneviz/ui/board/requests.js";
import { newThumbnails } from "../../pruneviz/ui/board/thumbnails.js";
import { newView } from "../../pruneviz/ui/board/view.js";
import { readScene } from "../../pruneviz/ui/board/wire.js";

export const clock = { now: 0, waiting: new Map(), last: 0 };

// Numbers as Python packs them.
export function packed(Kind, numbers) {
  return Buffer.from(new Kind(numbers).buffer).toString("base64");
}

// The table of a pool that cuts this layer's items evenly as the pool grows.
export function even(items, stops = STOPS) {
  return packed(Int32Array, Array.from({ length: stops + 1 }, (_, j) => (items * j) / stops));
}

export function rawLayer(name, items, more = {}) {
  return { name, kind: "Linear", shape: "4×4", items, item_params: 1, weights: items,
    weight_bytes: 4, macs: items, snap: null, ...more };
}

export function rawScene(layers, more = {}) {
  const total = (part) => layers.reduce((sum, x) => sum + (x?.[part] ?? 0), 0);
  return { scope: "layer", granularity: "weight", item: "weight", layers, products: [],
    total_params: total("weights"), total_macs: total("macs"),
    total_bytes: total("weights") * 4, ...more };
}

// A state whose scene is there; what it sends and how often it is redrawn is kept.
export function stateOf(scene = rawScene([rawLayer("a", 10), rawLayer("b", 30)])) {
  const state = { network: newNetwork(), answer: newAnswer(), plan: newPlan(),
    requests: newRequests(), view: newView(), hand: newHand(),
    thumbnails: newThumbnails(), page: null, sent: [], drawn: 0 };
  if (scene) state.network.scene = readScene(scene);
  state.redraw = () => { state.drawn += 1; };
  state.send = (request) => state.sent.push(structuredClone(request));
  return state;
}

export function pass(milliseconds) {
  clock.now += milliseconds;
  for (const [id, { due, call }] of [...clock.waiting]) {
    if (due > clock.now) continue;
    clock.waiting.delete(id);
    call();
  }
}

globalThis.setTimeout = (call, wait = 0) => {
  clock.last += 1;
  clock.waiting.set(clock.last, { due: clock.now + wait, call });
  return clock.last;
};
globalThis.clearTimeout = (id) => clock.waiting.delete(id);
