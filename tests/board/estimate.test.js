import assert from "node:assert/strict";
import { test } from "node:test";

import { alongWords, curveWords, placeDown } from "../../pruneviz/ui/board/curves.js";
import { sampleText } from "../../pruneviz/ui/board/headline.js";
import { ask } from "../../pruneviz/ui/board/plan.js";
import {
  curveOf, estimateNow, estimateShown, isShare, ofSlider,
} from "../../pruneviz/ui/board/estimate.js";
import { rawLayer, rawScene, stateOf } from "./state.js";

const points = { x: [0, 0.5, 1], delta: [0, -0.1, -0.4], low: [0, -0.15, -0.5],
  high: [0, -0.05, -0.3] };

test("a curve goes down by the square root of what is lost", () => {
  assert.equal(placeDown(0, 0.4), 0);
  assert.equal(placeDown(0.2, 0.4), 0, "a gain is no loss");
  assert.equal(placeDown(-0.1, 0.4), 50);
  assert.equal(placeDown(-0.4, 0.4), 100);
  assert.equal(placeDown(-9, 0.4), 100);
});

test("a curve is told at a level, in points or in the score's own unit", () => {
  assert.equal(alongWords(points, 0.25, true), "cut alone −5.0 points (−7.5 … −2.5)");
  assert.equal(alongWords(points, 1, false), "cut alone −0.400 (−0.500 … −0.300)");
  const short = { ...points, x: [0, 0.2, 0.5] };
  assert.equal(alongWords(short, 0.6, true), "", "nothing beyond its last point");
});

test("words of a curve name knee and certain loss", () => {
  const state = stateOf();
  state.network.sensitivity = { lose: 0.02 };
  const curve = { words: "most sensitive", points, knee: 0.3, certain: 0.4 };
  assert.equal(curveWords(state, { name: "a" }, curve, 0), "a: most sensitive; knee at 30 %; "
    + "from 40 % on a loss of more than 2 points is certain");
});

const linked = (more = {}) => {
  const group = { group: "g", members: ["a", "b"] };
  const state = stateOf(rawScene([rawLayer("a", 10, group), rawLayer("b", 10, group),
    rawLayer("c", 10)]));
  state.network.sensitivity = { layers: new Map([["g", { words: "of the group" }]]), estimate: {
    damage: [0, 1, 2], accuracy: [0.9, 0.8, 0.1], missedAt: [0, 2], missed: [0.02, 0.1],
    words: "from curves", least: 0, most: 1,
    tables: new Map([["g", [0, 1]], ["c", [0, 1]]]), ...more } };
  return state;
};

test("a group has one curve, under its own name", () => {
  const state = linked();
  const [a, , c] = state.network.scene.layers;
  assert.equal(curveOf(state, a).words, "of the group");
  assert.equal(curveOf(state, c), null);
  assert.equal(ofSlider(null, a), null);
});

test("an estimate adds up the damage of each slider once", () => {
  const state = linked();
  ask(state, "a", 0.5);
  ask(state, "b", 0.5);
  ask(state, "c", 1);
  const { accuracy, low, high, dense, words } = estimateNow(state);
  assert.ok(Math.abs(accuracy - 0.45) < 1e-12, "the damage is 1.5");
  assert.ok(Math.abs(high - low - 2 * 0.08) < 1e-12);
  assert.deepEqual([dense, words], [0.9, "from curves"]);
});

test("an estimate stays within what can be, and is none without a table", () => {
  const state = linked({ most: 0.91 });
  assert.equal(estimateNow(state).high, 0.91);
  state.network.sensitivity.estimate.tables.delete("c");
  assert.notEqual(estimateNow(state), null, "c is whole");
  ask(state, "c", 0.1);
  assert.equal(estimateNow(state), null);
  state.network.sensitivity.estimate = null;
  assert.equal(estimateNow(state), null);
});

test("an estimate is shown while the measurement is behind", () => {
  const state = linked();
  assert.equal(estimateShown(state), null, "nothing is asked for");
  ask(state, "a", 0.5);
  assert.notEqual(estimateShown(state), null);
  state.answer.measured = { accuracy: 0.8, seq: 0 };
  assert.notEqual(estimateShown(state), null, "a layer was moved since");
  state.plan.touched.clear();
  assert.equal(estimateShown(state), null);
});

test("a score is a share unless Python says otherwise", () => {
  const state = stateOf();
  assert.ok(isShare(state));
  state.answer.data = { task: { share: false } };
  assert.equal(isShare(state), false);
});

test("on how many samples something was measured", () => {
  assert.equal(sampleText({ n: 128, of: 10000 }), "measured on 128 of 10,000");
  assert.equal(sampleText({ n: 10000, of: 10000 }), "measured on all 10,000");
  assert.equal(sampleText({ n: 64, full: true }), "measured on all 64");
  assert.equal(sampleText({ n: 64 }), "measured on 64");
  assert.equal(sampleText({}), "");
});
