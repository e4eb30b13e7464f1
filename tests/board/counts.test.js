// Do counts follow a slider exactly as the engine counts them? The cases are written by Python.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { cutNow, totalsNow } from "../../pruneviz/ui/board/counts.js";
import { moveHandle } from "../../pruneviz/ui/board/handles.js";
import { stateOf } from "./state.js";

const cases = process.env.CASES ? JSON.parse(readFileSync(process.env.CASES, "utf8")) : [];

test("there are cases", { skip: !process.env.CASES && "pytest tests/test_scene.py has them" }, () => {
  assert.ok(cases.length > 50);
});

for (const { name, scene, locked, moves, cut, params, macs, bytes } of cases) {
  test(name, () => {
    const state = stateOf(scene);
    state.plan.locked = locked;
    moves.forEach(({ names, share }, i) =>
      moveHandle(state, { kind: i === 0 ? "master" : "layer", names }, share));
    const counts = Object.fromEntries(state.network.scene.layers.map((layer) =>
      [layer.name, cutNow(state, layer)]));
    const all = Object.fromEntries(scene.layers.map((layer) => [layer.name, cut[layer.name] ?? 0]));
    assert.deepEqual(counts, all);
    const left = totalsNow(state);
    assert.equal(Math.round(left.kept), params, "parameters kept");
    assert.ok(Math.abs(left.macs - macs) < 1, `${left.macs} of ${macs} MACs`);
    if (bytes !== null) assert.ok(Math.abs(left.bytes - bytes) < scene.layers.length, "bytes");
  });
}

// Under one threshold a layer's own slider asks the pool for what cuts so much of this layer.
const pools = new Map(cases.filter((x) => x.scene.scope !== "layer").map((x) => [
  JSON.stringify([x.scene.model, x.scene.scope, x.scene.granularity, x.scene.criterion, x.locked]), x]));
for (const [name, { scene, locked }] of pools) {
  test(`a layer's own slider in ${name}`, () => {
    const state = stateOf(scene);
    state.plan.locked = locked;
    for (const layer of state.network.scene.layers.filter((x) => x.reach)) {
      moveHandle(state, { kind: "layer", names: [layer.name] }, 0.4);
      const missed = Math.abs(cutNow(state, layer) - 0.4 * layer.items);
      assert.ok(missed <= 0.5 + 1e-6, `${layer.name} misses by ${missed}`);
    }
  });
}
