import assert from "node:assert/strict";
import { test } from "node:test";

import { divergingColours, packRgb, sequentialColours } from "../../pruneviz/ui/board/colours.js";
import { endStroke, pinNow } from "../../pruneviz/ui/board/hand.js";
import { histogramPlace } from "../../pruneviz/ui/board/histogram.js";
import {
  freesAt, inputsCut, placeArea, ranksByHand, strokePlaces, toolNow, toolReason, unitWord,
} from "../../pruneviz/ui/board/marks.js";
import { cellAt, FATES, fatesOf, placeCells } from "../../pruneviz/ui/board/paint.js";
import { toggleLock } from "../../pruneviz/ui/board/plan.js";
import { rankWords, tipLines } from "../../pruneviz/ui/board/tip.js";
import { pictures, pictureNow } from "../../pruneviz/ui/board/store.js";
import { toolWords } from "../../pruneviz/ui/board/tools.js";
import { chooseKind, chooseTool } from "../../pruneviz/ui/board/view.js";
import {
  colouredByClass, DRAW, missing, rankOfUnits, turned,
} from "../../pruneviz/ui/board/views.js";
import {
  RANK_CUT, RANK_KEPT, RANK_STAYS, readPicture,
} from "../../pruneviz/ui/board/wire.js";
import { packed, rawLayer, rawScene, stateOf } from "./state.js";

const palette = { id: "p", paper: [255, 255, 255],
  diverging: Uint32Array.from({ length: 511 }, (_, i) => i),
  sequential: Uint32Array.from({ length: 256 }, (_, i) => i) };

// 3 drawn rows of 6 and 2 drawn inputs of 4: every second one.
const drawnPicture = (more = {}) => readPicture({ rows: 3, cols: 2, all_rows: 6, all_cols: 4,
  row_index: packed(Int32Array, [0, 2, 4]), col_index: packed(Int32Array, [0, 2]),
  rank: packed(Int32Array, [0, 1, 2, 3, 4, 5]), row_word: "filter", col_word: "weight",
  weight: packed(Float32Array, [1, -4, 0, 0, 0, 2]), limit_layer: 4, ...more });

const looking = (granularity = "weight", more = {}) => {
  const state = stateOf(rawScene([rawLayer("a", 24, more), rawLayer("b", 6)], { granularity }));
  state.view.focus = "a";
  state.page = { palette };
  return state;
};

const cell = (row, col, cols = 2) => ({ row, col, index: row * cols + col });
const stroke = (from, to, more = {}) => ({ layer: "a", tool: "cut", from, to, frees: false, ...more });

test("signed values are coloured about zero by the square root", () => {
  const colours = divergingColours([0, 4, -4, 1, -1, 99, NaN], 4, palette);
  assert.deepEqual([...colours], [255, 510, 0, 383, 128, 510, packRgb([255, 255, 255])]);
});

test("values from low to high are coloured in order", () => {
  assert.deepEqual([...sequentialColours([0, 5, 10, 20, -1], 0, 10, palette)],
    [0, 128, 255, 255, 0]);
  assert.deepEqual([...sequentialColours([3], 3, 3, palette)], [0]);
  assert.equal(packRgb([1, 2, 3]), 0xff030201);
});

test("cells below the limit are cut, and those whose input goes; a hand comes first", () => {
  const rank = Int32Array.from([0, 3, 4, RANK_CUT, RANK_KEPT, RANK_STAYS]);
  const colours = new Uint32Array(6);
  assert.deepEqual([...fatesOf({ colours, rank, limit: 4, others: null })],
    [FATES.cut, FATES.cut, FATES.kept, FATES.cutByHand, FATES.keptByHand, FATES.kept]);
  const others = Int32Array.from([0b110100]);
  assert.deepEqual([...fatesOf({ colours, rank, limit: 0, others })],
    [FATES.kept, FATES.kept, FATES.cut, FATES.cutByHand, FATES.cut, FATES.cut]);
  assert.deepEqual([...fatesOf({ colours, rank: null, limit: 9, others: null })], Array(6).fill(0));
});

