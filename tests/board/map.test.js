// Which number and colour has a mark of the map, and where does a click lead?

import assert from "node:assert/strict";
import test from "node:test";

import { link, tellMap } from "../../pruneviz/ui/board/link.js";
import { groupStroke, halfWidth, pathOf, trim } from "../../pruneviz/ui/board/map_marks.js";
import { groupOf, highestOf, layerToLookAt, markWords, valueOf, valueText,
} from "../../pruneviz/ui/board/map_values.js";

const FACTS = {
  layers: {
    a: { weights: 100, macs: 1000, lost: 0.02 },
    b: { weights: 300, macs: 200, lost: null },
    c: { weights: 10, macs: 10, lost: 0 },
  },
  parameters: 1000,
  macs: 2000,
  share: true,
  groups: [["x", "y"], ["a", "b"]],
};
const mark = (name, layers, kind = "layer") =>
  ({ name, label: name, kind, layers, x: 0, y: 0, width: 60 });
const A = mark("a", ["a"]);
const BOTH = mark("ab", ["a", "b"], "block");
const SUM = mark("add", [], "sum");
const CUT = new Map([["a", 0.5], ["b", 0.1]]);

test("a mark is coloured by what its layers have, weight by weight", () => {
  assert.equal(valueOf(A, "sparsity", FACTS, CUT), 0.5);
  assert.ok(Math.abs(valueOf(BOTH, "sparsity", FACTS, CUT) - 80 / 400) < 1e-12);
  assert.equal(valueOf(A, "parameters", FACTS, CUT), 0.05);
  assert.equal(valueOf(BOTH, "parameters", FACTS, CUT), (50 + 270) / 1000);
  assert.equal(valueOf(A, "macs", FACTS, CUT), 0.25);
  assert.equal(valueOf(BOTH, "sensitivity", FACTS, CUT), 0.02);
});

test("what has no layers, or was not scanned, has no number", () => {
  for (const measure of ["sparsity", "sensitivity", "parameters", "macs"]) {
    assert.equal(valueOf(SUM, measure, FACTS, CUT), null);
  }
  assert.equal(valueOf(mark("b", ["b"]), "sensitivity", FACTS, CUT), null);
  assert.equal(valueOf(mark("z", ["unknown"]), "sparsity", FACTS, CUT), null);
  assert.equal(valueText(null, "sensitivity", true), "not scanned");
});

test("the scale is that of the dense network, so that colours fade as one cuts", () => {
  assert.equal(highestOf([A, BOTH, SUM], "sparsity", FACTS), 1);
  assert.equal(highestOf([A, BOTH, SUM], "parameters", FACTS), 0.4);
  assert.equal(highestOf([SUM], "macs", FACTS), 1);
});

test("numbers are said as people write them", () => {
  assert.equal(valueText(0.5, "sparsity", true), "50 %");
  assert.equal(valueText(0.004, "parameters", true), "0.4 %");
  assert.equal(valueText(0, "sparsity", true), "0 %");
  assert.equal(valueText(0.0213, "sensitivity", true), "−2.1 points");
  assert.equal(valueText(0.0213, "sensitivity", false), "−0.021");
  assert.equal(valueText(0, "sensitivity", true), "no loss");
});

test("a mark says all of itself, and with whom it is cut", () => {
  const words = markWords(A, FACTS, CUT);
  assert.equal(words[0], "a");
  assert.ok(words.includes("sparsity 50 %"));
  assert.ok(words.includes("cut together with b"));
  assert.deepEqual(markWords(SUM, FACTS, CUT), ["sum: add"]);
});

test("layers that are cut together are outlined alike", () => {
  assert.equal(groupOf(A, FACTS), 1);
  assert.equal(groupOf(mark("c", ["c"]), FACTS), -1);
  assert.equal(groupStroke(-1).stroke, null);
  const strokes = Array.from({ length: 18 }, (_, i) => JSON.stringify(groupStroke(i)));
  assert.equal(new Set(strokes).size, 18);
});

test("a click leads to the layer, and once more to the next that is used there", () => {
  assert.equal(layerToLookAt(A, "c"), "a");
  assert.equal(layerToLookAt(BOTH, "c"), "a");
  assert.equal(layerToLookAt(BOTH, "a"), "b");
  assert.equal(layerToLookAt(BOTH, "b"), "a");
});

test("arrows go from edge to edge and are level at each place", () => {
  assert.equal(halfWidth(SUM), 13);
  const way = trim([[0, 0], [50, 20], [100, 0]], 10, 14);
  assert.deepEqual(way, [[10, 0], [50, 20], [86, 0]]);
  assert.deepEqual(trim([[100, 0], [0, 0]], 10, 10), [[90, 0], [10, 0]]);
  assert.equal(pathOf([[0, 5], [10, 5]]), "M0 5H10");
  assert.equal(pathOf([[0, 0], [10, 8]]), "M0 0C5 0 5 8 10 8");
});

test("the board tells the map, where there is one", () => {
  tellMap();
  let told = 0;
  link().changed = () => { told += 1; };
  tellMap();
  assert.equal(told, 1);
  link().changed = null;
});
