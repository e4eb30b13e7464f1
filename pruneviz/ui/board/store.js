// What outlives a remount of the component, within bounds?

/** @import { Allocation, Picture, Scene, Sensitivity, State, Thumbnail } from "./types.d.ts" */

/**
 * Values by their ids, no more than a number of them.
 * @template V
 */
export class Store {
  #most;

  /** @type {Map<string, V>} */
  #held = new Map();

  /** @param {number} most */
  constructor(most) {
    this.#most = most;
  }

  /** @param {string} id */
  has(id) {
    return this.#held.has(id);
  }

  /** @param {string} id */
  get(id) {
    return this.#held.get(id) ?? null;
  }

  /**
   * The oldest goes where there are too many.
   * @param {string} id
   * @param {V} value
   */
  keep(id, value) {
    this.#held.delete(id);
    this.#held.set(id, value);
    const [oldest] = this.#held.keys();
    if (this.#held.size > this.#most) this.#held.delete(oldest);
  }
}

/** @type {Store<Scene>} */
export const scenes = new Store(4);
/** @type {Store<Picture>} */
export const pictures = new Store(24);
/** @type {Store<Thumbnail>} */
export const thumbnails = new Store(600);
/** @type {Store<Sensitivity>} */
export const sensitivities = new Store(24);
/** @type {Store<Allocation>} */
export const allocations = new Store(24);

/** @param {State} state */
export function pictureNow(state) {
  const id = state.network.pictureIds.get(state.view.focus);
  return id === undefined ? null : pictures.get(id);
}

/**
 * What was made of an image before under this key, or is now; a few are kept with it.
 * @template M
 * @param {{ made: Map<string, any> }} image
 * @param {string} key
 * @param {() => M} make
 * @returns {M}
 */
export function madeOf({ made }, key, make) {
  if (!made.has(key)) {
    if (made.size > 8) made.clear();
    made.set(key, make());
  }
  return made.get(key);
}
