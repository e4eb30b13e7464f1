// Which layers are in sight, and what is drawn of them in small?

import { contextOf } from "./colours.js";
import { rankLimit } from "./counts.js";
import { make, setAttribute, setClass } from "./dom.js";
import { rankedItems } from "./plan.js";
import { cellColours, codeLimit, fillPixels, partsOf, pixelPlaces } from "./pooled.js";
import { enqueue } from "./requests.js";
import { madeOf, thumbnails } from "./store.js";
import { isNumber } from "./wire.js";
import { countText } from "./words.js";

/** @import { Layer, Pooled, Spot, State, Thumbnail, Thumbnails } from "./types.d.ts" */

const BATCH = 12; // layers that are asked for at once
const PATIENCE = 1000; // ms until what did not come is asked for again; twice as long each time
const TIMES = 6; // that the same is asked for: Python may have none
const FRAME = 6; // ms that painting may take of one frame; the rest is painted in the next
const NEAR = "120px"; // from sight

/** @returns {Thumbnails} */
export function newThumbnails() {
  return { spots: new Map(), watch: null, frame: null, wanted: [], asked: "", times: 0, next: 0 };
}

/**
 * The canvas for the picture of a layer.
 * @param {string} name
 * @param {{ width: number, height: number }} size
 */
export function makeThumbnail(name, { width, height }) {
  return make("canvas", { class: "thumbnail", role: "img", width, height, "data-repaints": 0,
    "aria-label": name });
}

/**
 * Draw the picture of a layer whenever `node` is in sight; `follow` is called with it before.
 * @param {State} state
 * @param {Element} node
 * @param {string} name
 * @param {HTMLCanvasElement} canvas
 * @param {(thumbnail: Thumbnail | null) => void} [follow]
 */
export function watchThumbnail(state, node, name, canvas, follow = () => {}) {
  const mine = state.thumbnails;
  mine.watch ??= new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const spot = mine.spots.get(entry.target);
      if (spot) spot.seen = entry.isIntersecting;
    }
    drawThumbnails(state);
  }, { rootMargin: NEAR });
  const image = contextOf(canvas).createImageData(canvas.width, canvas.height);
  mine.spots.set(node, { node, name, canvas, follow, image, seen: false, key: "", repaints: 0 });
  mine.watch.observe(node);
}

/**
 * @param {State} state
 * @param {Element[]} nodes
 */
export function forgetThumbnails(state, nodes) {
  const mine = state.thumbnails;
  for (const node of nodes) {
    mine.watch?.unobserve(node);
    mine.spots.delete(node);
  }
}

/**
 * The name of a layer's picture, as Python makes it.
 * @param {State} state
 * @param {string} name
 */
export function thumbnailId(state, name) {
  const { activity, pins } = state.answer.data.thumbnails ?? {};
  const pinned = pins?.[name] ?? pins?.[""] ?? "";
  return `${state.network.sceneId}|${name}|${activity ? 1 : 0}|${pinned}`;
}

/**
 * In the next frame, and once in it, however often a thumb has moved.
 * @param {State} state
 */
export function drawThumbnails(state) {
  const mine = state.thumbnails;
  if (mine.frame !== null || mine.spots.size === 0) return;
  mine.frame = requestAnimationFrame(() => {
    mine.frame = null;
    drawSeen(state);
  });
}

/** @param {State} state */
function drawSeen(state) {
  const until = performance.now() + FRAME;
  const missing = new Set();
  for (const spot of state.thumbnails.spots.values()) {
    if (!spot.seen || /** @type {HTMLElement} */ (spot.node).hidden) continue;
    const layer = state.network.scene.byName.get(spot.name);
    if (!layer) continue;
    if (performance.now() > until) {
      drawThumbnails(state);
      return;
    }
    const thumbnail = thumbnails.get(thumbnailId(state, spot.name));
    if (thumbnail === null) missing.add(spot.name);
    setClass(spot.node, "waiting", thumbnail === null);
    spot.follow(thumbnail);
    if (thumbnail) drawSpot(state, spot, layer, thumbnail);
  }
  askForThumbnails(state, [...missing]);
}

/**
 * @param {State} state
 * @param {string[]} missing
 */
