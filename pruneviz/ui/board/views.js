// Which colours and ranks does each view of the focused layer draw?

import { divergingColours, sequentialColours } from "./colours.js";
import { isGlobal, isPooled, rankedItems } from "./plan.js";
import { madeOf } from "./store.js";
import { isNumber } from "./wire.js";
import { valueText } from "./words.js";

/** @import { Drawn, Layer, Palette, Picture, State } from "./types.d.ts" */

export const VIEWS = [
  { id: "weights", text: "Weights" },
  { id: "importance", text: "Importance" },
  { id: "activations", text: "Activations" },
];

/** @param {Float32Array} values */
function biggest(values) {
  let most = 0;
  for (const value of values) if (Math.abs(value) > most) most = Math.abs(value);
  return most;
}

/**
 * What a view draws and its legend; null: there is nothing to draw.
 * @typedef {Omit<Drawn, "others">} Plain
 * @type {Record<string, (state: State, layer: Layer, picture: Picture, limit: number) =>
 *   Plain | null>}
 */
export const DRAW = {
  weights(state, layer, picture, limit) {
    const { palette } = state.page;
    const { weight, rows, cols, rank } = picture;
    if (!weight) return null;
    const whole = state.view.scale === "model" ? state.answer.data.limit_model : null;
    const given = isNumber(whole) ? whole : picture.limit_layer;
    const most = isNumber(given) && given > 0 ? given : biggest(weight) || 1;
    const colours = madeOf(picture, `w${most}|${palette.id}`, () =>
      divergingColours(weight, most, palette));
    return { rows, cols, colours, rank, limit, ramp: palette.diverging, marks: signedMarks(most),
      says: "dense weight, colour by √" };
  },
  importance(state, layer, picture, limit) {
    const { palette } = state.page;
    const { rank, rows, cols } = picture;
    if (!rank) return null;
    const total = rankedItems(state, layer);
    const colours = madeOf(picture, `i${total}${palette.id}`, () =>
      sequentialColours(rank, 0, total - 1, palette));
    return { rows, cols, colours, rank, limit, ramp: palette.sequential,
      marks: ["first to go", "last to go"],
      says: rankedAmong(state) };
  },
  activations(state, layer, picture, limit) {
    const { palette } = state.page;
    const { activation, activation_rows: units, classes, unit_rank: rank } = picture;
    if (!activation || !units) return null;
    const made = madeOf(picture, `a${palette.id}`, () =>
      colouredByClass(turned(activation, units.length, classes.length), palette));
    return { rows: classes.length, cols: units.length, ...made, limit, stretch: 9,
      rank: rank && rankOfUnits(rank, classes.length), says: "mean activation per class" };
  },
};

/** @param {State} state */
function rankedAmong(state) {
  if (isGlobal(state)) return "rank among all layers";
  return isPooled(state) ? "rank among the layers alike" : "rank in this layer";
}

/**
 * @param {Float32Array} values
 * @param {Palette} palette
 */
export function colouredByClass(values, palette) {
  const most = biggest(values) || 1;
  return values.some((x) => x < 0)
    ? { colours: divergingColours(values, most, palette), ramp: palette.diverging,
        marks: signedMarks(most) }
    : { colours: sequentialColours(values, 0, most, palette), ramp: palette.sequential,
        marks: ["0", valueText(most / 2), valueText(most)] };
}

/** @param {number} most */
function signedMarks(most) {
  return [-most, -most / 4, 0, most / 4, most].map(valueText);
}

/**
 * Units lie across and classes down, as the panel is wider than high.
 * @param {Float32Array} values [units, classes]
 * @param {number} units
 * @param {number} classes
 */
export function turned(values, units, classes) {
  const flat = new Float32Array(values.length);
  for (let unit = 0; unit < units; unit += 1) {
    for (let c = 0; c < classes; c += 1) flat[c * units + unit] = values[unit * classes + c];
  }
  return flat;
}

/**
 * The ranks of units, once for each class.
 * @param {Int32Array} rank
 * @param {number} classes
 */
export function rankOfUnits(rank, classes) {
  return Int32Array.from({ length: rank.length * classes }, (_, i) => rank[i % rank.length]);
}

/**
 * @param {State} state
 * @param {Picture | null} picture
 */
export function missing(state, picture) {
  if (!state.view.focus) return "Click a layer to see why its weights are cut.";
  if (!picture) return "loading the picture …";
  if (state.view.kind === "activations") {
    const { slow, thumbnails } = state.answer.data;
    if (slow && !picture.activation) {
      return "A calibration pass records activations: choose a criterion that needs one, such as "
        + "Wanda.";
    }
    return thumbnails?.activity === false
      ? "Activations come with the calibration pass, which has not ended yet."
      : "No activations were recorded for this layer.";
  }
  return "There is no picture of this layer.";
}
