import assert from "node:assert/strict";
import { test } from "node:test";

import { cutNow, rankLimit, thresholdNow, totalsNow } from "../../pruneviz/ui/board/counts.js";
import {
  kindWord, lockedText, moveHandle, shareOf, targetChoices, targetNames,
} from "../../pruneviz/ui/board/handles.js";
import { STEPS } from "../../pruneviz/ui/board/numbers.js";
import { ask, chooseMethod, EVENLY, toggleLock } from "../../pruneviz/ui/board/plan.js";
import {
  dropMethod, fullShare, isSharing, sharedShare, sharedTables, sharingReason,
} from "../../pruneviz/ui/board/shares.js";
import { search, tick } from "../../pruneviz/ui/board/view.js";
import { even, rawLayer, rawScene, stateOf } from "./state.js";

const layersOf = (state) => state.network.scene.layers;
const master = (state) => ({ kind: "master", names: targetNames(state), shares: true });
const one = (name) => ({ kind: "layer", names: [name] });

const global = () => stateOf(rawScene([
  rawLayer("a", 100, { reach: even(100), pool: "a" }),
  rawLayer("b", 300, { reach: even(300), pool: "a" }),
  rawLayer("c", 50),
], { scope: "global", pools: { a: { total: 400 } } }));

const alike = () => stateOf(rawScene([
  rawLayer("a", 100, { reach: even(100), pool: "a" }),
  rawLayer("b", 300, { reach: even(300), pool: "b" }),
  rawLayer("c", 100, { reach: even(100), pool: "a" }),
], { scope: "alike", pools: { a: { total: 200 }, b: { total: 300 } } }));

test("layers alike move together, and others stay", () => {
  const state = alike();
  moveHandle(state, one("c"), 0.5);
  assert.deepEqual(state.plan.sparsity, { a: 0.5, c: 0.5 });
  assert.deepEqual(layersOf(state).map((x) => cutNow(state, x)), [50, 0, 50]);
  assert.equal(shareOf(state, master(state)), 100 / 500);
  assert.equal(shareOf(state, one("b")), 0);
  moveHandle(state, { kind: "block", names: ["a", "b"] }, 0.25);
  assert.deepEqual(layersOf(state).map((x) => cutNow(state, x)), [25, 75, 25]);
  moveHandle(state, master(state), 0.75);
  assert.deepEqual(layersOf(state).map((x) => cutNow(state, x)), [75, 225, 75]);
});

test("a slider moves its layer and what moves with it", () => {
  const group = { group: "g", members: ["a", "b"] };
  const state = stateOf(rawScene([rawLayer("a", 10, group), rawLayer("b", 10, group),
    rawLayer("c", 30)]));
  assert.equal(moveHandle(state, one("a"), 0.5), true);
  assert.deepEqual(state.plan.sparsity, { a: 0.5, b: 0.5 });
  assert.equal(moveHandle(state, one("a"), 0.5), false, "it stands there");
  assert.equal(shareOf(state, one("a")), 0.5);
  assert.equal(shareOf(state, { kind: "block", names: ["a", "b", "c"] }), 0.5 * (10 / 40));
});

test("a block shares one level and tells the mean by items", () => {
  const state = stateOf();
  moveHandle(state, { kind: "block", names: ["a", "b"] }, 0.4);
  assert.deepEqual(state.plan.sparsity, { a: 0.4, b: 0.4 });
  ask(state, "b", 0.8);
  assert.equal(shareOf(state, { kind: "block", names: ["a", "b"] }), (4 + 24) / 40);
});

test("a locked layer stays, and a handle beyond its ends ends there", () => {
  const state = stateOf();
  toggleLock(state, "a");
  moveHandle(state, master(state), 7);
  assert.deepEqual(state.plan.sparsity, { b: 1 });
  toggleLock(state, "b");
  assert.equal(moveHandle(state, { kind: "block", names: ["a", "b"] }, 0), false);
});

