import assert from "node:assert/strict";
import { test } from "node:test";

import { receive } from "../../pruneviz/ui/board/answers.js";
import { dropThumb, holdThumb } from "../../pruneviz/ui/board/hand.js";
import { ask, toggleLock } from "../../pruneviz/ui/board/plan.js";
import {
  adopt, command, enqueue, followFocus, goOnWaiting, isAhead, isMeasuring, settleNow, settleSoon,
  stopWaiting,
} from "../../pruneviz/ui/board/requests.js";
import { undoKeys } from "../../pruneviz/ui/board/toolbar.js";
import { lookAt } from "../../pruneviz/ui/board/view.js";
import { readSettled } from "../../pruneviz/ui/board/wire.js";
import { packed, pass, rawLayer, rawScene, stateOf } from "./state.js";

const kinds = (state) => state.sent.map((x) => x.kind);
const waiting = (state) => state.requests.queue.map((x) => x.kind);
const drag = (state, name, level) => {
  ask(state, name, level);
  enqueue(state, "drag");
};
const answer = (state, sparsity, more = {}) =>
  adopt(state, readSettled({ seq: state.requests.seq, sparsity, locked: {}, ...more }));

test("one request is in flight, and only the newest drag waits behind it", () => {
  const state = stateOf();
  drag(state, "a", 0.1);
  drag(state, "a", 0.2);
  drag(state, "a", 0.3);
  assert.deepEqual(kinds(state), ["drag"]);
  assert.deepEqual(waiting(state), ["drag"]);
  assert.ok(isAhead(state));
  answer(state, { a: 0.1, b: 0 });
  enqueue(state, "settle");
  assert.deepEqual(state.sent.map((x) => [x.seq, x.kind, x.sparsity.a]),
    [[1, "drag", 0.1], [2, "settle", 0.3]], "a release takes the place of the drag");
  assert.equal(state.plan.sparsity.a, 0.3, "what was moved since is not moved back");
  assert.equal(isAhead(state), false);
});

test("a release is never mixed with the drag after it", () => {
  const state = stateOf();
  drag(state, "a", 0.1);
  ask(state, "a", 0.2);
  settleNow(state);
  drag(state, "b", 0.7);
  assert.deepEqual(waiting(state), ["settle", "drag"]);
  assert.deepEqual(state.requests.queue[0].sparsity, { a: 0.2 });
  assert.deepEqual([...state.requests.queue[1].touched], ["b"]);
});

test("undo, redo and pins are each asked for by themselves, in order", () => {
  const state = stateOf();
  drag(state, "a", 0.1);
  for (const kind of ["undo", "undo", "redo"]) command(state, kind);
  command(state, "pin", { layer: "a", places: { 3: false } });
  assert.deepEqual(waiting(state), ["undo", "undo", "redo", "pin"]);
  for (let k = 0; k < 4; k += 1) {
    answer(state, { a: 0.1, b: 0 });
    enqueue(state, "focus");
  }
  assert.deepEqual(kinds(state).slice(0, 5), ["drag", "undo", "undo", "redo", "pin"]);
  assert.deepEqual(state.sent[4].pin, { layer: "a", places: { 3: false } });
});

test("keys settle when they rest, and before anything is undone", () => {
  const state = stateOf();
  drag(state, "a", 0.1);
  settleSoon(state);
  pass(200);
  settleSoon(state);
  pass(200);
  assert.deepEqual(waiting(state), [], "the keys go on");
  pass(60);
  assert.deepEqual(waiting(state), ["settle"]);
  settleSoon(state);
  command(state, "undo");
  assert.deepEqual(waiting(state), ["settle", "undo"]);
  assert.equal(state.requests.unsettled, false);
  pass(1000);
  assert.deepEqual(waiting(state), ["settle", "undo"], "it settles once");
});

test("an undone plan comes back from Python", () => {
  const state = stateOf();
  drag(state, "a", 0.6);
  answer(state, { a: 0.6, b: 0 });
  command(state, "undo");
  answer(state, { a: 0, b: 0 });
  assert.deepEqual(state.plan.sparsity, { a: 0, b: 0 });
});