test("cells fill their box in whole pixels, none much higher than wide", () => {
  assert.deepEqual(placeCells({ rows: 10, cols: 20 }, { width: 205, height: 300 }, 1),
    { w: 10, h: 30, width: 200, height: 300 });
  assert.deepEqual(placeCells({ rows: 1, cols: 100 }, { width: 200, height: 300 }, 1),
    { w: 2, h: 10, width: 200, height: 10 });
  assert.deepEqual(placeCells({ rows: 1, cols: 1 }, { width: 900, height: 900 }, 2),
    { w: 160, h: 120, width: 160, height: 120 });
  const small = placeCells({ rows: 999, cols: 999 }, { width: 500, height: 500 }, 1);
  assert.ok(small.w < 1);
  assert.ok(small.width <= 500);
});

test("a point of the canvas lies in a cell or beside them", () => {
  const grid = { place: { w: 10, h: 20, ratio: 2, rows: 3, cols: 4 } };
  assert.deepEqual(cellAt(grid, 0, 0), cell(0, 0, 4));
  assert.deepEqual(cellAt(grid, 19.9, 29.9), cell(2, 3, 4));
  assert.deepEqual([cellAt(grid, 20, 0), cellAt(grid, 0, 30), cellAt(grid, -1, 0),
    cellAt({ place: null }, 0, 0)], [null, null, null, null]);
});

test("a threshold has its place among the scores", () => {
  const hist = { lo: 0, hi: 4, log: false, counts: [] };
  assert.deepEqual([1, -3, 9, Infinity].map((x) => histogramPlace(hist, x)), [0.25, 0, 1, 1]);
  const log = { lo: -2, hi: 0, log: true, counts: [] };
  assert.deepEqual([0.1, 0, 1].map((x) => histogramPlace(log, x)), [0.5, 0, 1]);
  assert.equal(histogramPlace({ ...hist, hi: 0 }, 1), 1);
});

test("classes lie down and units across", () => {
  const values = Float32Array.from([1, 2, 3, 4, 5, 6]); // 3 units of 2 classes
  assert.deepEqual([...turned(values, 3, 2)], [1, 3, 5, 2, 4, 6]);
  assert.deepEqual([...rankOfUnits(Int32Array.from([7, 8, 9]), 2)], [7, 8, 9, 7, 8, 9]);
  assert.equal(colouredByClass(values, palette).ramp, palette.sequential);
  assert.equal(colouredByClass(values.map((x) => -x), palette).ramp, palette.diverging);
});

test("each view draws what was sent, or says what is missing", () => {
  const state = looking();
  const [layer] = state.network.scene.layers;
  const picture = drawnPicture({ classes: ["0", "1"], activation_rows: packed(Int32Array, [0, 2]),
    activation: packed(Float32Array, [1, 2, 3, 4]), unit_rank: packed(Int32Array, [1, 0]) });
  const weights = DRAW.weights(state, layer, picture, 3);
  assert.deepEqual([weights.rows, weights.cols, weights.limit], [3, 2, 3]);
  assert.deepEqual(weights.marks, ["−4", "−1", "0", "1", "4"]);
  assert.equal(weights.colours[1], 0, "the lowest weight");
  const byClass = DRAW.activations(state, layer, picture, 1);
  assert.deepEqual([byClass.rows, byClass.cols, [...byClass.rank]], [2, 2, [1, 0, 1, 0]]);
  assert.equal(DRAW.importance(state, layer, picture, 1).colours[5], Math.round(255 * (5 / 23)));
  assert.equal(DRAW.activations(state, layer, drawnPicture(), 1), null);
  assert.equal(DRAW.weights(state, layer, readPicture({}), 1), null);
  assert.match(missing(state, null), /loading/);
  chooseKind(state, "activations");
  assert.match(missing(state, picture), /No activations/);
  state.answer.data.thumbnails = { activity: false };
  assert.match(missing(state, picture), /has not ended/);
  state.answer.data = { slow: "measured on release" };
  assert.match(missing(state, drawnPicture()), /calibration/);
  state.view.focus = "";
  assert.match(missing(state, null), /Click a layer/);
});

