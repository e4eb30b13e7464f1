import assert from "node:assert/strict";
import { test } from "node:test";

import {
  chooseTool, complain, lookAt, lookLater, readSearch, search, tick, toggleBlock, toggleScale,
} from "../../pruneviz/ui/board/view.js";
import { pass, rawLayer, rawScene, stateOf } from "./state.js";

const found = (text, ...names) => {
  const { finds } = readSearch(text);
  return names.filter((name) => finds({ name, kind: "Conv2d" }));
};

test("a search finds names and kinds, or what a regular expression fits", () => {
  assert.deepEqual(found("CONV", "conv1", "fc"), ["conv1", "fc"], "the kind is Conv2d");
  assert.deepEqual(found(" fc ", "conv1", "fc2"), ["fc2"]);
  assert.deepEqual(found("/^conv\\d$/", "conv1", "conv12", "Conv3"), ["conv1", "Conv3"]);
  assert.deepEqual(found("/fc", "conv1", "fc2"), ["fc2"], "not closed yet");
  assert.deepEqual(found("", "a", "b"), ["a", "b"]);
  assert.deepEqual(found("/", "a"), ["a"]);
});

test("a pattern that is none shows every layer and says so", () => {
  assert.ok(readSearch("/(/").wrong);
  assert.deepEqual(found("/(/", "a", "b"), ["a", "b"]);
  const state = stateOf();
  search(state, "  /[/ ");
  assert.equal(state.view.searchText, "/[/");
  assert.ok(state.view.search.wrong);
});

test("what is ticked is what the bulk slider moves", () => {
  const state = stateOf();
  tick(state, "a", true);
  assert.equal(state.view.target, "ticked");
  tick(state, "a", false);
  assert.equal(state.view.target, "all");
  const global = stateOf(rawScene([rawLayer("a", 4)], { scope: "global" }));
  tick(global, "a", true);
  assert.equal(global.view.target, "all", "one threshold for all");
});

test("the keyboard looks at a row when it stays there", () => {
  const state = stateOf();
  const look = (name) => lookLater(state, 150, () => lookAt(state, name));
  look("a");
  pass(100);
  look("b");
  pass(100);
  assert.equal(state.view.focus, "");
  pass(50);
  assert.equal(state.view.focus, "b");
  assert.equal(lookAt(state, "b"), false);
  look("a");
  assert.equal(lookAt(state, "c"), true);
  pass(500);
  assert.equal(state.view.focus, "c", "a click is not undone by a key before it");
});

test("folds, scale and tool", () => {
  const state = stateOf();
  toggleBlock(state, "layer1");
  assert.ok(state.view.open.has("layer1"));
  toggleBlock(state, "layer1");
  assert.equal(state.view.open.size, 0);
  toggleScale(state);
  assert.equal(state.view.scale, "model");
  toggleScale(state);
  assert.equal(state.view.scale, "layer");
  complain(state, "no");
  chooseTool(state, "cut");
  assert.deepEqual([state.view.tool, state.view.complaint], ["cut", ""]);
});
