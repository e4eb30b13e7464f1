import assert from "node:assert/strict";
import { test } from "node:test";

import { receive } from "../../pruneviz/ui/board/answers.js";
import { moveHandle } from "../../pruneviz/ui/board/handles.js";
import { goOnPlaying, playReason, stepBy, STEPS, toggle } from "../../pruneviz/ui/board/playback.js";
import { ask, setPace, toggleLock } from "../../pruneviz/ui/board/plan.js";
import { command, settleNow } from "../../pruneviz/ui/board/requests.js";
import { pass, rawLayer, rawScene, stateOf } from "./state.js";

const SCENE = rawScene([rawLayer("a", 10), rawLayer("b", 30)]);

// Python answers the request in flight, as measured on the probe.
function answer(state, step = 1) {
  const { request } = state.requests.flight;
  receive(state, {
    scene: SCENE,
    scene_id: "ab",
    settled: { seq: request.seq, step, sparsity: request.sparsity, locked: locks(request), cut: {},
      kept_params: 40 - 40 * (request.sparsity.a ?? 0) },
    measured: { seq: request.seq, accuracy: 0.9, n: 256 },
  });
  goOnPlaying(state); // as a redraw does
}

const locks = ({ locked }) => Object.fromEntries(locked.map((name) => [name, ""]));

// A plan was settled on and answered.
function settledState(levels = { a: 0.5, b: 0.8 }) {
  const state = stateOf();
  for (const [name, level] of Object.entries(levels)) ask(state, name, level);
  settleNow(state);
  answer(state);
  state.sent.length = 0;
  return state;
}

const played = (state) => state.sent.map((x) => [x.kind, x.sparsity.a]);

test("a playback goes from nothing to the plan, and waits for each step to be measured", () => {
  const state = settledState();
  toggle(state);
  assert.deepEqual(played(state), [["play", 0]]);
  pass(4000);
  assert.equal(state.sent.length, 1, "nothing is shown that was not measured");
  for (let at = 1; at <= STEPS; at += 1) {
    answer(state);
    pass(119);
    assert.equal(state.sent.length, at, "each step stands a moment");
    pass(1);
    assert.equal(state.sent.length, at + 1);
  }
  assert.deepEqual(state.sent.at(-1).sparsity, { a: 0.5, b: 0.8 }, "it ends at the very plan");
  assert.equal(state.plan.playing, null);
  assert.ok(state.sent.every((x) => x.kind === "play"), "nothing is settled on");
  answer(state);
  pass(4000);
  assert.equal(state.sent.length, STEPS + 1);
  assert.equal(state.answer.trail.points.length, STEPS + 1);
  assert.equal(state.answer.trail.points[0].kept, 40, "the way begins at the whole network");
});

test("single steps go both ways, and slow motion lets a step stand", () => {
  const state = settledState();
  stepBy(state, -1);
  answer(state);
  stepBy(state, -1);
  answer(state);
  stepBy(state, 1);
  answer(state);
  pass(4000);
  const last = (STEPS - 1) / STEPS;
  assert.deepEqual(played(state).map(([, x]) => x), [0.5 * last, 0.5 * (STEPS - 2) / STEPS,
    0.5 * last]);
  setPace(state, true);
  toggle(state);
  goOnPlaying(state);
  pass(999);
  assert.equal(state.sent.length, 3);
  pass(1);
  assert.deepEqual(state.sent.at(-1).sparsity, { a: 0.5, b: 0.8 });
});

test("whatever is done meanwhile ends it at the plan", () => {
  const moves = settledState();
  toggle(moves);
  answer(moves);
  moveHandle(moves, { kind: "layer", names: ["b"] }, 0.3);
  settleNow(moves);
  assert.deepEqual(moves.sent.at(-1).sparsity, { a: 0.5, b: 0.3 });
  const undoes = settledState();
  toggle(undoes);
  answer(undoes);
  command(undoes, "undo");
  assert.deepEqual(undoes.sent.at(-1).sparsity, { a: 0.5, b: 0.8 });
  assert.equal(undoes.plan.playing, null);
  const changes = settledState();
  toggle(changes);
  answer(changes, 2); // another criterion was chosen beside the board
  assert.equal(changes.plan.playing, null);
  pass(4000);
  assert.equal(changes.sent.length, 1);
});

test("layers with a lock stand still, and a pause stops", () => {
  const state = settledState();
  toggleLock(state, "b");
  toggle(state);
  assert.deepEqual(state.sent.at(-1).sparsity, { a: 0, b: 0.8 });
  toggle(state);
  answer(state);
  pass(4000);
  assert.equal(state.sent.length, 1);
  assert.equal(state.plan.playing.runs, false);
});

test("why there is nothing to play", () => {
  assert.match(playReason(settledState({ a: 0 })), /cut something/);
  const slow = settledState();
  slow.answer.data = { ...slow.answer.data, slow: "0.9 s for each sample" };
  assert.match(playReason(slow), /on release/);
  const pattern = stateOf(rawScene([rawLayer("a", 10, { snap: 5 })]));
  ask(pattern, "a", 0.5);
  assert.match(playReason(pattern), /N:M/);
  toggle(pattern);
  assert.equal(pattern.plan.playing, null);
});

test("where less motion is asked for, nothing runs by itself", () => {
  const before = globalThis.matchMedia;
  globalThis.matchMedia = () => ({ matches: true });
  const state = settledState();
  toggle(state);
  assert.equal(state.plan.playing, null);
  stepBy(state, 1);
  assert.equal(state.sent.length, 1);
  globalThis.matchMedia = before;
});
