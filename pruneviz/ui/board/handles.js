// What does one slider move: a layer, a block, or all that were chosen?

import { onceEach, withMembers } from "./chain.js";
import { cutNow, poolShare } from "./counts.js";
import { addTables, clamp, invert } from "./numbers.js";
import {
  ask, askedOf, endPlaying, isGlobal, isLocked, isMovable, isPooled, layersOf,
  movableLayers, putShare,
} from "./plan.js";
import { levelFor, sharedShare } from "./shares.js";

/** @import { Handle, Layer, State } from "./types.d.ts" */

const NAMED = 4; // of so many locked layers the names are told

/**
 * A handle is whatever one slider moves: a layer, a block of layers, or the bulk target.
 * @param {State} state
 * @param {Handle} handle
 */
export function shareOf(state, handle) {
  const all = layersOf(state, handle.names);
  if (handle.kind === "master" && isGlobal(state)) return globalShare(state);
  if (handle.kind === "layer" && !isPooled(state)) return askedOf(state, handle.names[0]);
  const put = sharedShare(state, handle);
  if (put !== null) return put;
  const movable = all.filter((x) => isMovable(state, x));
  const counted = movable.length > 0 ? movable : all;
  let part = 0;
  let items = 0;
  for (const layer of onceEach(counted)) {
    const asked = () => askedOf(state, layer.name) * layer.items;
    part += isPooled(state) ? cutNow(state, layer) : asked();
    items += layer.items;
  }
  return items > 0 ? part / items : 0;
}

/** @param {State} state */
function globalShare(state) {
  const layer = state.network.scene.layers.find((x) => isMovable(state, x));
  return layer ? poolShare(state, layer.pool) : 0;
}

/**
 * What a handle that cuts `share` of its layers asks of all layers in their pools, by name.
 * @param {State} state
 * @param {Handle} handle
 * @param {Layer[]} layers those it moves
 * @param {number} share
 */
function pooledShares(state, handle, layers, share) {
  const movable = state.network.scene.layers.filter((x) => isMovable(state, x));
  if (handle.kind === "master") return new Map(movable.map((x) => [x.name, share]));
  /** @type {Map<string, number>} */
  const asked = new Map();
  for (const pool of new Set(layers.map((x) => x.pool))) {
    const counted = onceEach(layers.filter((x) => x.pool === pool));
    const items = counted.reduce((sum, x) => sum + x.items, 0);
    const table = addTables(counted.flatMap((x) => x.reach ?? []));
    const value = invert(table, share * items, poolShare(state, pool));
    for (const layer of movable) if (layer.pool === pool) asked.set(layer.name, value);
  }
  return asked;
}

/**
 * Ask a handle for a sparsity. Returns whether anything changed.
 * @param {State} state
 * @param {Handle} handle
 * @param {number} share
 */
export function moveHandle(state, handle, share) {
  endPlaying(state);
  const layers = movableLayers(state, withMembers(state, handle.names));
  if (layers.length === 0) return false;
  const value = clamp(share, 0, 1);
  const asked = isPooled(state) ? pooledShares(state, handle, layers, value)
    : new Map(layers.map((x) => [x.name, value]));
  let changed = false;
  if (handle.shares) putShare(state, value);
  for (const [name, level] of asked) {
    if (ask(state, name, levelFor(state, handle, name, level))) changed = true;
  }
  return changed;
}

/** @param {string} kind */
export function kindWord(kind) {
  if (/^conv/i.test(kind)) return "convolutions";
  return /^linear$/i.test(kind) ? "linear" : kind;
}

/**
 * Those of some layers that a search leaves in sight: nothing moves behind it.
 * @param {State} state
 * @param {Layer[]} layers
 */
export function inSight(state, layers) {
  return layers.filter(state.view.search.finds);
}

/** @param {State} state */
export function targetChoices(state) {
  const words = state.network.scene.layers.map((x) => kindWord(x.kind)).filter(Boolean);
  const kinds = [...new Set(words)];
  return [
    ["all", state.view.searchText ? "all unlocked layers found" : "all unlocked layers"],
    ...kinds.map((kind) => [`kind:${kind}`, kind === "linear" ? "linear layers" : kind]),
    ["ticked", "ticked layers"],
  ];
}

/**
 * What the bulk slider is to move, with what cannot be moved.
 * @param {State} state
 */
function targetLayers(state) {
  const target = isPooled(state) ? "all" : state.view.target;
  const wanted = (/** @type {Layer} */ layer) => {
    if (target === "ticked") return state.view.ticked.has(layer.name);
    return target === "all" || target === `kind:${kindWord(layer.kind)}`;
  };
  const { layers } = state.network.scene;
  return (isPooled(state) ? layers : inSight(state, layers)).filter(wanted);
}

/** @param {State} state */
export function targetNames(state) {
  return targetLayers(state).filter((x) => isMovable(state, x)).map((x) => x.name);
}

/**
 * Which locked layers the bulk slider leaves alone: why 90 % of it is not 90 % of the network.
 * @param {State} state
 */
export function lockedText(state) {
  const locked = targetLayers(state).filter((x) => isLocked(state, x.name));
  if (locked.length === 0) return { text: "", names: "" };
  const whole = locked.every((x) => askedOf(state, x.name) === 0);
  const names = locked.map((x) => x.name);
  const rest = names.length - NAMED;
  const named = rest > 1 ? `${names.slice(0, NAMED).join(", ")} and ${rest} more`
    : names.join(", ");
  const stay = whole ? "stay whole" : "stay as they are";
  return { text: `Locked layers ${stay}: ${named}.`, names: names.join(", ") };
}
