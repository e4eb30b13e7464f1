import assert from "node:assert/strict";
import { test } from "node:test";

import { STEPS, STOPS } from "../../pruneviz/ui/board/numbers.js";
import {
  isNumber, NO_SCENE, readCurve, readEstimate, readHistogram, readPicture, readScene,
  readSensitivity, readSettled, readTable, readTables, textOf, unpack,
} from "../../pruneviz/ui/board/wire.js";
import { even, packed, rawLayer, rawScene } from "./state.js";

const JUNK = [undefined, null, 3, "x", "!!", [], {}, true, NaN];

test("numbers and texts are told from anything else", () => {
  assert.deepEqual([0, -1.5, NaN, Infinity, "1", null, undefined].map(isNumber),
    [true, true, false, false, false, false, false]);
  assert.deepEqual(["a", null, undefined, 3, false].map(textOf), ["a", "", "", "3", "false"]);
});

test("packed numbers come back; what is damaged is none", () => {
  const back = unpack(packed(Float32Array, [1.5, -2]), Float32Array);
  assert.deepEqual([...back], [1.5, -2]);
  assert.deepEqual([...unpack(packed(Int32Array, [-1, 2 ** 31 - 1]), Int32Array)],
    [-1, 2 ** 31 - 1]);
  assert.equal(unpack("", Float32Array), null);
  assert.equal(unpack("***", Float32Array), null);
  for (const text of JUNK) if (typeof text !== "string") assert.equal(unpack(text, Int32Array), null);
});

test("a table has the length that was agreed on", () => {
  const table = (length) => readTable(packed(Float32Array, Array(length).fill(8)));
  assert.equal(table(STEPS + 1)[STEPS], 8);
  assert.equal(table(STEPS), null);
  const reach = (stops) => readScene(rawScene([rawLayer("a", 8, { reach: even(8, stops) })]));
  assert.equal(reach(STOPS).layers[0].reach[STOPS], 8);
  assert.equal(reach(STEPS).layers[0].reach, null);
  for (const text of JUNK) assert.equal(readTable(text), null);
});

test("a scene is read with all that a layer may lack", () => {
  const raw = rawScene([
    rawLayer("a", 10, { group: "g", members: ["a", "b"], removable: false, why: "a sum" }),
    rawLayer("b", -4, { inputs: [["g", 2], 5] }),
    { kind: "no name" }, null,
  ], { pools: { a: { total: "many" }, b: null }, granularity: "head" });
  const scene = readScene(raw);
  assert.deepEqual(scene.layers.map((x) => x.name), ["a", "b"]);
  assert.deepEqual([...scene.pools].map(([name, x]) => [name, x.total, x.scores]),
    [["a", 0, null], ["b", 0, null]]);
  assert.ok(scene.byUnit);
  const { a, b } = Object.fromEntries(scene.byName);
  assert.deepEqual([a.lead, a.members, a.masksOnly, a.why], ["g", ["a", "b"], true, "a sum"]);
  assert.deepEqual([b.lead, b.members, b.inputs], ["b", ["b"], [["g", 1]]]);
  assert.equal(b.disabled, "nothing to cut here");
  assert.equal(b.reach, null);
  assert.equal(readScene({ total_macs: null }).total_macs, null);
});

test("nothing at all is a scene of no layers", () => {
  assert.deepEqual(NO_SCENE.layers, []);
  for (const x of ["layers", "products", "total_params"]) {
    for (const junk of JUNK) assert.deepEqual(readScene({ [x]: junk }).layers, []);
  }
});

test("a histogram needs its ends and its counts", () => {
  const good = { lo: 0, hi: 1, log: 1, counts: [1, -2, "x"] };
  assert.deepEqual(readHistogram(good), { lo: 0, hi: 1, log: true, counts: [1, 0, 0] });
  for (const junk of JUNK) {
    assert.equal(readHistogram(junk), null);
    assert.equal(readHistogram({ ...good, counts: junk === "x" ? [] : junk }), null);
  }
});