test("colours are compared over the whole model where that is asked for", () => {
  const state = looking();
  state.view.scale = "model";
  state.answer.data = { limit_model: 16 };
  const drawn = DRAW.weights(state, state.network.scene.layers[0], drawnPicture(), 0);
  assert.equal(drawn.marks[4], "16");
});

test("a picture is of the layer in focus", () => {
  const state = looking();
  assert.equal(pictureNow(state), null);
  const picture = drawnPicture();
  pictures.keep("mine", picture);
  state.network.pictureIds.set("a", "mine");
  assert.equal(pictureNow(state), picture);
  state.view.focus = "b";
  assert.equal(pictureNow(state), null);
});

// ---- by hand

test("a stroke over weights is a block of real rows and inputs", () => {
  const state = looking();
  const picture = drawnPicture();
  assert.deepEqual(strokePlaces(state, picture, stroke(cell(2, 1), cell(1, 0))),
    { "2:5,0:3": false });
  assert.deepEqual(strokePlaces(state, picture,
    stroke(cell(0, 0), cell(0, 0), { tool: "keep" })), { "0:1,0:1": true });
  chooseKind(state, "activations");
  assert.deepEqual(strokePlaces(state, picture, stroke(cell(0, 1), cell(1, 2))),
    { "2:5,0:4": false }, "whole rows of units that lie across");
});

test("a stroke over units names each, also those not drawn between them", () => {
  const state = looking("neuron");
  const picture = drawnPicture();
  assert.deepEqual(strokePlaces(state, picture, stroke(cell(0, 1), cell(1, 0))),
    { 0: false, 1: false, 2: false });
  const heads = drawnPicture({ units: packed(Int32Array, [0, 0, 1]),
    firsts: packed(Int32Array, [0, 4]) });
  assert.deepEqual(strokePlaces(state, heads, stroke(cell(1, 0), cell(2, 0), { frees: true })),
    { 0: null, 4: null });
});

test("a second click with the same tool gives a place back", () => {
  const drawn = { rank: Int32Array.from([RANK_CUT, RANK_KEPT, 3]) };
  const frees = (tool) => [0, 1, 2].map((i) => freesAt(null, drawn, tool, { index: i }));
  assert.deepEqual([frees("cut"), frees("keep")], [[true, false, false], [false, true, false]]);
});

test("places are read as they are written", () => {
  assert.deepEqual(placeArea("2:5,0:3"), { top: 2, bottom: 5, left: 0, right: 3 });
  assert.deepEqual(placeArea("7"), { top: 7, bottom: 8, left: 0, right: Infinity });
});

test("what a hand did shows before Python answers, oldest first", () => {
  const state = looking();
  const picture = drawnPicture();
  const drawn = { rank: picture.rank, cols: 2 };
  assert.equal(ranksByHand(state, picture, drawn), picture.rank);
  state.requests.flight = { request: { pin: { layer: "a", places: { "0:3,0:4": false } } } };
  state.requests.queue = [{ pin: { layer: "b", places: { "4:5,0:4": false } } }, { pin: null },
    { pin: { layer: "a", places: { "2:3,0:1": true } } }];
  assert.deepEqual([...ranksByHand(state, picture, drawn)],
    [RANK_CUT, RANK_CUT, RANK_KEPT, RANK_CUT, 4, 5]);
  state.hand.stroke = stroke(cell(2, 1), cell(2, 1));
  assert.equal(ranksByHand(state, picture, drawn)[5], RANK_CUT);
  state.requests.queue.push({ pin: { layer: "a", places: { all: null } } });
  state.hand.stroke = null;
  assert.deepEqual([...ranksByHand(state, picture, drawn)],
    [...Array(4).fill(RANK_STAYS), 4, 5], "all are given back");
  assert.deepEqual([...picture.rank], [0, 1, 2, 3, 4, 5], "the picture itself is as it was");
});

test("a unit that is pinned is so in all its cells", () => {
  const state = looking("neuron");
  const picture = drawnPicture();
  state.requests.queue = [{ pin: { layer: "a", places: { 2: false, 3: true } } }];
  assert.deepEqual([...ranksByHand(state, picture, { rank: picture.rank, cols: 2 })],
    [0, 1, RANK_CUT, RANK_CUT, 4, 5]);
});

