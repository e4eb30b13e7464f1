// What does a hand do on the picture of the focused layer?

import { freesAt, strokePlaces, toolNow } from "./marks.js";
import { clamp } from "./numbers.js";
import { cellAt } from "./paint.js";
import { command } from "./requests.js";
import { pictureNow } from "./store.js";
import { complain } from "./view.js";
import { countText } from "./words.js";

/** @import { Hand, Places, Pointer, State } from "./types.d.ts" */

const STROKE = 4096; // places that one stroke may touch

/** @returns {Hand} */
export function newHand() {
  return { thumb: null, stroke: null, pointer: null };
}

/**
 * These layers move with the thumb: an older answer may not move them back.
 * @param {State} state
 * @param {string[]} names
 */
export function holdThumb(state, names) {
  state.hand.thumb = names;
}

/** @param {State} state */
export function dropThumb(state) {
  state.hand.thumb = null;
}

/**
 * The pointer is kept, so that its words change while a slider moves.
 * @param {State} state
 * @param {Pointer | null} pointer
 */
export function pointAt(state, pointer) {
  state.hand.pointer = pointer;
}

/**
 * @param {State} state
 * @param {PointerEvent} event
 */
function cellUnder(state, event) {
  const why = state.page.parts.pictures;
  const from = why.canvas.getBoundingClientRect();
  const inside = (/** @type {number} */ at, /** @type {number} */ most) =>
    clamp(at, 0, Math.max(0, most - 0.01));
  const x = event.clientX - from.left;
  const y = event.clientY - from.top;
  const held = state.hand.stroke !== null; // a stroke goes on beside the picture
  return held ? cellAt(why.grid, inside(x, from.width), inside(y, from.height))
    : cellAt(why.grid, x, y);
}

/**
 * @param {State} state
 * @param {PointerEvent} event
 */
export function startStroke(state, event) {
  const layer = state.network.scene.byName.get(state.view.focus);
  const picture = pictureNow(state);
  const { drawn, box } = state.page.parts.pictures;
  if (event.button !== 0 || !layer || !picture || !drawn) return;
  const tool = toolNow(state, layer);
  if (tool === "look") return;
  const cell = cellUnder(state, event);
  if (!cell) return;
  event.preventDefault();
  box.setPointerCapture(event.pointerId);
  complain(state, "");
  const frees = freesAt(picture, drawn, tool, cell);
  state.hand.stroke = { layer: layer.name, tool, from: cell, to: cell, frees };
  state.redraw();
}

/**
 * @param {State} state
 * @param {PointerEvent} event
 */
export function moveStroke(state, event) {
  const { stroke } = state.hand;
  const cell = stroke && cellUnder(state, event);
  if (!cell || cell.index === stroke.to.index) return;
  stroke.to = cell;
  stroke.frees = false; // what is brushed over is pinned
  state.redraw();
}

/**
 * @param {State} state
 * @param {boolean} done
 */
export function endStroke(state, done) {
  const { stroke } = state.hand;
  if (!stroke) return;
  state.hand.stroke = null;
  const picture = pictureNow(state);
  if (done && picture && stroke.layer === state.view.focus) {
    pinNow(state, strokePlaces(state, picture, stroke));
  }
  state.redraw();
}

/**
 * @param {State} state
 * @param {Places} places
 */
export function pinNow(state, places) {
  const many = Object.keys(places).length;
  if (many > STROKE) {
    complain(state, `One stroke may touch ${countText(STROKE)} units, not ${countText(many)}.`);
  } else if (many > 0) {
    command(state, "pin", { layer: state.view.focus, places });
  }
}
