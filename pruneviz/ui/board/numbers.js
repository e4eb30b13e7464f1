// Which numbers follow from a sparsity, exactly as Python computes them?

/** @import { Layer, Product, Scene, Shares, Table } from "./types.d.ts" */

export const STEPS = 256; // a table of scores has one entry for j/256, j = 0..256
export const STOPS = 1000; // a table of what a pool takes has one for each stop of a slider

/**
 * Python's round(): ties go to the even neighbour.
 * @param {number} x
 */
export function roundHalfEven(x) {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * @param {number} x
 * @param {number} low
 * @param {number} high
 */
export function clamp(x, low, high) {
  return Math.min(high, Math.max(low, x));
}

/**
 * How many items a layer loses when asked for this sparsity by itself; what was cut and kept
 * by hand bounds it.
 * @param {Pick<Layer, "items" | "snap">} layer
 * @param {number} sparsity
 * @param {readonly number[]} byHand cut and kept
 */
export function cutCount(layer, sparsity, [cut, keep]) {
  const asked = sparsity * layer.items;
  if (layer.snap !== null) return asked < layer.snap / 2 ? 0 : layer.snap;
  return clamp(roundHalfEven(asked), cut, layer.items - keep);
}

/**
 * The value of a table at a fraction 0..1, linear between its entries.
 * @param {Table} table
 * @param {number} fraction
 */
export function interpolate(table, fraction) {
  const last = table.length - 1;
  const place = clamp(fraction, 0, 1) * last;
  const low = Math.min(Math.floor(place), last);
  const high = Math.min(low + 1, last);
  return table[low] + (table[high] - table[low]) * (place - low);
}

/**
 * The fraction at which a rising table reaches a value. Where the table is flat many do:
 * the one nearest to `near` is taken, so that nothing moves that need not move.
 * @param {Table} table
 * @param {number} value
 * @param {number} near
 */
export function invert(table, value, near) {
  const last = table.length - 1;
  let first = 0;
  while (first <= last && table[first] < value) first += 1;
  let final = last;
  while (final >= 0 && table[final] > value) final -= 1;
  if (first > last) return 1;
  if (final < 0) return 0;
  if (first <= final) return clamp(near, first / last, final / last);
  const rise = table[first] - table[final];
  return (final + (rise > 0 ? (value - table[final]) / rise : 0)) / last;
}

/** @param {Table[]} tables */
export function addTables(tables) {
  const sum = new Float64Array(STOPS + 1);
  for (const table of tables) for (let j = 0; j <= STOPS; j += 1) sum[j] += table[j];
  return sum;
}

/**
 * The score that parts the cut items from the kept ones; null when nothing is cut.
 * @param {Table | null} scores
 * @param {number} total
 * @param {number} cut
 */
export function thresholdAt(scores, total, cut) {
  if (!scores || cut <= 0 || total <= 0) return null;
  if (cut >= total) return Infinity;
  return interpolate(scores, total > 1 ? (cut - 0.5) / (total - 1) : 0);
}

/**
 * Bytes of one layer, of which this share is left, as a bitmask with the kept values, where that
 * is smaller.
 * @param {Layer} layer
 * @param {number} left
 */
export function layerBytes(layer, left) {
  const dense = layer.weights * layer.weight_bytes;
  return Math.min(dense, dense * left + layer.weights / 8);
}

/**
 * The share of a product apart from those of layers (of attention, say) that is left; gone: group
 * -> share of its units.
 * @param {Product} product
 * @param {Map<string, number>} gone
 */
export function productLeft(product, gone) {
  let left = 1;
  for (const axis of product.axes) {
    let lost = 0;
    for (const [group, share] of axis) lost += share * (gone.get(group) ?? 0);
    left *= Math.max(0, 1 - lost);
  }
  return left;
}

/**
 * What is left of the network when these many items of each layer are cut. The units of a
 * group go once, with the inputs that they were to other layers; where rows and inputs of a
 * layer both go, they cross.
 * @param {Scene} scene
 * @param {(layer: Layer) => number} cutOf
 */
export function remaining(scene, cutOf) {
  let kept = scene.total_params;
  let macs = scene.total_macs ?? 0;
  let bytes = scene.total_bytes;
  const gone = new Map(); // group -> share of its units
  for (const layer of scene.layers) {
    const cut = layer.items > 0 ? cutOf(layer) : 0;
    if (cut <= 0 || gone.has(layer.lead)) continue;
    gone.set(layer.lead, cut / layer.items);
    kept -= cut * layer.item_params;
  }
  for (const layer of scene.layers) {
    const rows = layer.rows * (gone.get(layer.lead) ?? 0);
    let inputs = 0;
    for (const [group, share] of layer.inputs) inputs += share * (gone.get(group) ?? 0);
    if (rows + inputs <= 0) continue;
    const left = (1 - rows) * Math.max(0, 1 - inputs);
    kept += layer.weights * rows * inputs;
    macs -= layer.macs * (1 - left);
    bytes += layerBytes(layer, left) - layer.weights * layer.weight_bytes;
  }
  for (const product of scene.products) macs -= product.macs * (1 - productLeft(product, gone));
  return { kept: Math.max(0, kept), macs: Math.max(0, macs), bytes: Math.max(0, bytes) };
}

/**
 * The value of a curve drawn through (xs, ys) by rising x; its ends beyond them.
 * @param {ArrayLike<number>} xs
 * @param {ArrayLike<number>} ys
 * @param {number} x
 */
export function valueAt(xs, ys, x) {
  let right = 0;
  while (right < xs.length && xs[right] < x) right += 1;
  if (right === 0) return ys[0];
  if (right === xs.length) return ys[right - 1];
  if (xs[right] === x) return ys[right];
  const part = (x - xs[right - 1]) / (xs[right] - xs[right - 1]);
  return ys[right - 1] + part * (ys[right] - ys[right - 1]);
}