test("a tool works where places can be pinned, else it looks", () => {
  const state = looking();
  const [layer] = state.network.scene.layers;
  chooseTool(state, "cut");
  assert.equal(toolNow(state, layer), "cut");
  toggleLock(state, "a");
  assert.equal(toolNow(state, layer), "look");
  assert.match(toolReason(state, layer), /unlock/);
  assert.match(toolReason(looking("2:4"), layer), /2:4/);
  assert.match(toolReason(state, undefined), /focus/);
  assert.equal(toolReason(looking(), { ...layer, disabled: "why not" }), "why not");
});

test("a stroke ends as one request, and too large a one as a complaint", () => {
  const state = looking();
  pictures.keep("of a", drawnPicture());
  state.network.pictureIds.set("a", "of a");
  state.hand.stroke = stroke(cell(0, 0), cell(0, 1));
  endStroke(state, false);
  assert.deepEqual([state.sent, state.hand.stroke], [[], null]);
  state.hand.stroke = stroke(cell(0, 0), cell(0, 1));
  endStroke(state, true);
  assert.deepEqual(state.sent[0].pin, { layer: "a", places: { "0:1,0:3": false } });
  pinNow(state, Object.fromEntries(Array.from({ length: 4097 }, (_, i) => [i, true])));
  assert.match(state.view.complaint, /4,096/);
  assert.equal(state.requests.queue.length, 0);
});

test("inputs that go are of the layer in focus, in views of its weights", () => {
  const state = looking();
  assert.equal(inputsCut(state), null);
  const bits = Int32Array.from([1]);
  state.answer.settled = { inputs_cut: { layer: "a", bits } };
  assert.equal(inputsCut(state), bits);
  chooseKind(state, "activations");
  assert.equal(inputsCut(state), null);
  chooseKind(state, "weights");
  state.view.focus = "b";
  assert.equal(inputsCut(state), null);
});

// ---- what is told under the pointer

test("a rank is told with its fate", () => {
  const state = looking();
  const [layer] = state.network.scene.layers;
  assert.deepEqual(rankWords(state, layer, 3, 4), ["rank 4 of 24, cut"]);
  assert.deepEqual(rankWords(state, layer, 4, 4), ["rank 5 of 24, kept"]);
  assert.deepEqual(rankWords(state, layer, RANK_CUT, 4), ["cut by hand"]);
  assert.deepEqual(rankWords(state, layer, RANK_KEPT, 4), ["kept by hand"]);
  assert.deepEqual(rankWords(state, layer, RANK_STAYS, 4), []);
  assert.deepEqual(rankWords(state, layer, undefined, 4), []);
});

test("a cell is told by its real row and input", () => {
  const state = looking();
  const [layer] = state.network.scene.layers;
  const picture = drawnPicture();
  const drawn = { rank: picture.rank, limit: 4, others: Int32Array.from([0b1000]), cols: 2 };
  assert.deepEqual(tipLines(state, layer, picture, drawn, cell(1, 1)),
    ["filter 2, weight 2", "weight 0", "its input is cut with another layer",
      "rank 4 of 24, cut"]);
  chooseTool(state, "keep");
  assert.deepEqual(toolWords(state, layer, picture, drawn, cell(0, 0)),
    ["click: keep this weight by hand"]);
  assert.equal(unitWord(state, layer, picture), "filter");
  assert.equal(unitWord(state, { ...layer, word: "channel" }, picture), "channel");
  assert.equal(unitWord(state, layer, null), "row");
});

test("a mean activation is told by its unit and class", () => {
  const state = looking();
  chooseKind(state, "activations");
  const picture = drawnPicture({ classes: ["cat", "dog"],
    activation_rows: packed(Int32Array, [0, 2]), activation: packed(Float32Array, [1, 2, 3, 4]) });
  const drawn = { rank: null, limit: 0, others: null, cols: 2 };
  assert.deepEqual(tipLines(state, state.network.scene.layers[0], picture, drawn, cell(1, 0)),
    ["filter 0, class dog", "mean activation 2"]);
});
