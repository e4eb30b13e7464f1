// What is asked of each layer, and which are locked?

/** @import { Layer, Locks, Plan, Shares, State } from "./types.d.ts" */

export const EVENLY = "uniform";

/** @returns {Plan} */
export function newPlan() {
  return {
    sparsity: {},
    locked: {},
    touched: new Set(),
    method: "",
    share: null,
    playing: null,
    slowly: false,
  };
}

/**
 * Whether layers share a ranking: all of them, or those alike.
 * @param {State} state
 */
export function isPooled(state) {
  return ["global", "alike"].includes(state.network.scene.scope);
}

/**
 * Whether all layers share one.
 * @param {State} state
 */
export function isGlobal(state) {
  return state.network.scene.scope === "global";
}

/**
 * How many items a layer is ranked among.
 * @param {State} state
 * @param {Layer} layer
 */
export function rankedItems(state, layer) {
  return state.network.scene.pools.get(layer.pool ?? "")?.total ?? layer.items;
}

/**
 * @param {State} state
 * @param {string} name
 */
export function isLocked(state, name) {
  return Object.hasOwn(state.plan.locked, name);
}

/**
 * @param {State} state
 * @param {Layer} layer
 */
export function isMovable(state, layer) {
  return !layer.disabled && !isLocked(state, layer.name);
}

/**
 * @param {State} state
 * @param {string[]} names
 */
export function layersOf(state, names) {
  return names.flatMap((name) => state.network.scene.byName.get(name) ?? []);
}

/**
 * @param {State} state
 * @param {string[]} names
 */
export function movableLayers(state, names) {
  return layersOf(state, names).filter((x) => isMovable(state, x));
}

/**
 * @param {State} state
 * @param {string} name
 */
export function askedOf(state, name) {
  return state.plan.sparsity[name] ?? 0;
}

/**
 * Returns whether that is another level than before.
 * @param {State} state
 * @param {string} name
 * @param {number} level
 */
export function ask(state, name, level) {
  if (askedOf(state, name) === level) return false;
  state.plan.sparsity[name] = level;
  state.plan.touched.add(name);
  return true;
}

/**
 * Where the bulk slider was put.
 * @param {State} state
 * @param {number} share
 */
export function putShare(state, share) {
  state.plan.share = share;
}

/**
 * @param {State} state
 * @param {string} method
 */
export function chooseMethod(state, method) {
  state.plan.method = method;
}

/**
 * A locked member of a group holds the others too.
 * @param {State} state
 * @param {string} name
 */
export function toggleLock(state, name) {
  const { plan, network } = state;
  const members = network.scene.byName.get(name)?.members ?? [name];
  const locked = isLocked(state, name);
  for (const member of members) {
    if (locked) delete plan.locked[member];
    else plan.locked[member] ??= "";
  }
}

/**
 * The layers that were moved since this was last called.
 * @param {State} state
 */
export function takeTouched(state) {
  const { touched } = state.plan;
  state.plan.touched = new Set();
  return touched;
}

/**
 * Python's levels of all but these layers.
 * @param {State} state
 * @param {Shares} sparsity
 * @param {Set<string>} but
 */
export function takeLevels(state, sparsity, but) {
  const { plan } = state;
  for (const [name, level] of Object.entries(sparsity)) {
    if (!but.has(name)) plan.sparsity[name] = level;
  }
}

/**
 * @param {State} state
 * @param {Locks} locked
 */
export function takeLocks(state, locked) {
  state.plan.locked = { ...locked };
}

/**
 * A playback of the plan as it stands: these layers go from nothing to their level.
 * @param {State} state
 * @param {string[]} names
 * @param {number} step how many plans were settled before
 */
export function startPlaying(state, names, step) {
  const target = Object.fromEntries(names.map((name) => [name, askedOf(state, name)]));
  state.plan.playing = { target, at: 1, step, runs: false, timer: null };
}

/**
 * @param {State} state
 * @param {number} at 0..1 of the way
 */
export function putPlaying(state, at) {
  const { playing } = state.plan;
  if (!playing) return;
  playing.at = at;
  for (const [name, level] of Object.entries(playing.target)) ask(state, name, level * at);
}

/**
 * @param {State} state
 * @param {boolean} slowly
 * @param {boolean} [runs]
 */
export function setPace(state, slowly, runs) {
  const { plan } = state;
  plan.slowly = slowly;
  if (plan.playing && runs !== undefined) plan.playing.runs = runs;
}

/**
 * @param {State} state
 * @param {number} wait ms
 * @param {() => void} then
 */
export function waitPlaying(state, wait, then) {
  const { plan } = state;
  const { playing } = plan;
  if (!playing) return;
  playing.timer = setTimeout(() => {
    playing.timer = null;
    if (plan.playing === playing) then();
  }, wait);
}

/**
 * Back to the plan that was played, whatever step stands.
 * @param {State} state
 */
export function endPlaying(state) {
  if (!state.plan.playing) return;
  putPlaying(state, 1);
  dropPlaying(state);
}

/**
 * Another plan stands in its place.
 * @param {State} state
 */
export function dropPlaying(state) {
  const { plan } = state;
  clearTimeout(plan.playing?.timer ?? undefined);
  plan.playing = null;
}
