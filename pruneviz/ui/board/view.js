// What does a person look at and choose?

import { isPooled } from "./plan.js";

/** @import { Search, State, View } from "./types.d.ts" */

/** @returns {View} */
export function newView() {
  return {
    focus: "",
    focusTimer: null,
    ticked: new Set(),
    open: new Set(),
    target: "all",
    searchText: "",
    search: readSearch(""),
    kind: "weights",
    wall: false,
    tool: "look",
    scale: "layer",
    measure: "accuracy",
    lose: 0.01,
    complaint: "",
  };
}

/**
 * "conv" finds what contains it; "/^conv\d$/" is a regular expression.
 * @param {string} text
 * @returns {Search}
 */
export function readSearch(text) {
  const wanted = text.trim();
  const regex = /^\/(.*?)\/?$/.exec(wanted);
  if (regex && regex[1] !== "") {
    try {
      const pattern = new RegExp(regex[1], "i");
      return { finds: (layer) => pattern.test(layer.name), wrong: false };
    } catch {
      return { finds: () => true, wrong: true };
    }
  }
  const plain = regex ? "" : wanted.toLowerCase();
  const finds = (/** @type {{ name: string, kind: string }} */ layer) =>
    `${layer.name} ${layer.kind}`.toLowerCase().includes(plain);
  return { finds, wrong: false };
}

/**
 * @param {State} state
 * @param {string} text
 */
export function search(state, text) {
  state.view.searchText = text.trim();
  state.view.search = readSearch(text);
}

/**
 * Returns whether another layer was in focus.
 * @param {State} state
 * @param {string} name
 */
export function lookAt(state, name) {
  clearTimeout(state.view.focusTimer ?? undefined);
  if (state.view.focus === name) return false;
  state.view.focus = name;
  return true;
}

/**
 * @param {State} state
 * @param {number} wait
 * @param {() => void} look
 */
export function lookLater(state, wait, look) {
  clearTimeout(state.view.focusTimer ?? undefined);
  state.view.focusTimer = setTimeout(look, wait);
}

/**
 * The bulk slider moves what is ticked, for as long as anything is.
 * @param {State} state
 * @param {string} name
 * @param {boolean} on
 */
export function tick(state, name, on) {
  const { view } = state;
  if (on) view.ticked.add(name);
  else view.ticked.delete(name);
  if (on && !isPooled(state)) view.target = "ticked";
  if (view.ticked.size === 0 && view.target === "ticked") view.target = "all";
}

/**
 * @param {State} state
 * @param {string} block
 */
export function toggleBlock(state, block) {
  const { view } = state;
  if (view.open.has(block)) view.open.delete(block);
  else view.open.add(block);
}

/**
 * @param {State} state
 * @param {string} target
 */
export function chooseTarget(state, target) {
  state.view.target = target;
}

/**
 * @param {State} state
 * @param {string} kind
 */
export function chooseKind(state, kind) {
  state.view.kind = kind;
}

/** @param {State} state */
export function toggleWall(state) {
  state.view.wall = !state.view.wall;
}

/**
 * @param {State} state
 * @param {string} tool
 */
export function chooseTool(state, tool) {
  state.view.tool = tool;
  state.view.complaint = "";
}

/** @param {State} state */
export function toggleScale(state) {
  state.view.scale = state.view.scale === "layer" ? "model" : "layer";
}

/**
 * What the chart shows.
 * @param {State} state
 * @param {string} measure
 */
export function chooseMeasure(state, measure) {
  state.view.measure = measure;
}

/**
 * How much of the score may be lost; returns whether it is an amount.
 * @param {State} state
 * @param {number} lose
 */
export function allowLoss(state, lose) {
  if (!Number.isFinite(lose) || lose < 0) return false;
  state.view.lose = lose;
  return true;
}

/**
 * What cannot be done, in the line of the status; "" takes it back.
 * @param {State} state
 * @param {string} words
 */
export function complain(state, words) {
  state.view.complaint = words;
}
