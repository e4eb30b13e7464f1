// Do small pictures go blank as their layers are cut? The cases are written by Python.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { receive } from "../../pruneviz/ui/board/answers.js";
import { moveHandle } from "../../pruneviz/ui/board/handles.js";
import {
  cellColours, codeLimit, CODES, fillPixels, middleCodes, PARTS, partsOf, pixelPlaces, readPooled,
  readThumbnail,
} from "../../pruneviz/ui/board/pooled.js";
import { enqueue } from "../../pruneviz/ui/board/requests.js";
import { thumbnails } from "../../pruneviz/ui/board/store.js";
import { cutCode, thumbnailId, whatIsDrawn } from "../../pruneviz/ui/board/thumbnails.js";
import { chooseKind } from "../../pruneviz/ui/board/view.js";
import { packed, rawLayer, rawScene, stateOf } from "./state.js";

const palette = { id: "p", paper: [255, 255, 255], ink: [0, 0, 0], hand: [255, 0, 0], dark: false,
  diverging: Uint32Array.from({ length: 511 }, (_, i) => i),
  sequential: Uint32Array.from({ length: 256 }, (_, i) => i) };

const cases = process.env.CASES ? JSON.parse(readFileSync(process.env.CASES, "utf8")) : [];

test("there are cases", { skip: !process.env.CASES && "pytest tests/test_thumbnails.py" }, () => {
  assert.ok(cases.length > 30);
});

// [blank pixels, all pixels] of each cell.
function blanks(image, parts) {
  const { rows, cols, depth } = image;
  const found = new Array(rows * cols).fill(0);
  parts.forEach((part, i) => {
    const y = Math.floor(i / (cols * depth));
    const x = i % (cols * depth);
    const cell = Math.floor(y / depth) * cols + Math.floor(x / depth);
    if (part !== PARTS.shown) found[cell] += 1;
  });
  return found;
}

for (const { name, scene, names, share, pictures, cut, byHand, exact } of cases) {
  test(name, () => {
    const state = stateOf(scene);
    state.answer.settled = { sparsity: {}, locked: {}, cut: {}, by_hand: byHand };
    moveHandle(state, { kind: "master", names }, share);
    const { byName } = state.network.scene;
    for (const [layer, raw] of Object.entries(pictures)) {
      const image = readThumbnail(raw).matrix;
      const limitOf = (group) => cutCode(state, byName.get(group));
      const parts = partsOf(image, limitOf, limitOf(layer));
      const many = image.depth * image.depth;
      let early = 0;
      blanks(image, parts).forEach((blank, cell) => {
        const gone = cut[layer][cell];
        const where = `${layer}, cell ${cell}: ${blank} of ${many} pixels for ${gone}`;
        if (gone > 0) assert.ok(blank > 0, where);
        if (gone === 1) assert.equal(blank, many, where);
        if ((gone === 0 && blank > 0) || (gone < 1 && blank === many)) early += 1;
        else if (image.lines.length === 0) {
          assert.ok(Math.abs(blank / many - gone) <= (exact ? 1 : 2) / 9 + 1e-9, where);
        }
      });
      assert.ok(early <= (exact ? 0 : 2), `${layer}: ${early} cells are shown as cut too early`);
    }
  });
}

// ---- by hand-made numbers

const pooled = (more = {}) => readPooled({ rows: 1, cols: 2, depth: 3, down: 2, across: 3, limit: 4,
  values: packed(Int16Array, [32767, -32768]), lines: [],
  codes: packed(Uint16Array, [...[1, 1, 1, 1, 5, 7, 7, 9, 9], ...[0, 2, 2, 2, 2, 2, 2, 65535, 65535],
    0, 0]), ...more });

test("a cell goes blank pixel by pixel, and is hatched only when all of it is cut", () => {
  const count = (limit, part) => [...partsOf(pooled(), () => 0, limit)]
    .filter((x) => x === PARTS[part]).length;
  assert.deepEqual([1, 2, 6, 8].map((limit) => count(limit, "shown")), [17, 13, 6, 4]);
  assert.deepEqual([1, 2, 8, 10].map((limit) => count(limit, "cut")), [0, 0, 0, 9]);
  assert.equal(count(10, "cutByHand"), 1);
  assert.equal(count(1, "blank"), 0);
});

test("rows and columns of units that are cut go blank where they cross", () => {
  const lines = [{ group: "own", across: false, codes: packed(Uint16Array, [1, 2, 3, 0]) },
    { group: "before", across: true, codes: packed(Uint16Array, [1, 1, 1, 9, 9, 9]) }];
  const image = pooled({ codes: null, lines });
  const parts = partsOf(image, (group) => ({ own: 2, before: 2 })[group], 0);
  assert.deepEqual([...parts], [
    ...[PARTS.cut, PARTS.cut, PARTS.cut, PARTS.blank, PARTS.blank, PARTS.blank],
    ...[PARTS.cut, PARTS.cut, PARTS.cut, 0, 0, 0], ...[PARTS.cut, PARTS.cut, PARTS.cut, 0, 0, 0]]);
  assert.deepEqual([...middleCodes(image, "own")], [2, 2]);
  assert.equal(middleCodes(image, "before"), null);
});

