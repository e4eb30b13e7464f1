// What does the plan on the screen cut?

import { byHand } from "./chain.js";
import { clamp, cutCount, interpolate, remaining, roundHalfEven, thresholdAt } from "./numbers.js";
import { askedOf, isGlobal, isLocked, isMovable } from "./plan.js";
import { pictureNow } from "./store.js";
import { isNumber } from "./wire.js";

/** @import { Layer, State, Table } from "./types.d.ts" */

/**
 * Scope global: the one share of the pool that all movable layers are asked for.
 * @param {State} state
 */
export function poolShare(state) {
  const layer = state.network.scene.layers.find((x) => isMovable(state, x));
  return layer ? askedOf(state, layer.name) : 0;
}

/** @param {State} state */
function poolCut(state) {
  return roundHalfEven(poolShare(state) * state.network.scene.pool_total);
}

/**
 * What Python has cut of this layer, where it has answered exactly what is on the screen; or null.
 * @param {State} state
 * @param {string} name
 */
function answeredCut(state, name) {
  const { settled } = state.answer;
  if (settled === null || settled.sparsity[name] !== askedOf(state, name)) return null;
  if (isLocked(state, name) !== Object.hasOwn(settled.locked, name)) return null;
  return isNumber(settled.cut[name]) ? settled.cut[name] : null;
}

/**
 * @param {State} state
 * @param {Layer} layer
 */
export function cutNow(state, layer) {
  if (layer.disabled) return 0;
  const answered = answeredCut(state, layer.name);
  if (answered !== null) return clamp(answered, 0, layer.items);
  if (!isGlobal(state)) return cutCount(layer, askedOf(state, layer.name), byHand(state, layer));
  if (isLocked(state, layer.name) || !layer.reach) return 0;
  return clamp(Math.round(interpolate(layer.reach, poolShare(state))), 0, layer.items);
}

/**
 * The rank below which the cells of the layer's picture are cut.
 * @param {State} state
 * @param {Layer} layer
 */
export function rankLimit(state, layer) {
  if (!isGlobal(state)) return cutNow(state, layer);
  return isMovable(state, layer) ? poolCut(state) : 0;
}

/**
 * Of the layer in focus: its scores come with its picture.
 * @param {State} state
 * @param {Layer} layer
 */
export function thresholdNow(state, layer) {
  return thresholdIn(state, layer, pictureNow(state)?.scores ?? null);
}

/**
 * scores: the table of the layer's own.
 * @param {State} state
 * @param {Layer} layer
 * @param {Table | null} scores
 */
export function thresholdIn(state, layer, scores) {
  const { scene } = state.network;
  if (cutNow(state, layer) <= byHand(state, layer)[0]) return null;
  if (!isGlobal(state)) {
    return thresholdAt(scores, layer.items, cutNow(state, layer));
  }
  if (!isMovable(state, layer)) return null;
  return thresholdAt(scene.pool_scores, scene.pool_total, poolCut(state));
}

/** @param {State} state */
export function totalsNow(state) {
  const { scene } = state.network;
  const { settled } = state.answer;
  const totals = remaining(scene, (layer) => cutNow(state, layer));
  const exact = scene.layers.every((x) => x.disabled || answeredCut(state, x.name) !== null);
  if (exact && isNumber(settled?.kept_params)) totals.kept = settled.kept_params;
  if (exact && isNumber(settled?.kept_macs)) totals.macs = settled.kept_macs;
  return { ...totals, exact };
}
