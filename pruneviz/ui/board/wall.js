// How do all layers look side by side?

import { cutNow, thresholdIn } from "./counts.js";
import { make, nameButton, setAttribute, setClass, setText } from "./dom.js";
import { paintHistogram } from "./histogram.js";
import { askedOf, isPooled, isMovable } from "./plan.js";
import { focusLayer } from "./row.js";
import { handleSlider, showSlider } from "./sliders.js";
import { forgetThumbnails, makeThumbnail, watchThumbnail } from "./thumbnails.js";
import { countText } from "./words.js";

/** @import { Layer, State, Thumbnail, Tile, Wall } from "./types.d.ts" */

const PICTURE = { width: 192, height: 84 }; // pixels
const SCORES = { width: 192, height: 34 };

/** @returns {Wall} */
export function buildWall() {
  const node = make("div", { class: "wall", role: "list", "aria-label": "all layers",
    "data-testid": "wall", hidden: "" });
  return { node, tiles: [], shape: "" };
}

/**
 * @param {State} state
 * @param {string} name
 * @returns {Tile}
 */
function buildTile(state, name) {
  const handle = { kind: "layer", names: [name] };
  const slider = handleSlider(state, name, "", () => handle);
  setAttribute(slider.range, "data-testid", `wall-slider-${name}`);
  const title = nameButton(name, () => focusLayer(state, name));
  const count = make("span", { class: "count" });
  const canvas = makeThumbnail(name, PICTURE);
  canvas.dataset.testid = `wall-picture-${name}`;
  const scores = make("canvas", { class: "histogram", role: "img",
    "aria-label": `scores of ${name}` });
  const node = make("div", { class: "tile-of", role: "listitem", "data-testid": `tile-${name}`,
    onpointerdown: () => focusLayer(state, name) }, title, count, canvas, scores, slider.range,
  make("label", { class: "percent" }, slider.field, "%"));
  const tile = { node, name, slider, title, count, scores, key: "" };
  watchThumbnail(state, node, name, canvas, (thumbnail) => renderTile(state, tile, thumbnail));
  return tile;
}

/**
 * Tiles are made when the wall is first looked at.
 * @param {State} state
 * @param {Wall} wall
 */
export function renderWall(state, wall) {
  wall.node.hidden = !state.view.wall;
  if (!state.view.wall) return 0;
  const { layers } = state.network.scene;
  const shape = layers.map((x) => x.name).join("\n");
  if (wall.shape !== shape) {
    wall.shape = shape;
    forgetThumbnails(state, wall.tiles.map((tile) => tile.node));
    wall.tiles = layers.map((layer) => buildTile(state, layer.name));
    wall.node.replaceChildren(...wall.tiles.map((tile) => tile.node));
  }
  let shown = 0;
  for (const { node, name } of wall.tiles) {
    const layer = state.network.scene.byName.get(name);
    const found = layer !== undefined && state.view.search.finds(layer);
    if (node.hidden === found) node.hidden = !found;
    if (found) shown += 1;
  }
  return shown;
}

/**
 * @param {State} state
 * @param {Tile} tile
 * @param {Thumbnail | null} thumbnail
 */
function renderTile(state, tile, thumbnail) {
  const layer = state.network.scene.byName.get(tile.name);
  if (!layer) return;
  const cut = cutNow(state, layer);
  const share = isPooled(state) ? cut / (layer.items || 1) : askedOf(state, tile.name);
  showSlider(tile.slider, layer.disabled ? 0 : share, !isMovable(state, layer));
  setText(tile.count, `${countText(layer.items - cut)} / ${countText(layer.items)}`);
  setClass(tile.node, "focused", state.view.focus === tile.name);
  setAttribute(tile.title, "aria-current", state.view.focus === tile.name ? "true" : null);
  renderScores(state, tile, layer, thumbnail);
}

/**
 * @param {State} state
 * @param {Tile} tile
 * @param {Layer} layer
 * @param {Thumbnail | null} thumbnail
 */
function renderScores(state, tile, layer, thumbnail) {
  const hist = thumbnail?.hist ?? null;
  tile.scores.style.visibility = hist ? "visible" : "hidden";
  if (!hist) return;
  const threshold = thresholdIn(state, layer, thumbnail?.scores ?? null);
  const key = `${threshold}|${hist.lo}|${hist.hi}|${state.page.palette.id}`;
  if (tile.key === key) return;
  tile.key = key;
  paintHistogram(tile.scores, hist, threshold, SCORES, state.page.palette);
}
