// How much of each layer does the bulk slider ask for?

import { onceEach } from "./chain.js";
import { interpolate } from "./numbers.js";
import { askedOf, chooseMethod, EVENLY, isGlobal, isPooled } from "./plan.js";
import { complain } from "./view.js";

/** @import { Handle, State, Table } from "./types.d.ts" */

/**
 * Why it must be uniform, or "".
 * @param {State} state
 */
export function sharingReason(state) {
  if (isGlobal(state)) return "one threshold decides how much each layer loses";
  if (isPooled(state)) return "a threshold decides what each of the layers alike loses";
  if (state.view.target !== "all") {
    return "other methods apply to all unlocked layers: choose those on the left";
  }
  if (state.view.searchText !== "") {
    return "other methods apply to all unlocked layers: clear the search on the left";
  }
  return "";
}

/**
 * Layer -> its levels at each target; null where all layers get the same.
 * @param {State} state
 */
export function sharedTables(state) {
  const { allocation: told } = state.network;
  const method = state.plan.method || EVENLY;
  if (method === EVENLY || sharingReason(state) !== "" || told?.method !== method) return null;
  return told.layers.size > 0 ? told.layers : null;
}

/**
 * The levels that were asked for have not come yet.
 * @param {State} state
 */
export function isSharing(state) {
  const asked = (state.plan.method || EVENLY) !== EVENLY && sharingReason(state) === "";
  return asked && state.network.allocation?.method !== state.plan.method;
}

/**
 * @param {Map<string, Table>} tables
 * @param {string} name
 * @param {number} share
 */
function sharedLevel(tables, name, share) {
  const table = tables.get(name);
  return table ? Math.round(interpolate(table, share) * 1e4) / 1e4 : null;
}

/**
 * What a handle asked for `share` asks of a layer; one that has no table stays.
 * @param {State} state
 * @param {Handle} handle
 * @param {string} name
 * @param {number} share
 */
export function levelFor(state, handle, name, share) {
  const tables = handle.shares ? sharedTables(state) : null;
  if (tables === null) return wholeLevel(state, handle, name, share);
  return sharedLevel(tables, name, share) ?? askedOf(state, name);
}

/**
 * Of blocks a handle over several leaves out as many as the share says, the lowest scores first.
 * @param {State} state
 * @param {Handle} handle
 * @param {string} name
 * @param {number} share
 */
function wholeLevel(state, handle, name, share) {
  const { byName } = state.network.scene;
  const own = byName.get(name)?.place ?? null;
  if (own === null || isPooled(state)) return share;
  if (handle.kind === "layer") return Math.round(share);
  const layers = handle.names.flatMap((x) => byName.get(x) ?? []);
  const places = onceEach(layers).flatMap((x) => x.place ?? []);
  const before = places.filter((place) => place < own).length;
  return before < Math.round(share * places.length) ? 1 : 0;
}

/**
 * The share from which on no layer loses more: the last unit of each stays.
 * @param {Map<string, Table>} tables
 */
export function fullShare(tables) {
  let most = 0;
  for (const table of tables.values()) {
    let k = table.length - 1;
    while (k > 0 && table[k - 1] === table[k]) k -= 1;
    most = Math.max(most, k / (table.length - 1));
  }
  return most;
}

/**
 * Where the bulk slider was put, while all layers still stand where it put them.
 * @param {State} state
 * @param {Handle} handle
 */
export function sharedShare(state, handle) {
  const tables = handle.shares ? sharedTables(state) : null;
  const { share } = state.plan;
  if (tables === null || share === null) return null;
  const stands = handle.names.every((name) => {
    const level = sharedLevel(tables, name, share);
    return level === null || Math.abs(level - askedOf(state, name)) < 1e-6;
  });
  return stands ? Math.min(share, fullShare(tables)) : null;
}

/**
 * What was asked for cannot be: all get the same, and why is said.
 * @param {State} state
 */
export function dropMethod(state) {
  const { sensitivity, allocation: told } = state.network;
  if (sharingReason(state) === "" && told?.method === state.plan.method && told.words !== "") {
    chooseMethod(state, EVENLY);
    complain(state, told.words);
  }
  const chosen = sensitivity?.methods.find((x) => x.name === state.plan.method);
  if (chosen?.whyNot) chooseMethod(state, EVENLY);
}
