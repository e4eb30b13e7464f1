import assert from "node:assert/strict";
import { test } from "node:test";

import { statusText } from "../../pruneviz/ui/board/board.js";
import { nextOpen } from "../../pruneviz/ui/board/dom.js";
import { ask, toggleLock } from "../../pruneviz/ui/board/plan.js";
import { rowNote } from "../../pruneviz/ui/board/row.js";
import { Store } from "../../pruneviz/ui/board/store.js";
import { complain, search } from "../../pruneviz/ui/board/view.js";
import { rawLayer, rawScene, stateOf } from "./state.js";

test("arrow keys go round among the choices that are open", () => {
  assert.equal(nextOpen([true, true, true], 0, 1), 1);
  assert.equal(nextOpen([true, true, true], 2, 1), 0);
  assert.equal(nextOpen([true, true, true], 0, -1), 2);
  assert.equal(nextOpen([true, false, true], 0, 1), 2);
  assert.equal(nextOpen([true, false, false], 0, 1), 0);
  assert.equal(nextOpen([false, false], 1, -1), 1);
});

test("a note of a row says what keeps the level from being got", () => {
  const state = stateOf(rawScene([rawLayer("a", 3), rawLayer("b", 30)]));
  const [a] = state.network.scene.layers;
  const note = (cut) => rowNote(state, a, cut).text;
  assert.equal(note(0), "");
  ask(state, "a", 0.5);
  assert.equal(note(2), "asked 50 % · got 67 %");
  state.answer.settled = { by_hand: { a: [1, 0] }, warnings: {}, sparsity: {}, locked: {}, cut: {} };
  assert.equal(note(2), "1 by hand · asked 50 % · got 67 %");
  toggleLock(state, "a");
  assert.equal(note(2), "1 by hand · locked");
  state.plan.locked.a = "the last layer";
  assert.equal(note(2), "1 by hand · locked: the last layer");
  state.answer.settled.warnings = { a: "every unit is gone" };
  assert.deepEqual(rowNote(state, a, 3), { text: "1 by hand · every unit is gone", tone: "bad" });
  assert.equal(rowNote(state, { ...a, disabled: "too short" }, 0).text, "1 by hand · too short");
});

test("the line below tells a failure first, then what was typed, then Python's words", () => {
  const state = stateOf();
  state.page = { failed: "" };
  state.answer.data = { message: "opened" };
  assert.equal(statusText(state), "opened");
  complain(state, "too large");
  assert.equal(statusText(state), "too large");
  search(state, "/(/");
  assert.match(statusText(state), /regular expression/);
  state.page.failed = "broken";
  assert.equal(statusText(state), "broken");
});

test("a store holds the newest", () => {
  const store = new Store(2);
  for (const id of ["a", "b", "a", "c"]) store.keep(id, id);
  assert.deepEqual(["a", "b", "c"].map((id) => store.get(id)), ["a", null, "c"]);
  assert.deepEqual(["a", "b"].map((id) => store.has(id)), [true, false]);
});
