import assert from "node:assert/strict";
import { test } from "node:test";

import { receive as receiveAll } from "../../pruneviz/ui/board/answers.js";
import {
  brokenTitle, dressed, marksOf, nearestPlan, readChart,
} from "../../pruneviz/ui/board/figure.js";
import { ask } from "../../pruneviz/ui/board/plan.js";
import {
  chartWords, isOn, lengthened, newTrail, placeOn, presentNow, trailNow,
} from "../../pruneviz/ui/board/present.js";
import { command } from "../../pruneviz/ui/board/requests.js";
import { allowLoss, chooseMeasure } from "../../pruneviz/ui/board/view.js";
import { rawLayer, rawScene, stateOf } from "./state.js";

const scene = rawScene([rawLayer("a", 10), rawLayer("b", 30)]);
const receive = (state, data) => receiveAll(state, { scene, scene_id: "s", ...data });
const settled = (seq, a, more = {}) => ({ seq, step: 0, sparsity: { a, b: 0 }, locked: {},
  cut: { a: 10 * a, b: 0 }, kept_params: 40 - 10 * a, ...more });
const measured = (seq, accuracy, more = {}) => ({ seq, accuracy, low: accuracy - 0.1,
  high: accuracy + 0.05, loss: 1 - accuracy, ...more });

test("the parameters follow the thumb at once, the accuracy when it is measured", () => {
  const state = stateOf();
  assert.deepEqual(presentNow(state), { kind: "none", x: 40, y: null, low: null, high: null });
  receive(state, { settled: settled(0, 0), measured: measured(0, 0.9) });
  assert.deepEqual(presentNow(state), { kind: "measured", x: 40, y: 90, low: 80, high: 95 });
  ask(state, "a", 0.5);
  const now = presentNow(state);
  assert.deepEqual([now.kind, now.x, now.y], ["behind", 35, 90]);
  chooseMeasure(state, "loss");
  assert.ok(Math.abs(presentNow(state).y - 0.1) < 1e-12, "a loss has no per cent");
  chooseMeasure(state, "layers");
  assert.equal(presentNow(state).kind, "none");
});

test("where nothing is measured yet an estimate stands for it", () => {
  const state = stateOf();
  receive(state, { settled: settled(0, 0), measured: measured(0, 0.9) });
  state.network.sensitivity = { layers: new Map(), estimate: { damage: [0, 1], least: 0, most: 1,
    accuracy: [0.9, 0.5], missedAt: [0, 1], missed: [0.1, 0.1], words: "",
    tables: new Map([["a", [0, 1]]]) } };
  ask(state, "a", 0.5);
  const { kind, x, y, low, high } = presentNow(state);
  assert.deepEqual([kind, x], ["estimated", 35]);
  assert.deepEqual([y, low, high].map(Math.round), [70, 60, 80]);
});

test("a score that is no share is told as it is", () => {
  const state = stateOf();
  receive(state, { task: { share: false }, settled: settled(0, 0), measured: measured(0, 0.9) });
  assert.equal(presentNow(state).y, 0.9);
});

test("a trail begins with a gesture and ends with the plan that was settled on", () => {
  const point = (kept) => ({ kept, accuracy: kept / 100 });
  const kepts = (trail) => trail.points.map((each) => each.kept);
  let trail = newTrail();
  for (const kept of [90, 80, 80, 70]) trail = lengthened(trail, 3, point(kept));
  assert.deepEqual(kepts(trail), [90, 80, 70], "a better answer takes the place of the last");
  trail = lengthened(trail, 4, point(60));
  trail = lengthened(trail, 4, { kept: 60, accuracy: 0.5 });
  assert.deepEqual(kepts(trail), [90, 80, 70, 60]);
  assert.equal(trail.points.at(-1).accuracy, 0.5);
  trail = lengthened(trail, 4, point(50));
  assert.deepEqual(kepts(trail), [60, 50], "the next gesture begins where this one ended");
  assert.deepEqual(kepts(lengthened(trail, 9, point(100))), [100], "one came here another way");
  for (let kept = 1000; kept > 0; kept -= 1) trail = lengthened(trail, 20, point(kept));
  assert.equal(trail.points.length, 400);
});

test("answers of other plans leave no trail", () => {
  const state = stateOf();
  receive(state, { settled: settled(1, 0), measured: measured(1, 0.9) });
  receive(state, { settled: settled(2, 0.2), measured: measured(1, 0.9, { stale: true }) });
  receive(state, { settled: settled(3, 0.4), measured: measured(2, 0.8) });
  assert.deepEqual(trailNow(state), [[40, 90]]);
  receive(state, { settled: settled(4, 0.5), measured: measured(4, 0.7) });
  assert.deepEqual(trailNow(state), [[40, 90], [35, 70]]);
  chooseMeasure(state, "loss");
  assert.equal(trailNow(state).length, 2);
  chooseMeasure(state, "layers");
  assert.deepEqual(trailNow(state), []);
});

test("places stay within the axis; what is cut grows to the right, a score upwards", () => {
  const across = { range: [104, -4], offset: 50, length: 108, upward: false };
  assert.equal(placeOn(across, 100), 54);
  assert.equal(placeOn(across, 0), 154);
  const up = { range: [0, 100], offset: 10, length: 100, upward: true };
  assert.deepEqual([0, 100, 25, 300].map((value) => placeOn(up, value)), [110, 10, 85, 10]);
  assert.deepEqual([105, 50, -5].map((value) => isOn(across, value)), [false, true, false]);
});