test("values have their colours, in all views", () => {
  const view = { kind: "weights", name: "a", most: 4, total: 10 };
  const white = (255 << 24 | 255 << 16 | 255 << 8 | 255) >>> 0;
  assert.deepEqual([...cellColours(pooled(), view, palette)], [510, white]);
  assert.deepEqual([...cellColours(pooled(), { ...view, kind: "importance" }, palette)],
    [Math.round(255 * 4 / 9), Math.round(255 / 9)]);
  const activation = pooled({ values: packed(Int16Array, [32767, 0]) });
  assert.deepEqual([...cellColours(activation, { ...view, kind: "activations" }, palette)],
    [255, 0]);
  assert.equal(cellColours(pooled({ codes: null }), { ...view, kind: "importance" }, palette), null);
});

test("cells fill a canvas; what is cut is paper with lines, never a colour of a value", () => {
  const image = pooled();
  const size = { width: 12, height: 6 };
  const { places, cells } = pixelPlaces(image, size);
  assert.deepEqual([...places.slice(0, 12)], [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
  assert.deepEqual([...places.slice(24, 28)], [6, 6, 7, 7]);
  const pixels = new Uint32Array(72);
  const colours = Uint32Array.from([111, 222]);
  assert.deepEqual([...cells.slice(24, 36)], [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
  const drawn = { places, cells, colours, width: 12 };
  fillPixels(pixels, { ...drawn, parts: partsOf(image, () => 0, 0) }, palette);
  const third = [...pixels].filter((x) => x !== 111 && x !== 222);
  assert.equal(third.length, 4, "one is cut by hand");
  assert.equal(new Set(third).size, 1);
  fillPixels(pixels, { ...drawn, parts: partsOf(image, () => 0, 10) }, palette);
  const left = [...pixels].filter((_, i) => i % 12 < 6);
  assert.ok(!left.includes(111));
  assert.equal(new Set(left).size, 2, "paper and the line");
});

test("ranks of a pool beyond 16 bits are compared in steps", () => {
  assert.deepEqual([codeLimit(0, 9), codeLimit(7, 9), codeLimit(7, CODES)], [1, 8, 8]);
  assert.equal(codeLimit(2 * CODES, 2 * CODES), 1 + CODES);
});

test("what is damaged is no picture", () => {
  for (const more of [{ rows: 0 }, { depth: 2 }, { values: "" }, { values: "AAAA", rows: 9 }]) {
    assert.equal(pooled(more), null);
  }
  assert.equal(readPooled(null), null);
  assert.equal(pooled({ codes: "AAAA" }).codes, null);
  assert.deepEqual(pooled({ lines: [null, { across: true, codes: "AAAA" }] }).lines, []);
  assert.equal(readThumbnail({ why: "too large" }).why, "too large");
});

test("a picture is named by its scene, its layer and what is pinned", () => {
  const state = stateOf();
  state.network.sceneId = "s";
  assert.equal(thumbnailId(state, "a"), "s|a|0|");
  state.answer.data = { thumbnails: { activity: true, pins: { a: "x" } } };
  assert.deepEqual(["a", "b"].map((x) => thumbnailId(state, x)), ["s|a|1|x", "s|b|1|"]);
  state.answer.data = { thumbnails: { pins: { "": "y" } } };
  assert.equal(thumbnailId(state, "a"), "s|a|0|y");
});

test("what came is kept, and what is wanted is asked for, but not under a thumb", () => {
  const state = stateOf();
  receive(state, { thumbnails: { pictures: { "s|a|0|": { why: "too large" }, "s|b|0|": null } } });
  assert.equal(thumbnails.get("s|a|0|").why, "too large");
  assert.equal(thumbnails.has("s|b|0|"), false);
  state.thumbnails.wanted = ["b"];
  enqueue(state, "need");
  enqueue(state, "drag");
  assert.deepEqual(state.sent[0].thumbnails, ["b"]);
  state.requests.flight = null;
  enqueue(state, "drag");
  assert.deepEqual(state.sent[1].thumbnails, []);
});

test("a picture says what it pools", () => {
  const state = stateOf(rawScene([rawLayer("a", 12)]));
  const [layer] = state.network.scene.layers;
  const says = (image, more = {}) => whatIsDrawn(state, layer, image, { why: "", ...more });
  assert.match(says(pooled()), /weights of a, pooled: a cell has 2×3 values .* the largest/);
  assert.equal(says(pooled({ down: 1, across: 1 })), "weights of a: what is cut is blank");
  assert.equal(says(null, { why: "too large" }), "a: too large");
  chooseKind(state, "importance");
  assert.match(says(pooled()), /in the middle of their order/);
  assert.match(says(null), /nothing is ranked/);
  chooseKind(state, "activations");
  assert.match(says(null), /no activations/);
});