const curve = { words: "most sensitive", knee: 0.3, certain: 2, no_op: "",
  x: packed(Float32Array, [0.5, 1]), delta: packed(Float32Array, [-0.0195, -0.4]),
  low: packed(Float32Array, [-0.03, -0.5]), high: packed(Float32Array, [0, -0.3]) };

test("a curve starts at nothing cut and has the decimals that were sent", () => {
  const { points, knee, certain, words } = readCurve(curve);
  assert.deepEqual(points.x, [0, 0.5, 1]);
  assert.deepEqual(points.delta, [0, -0.0195, -0.4], "not the 32 bits nearest to them");
  assert.deepEqual([knee, certain, words], [0.3, 1, "most sensitive"]);
  assert.equal(readCurve({ ...curve, low: packed(Float32Array, [1]) }).points, null);
  assert.equal(readCurve({ ...curve, high: "" }).points, null);
  for (const junk of JUNK) assert.equal(readCurve(junk).points, null);
});

test("the scale of all curves shows five points at least", () => {
  assert.equal(readSensitivity({ layers: { a: { ...curve, delta: curve.high } } }).worst, 0.3);
  assert.equal(readSensitivity({}).worst, 0.05);
  assert.equal(readSensitivity({ layers: { a: curve } }).worst, 0.4);
  const { methods, lose } = readSensitivity({ methods: [{ name: "erk", why_not: "no" }, null] });
  assert.deepEqual(methods.map((x) => [x.name, x.whyNot]), [["erk", "no"], ["", ""]]);
  assert.equal(lose, 0.01);
});

test("an estimate needs both of its curves; a table has two entries at least", () => {
  const two = packed(Float32Array, [0, 1]);
  const raw = { damage: two, accuracy: two, missed_at: two, missed: two, bounds: [0, 1],
    tables: { a: two, b: packed(Float32Array, [1]), c: 7 } };
  const link = readEstimate(raw);
  assert.deepEqual([...link.tables.keys()], ["a"]);
  assert.deepEqual([link.least, link.most], [0, 1]);
  assert.equal(readEstimate({ ...raw, missed: packed(Float32Array, [1, 2, 3]) }), null);
  assert.equal(readEstimate({ ...raw, damage: "" }), null);
  assert.deepEqual([readEstimate({ ...raw, bounds: 3 }).least], [-Infinity]);
  assert.deepEqual([...readTables({ method: "lamp", layers: raw.tables }).layers.keys()], ["a"]);
});

test("a picture keeps what fits its size", () => {
  const six = packed(Float32Array, [1, 2, 3, 4, 5, 6]);
  const raw = { rows: 2, cols: 3, weight: six, score: packed(Float32Array, [1]), classes: ["0"],
    rank: packed(Int32Array, [0, 1, 2, 3, 4, 5]), activation: packed(Float32Array, [1, 2]),
    activation_rows: packed(Int32Array, [0, 1]), units: packed(Int32Array, [0, 0]) };
  const picture = readPicture(raw);
  assert.deepEqual([...picture.weight], [1, 2, 3, 4, 5, 6]);
  assert.equal(picture.score, null);
  assert.deepEqual([...picture.activation], [1, 2]);
  assert.deepEqual([picture.row_word, picture.col_word], ["row", "column"]);
  assert.equal(readPicture({}).weight, null);
});

test("a settled plan has only levels that are numbers", () => {
  const settled = readSettled({ seq: 4, sparsity: { a: 0.5, b: 7, c: "x" }, locked: { a: "why" },
    inputs_cut: { layer: "a", bits: packed(Int32Array, [5]) } });
  assert.deepEqual(settled.sparsity, { a: 0.5, b: 1 });
  assert.deepEqual([settled.seq, settled.locked, settled.cut], [4, { a: "why" }, {}]);
  assert.deepEqual([settled.inputs_cut.layer, ...settled.inputs_cut.bits], ["a", 5]);
  assert.deepEqual([readSettled(null), readSettled(3)], [null, null]);
  assert.equal(readSettled({ inputs_cut: {} }).inputs_cut, null);
});
