// What can be moved, layer by layer?

import { onceEach } from "./chain.js";
import { cutNow } from "./counts.js";
import { renderScale } from "./curves.js";
import { helpButton, icon, iconButton, make, setAttribute, setText } from "./dom.js";
import { inSight, shareOf } from "./handles.js";
import { layersOf, movableLayers } from "./plan.js";
import { buildRow, renderRow } from "./row.js";
import { handleSlider, showSlider } from "./sliders.js";
import { drawThumbnails, forgetThumbnails } from "./thumbnails.js";
import { chooseKind, toggleBlock, toggleWall } from "./view.js";
import { VIEWS } from "./views.js";
import { buildWall, renderWall } from "./wall.js";
import { NO_SCENE } from "./wire.js";
import { countText } from "./words.js";

/** @import { BlockRow, Layer, LayerRow, Row, Rows, State, Timer } from "./types.d.ts" */

const FOLD_FROM = 40; // a network with more layers folds by block
const REST = 120; // ms without a move after which rows out of sight are drawn too

/**
 * What all thumbnails show, and the way to see them side by side.
 * @param {State} state
 */
function buildChoice(state) {
  const kind = make("select", { class: "kind", "aria-label": "what the small pictures show",
    "data-testid": "kind", onchange: () => {
      chooseKind(state, kind.value);
      state.redraw();
    } }, ...VIEWS.map(({ id, text }) => make("option", { value: id }, text)));
  const wall = iconButton("grid", "wall: all layers side by side", { "data-testid":
    "wall-button", "aria-pressed": "false", onclick: () => {
    toggleWall(state);
    state.redraw();
  } });
  wall.append("wall");
  const node = make("span", { class: "at-thumbnail" }, kind, wall,
    helpButton(state, "thumbnails", "a small picture"));
  return { node, kind, wall };
}

/** @param {State} state */
export function buildBoard(state) {
  const list = make("div", { class: "rows" });
  const empty = make("p", { class: "none", hidden: "" }, "No layer matches.");
  const kept = make("span", { class: "at-kept" });
  const says = make("span", {});
  const scale = { says, node: make("span", { class: "scale-of", hidden: "",
    "data-testid": "curve-scale" }, says,
  helpButton(state, "curve", "the curve in a track")) };
  const sparsity = make("span", { class: "at-slider" }, "sparsity",
    helpButton(state, "sparsity", "sparsity"), scale.node);
  const choice = buildChoice(state);
  const head = make("div", { class: "row head" },
    make("span", { class: "at-lock" }, helpButton(state, "lock", "a lock")),
    make("span", { class: "at-name" }, "layer"), choice.node, sparsity, kept);
  const wall = buildWall();
  const scroll = make("div", { class: "scroll" }, head, list, wall.node, empty);
  /** @type {Map<Element, Row>} */
  const near = new Map(); // the node of a row -> its row; those far from sight are drawn later
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const row = near.get(entry.target);
      if (row) row.far = !entry.isIntersecting;
      if (row?.stale && !row.far) renderOne(state, row);
    }
  }, { root: scroll, rootMargin: "300px 0px" });
  /** @type {Row[]} */
  const rows = [];
  /** @type {Timer} */
  const rest = null;
  return { scroll, list, wall, choice, empty, kept, scale, near, watch, rows, shape: "", rest };
}

/**
 * @param {State} state
 * @param {string} block
 * @param {Layer[]} layers
 */
export function buildBlock(state, block, layers) {
  const slider = handleSlider(state, `block ${block}`, `block-${block}`, () =>
    blockHandle(state, layers));
  slider.field.dataset.testid = `number-block-${block}`;
  const count = make("div", { class: "count", "data-testid": `kept-block-${block}` });
  const fold = make("button", { type: "button", class: "name fold", title: block,
    "data-testid": `fold-${block}`, onclick: () => {
      toggleBlock(state, block);
      state.redraw();
    } }, icon("fold"), make("span", {}, block));
  const much = make("div", { class: "what" }, `${layers.length} layers`);
  const node = make("div", { class: "row block", role: "group", "aria-label": `block ${block}`,
    "data-testid": `row-block-${block}` }, fold, much, slider.range,
  make("label", { class: "percent" }, slider.field, "%"), count);
  return { node, kind: /** @type {"block"} */ ("block"), block, layers, slider, count, fold };
}

