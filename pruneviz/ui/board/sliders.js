// How does a slider move with a pointer, keys and its field?

import { withMembers } from "./chain.js";
import { make, setAttribute } from "./dom.js";
import { dropThumb, holdThumb } from "./hand.js";
import { moveHandle } from "./handles.js";
import { clamp } from "./numbers.js";
import { isPooled, toggleLock } from "./plan.js";
import { command, enqueue, settleNow, settleSoon } from "./requests.js";
import { fieldText, readPercent } from "./words.js";

/** @import { Handle, Moves, Slider, State } from "./types.d.ts" */

/** @type {Record<string, number>} */
const KEYS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
/** @type {Record<string, number>} */
const ENDS = { Home: 0, End: 1 };

/**
 * A slider over 0..100 % by 0.1, with a field beside it. `moves(share)` is called while it
 * moves, `settles(soon)` when it rests, `starts()`/`ends()` around a drag.
 * @param {string} label
 * @param {string} testid
 * @param {Moves} parts
 */
export function makeSlider(label, testid, { moves, settles, starts, ends }) {
  const range = make("input", { type: "range", class: "slider", min: 0, max: 100, step: 0.1,
    "aria-label": `sparsity of ${label}`, "data-testid": testid ? `slider-${testid}` : null });
  const field = make("input", { type: "text", inputmode: "decimal", class: "number",
    autocomplete: "off", "aria-label": `sparsity of ${label} in per cent` });
  const stepBy = (/** @type {KeyboardEvent} */ event, /** @type {number} */ from) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return false;
    const jump = event.target === range && event.key in ENDS;
    if (!jump && !(event.key in KEYS)) return false;
    if (event.target === field && /Left|Right/.test(event.key)) return false;
    event.preventDefault();
    const share = jump ? ENDS[event.key] : clamp(from + KEYS[event.key] / 100, 0, 1);
    field.dataset.typed = "";
    moves(Math.round(share * 1000) / 1000);
    settles(true);
    return true;
  };
  let held = false;
  const release = () => {
    if (!held) return;
    held = false;
    ends();
  };
  range.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || range.disabled) return;
    held = true;
    starts();
  });
  range.addEventListener("input", () => moves(Math.round(Number(range.value) * 10) / 1000));
  range.addEventListener("change", () => {
    const soon = !held;
    release();
    settles(soon);
  });
  for (const name of ["pointerup", "pointercancel", "blur"]) {
    range.addEventListener(name, () => setTimeout(release));
  }
  range.addEventListener("keydown", (event) => stepBy(event, Number(range.value) / 100));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") field.dispatchEvent(new Event("change"));
    else if (event.key === "Escape") field.dataset.typed = "";
    else if (stepBy(event, readPercent(field.value) ?? 0)) return;
    else return;
    field.dispatchEvent(new CustomEvent("refresh", { bubbles: true }));
  });
  field.addEventListener("input", () => (field.dataset.typed = "yes"));
  field.addEventListener("focus", () => field.select());
  field.addEventListener("change", () => {
    if (field.dataset.typed !== "yes") return;
    field.dataset.typed = "";
    const share = readPercent(field.value);
    field.dispatchEvent(new CustomEvent("refresh", { bubbles: true }));
    if (share === null) return;
    moves(share);
    settles(false);
  });
  return { range, field, isHeld: () => held };
}

/**
 * @param {Slider} slider
 * @param {number} share
 * @param {boolean} disabled
 * @param {string} [says]
 */
export function showSlider(slider, share, disabled, says = "") {
  const { range, field } = slider;
  if (range.disabled !== disabled) range.disabled = disabled;
  if (field.disabled !== disabled) field.disabled = disabled;
  const value = fieldText(share);
  if (!slider.isHeld() && range.value !== value) range.value = value;
  const part = slider.isHeld() ? Number(range.value) / 100 : share;
  range.style.setProperty("--part", String(part));
  setAttribute(range, "aria-valuetext", `${value} %${says}`);
  if (field.dataset.typed !== "yes" && field.value !== value) field.value = value;
}

/**
 * A slider wired to a handle: { kind, names }.
 * @param {State} state
 * @param {string} label
 * @param {string} testid
 * @param {() => Handle} handle
 */
export function handleSlider(state, label, testid, handle) {
  return makeSlider(label, testid, {
    moves: (share) => {
      const changed = moveHandle(state, handle(), share);
      if (changed) enqueue(state, "drag");
      state.redraw();
    },
    settles: (soon) => {
      if (soon) settleSoon(state);
      else settleNow(state);
      state.redraw();
    },
    starts: () => {
      const all = isPooled(state) ? state.network.scene.layers.map((x) => x.name) : handle().names;
      holdThumb(state, withMembers(state, all));
    },
    ends: () => {
      dropThumb(state);
    },
  });
}

/**
 * @param {State} state
 * @param {string} name
 */
export function holdOrFree(state, name) {
  toggleLock(state, name);
  command(state, "lock");
  state.redraw();
}

/**
 * @param {State} state
 * @param {Handle} handle
 * @param {number} share
 */
export function setAndSettle(state, handle, share) {
  moveHandle(state, handle, share);
  settleNow(state);
  state.redraw();
}
