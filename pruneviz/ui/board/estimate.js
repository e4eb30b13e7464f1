// What do the curves of the layers foretell of the whole plan?

import { onceEach } from "./chain.js";
import { cutNow } from "./counts.js";
import { interpolate, valueAt } from "./numbers.js";
import { askedOf, isPooled } from "./plan.js";
import { isMeasuring } from "./requests.js";
import { isNumber } from "./wire.js";

/** @import { Layer, State } from "./types.d.ts" */

/**
 * A group has one curve, under its own name.
 * @template V
 * @param {Map<string, V> | null | undefined} map
 * @param {Layer} layer
 */
export function ofSlider(map, layer) {
  return map?.get(layer.lead) ?? map?.get(layer.name) ?? null;
}

/**
 * @param {State} state
 * @param {Layer} layer
 */
export function curveOf(state, layer) {
  return ofSlider(state.network.sensitivity?.layers, layer);
}

// Whether the score is a share of what is right, told in per cent and points.
export const isShare = (/** @type {State} */ state) => state.answer.data.task?.share !== false;

/**
 * The whole plan's accuracy from what each slider does alone, or null where none can be told.
 * @param {State} state
 */
export function estimateNow(state) {
  const link = state.network.sensitivity?.estimate;
  if (!link) return null;
  let damage = 0;
  for (const layer of onceEach(state.network.scene.layers)) {
    if (layer.disabled) continue;
    const got = () => cutNow(state, layer) / layer.items;
    const level = isPooled(state) ? got() : askedOf(state, layer.name);
    if (level <= 0) continue;
    const table = ofSlider(link.tables, layer);
    if (table === null) return null;
    damage += interpolate(table, level);
  }
  const accuracy = valueAt(link.damage, link.accuracy, damage);
  const half = valueAt(link.missedAt, link.missed, damage);
  const [low, high] = [Math.max(link.least, accuracy - half), Math.min(link.most, accuracy + half)];
  const dense = valueAt(link.damage, link.accuracy, 0);
  return Number.isFinite(accuracy) ? { accuracy, low, high, dense, words: link.words } : null;
}

/**
 * An estimate stands in the headline for as long as the measurement is behind the thumb.
 * @param {State} state
 */
export function estimateShown(state) {
  const measured = isNumber(state.answer.measured?.accuracy);
  if (measured && !isMeasuring(state)) return null;
  const whole = state.network.scene.layers.every((x) => x.disabled || askedOf(state, x.name) === 0);
  return whole ? null : estimateNow(state);
}
