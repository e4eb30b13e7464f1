// Where do the board and the map of the network meet?

/** @import { MapLink } from "./types.d.ts" */

const PLACE = Symbol.for("pruneviz.map"); // of the page: each component has modules of its own

/** @returns {MapLink} */
export function link() {
  const page = /** @type {Record<symbol, MapLink>} */ (/** @type {unknown} */ (globalThis));
  page[PLACE] ??= { board: null, changed: null };
  return page[PLACE];
}

/** To be called where the plan or the focus may have changed. */
export function tellMap() {
  link().changed?.();
}
