// How is a plan seen from the whole network to its sparsity, step by step, as measured?

import { make, setAttribute, setText } from "./dom.js";
import {
  dropPlaying, endPlaying, isMovable, putPlaying, setPace, startPlaying, waitPlaying,
} from "./plan.js";
import { enqueue, isAhead, isMeasuring } from "./requests.js";

/** @import { Layer, Playback, State } from "./types.d.ts" */

export const STEPS = 20;
const PACE = 120; // ms that a step stands at least, once it is measured
const SLOW = 1000;
const STILL = "(prefers-reduced-motion: reduce)";

/** Whether this system asks for less motion: then nothing moves by itself. */
function isStill() {
  return globalThis.matchMedia?.(STILL).matches ?? false;
}

/** @param {State} state */
export function buildPlayback(state) {
  const button = (/** @type {string} */ id, /** @type {string} */ text,
    /** @type {string} */ label, /** @type {() => void} */ act) => make("button", {
    type: "button", class: "small", title: label, "aria-label": label, "data-testid": id,
    onclick: act }, text);
  const back = button("play-back", "‹", "one step back", () => stepBy(state, -1));
  const play = button("play", "play", "play this plan from the whole network on", () =>
    toggle(state));
  const next = button("play-next", "›", "one step on", () => stepBy(state, 1));
  const slow = make("input", { type: "checkbox", "data-testid": "play-slow", onchange: () => {
    setPace(state, slow.checked);
    state.redraw();
  } });
  const says = make("span", { class: "frame", "data-testid": "play-says" });
  const node = make("div", { class: "playback", role: "group",
    "aria-label": "playback of the plan" }, back, play, next,
    make("label", { class: "slowly" }, slow, "slow"), says);
  return { node, back, play, next, slow, says };
}

/**
 * The layers that a playback moves: what is cut, and has no lock.
 * @param {State} state
 */
function moved(state) {
  return state.network.scene.layers.filter((layer) => isMovable(state, layer)
    && (state.plan.sparsity[layer.name] ?? 0) > 0);
}

/**
 * @param {State} state
 * @returns {string} why nothing can be played, or ""
 */
export function playReason(state) {
  if (state.plan.playing) return "";
  const { layers } = state.network.scene;
  if (layers.some((/** @type {Layer} */ layer) => layer.snap !== null)) {
    return "an N:M pattern is there or is not: there is nothing between";
  }
  if (state.answer.data.slow) return "this plan is measured on release alone";
  if (moved(state).length === 0) return "cut something first";
  return "";
}

/** @param {State} state */
function isReady(state) {
  const { requests, hand, answer } = state;
  return requests.flight === null && requests.queue.length === 0 && !requests.unsettled
    && hand.thumb === null && !isAhead(state) && answer.settled !== null;
}

/**
 * @param {State} state
 * @param {number} at of STEPS
 */
function begin(state, at) {
  if (playReason(state) || !isReady(state)) return false;
  startPlaying(state, moved(state).map((x) => x.name), state.answer.settled?.step ?? 0);
  show(state, at);
  return true;
}

/**
 * A step is a plan on the way, as under a thumb: it is no plan that was settled on.
 * @param {State} state
 * @param {number} at of STEPS
 */
function show(state, at) {
  if (at >= STEPS) endPlaying(state);
  else putPlaying(state, Math.max(0, at) / STEPS);
  enqueue(state, "play");
  state.redraw();
}

/** @param {State} state */
function stepNow(state) {
  return Math.round((state.plan.playing?.at ?? 0) * STEPS);
}

/** @param {State} state */
export function toggle(state) {
  const { playing } = state.plan;
  if (isStill() || (!playing && !begin(state, 0))) return;
  setPace(state, state.plan.slowly, playing ? !playing.runs : true);
  state.redraw();
}

/**
 * @param {State} state
 * @param {number} by
 */
export function stepBy(state, by) {
  if (!state.plan.playing) begin(state, by > 0 ? 0 : STEPS - 1);
  else {
    setPace(state, state.plan.slowly, false);
    show(state, stepNow(state) + by);
  }
}

/**
 * The next step follows once this one is measured; a change of the plan ends the playback.
 * @param {State} state
 */
export function goOnPlaying(state) {
  const { playing } = state.plan;
  if (!playing) return;
  if (state.answer.settled?.step !== playing.step) {
    dropPlaying(state);
    return;
  }
  if (!playing.runs || playing.timer !== null || !isReady(state) || isMeasuring(state)) return;
  waitPlaying(state, state.plan.slowly ? SLOW : PACE, () => {
    if (state.plan.playing?.runs) show(state, stepNow(state) + 1);
  });
}

/**
 * @param {State} state
 * @param {Playback} parts
 */
export function renderPlayback(state, { back, play, next, slow, says }) {
  goOnPlaying(state);
  const { playing } = state.plan;
  const reason = playReason(state);
  const still = isStill();
  for (const button of [back, next]) button.disabled = reason !== "";
  play.disabled = reason !== "" || still;
  setText(play, playing?.runs ? "pause" : "play");
  setAttribute(play, "title", reason || (still
    ? "this system asks for less motion: go step by step" : "from the whole network to this plan"));
  setAttribute(play, "aria-label", playing?.runs ? "pause the playback"
    : "play this plan from the whole network on");
  for (const button of [back, next]) {
    setAttribute(button, "title", reason || button.getAttribute("aria-label"));
  }
  slow.disabled = reason !== "" || still;
  setText(says, playing ? `${Math.round(playing.at * 100)} %` : "");
  setAttribute(says, "title", playing ? "of the way from the whole network to the plan" : null);
}
