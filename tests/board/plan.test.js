import assert from "node:assert/strict";
import { test } from "node:test";

import {
  byHand, chainWords, handWords, isTogether, onceEach, withMembers,
} from "../../pruneviz/ui/board/chain.js";
import {
  ask, askedOf, isPooled, isLocked, isMovable, movableLayers, takeLevels, takeLocks, takeTouched,
  toggleLock,
} from "../../pruneviz/ui/board/plan.js";
import { rawLayer, rawScene, stateOf } from "./state.js";

const grouped = () => {
  const members = { group: "g", members: ["a", "b"] };
  return stateOf(rawScene([rawLayer("a", 10, members), rawLayer("b", 10, members),
    rawLayer("c", 5), rawLayer("d", 0)]));
};

test("what was asked of a layer is remembered with which layers moved", () => {
  const state = stateOf();
  assert.equal(askedOf(state, "a"), 0);
  assert.equal(ask(state, "a", 0.5), true);
  assert.equal(ask(state, "a", 0.5), false);
  assert.equal(askedOf(state, "a"), 0.5);
  assert.deepEqual([...takeTouched(state)], ["a"]);
  assert.deepEqual([...takeTouched(state)], []);
});

test("Python's levels are taken but for some layers", () => {
  const state = stateOf();
  ask(state, "a", 0.5);
  takeLevels(state, { a: 0.1, b: 0.2 }, new Set(["a"]));
  assert.deepEqual(state.plan.sparsity, { a: 0.5, b: 0.2 });
});

test("a locked member holds its whole group", () => {
  const state = grouped();
  toggleLock(state, "b");
  assert.deepEqual(Object.keys(state.plan.locked).sort(), ["a", "b"]);
  assert.ok(isLocked(state, "a"));
  assert.deepEqual(movableLayers(state, ["a", "b", "c", "d", "e"]).map((x) => x.name), ["c"]);
  toggleLock(state, "a");
  assert.deepEqual(state.plan.locked, {});
  assert.ok(isMovable(state, state.network.scene.byName.get("a")));
  assert.equal(isMovable(state, state.network.scene.byName.get("d")), false, "nothing to cut");
  takeLocks(state, { c: "the last layer" });
  assert.ok(isLocked(state, "c"));
});

test("a layer called like what every object has is not locked", () => {
  assert.equal(isLocked(stateOf(), "constructor"), false);
});

test("the scope is the scene's", () => {
  assert.equal(isPooled(stateOf()), false);
  assert.ok(isPooled(stateOf(rawScene([rawLayer("a", 1)], { scope: "global" }))));
  assert.ok(isPooled(stateOf(rawScene([rawLayer("a", 1)], { scope: "alike" }))));
});

test("layers come with all that move with them, and are counted once", () => {
  const state = grouped();
  assert.deepEqual(withMembers(state, ["b", "c", "unknown"]), ["a", "b", "c", "unknown"]);
  const { layers } = state.network.scene;
  assert.deepEqual(onceEach(layers).map((x) => x.name), ["a", "c", "d"]);
  state.view.focus = "a";
  assert.deepEqual(layers.map((x) => isTogether(state, x)), [true, true, false, false]);
});

test("a sign names eight others at most", () => {
  const members = Array.from({ length: 12 }, (_, i) => `l${i}`);
  const words = chainWords({ name: "l0", members });
  assert.equal(words, "moves together with l1, l2, l3, l4, l5, l6, l7, l8 and 3 more");
  assert.equal(chainWords({ name: "a", members: ["a"] }), "");
});

test("what was done by hand is bounded by the layer", () => {
  const state = stateOf();
  const [layer] = state.network.scene.layers;
  assert.deepEqual(byHand(state, layer), [0, 0]);
  state.answer.settled = { by_hand: { a: [3, 99] } };
  assert.deepEqual(byHand(state, layer), [3, 10]);
  assert.equal(handWords(state, layer), "13 by hand");
  state.answer.settled = { by_hand: { a: "x" } };
  assert.deepEqual(byHand(state, layer), [0, 0]);
});