test("beside the bulk slider stand the locked layers that it leaves as they are", () => {
  const names = ["a", "b", "c", "d", "e", "f", "g"];
  const state = stateOf(rawScene([...names.map((name) => rawLayer(name, 10)),
    rawLayer("conv", 10, { kind: "Conv2d" })]));
  assert.deepEqual(lockedText(state), { text: "", names: "" });
  toggleLock(state, "b");
  toggleLock(state, "conv");
  assert.equal(lockedText(state).text, "Locked layers stay whole: b, conv.");
  state.view.target = "kind:linear";
  assert.equal(lockedText(state).text, "Locked layers stay whole: b.");
  search(state, "c");
  assert.equal(lockedText(state).text, "", "it moves nothing that is out of sight");
  search(state, "");
  for (const name of ["a", "c", "d", "e"]) toggleLock(state, name);
  assert.equal(lockedText(state).text, "Locked layers stay whole: a, b, c, d, e.");
  toggleLock(state, "f");
  ask(state, "a", 0.5);
  assert.deepEqual(lockedText(state), { names: "a, b, c, d, e, f",
    text: "Locked layers stay as they are: a, b, c, d and 2 more." });
});

test("the bulk slider leaves out as many blocks as it says, the lowest scores first", () => {
  const block = (/** @type {string} */ name, /** @type {number} */ place) =>
    rawLayer(name, 1, { place, word: "block", members: [name, `${name}2`], group: name });
  const state = stateOf(rawScene([block("a", 1), rawLayer("a2", 1, { place: 1, word: "block",
    members: ["a", "a2"], group: "a", follows: true }), block("b", 0), block("c", 2)],
  { granularity: "block" }));
  moveHandle(state, master(state), 0.6);
  assert.deepEqual({ ...state.plan.sparsity }, { a: 1, a2: 1, b: 1 });
  assert.equal(shareOf(state, master(state)), 2 / 3);
  moveHandle(state, master(state), 0.2);
  assert.deepEqual({ ...state.plan.sparsity }, { a: 0, a2: 0, b: 1 });
  moveHandle(state, one("c"), 0.7);
  assert.equal(state.plan.sparsity.c, 1, "a switch has two ends");
});

test("one threshold moves all layers that are free", () => {
  const state = global();
  moveHandle(state, { kind: "master", names: ["a", "b"] }, 0.25);
  assert.deepEqual(state.plan.sparsity, { a: 0.25, b: 0.25, c: 0.25 });
  assert.deepEqual(layersOf(state).map((x) => cutNow(state, x)), [25, 75, 0]);
  moveHandle(state, one("b"), 0.5);
  assert.deepEqual(layersOf(state).map((x) => cutNow(state, x)), [50, 150, 0]);
  assert.equal(shareOf(state, { kind: "master", names: [] }), 0.5);
  assert.equal(shareOf(state, one("a")), 0.5);
  assert.equal(rankLimit(state, layersOf(state)[0]), 200);
  toggleLock(state, "a");
  assert.equal(cutNow(state, layersOf(state)[0]), 0);
  assert.equal(rankLimit(state, layersOf(state)[0]), 0);
});

test("what Python has answered of exactly this plan is what counts", () => {
  const state = stateOf();
  moveHandle(state, one("a"), 0.5);
  const settled = { sparsity: { a: 0.5, b: 0 }, locked: {}, cut: { a: 7, b: 0 }, kept_params: 33,
    kept_macs: 3 };
  state.answer.settled = settled;
  assert.deepEqual(layersOf(state).map((x) => cutNow(state, x)), [7, 0]);
  assert.deepEqual([totalsNow(state).kept, totalsNow(state).exact], [33, true]);
  moveHandle(state, one("a"), 0.4);
  assert.deepEqual(layersOf(state).map((x) => cutNow(state, x)), [4, 0]);
  assert.deepEqual([totalsNow(state).kept, totalsNow(state).exact], [36, false]);
  state.answer.settled = { ...settled, sparsity: { a: 0.4, b: 0 }, locked: { a: "" } };
  assert.equal(cutNow(state, layersOf(state)[0]), 4, "it was locked there and is not here");
});

