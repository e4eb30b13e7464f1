// How does the curve of a layer stand in its track?

import { make, setAttribute, setClass, setText } from "./dom.js";
import { curveOf, isShare } from "./estimate.js";
import { clamp, valueAt } from "./numbers.js";
import { changeText, levelText, lossText, signedScore } from "./words.js";

/** @import { Curve, Layer, LayerRow, Points, Rows, State, Track } from "./types.d.ts" */

export function buildCurve() {
  const art = make("div", { class: "art" });
  art.innerHTML = '<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">'
    + '<path class="lost" /><path class="band" /><path class="mean" /></svg>';
  const [lost, band, mean] = art.querySelectorAll("path");
  const [certain, knee, at] = ["certain", "knee", "at"].map((x) => make("i", { class: x }));
  const node = make("div", { class: "curve", hidden: "" }, art, certain, knee, at);
  const rank = make("span", { class: "rank" });
  /** @type {Curve | null} */
  const of = null;
  return { node, rank, lost, band, mean, certain, knee, at, key: "", of };
}

const PIECES = 5; // of a straight piece of the curve, which the square root bends

/**
 * Down is lost: 0 at the track, the worst of all rows at the bottom; by the square root, so that
 * a loss of one point shows.
 * @param {number} delta
 * @param {number} worst
 */
export function placeDown(delta, worst) {
  return Math.sqrt(clamp(-delta / worst, 0, 1)) * 100;
}

/**
 * @param {Track} curve
 * @param {Points} points
 * @param {Curve} parts
 * @param {number} worst
 */
function drawCurve(curve, points, { knee, certain }, worst) {
  const xs = points.x.flatMap((x, i) => (i === 0 ? [x] : Array.from({ length: PIECES }, (_, k) =>
    x + (points.x[i - 1] - x) * (1 - (k + 1) / PIECES))));
  const line = (/** @type {number[]} */ ys) => xs.map((x) =>
    `${(x * 100).toFixed(2)} ${placeDown(valueAt(points.x, ys, x), worst).toFixed(2)}`);
  const last = points.x[points.x.length - 1] * 100;
  const mean = line(points.delta);
  setAttribute(curve.mean, "d", `M${mean.join("L")}`);
  setAttribute(curve.lost, "d", `M${mean.join("L")}L${last} 0Z`);
  setAttribute(curve.band, "d", `M${line(points.low).join("L")}L${
    line(points.high).reverse().join("L")}Z`);
  putAt(curve.certain, certain, 0);
  putAt(curve.knee, knee, knee === null ? 0 : placeDown(valueAt(points.x, points.delta, knee),
    worst));
}

/**
 * @param {HTMLElement} mark
 * @param {number | null} x
 * @param {number} y
 */
function putAt(mark, x, y) {
  mark.hidden = x === null;
  if (x === null) return;
  mark.style.left = `${x * 100}%`;
  mark.style.top = `${y}%`;
}

/**
 * What the curve says at a level, with its interval; nothing beyond its last point. inPoints:
 * whether the score is a share.
 * @param {Points} points
 * @param {number} share
 * @param {boolean} inPoints
 */
export function alongWords(points, share, inPoints) {
  if (share > points.x[points.x.length - 1] + 1e-6) return "";
  const [delta, low, high] = [points.delta, points.low, points.high].map((ys) =>
    signedScore(valueAt(points.x, ys, share), inPoints));
  return `cut alone ${delta}${inPoints ? " points" : ""} (${low} … ${high})`;
}

/**
 * @param {State} state
 * @param {Layer} layer
 * @param {number} share
 */
export function alongNote(state, layer, share) {
  const curve = curveOf(state, layer);
  const says = curve?.points ? alongWords(curve.points, share, isShare(state)) : "";
  return says && `, ${says}`;
}

/**
 * @param {State} state
 * @param {Layer} layer
 * @param {Curve} curve
 * @param {number} share
 */
export function curveWords(state, layer, curve, share) {
  const along = share > 0 && curve.points ? alongWords(curve.points, share, isShare(state)) : "";
  const lose = lossText(state.network.sensitivity?.lose ?? NaN, isShare(state));
  return [
    `${layer.name}: ${curve.words}`,
    along && `at ${levelText(share)} ${along}`,
    curve.knee === null ? "" : `knee at ${levelText(curve.knee)}`,
    curve.certain === null ? ""
      : `from ${levelText(curve.certain)} on a loss of more than ${lose} is certain`,
  ].filter(Boolean).join("; ");
}

/**
 * @param {State} state
 * @param {LayerRow} row
 * @param {number} share
 */
export function renderCurve(state, row, share) {
  const { layer, curve: drawn, slider } = row;
  const curve = curveOf(state, layer);
  const points = curve?.points ?? null;
  const scanned = (state.network.sensitivity?.layers.size ?? 0) > 0;
  if (drawn.node.hidden !== (points === null)) drawn.node.hidden = points === null;
  setClass(row.node, "curved", points !== null);
  setText(drawn.rank, curve?.words || (scanned ? "not scanned" : ""));
  setAttribute(drawn.rank, "title", curve?.noOp || null);
  setClass(drawn.rank, "first", curve?.words === "most sensitive");
  const worst = state.network.sensitivity?.worst ?? 1;
  if (curve === null || points === null) {
    setAttribute(slider.range, "title", curve?.noOp ? `nothing could be cut: ${curve.noOp}` : null);
    return;
  }
  if (drawn.key !== state.network.sensitivityId || drawn.of !== curve) {
    drawn.key = state.network.sensitivityId;
    drawn.of = curve;
    drawCurve(drawn, points, curve, worst);
  }
  const known = share <= points.x[points.x.length - 1] + 1e-6;
  putAt(drawn.at, known ? share : null,
    placeDown(valueAt(points.x, points.delta, share), worst));
  const says = curveWords(state, layer, curve, share);
  setAttribute(slider.range, "title", says);
  setAttribute(drawn.node, "title", says);
}

/**
 * The one scale of all curves, beside the head of the column.
 * @param {State} state
 * @param {Rows["scale"]} scale
 */
export function renderScale(state, scale) {
  const { sensitivity } = state.network;
  const shown = [...(sensitivity?.layers.values() ?? [])].some((x) => x.points !== null);
  if (scale.node.hidden === shown) scale.node.hidden = !shown;
  if (sensitivity === null || !shown) return;
  setText(scale.says, `↓ ${changeText(-sensitivity.worst, isShare(state))}`);
  setAttribute(scale.node, "title",
    `the bottom of the curves is the largest loss of all; ${sensitivity.words}`);
}