test("the keys of undo and redo", () => {
  globalThis.HTMLElement ??= class {};
  const pressed = (key, more = {}) => {
    const state = stateOf();
    const { at = null, mine = false, shut = false } = more;
    state.page = { root: { contains: () => mine }, parts: { bar: { search: {}, undo:
      { disabled: false }, redo: { disabled: shut } } } };
    undoKeys(state, { key, ctrlKey: true, metaKey: false, altKey: false, shiftKey: false,
      composedPath: () => [at], preventDefault() {}, stopPropagation() {}, ...more });
    return kinds(state);
  };
  assert.deepEqual(pressed("z"), ["undo"]);
  assert.deepEqual(pressed("Z", { shiftKey: true }), ["redo"]);
  assert.deepEqual(pressed("y"), ["redo"]);
  assert.deepEqual(pressed("y", { shut: true }), []);
  assert.deepEqual(pressed("z", { ctrlKey: false }), []);
  assert.deepEqual(pressed("z", { altKey: true }), []);
  assert.deepEqual(pressed("a"), []);
  const place = (tag, expanded = null) => Object.assign(new globalThis.HTMLElement(), {
    dataset: {}, matches: (tags) => tags.includes(tag), getAttribute: () => expanded });
  assert.deepEqual(pressed("z", { at: place("button") }), ["undo"], "anywhere on the page");
  assert.deepEqual(pressed("z", { at: place("input") }), [], "what was typed is taken back");
  assert.deepEqual(pressed("z", { at: place("input", "true") }), [], "a list that is open");
  assert.deepEqual(pressed("z", { at: place("input", "false") }), ["undo"], "a choice was made");
  assert.deepEqual(pressed("z", { at: place("input"), mine: true }), ["undo"]);
  const typed = Object.assign(place("input"), { dataset: { typed: "yes" } });
  assert.deepEqual(pressed("z", { at: typed, mine: true }), []);
});

test("an answer to an older request changes nothing", () => {
  const state = stateOf();
  drag(state, "a", 0.1);
  adopt(state, readSettled({ seq: 0, sparsity: { a: 0, b: 0.9 }, locked: {} }));
  assert.deepEqual(state.plan.sparsity, { a: 0.1 });
  assert.notEqual(state.requests.flight, null);
});

test("what is under the thumb is not moved back; what waits keeps what it moved", () => {
  const state = stateOf();
  holdThumb(state, ["a"]);
  drag(state, "a", 0.1);
  ask(state, "b", 0.4);
  settleNow(state);
  answer(state, { a: 0.05, b: 0.2, c: 0.3 });
  assert.deepEqual(state.plan.sparsity, { a: 0.1, b: 0.4, c: 0.3 });
  assert.deepEqual(state.requests.queue[0].sparsity, { a: 0.05, b: 0.4, c: 0.3 },
    "of the queue `a` was not moved again");
  dropThumb(state);
});

test("a lock that waits is not taken back", () => {
  const state = stateOf();
  drag(state, "a", 0.1);
  toggleLock(state, "b");
  enqueue(state, "lock");
  answer(state, { a: 0.1, b: 0 }, { locked: { a: "the last layer" } });
  assert.deepEqual(Object.keys(state.plan.locked), ["b"]);
  const other = stateOf();
  drag(other, "a", 0.1);
  answer(other, { a: 0.1 }, { locked: { a: "the last layer" } });
  assert.deepEqual(other.plan.locked, { a: "the last layer" });
});

test("the same request is sent again when no echo comes, ever later", () => {
  const state = stateOf();
  drag(state, "a", 0.1);
  pass(4999);
  assert.equal(state.sent.length, 1);
  pass(1);
  assert.equal(state.sent.length, 2);
  assert.deepEqual(state.sent[0], state.sent[1]);
  pass(9999);
  assert.equal(state.sent.length, 2);
  pass(1);
  assert.equal(state.sent.length, 3);
  stopWaiting(state);
  pass(100000);
  assert.equal(state.sent.length, 3, "a board that is gone waits for nothing");
  goOnWaiting(state);
  pass(20000);
  assert.equal(state.sent.length, 4);
  answer(state, { a: 0.1 });
  pass(100000);
  assert.equal(state.sent.length, 4);
});

test("numbers are being measured while they belong to an older plan", () => {
  const state = stateOf();
  assert.equal(isMeasuring(state), false, "nothing was ever measured");
  state.answer.measured = { seq: 0 };
  assert.equal(isMeasuring(state), false);
  drag(state, "a", 0.1);
  assert.equal(isMeasuring(state), true);
  answer(state, { a: 0.1 });
  state.answer.measured = { seq: 1 };
  assert.equal(isMeasuring(state), false);
  enqueue(state, "focus");
  answer(state, { a: 0.1 });
  assert.equal(isMeasuring(state), false, "another focus is no other plan");
  state.answer.measured = { seq: 9, stale: true };
  assert.equal(isMeasuring(state), true);
});

