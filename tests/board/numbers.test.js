import assert from "node:assert/strict";
import { test } from "node:test";

import {
  addTables, clamp, cutCount, interpolate, invert, layerBytes, productLeft, remaining,
  roundHalfEven, STOPS, thresholdAt, valueAt,
} from "../../pruneviz/ui/board/numbers.js";

test("halves go to the even neighbour, as in Python", () => {
  const given = [0.5, 1.5, 2.5, 3.5, 2.4999, 2.5001, 0, 7, 1e9 + 0.5];
  assert.deepEqual(given.map(roundHalfEven), [0, 2, 2, 4, 2, 3, 0, 7, 1e9]);
});

test("clamp keeps to both ends", () => {
  assert.deepEqual([-1, 0.3, 2].map((x) => clamp(x, 0, 1)), [0, 0.3, 1]);
});

test("a layer loses the rounded share, within what a hand left free", () => {
  const layer = { items: 25, snap: null };
  assert.equal(cutCount(layer, 0.5, [0, 0]), 12);
  assert.equal(cutCount(layer, 0.1, [0, 0]), 2);
  assert.equal(cutCount(layer, 0.1, [5, 0]), 5);
  assert.equal(cutCount(layer, 0.98, [0, 3]), 22);
  assert.equal(cutCount(layer, 1, [0, 0]), 25);
});

test("N:M cuts all it can or nothing, from the half on", () => {
  const layer = { items: 100, snap: 50 };
  assert.deepEqual([0, 0.24, 0.25, 0.9].map((x) => cutCount(layer, x, [0, 0])), [0, 0, 50, 50]);
});

test("a table is linear between its entries and ends with them", () => {
  const table = [0, 10, 40];
  assert.deepEqual([-1, 0, 0.25, 0.5, 0.75, 1, 2].map((x) => interpolate(table, x)),
    [0, 0, 5, 10, 25, 40, 40]);
});

test("a rising table is read backwards; a flat piece moves nothing that need not move", () => {
  const table = [0, 10, 10, 10, 40];
  assert.equal(invert(table, 5, 0), 0.125);
  assert.equal(invert(table, 10, 0.6), 0.6);
  assert.equal(invert(table, 10, 0), 0.25);
  assert.equal(invert(table, 10, 1), 0.75);
  assert.equal(invert(table, 25, 0), 0.875);
  assert.equal(invert(table, 50, 0), 1);
  assert.equal(invert(table, -1, 0.5), 0);
  for (const value of [0, 3, 9.5, 12, 40]) {
    assert.ok(Math.abs(interpolate(table, invert(table, value, 0)) - value) < 1e-9);
  }
});

test("tables of several layers add up", () => {
  const one = new Float32Array(STOPS + 1).fill(1);
  assert.deepEqual([...addTables([one, one, one])], Array(STOPS + 1).fill(3));
});

test("the threshold lies between the last cut score and the first kept one", () => {
  const scores = [1, 2, 3, 4, 5];
  assert.equal(thresholdAt(scores, 5, 0), null);
  assert.equal(thresholdAt(null, 5, 2), null);
  assert.equal(thresholdAt(scores, 5, 2), 2.5);
  assert.equal(thresholdAt(scores, 5, 4), 4.5);
  assert.equal(thresholdAt(scores, 5, 5), Infinity);
  assert.equal(thresholdAt([7], 1, 1), Infinity);
});

test("a layer is kept dense where a bitmask would be larger", () => {
  const layer = { weights: 80, weight_bytes: 4 };
  assert.equal(layerBytes(layer, 1), 320);
  assert.equal(layerBytes(layer, 0.5), 170);
  assert.equal(layerBytes(layer, 0), 10);
});

test("a product loses what each of its axes loses", () => {
  const product = { macs: 9, axes: [[["a", 1]], [["a", 0.5], ["b", 0.5]]] };
  assert.equal(productLeft(product, new Map([["a", 0.5]])), 0.5 * 0.75);
  assert.equal(productLeft(product, new Map()), 1);
});

test("units go once with the inputs they were; rows and inputs of a layer cross", () => {
  // a: 4 units of 3 inputs feeds b: 2 units of 4 inputs; biases are not counted here.
  const layer = (name, items, params, weights, inputs) => ({ name, lead: name, items,
    item_params: params, weights, weight_bytes: 4, macs: weights, rows: 1, inputs });
  const a = layer("a", 4, 3 + 2, 12, []);
  const b = layer("b", 2, 4, 8, [["a", 1]]);
  const scene = { total_params: 20, total_macs: 20, total_bytes: 80, layers: [a, b],
    products: [{ macs: 10, axes: [[["a", 1]]] }] };
  const cut = { a: 2, b: 1 };
  const left = remaining({ ...scene, total_macs: 30 }, (x) => cut[x.name]);
  assert.equal(left.kept, 6 + 2, "2 rows of 3; 1 row of 2 inputs");
  assert.equal(left.macs, 6 + 2 + 5);
  assert.equal(left.bytes, (48 / 2 + 12 / 8) + (32 / 4 + 8 / 8));
  assert.deepEqual(remaining(scene, () => 0), { kept: 20, macs: 20, bytes: 80 });
  assert.equal(remaining({ ...scene, total_macs: null }, () => 0).macs, 0, "not counted");
});

test("members of a group are counted once", () => {
  const member = (name) => ({ name, lead: "g", items: 4, item_params: 10, weights: 20,
    weight_bytes: 4, macs: 20, rows: 1, inputs: [] });
  const scene = { total_params: 40, total_macs: 40, total_bytes: 160, products: [],
    layers: [member("a"), member("b")] };
  const left = remaining(scene, () => 1);
  assert.equal(left.kept, 30);
  assert.equal(left.macs, 30);
});

test("a curve is read along its points and holds its ends", () => {
  const [xs, ys] = [[0, 1, 3], [0, -1, -5]];
  assert.deepEqual([-1, 0, 0.5, 1, 2, 3, 9].map((x) => valueAt(xs, ys, x)),
    [0, 0, -0.5, -1, -3, -5, -5]);
});
