// What does the plan on the screen cut?

import { byHand } from "./chain.js";
import { clamp, cutCount, interpolate, remaining, roundHalfEven, thresholdAt } from "./numbers.js";
import { askedOf, isPooled, isLocked, isMovable, rankedItems } from "./plan.js";
import { pictureNow } from "./store.js";
import { isNumber } from "./wire.js";

/** @import { Layer, State, Table } from "./types.d.ts" */

/**
 * The one share of a pool that all its movable layers are asked for.
 * @param {State} state
 * @param {string | null} pool
 */
export function poolShare(state, pool) {
  const mine = (/** @type {Layer} */ x) => x.pool === pool && isMovable(state, x);
  const layer = state.network.scene.layers.find(mine);
  return layer ? askedOf(state, layer.name) : 0;
}

/**
 * @param {State} state
 * @param {Layer} layer
 */
function poolCut(state, layer) {
  return roundHalfEven(poolShare(state, layer.pool) * rankedItems(state, layer));
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
  if (!isPooled(state)) return cutCount(layer, askedOf(state, layer.name), byHand(state, layer));
  if (isLocked(state, layer.name) || !layer.reach) return 0;
  return clamp(Math.round(interpolate(layer.reach, poolShare(state, layer.pool))), 0, layer.items);
}

/**
 * The rank below which the cells of the layer's picture are cut.
 * @param {State} state
 * @param {Layer} layer
 */
export function rankLimit(state, layer) {
  if (!isPooled(state)) return cutNow(state, layer);
  return isMovable(state, layer) ? poolCut(state, layer) : 0;
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
  if (!isPooled(state)) {
    return thresholdAt(scores, layer.items, cutNow(state, layer));
  }
  if (!isMovable(state, layer)) return null;
  const pooled = scene.pools.get(layer.pool ?? "")?.scores ?? null;
  return thresholdAt(pooled, rankedItems(state, layer), poolCut(state, layer));
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