test("the number of a thumb that rests goes on sharpening until it moves or is measured in full",
  (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const state = stateOf();
    const measured = (n) => ({ settled: { seq: state.requests.seq, sparsity: { a: 0.1 }, locked: {} },
      scene_id: state.network.sceneId, measured: { seq: state.requests.seq, n, full: n === 3 } });
    holdThumb(state, ["a"]);
    drag(state, "a", 0.1);
    receive(state, measured(1));
    assert.deepEqual(kinds(state), ["drag"], "it may move on");
    context.mock.timers.tick(150);
    assert.deepEqual(kinds(state), ["drag", "sharpen"]);
    assert.equal(isMeasuring(state), false, "the number stands while a better one is made");
    receive(state, measured(2));
    context.mock.timers.tick(150);
    receive(state, measured(3));
    context.mock.timers.tick(1000);
    assert.deepEqual(kinds(state), ["drag", "sharpen", "sharpen"], "it is measured in full");
    drag(state, "a", 0.2);
    receive(state, measured(1));
    dropThumb(state);
    context.mock.timers.tick(1000);
    assert.equal(kinds(state).at(-1), "drag", "a release asks by itself");
  });

test("the browser leads the focus, unless Python moves it by itself", () => {
  const state = stateOf();
  followFocus(state, "a");
  assert.equal(state.view.focus, "a");
  lookAt(state, "b");
  followFocus(state, "a");
  assert.equal(state.view.focus, "b", "an echo of what was there before");
  enqueue(state, "focus");
  answer(state, {});
  followFocus(state, "b");
  followFocus(state, "a");
  assert.equal(state.view.focus, "a", "Python moved it");
});

test("news is looked for when Python says so, after its answer and not beside a request", () => {
  const state = stateOf();
  const told = (look) => receive(state, { look, scene: rawScene([rawLayer("a", 10)]),
    scene_id: "looks", settled: { seq: state.requests.seq, sparsity: { a: 0 }, locked: {} } });
  told(2);
  pass(1900);
  assert.deepEqual(kinds(state), []);
  pass(200);
  assert.deepEqual(kinds(state), ["look"]);
  pass(3000);
  assert.deepEqual(kinds(state), ["look"], "the answer has not come");
  told(2);
  drag(state, "a", 0.5);
  pass(2500);
  assert.deepEqual(kinds(state), ["look", "drag"], "a drag brings the news as well");
  told(2);
  stopWaiting(state);
  pass(2500);
  told(null);
  pass(2500);
  assert.deepEqual(kinds(state), ["look", "drag"], "a board that goes, or has all, looks no more");
});

// ---- what arrives

const scene = () => rawScene([rawLayer("a", 10), rawLayer("b", 30)]);

test("a first answer brings scene, plan, focus and picture", () => {
  const state = stateOf(null);
  const picture = { rows: 1, cols: 2, weight: packed(Float32Array, [1, 2]) };
  receive(state, { scene: scene(), scene_id: "s1", focus: "b", picture, picture_id: "p1",
    settled: { seq: 0, sparsity: { a: 0.5 }, locked: { b: "why" } },
    allocation: { method: "lamp", layers: {} }, allocation_id: "t1",
    sensitivity: { words: "w" }, sensitivity_id: "c1", method: "uniform" });
  assert.deepEqual(state.network.scene.layers.map((x) => x.name), ["a", "b"]);
  assert.deepEqual([state.network.sceneId, state.view.focus, state.plan.method],
    ["s1", "b", "uniform"]);
  assert.deepEqual([state.plan.sparsity, state.plan.locked], [{ a: 0.5 }, { b: "why" }]);
  assert.deepEqual([...state.network.pictureIds], [["b", "p1"]]);
  assert.deepEqual([state.network.sensitivity.words, state.network.allocation.method],
    ["w", "lamp"]);
  assert.deepEqual(state.sent, []);
});

test("what is named and known is not sent again; what is not known is asked for once", () => {
  const state = stateOf(null);
  receive(state, { scene_id: "s1", picture_id: "p1", focus: "a", allocation_id: "t1",
    sensitivity_id: "c1" });
  assert.deepEqual(state.network.scene.layers.map((x) => x.name), ["a", "b"], "from before");
  assert.deepEqual(state.sent, []);
  receive(state, { scene_id: "s2", picture_id: "p2", focus: "a" });
  assert.equal(state.network.sceneId, "s1", "the old one stays until it comes");
  assert.deepEqual(kinds(state), ["need"]);
  answer(state, {});
  receive(state, { scene_id: "s2", picture_id: "p2", focus: "a" });
  assert.deepEqual(kinds(state), ["need"], "not twice");
  receive(state, { scene: scene(), scene_id: "s2", focus: "a" });
  assert.deepEqual([...state.network.pictureIds], [], "pictures are of a scene");
  receive(state, {});
  assert.deepEqual(state.network.scene.layers, []);
});
