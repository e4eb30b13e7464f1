// Which layers move as one?

import { clamp } from "./numbers.js";
import { isNumber } from "./wire.js";
import { countText } from "./words.js";

/** @import { Layer, State } from "./types.d.ts" */

const MANY = 8; // names that a sign lists

/**
 * These layers with all that move with them, each once.
 * @param {State} state
 * @param {string[]} names
 */
export function withMembers(state, names) {
  const all = new Set();
  for (const name of names) {
    for (const member of state.network.scene.byName.get(name)?.members ?? [name]) all.add(member);
  }
  return [...all];
}

/**
 * Of each group one layer: its units are counted once.
 * @param {Layer[]} layers
 */
export function onceEach(layers) {
  const seen = new Map();
  for (const layer of layers) if (!seen.has(layer.lead)) seen.set(layer.lead, layer);
  return [...seen.values()];
}

/**
 * @param {State} state
 * @param {Layer} layer
 */
export function isTogether(state, layer) {
  const focus = state.network.scene.byName.get(state.view.focus);
  return layer.members.length > 1 && focus !== undefined && focus.lead === layer.lead;
}

/** @param {Layer} layer */
export function chainWords(layer) {
  const others = layer.members.filter((name) => name !== layer.name);
  const named = others.slice(0, MANY).join(", ");
  const more = others.length > MANY ? ` and ${others.length - MANY} more` : "";
  return others.length > 0 ? `moves together with ${named}${more}` : "";
}

/**
 * How many items of a layer were cut and kept by hand.
 * @param {State} state
 * @param {Layer} layer
 */
export function byHand(state, layer) {
  const found = state.answer.settled?.by_hand?.[layer.name];
  const size = (/** @type {unknown} */ x) => (isNumber(x) ? clamp(x, 0, layer.items) : 0);
  return Array.isArray(found) ? found.map(size) : [0, 0];
}

/**
 * @param {State} state
 * @param {Layer} layer
 */
export function handWords(state, layer) {
  const [cut, keep] = byHand(state, layer);
  return cut + keep > 0 ? `${countText(cut + keep)} by hand` : "";
}
