import assert from "node:assert/strict";
import { test } from "node:test";

import { plansOn } from "../../pruneviz/ui/board/points.js";

test("the plans of a chart stand once each, from whole to cut", () => {
  const traces = [
    { index: 0, x: [9], y: [9] },
    { index: 3, customdata: [1, 2], x: [40, 10], y: [98, 60], text: ["a &lt;b&gt; &amp; c", "d"] },
    { index: 4, customdata: [0], x: [100], y: [99], text: ["dense"] },
    { index: 5, customdata: [3], x: [20], y: [95], text: ["a version"] },
    { index: 6, customdata: [2], x: [10], y: [60], text: ["d"] },
  ];
  const plans = plansOn(traces, ["k0", "k1", "k2", ""]);
  assert.deepEqual(plans.map((x) => [x.place, x.curve, x.point]), [[0, 4, 0], [1, 3, 0], [2, 6, 0]]);
  assert.equal(plans[1].words, "a <b> & c");
  assert.deepEqual(plansOn([], []), []);
});