test("the chart is told in words", () => {
  const state = stateOf();
  receive(state, { settled: settled(0, 0.5), measured: measured(0, 0.8) });
  state.view.measure = "accuracy";
  assert.equal(chartWords(state, 2), "accuracy against parameters kept of 2 plans; "
    + "now 80.0 %, 70.0 – 85.0 % with 87.5 % of the parameters");
});

const figure = { data: [
  { name: "visited", mode: "markers", marker: { color: "#00f" }, x: [1], customdata: [1] },
  { name: "dense", mode: "markers", marker: { color: "#00f", symbol: "star" }, x: [] },
  { name: "random control", mode: "markers", x: { bdata: "ZA==", dtype: "i1" },
    marker: { symbol: "x-thin", line: { color: "#888" } } },
  { name: "Pareto front", mode: "lines", line: { width: 3, color: "#0f0" }, x: [1] },
  { name: "best predicted", mode: "lines", line: { width: 2, color: "#0f0", dash: "dash" },
    x: [1] },
], layout: { shapes: [{ name: "loss allowed", line: { color: "#f80" } }], hoverlabel: {},
  xaxis: { title: { text: "parameters kept" }, range: [104, -4] }, yaxis: { title: {} } } };

test("every mark that is drawn stands in the legend", () => {
  assert.deepEqual(marksOf(figure), [{ name: "visited", kind: "point", colour: "#00f" },
    { name: "random control", kind: "cross", colour: "#888" },
    { name: "Pareto front", kind: "thick", colour: "#0f0" },
    { name: "best predicted", kind: "dashes", colour: "#0f0" },
    { name: "loss allowed", kind: "dots", colour: "#f80" }]);
});

test("a figure wears the colours of the page, and keeps its axes", () => {
  const palette = { ink: [1, 2, 3], paper: [4, 5, 6] };
  const { data, layout } = dressed(figure, palette, { width: 300, height: 200 }, "m", "Sans");
  assert.deepEqual(data, figure.data);
  assert.notEqual(data, figure.data, "Plotly writes into what it is given");
  assert.deepEqual([layout.width, layout.height, layout.showlegend], [300, 200, false]);
  assert.deepEqual(layout.xaxis.range, [104, -4]);
  assert.equal(layout.xaxis.title.text, "parameters kept");
  assert.equal(layout.font.color, "rgba(1, 2, 3, 1)");
});

test("a title that is longer than its axis stands in two lines", () => {
  const long = "Accuracy of tagged words, %";
  assert.equal(brokenTitle(long, 200), long);
  assert.equal(brokenTitle(long, 100), "Accuracy of<br>tagged words, %");
  assert.equal(brokenTitle("Agreement", 10), "Agreement");
  const palette = { ink: [1, 2, 3], paper: [4, 5, 6] };
  const tall = { data: [], layout: { yaxis: { title: { text: long } } } };
  const { layout } = dressed(tall, palette, { width: 300, height: 140 }, "m", "Sans");
  assert.equal(layout.yaxis.title.text, "Accuracy of<br>tagged words, %");
});

test("a click means the nearest plan, not what has none", () => {
  const axis = { _offset: 10, d2p: (value) => 2 * value };
  const traces = [{ x: [50], y: [50] }, { x: [0, 46], y: [0, 50], customdata: [0, 3] }];
  const at = (x, y) => nearestPlan(traces, axis, axis, x, y);
  assert.deepEqual([at(110, 110), at(12, 9), at(60, 60)], [3, 0, -1]);
});

test("what was measured is meant before what is predicted, however near that is", () => {
  const axis = { _offset: 0, d2p: (value) => value };
  const traces = [{ x: [50, 80], y: [50, 50], customdata: [7, 8], line: { dash: "dash" } },
    { x: [40], y: [50], customdata: [3] }];
  const at = (x, y) => nearestPlan(traces, axis, axis, x, y);
  assert.deepEqual([at(50, 50), at(79, 50), at(62, 62)], [3, 8, -1]);
});

test("a damaged chart is none, and the one before stays", () => {
  for (const raw of ["", "{", "[]", "null", "{}", '{"data": 3}']) {
    assert.equal(readChart({ figure: raw }), null);
  }
  const state = stateOf();
  receive(state, { chart: { figure: JSON.stringify(figure), keys: ["p"], words: "w" },
    chart_id: "c1" });
  assert.deepEqual([state.network.chartId, state.network.chart.keys], ["c1", ["p"]]);
  receive(state, { chart: { figure: "{" }, chart_id: "c2" });
  assert.equal(state.network.chartId, "c1");
  assert.equal(state.sent.at(-1).kind, "need", "what was named and not here is asked for");
  assert.equal(state.sent.at(-1).have.chart, "c1");
});

test("a click on a point asks for its plan; the loss allowed is an amount", () => {
  const state = stateOf();
  assert.ok(allowLoss(state, 0.02));
  assert.equal(allowLoss(state, Number.NaN), false);
  assert.equal(allowLoss(state, -1), false);
  command(state, "return", "p1");
  const [sent] = state.sent;
  assert.deepEqual([sent.kind, sent.point, sent.lose, sent.measure], ["return", "p1", 0.02,
    "accuracy"]);
  assert.equal(state.requests.planSeq, sent.seq, "it changes the plan");
});