function askForThumbnails(state, missing) {
  const mine = state.thumbnails;
  mine.wanted = missing.slice(0, BATCH);
  setAttribute(state.page.root, "data-missing", missing.length);
  const { flight, queue } = state.requests;
  const asked = mine.wanted.map((name) => thumbnailId(state, name)).join("\n");
  if (flight !== null || queue.length > 0 || state.hand.thumb !== null) return;
  if (asked === "") return;
  if (asked !== mine.asked) Object.assign(mine, { asked, times: 0, next: 0 });
  if (mine.times === TIMES || performance.now() < mine.next) return;
  const wait = PATIENCE * 2 ** mine.times;
  Object.assign(mine, { times: mine.times + 1, next: performance.now() + wait });
  setTimeout(() => drawThumbnails(state), wait);
  enqueue(state, "need");
}

/**
 * The code below which what a layer ranks is cut.
 * @param {State} state
 * @param {Layer | undefined} layer
 */
export function cutCode(state, layer) {
  if (!layer) return 0;
  const total = rankedItems(state, layer);
  return codeLimit(rankLimit(state, layer), total);
}

/**
 * @param {State} state
 * @param {Spot} spot
 * @param {Layer} layer
 * @param {Thumbnail} thumbnail
 */
function drawSpot(state, spot, layer, thumbnail) {
  const { kind, scale } = state.view;
  const { palette } = state.page;
  const { scene } = state.network;
  const image = kind === "activations" ? thumbnail.activation : thumbnail.matrix;
  const limitOf = (/** @type {string} */ group) => cutCode(state, scene.byName.get(group));
  const limits = image ? [cutCode(state, layer), ...image.lines.map((x) => limitOf(x.group))] : [];
  const whole = scale === "model" && kind === "weights" ? state.answer.data.limit_model : null;
  const most = isNumber(whole) ? whole : image?.limit ?? 0;
  const key = [thumbnailId(state, spot.name), kind, palette.id, most, ...limits].join("|");
  if (spot.key === key) return;
  spot.key = key;
  const total = rankedItems(state, layer);
  const colours = image && madeOf(image, `${kind}|${most}|${total}|${palette.id}`, () =>
    cellColours(image, { kind, name: layer.name, most, total }, palette));
  const says = whatIsDrawn(state, layer, colours ? image : null, thumbnail);
  setAttribute(spot.canvas, "title", says);
  setAttribute(spot.canvas, "aria-label", says);
  setClass(spot.canvas, "empty", !image || !colours);
  const context = contextOf(spot.canvas);
  if (!image || !colours) {
    context.clearRect(0, 0, spot.canvas.width, spot.canvas.height);
    return;
  }
  const { width, height } = spot.canvas;
  const laid = madeOf(image, `${width}×${height}`, () => pixelPlaces(image, { width, height }));
  const parts = partsOf(image, limitOf, limits[0]);
  const pixels = new Uint32Array(spot.image.data.buffer);
  fillPixels(pixels, { ...laid, parts, colours, width }, palette);
  context.putImageData(spot.image, 0, 0);
  spot.repaints += 1;
  spot.canvas.dataset.repaints = String(spot.repaints);
}

/**
 * What a thumbnail shows, and what one of its cells stands for.
 * @param {State} state
 * @param {Layer} layer
 * @param {Pooled | null} image
 * @param {Thumbnail} thumbnail
 */
export function whatIsDrawn(state, layer, image, thumbnail) {
  const { kind } = state.view;
  if (thumbnail.why) return `${layer.name}: ${thumbnail.why}`;
  if (!image) {
    return kind === "activations" ? `no activations were recorded for ${layer.name}`
      : `nothing is ranked in ${layer.name}`;
  }
  const { down, across } = image;
  const what = `${kind} of ${layer.name}`;
  if (down * across === 1) return `${what}: what is cut is blank`;
  const cell = `${countText(down)}×${countText(across)}`;
  const value = kind === "importance" ? "the one in the middle of their order"
    : "the largest of them";
  return `${what}, pooled: a cell has ${cell} values and the colour of ${value}; `
    + "as much of it is blank as is cut";
}
