// What is told of the cell under the pointer?

import { make } from "./dom.js";
import { pointAt } from "./hand.js";
import { cellAt } from "./paint.js";
import { isMovable, rankedItems } from "./plan.js";
import { pictureNow } from "./store.js";
import { toolWords } from "./tools.js";
import { RANK_CUT, RANK_KEPT, RANK_STAYS } from "./wire.js";
import { countText, valueText } from "./words.js";

/** @import { Cell, Drawn, Layer, Picture, Pictures, State } from "./types.d.ts" */

/**
 * @param {State} state
 * @param {PointerEvent | null} event
 */
export function point(state, event) {
  const why = state.page.parts.pictures;
  pointAt(state, event && placeOf(event, why));
  showTip(state, why, state.network.scene.byName.get(state.view.focus), pictureNow(state));
}

/**
 * @param {PointerEvent} event
 * @param {Pictures} why
 */
function placeOf(event, why) {
  const from = why.canvas.getBoundingClientRect();
  const within = why.node.getBoundingClientRect();
  return { x: event.clientX - from.left, y: event.clientY - from.top,
    left: event.clientX - within.left, top: event.clientY - within.top, width: within.width };
}

/**
 * @param {State} state
 * @param {Layer} layer
 * @param {number | undefined} rank
 * @param {number} limit
 */
export function rankWords(state, layer, rank, limit) {
  if (rank === RANK_CUT || rank === RANK_KEPT) {
    return [rank === RANK_CUT ? "cut by hand" : "kept by hand"];
  }
  if (rank === undefined || rank === null || rank === RANK_STAYS) return [];
  const total = isMovable(state, layer) ? rankedItems(state, layer) : layer.items;
  const fate = rank < limit ? "cut" : "kept";
  return [`rank ${countText(rank + 1)} of ${countText(total)}, ${fate}`];
}

/**
 * @param {State} state
 * @param {Layer} layer
 * @param {Picture} picture
 * @param {Drawn} drawn
 * @param {Cell} cell
 */
export function tipLines(state, layer, picture, drawn, cell) {
  if (state.view.kind === "activations") {
    const unit = picture.activation_rows?.[cell.col];
    const mean = picture.activation?.[cell.col * picture.classes.length + cell.row];
    return [`${picture.row_word} ${unit}, class ${picture.classes[cell.row]}`,
      `mean activation ${valueText(mean)}`,
      ...rankWords(state, layer, drawn.rank?.[cell.index], drawn.limit)];
  }
  const row = picture.row_index[cell.row] ?? cell.row;
  const col = picture.col_index[cell.col] ?? cell.col;
  const unit = picture.units?.[cell.row] ?? -1;
  const head = unit >= 0 ? `head ${unit}, ` : "";
  const lines = [`${head}${picture.row_word} ${row}, ${picture.col_word} ${col}`];
  if (picture.weight) lines.push(`weight ${valueText(picture.weight[cell.index])}`);
  if (picture.score) lines.push(`score ${valueText(picture.score[cell.index])}`);
  const others = drawn.others;
  if (others && (others[cell.index >> 5] >> (cell.index & 31)) & 1) {
    lines.push("its input is cut with another layer");
  }
  return [...lines, ...rankWords(state, layer, drawn.rank?.[cell.index], drawn.limit)];
}

/**
 * @param {State} state
 * @param {Pictures} why
 * @param {Layer | undefined} layer
 * @param {Picture | null} picture
 */
export function showTip(state, why, layer, picture) {
  const { pointer } = state.hand;
  const { drawn } = why;
  const cell = pointer && drawn ? cellAt(why.grid, pointer.x, pointer.y) : null;
  why.tip.hidden = cell === null;
  if (!pointer || !drawn || !cell || !layer || !picture) return;
  const lines = [...tipLines(state, layer, picture, drawn, cell),
    ...toolWords(state, layer, picture, drawn, cell)];
  const text = lines.join("\n");
  if (why.tip.dataset.text !== text) {
    why.tip.dataset.text = text;
    why.tip.replaceChildren(...lines.map((x) => make("div", {}, x)));
  }
  const right = pointer.left > pointer.width / 2;
  why.tip.style.left = right ? "auto" : `${pointer.left + 14}px`;
  why.tip.style.right = right ? `${pointer.width - pointer.left + 14}px` : "auto";
  why.tip.style.top = `${pointer.top + 14}px`;
}