test("a threshold is told where the criterion cuts, not where a hand alone does", () => {
  const state = global();
  state.network.scene.pools.get("a").scores = Array.from({ length: STEPS + 1 }, (_, j) => j);
  const [a] = layersOf(state);
  assert.equal(thresholdNow(state, a), null);
  ask(state, "a", 0.5);
  assert.equal(thresholdNow(state, a), STEPS * (199.5 / 399));
  state.answer.settled = { by_hand: { a: [50, 0] }, sparsity: {}, locked: {}, cut: {} };
  assert.equal(thresholdNow(state, a), null);
});

test("kinds of layers, the search and the ticks are targets", () => {
  const state = stateOf(rawScene([rawLayer("conv1", 1, { kind: "Conv2d" }),
    rawLayer("fc", 1), rawLayer("rnn", 1, { kind: "LSTM" })]));
  assert.deepEqual(["Conv1d", "linear", "LSTM"].map(kindWord), ["convolutions", "linear", "LSTM"]);
  assert.deepEqual(targetChoices(state).map(([id]) => id),
    ["all", "kind:convolutions", "kind:linear", "kind:LSTM", "ticked"]);
  const names = (target) => {
    state.view.target = target;
    return targetNames(state);
  };
  tick(state, "fc", true);
  assert.deepEqual(names("all"), ["conv1", "fc", "rnn"]);
  assert.deepEqual(names("kind:convolutions"), ["conv1"]);
  assert.deepEqual(names("ticked"), ["fc"]);
  search(state, "/n/");
  assert.deepEqual(names("all"), ["conv1", "rnn"], "what is out of sight stays");
  assert.deepEqual(names("ticked"), []);
  assert.equal(targetChoices(state)[0][1], "all unlocked layers found");
  chooseMethod(state, "lamp");
  names("all");
  assert.match(sharingReason(state), /clear the search/);
});

test("one threshold for all moves what a search hides too", () => {
  const state = global();
  search(state, "a");
  assert.deepEqual(targetNames(state), ["a", "b", "c"]);
});

// ---- the bulk slider by another method than evenly

const shared = (method = "lamp") => {
  const state = stateOf();
  chooseMethod(state, method);
  state.network.allocation = { method: "lamp", words: "", layers: new Map([
    ["a", [0, 0.2, 0.5, 0.5]], ["b", [0, 0.4, 0.9, 0.9]]]) };
  return state;
};

test("the bulk slider asks each layer for its own level", () => {
  const state = shared();
  moveHandle(state, master(state), 1 / 3);
  assert.deepEqual(state.plan.sparsity, { a: 0.2, b: 0.4 });
  assert.equal(sharedShare(state, master(state)), 1 / 3);
  assert.equal(shareOf(state, master(state)), 1 / 3, "it stands where it was put");
  moveHandle(state, one("a"), 0.7);
  assert.equal(state.plan.sparsity.a, 0.7, "a layer's own slider asks for itself");
  assert.equal(sharedShare(state, master(state)), null);
  moveHandle(state, master(state), 1);
  assert.equal(shareOf(state, master(state)), 2 / 3, "no layer loses more from there on");
  assert.equal(fullShare(state.network.allocation.layers), 2 / 3);
});

test("levels of another method, scope or target are none", () => {
  assert.ok(isSharing(shared("erk")));
  assert.equal(sharedTables(shared("erk")), null);
  assert.equal(isSharing(shared(EVENLY)), false);
  const state = shared();
  assert.ok(sharedTables(state));
  state.view.target = "ticked";
  assert.match(sharingReason(state), /unlocked/);
  assert.equal(sharedTables(state), null);
  assert.match(sharingReason(global()), /threshold/);
});

test("a method that cannot be is dropped, with why", () => {
  const state = shared();
  state.network.allocation = { method: "lamp", words: "not here", layers: new Map() };
  dropMethod(state);
  assert.deepEqual([state.plan.method, state.view.complaint], [EVENLY, "not here"]);
  const other = shared();
  other.network.sensitivity = { methods: [{ name: "lamp", whyNot: "scan first" }] };
  dropMethod(other);
  assert.equal(other.plan.method, EVENLY);
});

test("a layer without a table stays where it is", () => {
  const state = shared();
  state.network.allocation.layers.delete("b");
  ask(state, "b", 0.3);
  moveHandle(state, master(state), 1);
  assert.deepEqual(state.plan.sparsity, { a: 0.5, b: 0.3 });
});
