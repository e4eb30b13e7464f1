// Where on the trade-off does the plan under the thumb stand, and where did it come from?

import { totalsNow } from "./counts.js";
import { estimateShown, isShare } from "./estimate.js";
import { isMeasuring } from "./requests.js";
import { isNumber, textOf } from "./wire.js";
import { countText, intervalText, scoreText, shareText, valueText } from "./words.js";

/** @import { Axis, Maybe, Present, State, Trail, TrailPoint } from "./types.d.ts" */

const LONGEST = 400; // points of a trail

/**
 * What the chart's vertical axis shows of a point, in its unit.
 * @param {State} state
 * @param {Maybe} value of a score or, on the chart of losses, of a loss
 */
function onAxis(state, value) {
  if (!isNumber(value)) return null;
  return state.view.measure === "accuracy" && isShare(state) ? 100 * value : value;
}

/**
 * The parameters follow the thumb at once, the score as soon as it is measured; until then an
 * estimate stands for it where there is one, else what was measured last.
 * @param {State} state
 * @returns {Present}
 */
export function presentNow(state) {
  const x = totalsNow(state).kept;
  const { measured } = state.answer;
  const place = (/** @type {string} */ kind, /** @type {Record<string, Maybe>} */ of) => ({
    kind, x, y: onAxis(state, of.y), low: onAxis(state, of.low), high: onAxis(state, of.high) });
  if (state.view.measure === "layers") return place("none", {});
  const kind = isMeasuring(state) ? "behind" : "measured";
  if (state.view.measure === "loss") {
    return isNumber(measured?.loss) ? place(kind, { y: measured.loss }) : place("none", {});
  }
  const guess = estimateShown(state);
  if (guess) return place("estimated", { y: guess.accuracy, low: guess.low, high: guess.high });
  if (!isNumber(measured?.accuracy)) return place("none", {});
  return place(kind, { y: measured.accuracy, low: measured.low, high: measured.high });
}

/** @returns {Trail} */
export function newTrail() {
  return { step: -1, ended: false, points: [] };
}

/**
 * The trail with one more answer. It begins where a gesture begins and ends with the plan it
 * settled on; `step` is how many plans were settled before it.
 * @param {Trail} trail
 * @param {number} step
 * @param {TrailPoint} point
 * @returns {Trail}
 */
export function lengthened(trail, step, point) {
  const { points } = trail;
  const last = points.at(-1);
  const same = last?.kept === point.kept;
  const ends = step === trail.step + 1;
  if (last === undefined || (step !== trail.step && !ends)) {
    return { step, ended: false, points: [point] };
  }
  if (same) {
    const ended = trail.ended || ends;
    return { step: trail.step, ended, points: [...points.slice(0, -1), point] };
  }
  if (ends && trail.ended) return { step, ended: false, points: [last, point] };
  return { step: trail.step, ended: ends, points: [...points, point].slice(-LONGEST) };
}

/**
 * @param {State} state
 * @returns {[number, number][]} points of the chart
 */
export function trailNow(state) {
  const { measure } = state.view;
  if (measure === "layers") return [];
  return state.answer.trail.points.flatMap((point) => {
    const y = onAxis(state, measure === "loss" ? point.loss : point.accuracy);
    return y === null ? [] : /** @type {[number, number][]} */ ([[point.kept, y]]);
  });
}

/**
 * A value's place in pixels, held within the axis.
 * @param {Axis} axis
 * @param {number} value
 */
export function placeOn(axis, value) {
  const share = (value - axis.range[0]) / (axis.range[1] - axis.range[0]);
  const along = Math.min(1, Math.max(0, share));
  return axis.offset + axis.length * (axis.upward ? 1 - along : along);
}

/**
 * Whether a value lies on the part of the axis that is shown.
 * @param {Axis} axis
 * @param {number} value
 */
export function isOn({ range }, value) {
  return value >= Math.min(...range) && value <= Math.max(...range);
}

/**
 * The chart in words.
 * @param {State} state
 * @param {number} plans
 */
export function chartWords(state, plans) {
  const { x, y, kind, low, high } = presentNow(state);
  const total = state.network.scene.dense.params;
  const measure = state.view.measure;
  if (measure === "layers") return "weights kept and cut in each layer";
  const share = isShare(state);
  const back = (/** @type {number} */ value) => (share ? value / 100 : value);
  const told = y === null ? "not measured yet"
    : measure === "loss" ? valueText(y) : scoreText(back(y), share);
  const span = low === null || high === null ? ""
    : `, ${intervalText(back(low), back(high), share)}`;
  const guess = kind === "estimated" ? "estimated " : "";
  const word = measure === "loss" ? "loss" : textOf(state.answer.data.task?.word) || "accuracy";
  const many = `${countText(plans)} ${plans === 1 ? "plan" : "plans"}`;
  return `${word} against parameters kept of ${many}; now ${guess}${told}${span}`
    + ` with ${shareText(x, total)} of the parameters`;
}