/**
 * @param {State} state
 * @param {Layer[]} layers
 */
function blockHandle(state, layers) {
  return { kind: "block", names: inSight(state, layers).map((x) => x.name) };
}

/**
 * Rows are made once per list of layers, never under a moving thumb.
 * @param {State} state
 * @param {Rows} board
 */
function ensureRows(state, board) {
  const layers = state.network.scene.layers.filter((x) => !x.follows);
  const shape = layers.map((x) => [x.name, x.label, x.kind, x.shape, x.block, x.word === "block"]
    .join("|")).join("\n");
  if (shape === board.shape) {
    const { byName } = state.network.scene;
    for (const row of board.rows) {
      if (row.kind === "layer") row.layer = byName.get(row.layer.name) ?? row.layer;
      else row.layers = layersOf(state, row.layers.map((x) => x.name));
    }
    return;
  }
  board.shape = shape;
  const folds = layers.length > FOLD_FROM;
  /** @type {Row[]} */
  const rows = [];
  const blocks = new Set();
  for (const layer of layers) {
    if (folds && layer.block && !blocks.has(layer.block)) {
      blocks.add(layer.block);
      const members = layers.filter((x) => x.block === layer.block);
      rows.push(buildBlock(state, layer.block, members));
      for (const member of members) rows.push({ ...buildRow(state, member), inside: layer.block });
    } else if (!folds || !layer.block) {
      rows.push(buildRow(state, layer));
    }
  }
  forgetThumbnails(state, board.rows.map((row) => row.node));
  board.rows = rows;
  board.list.replaceChildren(...rows.map((row) => row.node));
  board.watch.disconnect();
  board.near.clear();
  for (const row of rows) {
    board.near.set(row.node, row);
    board.watch.observe(row.node);
  }
}

/**
 * @param {State} state
 * @param {BlockRow} row
 */
function renderBlock(state, row) {
  let items = 0;
  let cut = 0;
  const handle = blockHandle(state, row.layers);
  for (const layer of onceEach(inSight(state, row.layers))) {
    items += layer.items;
    cut += cutNow(state, layer);
  }
  const share = shareOf(state, handle);
  showSlider(row.slider, share, movableLayers(state, handle.names).length === 0);
  setText(row.count, `${countText(items - cut)} / ${countText(items)}`);
  const unfolded = state.view.searchText !== "" || state.view.open.has(row.block);
  setAttribute(row.fold, "aria-expanded", String(unfolded));
}

/**
 * @param {State} state
 * @param {Rows} board
 */
export function renderBoard(state, board) {
  ensureRows(state, board);
  const { search, searchText, open } = state.view;
  const searching = searchText !== "";
  const { wall, choice } = board;
  let shown = renderWall(state, wall);
  board.list.hidden = state.view.wall;
  if (choice.kind.value !== state.view.kind) choice.kind.value = state.view.kind;
  setAttribute(choice.wall, "aria-pressed", String(state.view.wall));
  drawThumbnails(state);
  setText(board.kept, `${state.network.scene.item}s kept`);
  renderScale(state, board.scale);
  for (const row of board.rows) {
    const found = row.kind === "block" ? row.layers.some(search.finds)
      : search.finds(row.layer) && (searching || !row.inside || open.has(row.inside));
    if (row.node.hidden === found) row.node.hidden = !found;
    if (!found || state.view.wall) continue;
    shown += 1;
    if (row.far) row.stale = true;
    else renderOne(state, row);
  }
  board.empty.hidden = shown > 0;
  clearTimeout(board.rest ?? undefined);
  board.rest = setTimeout(() => renderRest(state, board), REST);
}

/**
 * @param {State} state
 * @param {Row} row
 */
function renderOne(state, row) {
  row.stale = false;
  if (row.kind === "block") renderBlock(state, row);
  else renderRow(state, row);
}

/**
 * What is out of sight follows when the hand rests: a thumb would have to wait for it.
 * @param {State} state
 * @param {Rows} board
 */
function renderRest(state, board) {
  if (state.network.scene === NO_SCENE) return;
  for (const row of board.rows) if (row.stale && !row.node.hidden) renderOne(state, row);
}
