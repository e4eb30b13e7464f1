// What was cut and kept by hand on the picture since Python's last answer?

import { isLocked } from "./plan.js";
import { RANK_CUT, RANK_KEPT, RANK_STAYS, textOf } from "./wire.js";

/** @import { Area, Cell, Drawn, Layer, Picture, Places, State, Stroke } from "./types.d.ts" */

/**
 * Why nothing can be cut or kept by hand here, or "".
 * @param {State} state
 * @param {Layer | undefined} layer
 */
export function toolReason(state, layer) {
  if (!layer) return "no layer is in focus";
  if (layer.snap !== null || /:/.test(textOf(state.network.scene.granularity))) {
    return `${state.network.scene.granularity} says how many weights stay: none is pinned by hand`;
  }
  if (layer.disabled) return layer.disabled;
  if (isLocked(state, layer.name)) {
    return `${layer.name} is locked: unlock it to cut or keep by hand`;
  }
  return "";
}

/**
 * @param {State} state
 * @param {Layer} layer
 */
export function toolNow(state, layer) {
  return state.view.tool !== "look" && toolReason(state, layer) === "" ? state.view.tool : "look";
}

/**
 * @param {State} state
 * @param {Layer} layer
 * @param {Picture | null} picture
 */
export function unitWord(state, layer, picture) {
  return picture?.units ? "head" : layer.word || picture?.row_word || "row";
}

/**
 * The drawn cells between two corners, both included: of units in the view of activations.
 * @param {State} state
 * @param {Stroke} stroke
 */
function strokeArea(state, stroke) {
  const sorted = (/** @type {number} */ a, /** @type {number} */ b) => (a < b ? [a, b] : [b, a]);
  const [top, bottom] = sorted(stroke.from.row, stroke.to.row);
  const [left, right] = sorted(stroke.from.col, stroke.to.col);
  return state.view.kind === "activations"
    ? { top: left, bottom: right, left: 0, right: Infinity }
    : { top, bottom, left, right };
}

/**
 * { place: kept } of a stroke: whole units, or a block where weights are cut one by one.
 * @param {State} state
 * @param {Picture} picture
 * @param {Stroke} stroke
 */
export function strokePlaces(state, picture, stroke) {
  const { top, bottom, left, right } = strokeArea(state, stroke);
  const rows = picture.row_index;
  const kept = stroke.frees ? null : stroke.tool === "keep";
  if (!state.network.scene.byUnit) {
    const from = left < picture.cols ? picture.col_index[left] : 0;
    const to = right < picture.cols ? picture.col_index[right] + 1 : picture.all_cols;
    return { [`${rows[top]}:${rows[bottom] + 1},${from}:${to}`]: kept };
  }
  /** @type {Places} */
  const places = {};
  if (picture.units) {
    for (let r = top; r <= bottom; r += 1) {
      const first = picture.firsts?.[picture.units[r]];
      if (first !== undefined) places[first] = kept;
    }
    return places;
  }
  for (let row = rows[top]; row <= rows[bottom]; row += 1) places[row] = kept;
  return places;
}

/**
 * A second click with the same tool gives the unit back.
 * @param {Picture} picture
 * @param {Omit<Drawn, "others">} drawn
 * @param {string} tool
 * @param {Cell} cell
 */
export function freesAt(picture, drawn, tool, cell) {
  const rank = drawn.rank?.[cell.index];
  return rank === (tool === "cut" ? RANK_CUT : RANK_KEPT);
}

/**
 * What was done by hand and is not answered yet, oldest first.
 * @param {State} state
 * @param {Picture} picture
 */
function pendingPins(state, picture) {
  const sent = state.requests.flight?.request.pin ? [state.requests.flight.request.pin] : [];
  const pins = [...sent, ...state.requests.queue.flatMap((entry) => entry.pin ?? [])];
  const mine = pins.filter((pin) => pin.layer === state.view.focus).map((pin) => pin.places);
  const { stroke } = state.hand;
  const now = stroke && stroke.layer === state.view.focus;
  return now ? [...mine, strokePlaces(state, picture, stroke)] : mine;
}

/**
 * { top, bottom, left, right } of real rows and inputs.
 * @param {string} place
 */
export function placeArea(place) {
  const block = /^(\d+):(\d+),(\d+):(\d+)$/.exec(place);
  if (!block) return { top: Number(place), bottom: Number(place) + 1, left: 0, right: Infinity };
  const [top, bottom, left, right] = block.slice(1).map(Number);
  return { top, bottom, left, right };
}

/**
 * Does the unit of a drawn row belong to what one stroke pinned?
 * @param {Picture} picture
 * @param {Area[]} places
 */
function rowTester(picture, places) {
  const { units, firsts } = picture;
  const rows = new Set(places.map((x) => x.top));
  if (!units) return (/** @type {number} */ r) => rows.has(picture.row_index[r]);
  const heads = new Set(places.map((x) => firsts?.indexOf(x.top)));
  return (/** @type {number} */ r) => heads.has(units[r]);
}

/**
 * The ranks of a view with what the hand did since Python's last answer.
 * @param {State} state
 * @param {Picture} picture
 * @param {Omit<Drawn, "others">} drawn
 */
export function ranksByHand(state, picture, drawn) {
  if (drawn.rank === null) return null;
  const pins = pendingPins(state, picture);
  if (pins.length === 0) return drawn.rank;
  const rank = drawn.rank.slice();
  for (const pin of pins) {
    for (const kept of [null, true, false]) {
      const to = kept === null ? RANK_STAYS : kept ? RANK_KEPT : RANK_CUT;
      const names = Object.keys(pin).filter((place) => pin[place] === kept);
      if (names.length > 0) setRanks(state, picture, drawn, rank, names, to);
    }
  }
  return rank;
}

/**
 * @param {State} state
 * @param {Picture} picture
 * @param {Omit<Drawn, "others">} drawn
 * @param {Int32Array} rank
 * @param {string[]} names
 * @param {number} to
 */
function setRanks(state, picture, drawn, rank, names, to) {
  const all = names.includes("all");
  const places = names.map(placeArea);
  const inUnit = state.network.scene.byUnit && !all ? rowTester(picture, places) : null;
  const turned = state.view.kind === "activations";
  for (let i = 0; i < rank.length; i += 1) {
    const r = turned ? i % drawn.cols : Math.floor(i / drawn.cols);
    if (all) {
      if (rank[i] === RANK_CUT || rank[i] === RANK_KEPT) rank[i] = to;
    } else if (inUnit) {
      if (inUnit(r) && rank[i] !== RANK_STAYS) rank[i] = to;
    } else {
      const row = picture.row_index[r];
      const col = picture.col_index[i % drawn.cols];
      const hit = (/** @type {Area} */ x) =>
        row >= x.top && row < x.bottom && col >= x.left && col < x.right;
      if (places.some(hit)) rank[i] = to;
    }
  }
}

/**
 * The drawn cells that go because of units before this layer, as bits; null: none are known.
 * @param {State} state
 */
export function inputsCut(state) {
  const given = state.answer.settled?.inputs_cut;
  const shown = given?.layer === state.view.focus && state.view.kind !== "activations";
  return shown ? given.bits : null;
}
