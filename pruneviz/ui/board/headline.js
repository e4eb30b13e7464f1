// What is left of the network?

import { totalsNow } from "./counts.js";
import { helpButton, make, renderHelp, setAttribute, setClass, setText } from "./dom.js";
import { estimateShown, isShare } from "./estimate.js";
import { clamp } from "./numbers.js";
import { isPooled } from "./plan.js";
import { isMeasuring } from "./requests.js";
import { isNumber, textOf } from "./wire.js";
import {
  bytesText, changeText, countText, intervalText, scoreText, shareText, shortText, signedScore,
} from "./words.js";

/** @import { Estimate, Headline, Measured, State } from "./types.d.ts" */

/**
 * @param {State} state
 * @param {string} topic
 * @param {string} label
 * @param {string} testid
 */
function makeTile(state, topic, label, testid) {
  const value = make("div", { class: "value", "data-testid": testid }, "–");
  const under = make("div", { class: "under" });
  const title = make("span", {}, label);
  const name = make("div", { class: "label" }, title, helpButton(state, topic, label));
  const node = make("div", { class: `tile ${topic}` }, name, value, under);
  return { node, name, title, value, under };
}

/** @param {State} state */
export function buildHeadline(state) {
  const tiles = {
    accuracy: makeTile(state, "accuracy", "accuracy", "accuracy"),
    delta: makeTile(state, "delta", "change from dense", "delta"),
    kept: makeTile(state, "kept", "parameters kept", "kept"),
    macs: makeTile(state, "macs", "MACs, ideal engine", "macs"),
    size: makeTile(state, "size", "size estimate", "size"),
  };
  const start = make("div", { class: "under start", "data-testid": "delta-start", hidden: "" });
  tiles.delta.node.append(start);
  const busy = make("span", { class: "busy" }, "measuring …");
  tiles.accuracy.name.append(busy);
  const done = make("div", { class: "done" });
  const progress = make("div", { class: "progress", role: "progressbar", "aria-valuemin": 0,
    "aria-valuemax": 100, hidden: "" }, done);
  const nodes = Object.values(tiles).map((tile) => tile.node);
  const measures = make("span", { "data-testid": "measures" });
  const caution = make("strong", { class: "caution", "data-testid": "caution" });
  const line = make("div", { class: "measures" }, caution, measures);
  const node = make("section", { class: "headline", "aria-label": "what is left" }, ...nodes,
    line, progress);
  return { node, tiles, start, busy, line, measures, caution, progress, done };
}

/** @param {Measured} measured */
export function sampleText(measured) {
  if (!isNumber(measured.n)) return "";
  const whole = measured.full || measured.n === measured.of;
  if (whole) return `measured on all ${countText(measured.n)}`;
  const of = isNumber(measured.of) ? ` of ${countText(measured.of)}` : "";
  return `measured on ${countText(measured.n)}${of}`;
}

/**
 * @param {State} state
 * @param {Headline} headline
 */
function renderMeasures(state, headline) {
  const task = state.answer.data.task;
  setText(headline.tiles.accuracy.title, textOf(task?.word) || "accuracy");
  const later = state.answer.data.slow && !state.answer.data.background;
  setText(headline.busy, later ? "measured on release" : "measuring …");
  setText(headline.measures, textOf(state.answer.measured?.measures));
  setClass(headline.measures, "old", isMeasuring(state));
  setText(headline.caution, textOf(task?.note));
  headline.caution.hidden = !task?.note;
  headline.line.hidden = headline.measures.textContent + headline.caution.textContent === "";
}

/**
 * Drawn as an estimate until the measurement is there.
 * @param {State} state
 * @param {Headline["tiles"]} tiles
 * @param {Estimate} parts
 */
function renderEstimate(state, tiles, { accuracy, low, high, words, dense }) {
  const share = isShare(state);
  setText(tiles.accuracy.value, `≈ ${scoreText(accuracy, share)}`);
  setText(tiles.accuracy.under, `${intervalText(low, high, share)}, estimated`);
  setAttribute(tiles.accuracy.under, "title",
    `${words}; ${textOf(state.answer.data.slow) || "measuring …"}`);
  setClass(tiles.delta.node, "words", false);
  const first = state.answer.data.version ? state.answer.data.dense?.accuracy : dense;
  const change = isNumber(first) ? `≈ ${changeText(accuracy - first, share)}` : "–";
  setText(tiles.delta.value, change);
  setText(tiles.delta.under, isNumber(first)
    ? `estimated, dense ${scoreText(first, share)}` : "estimated");
}

/**
 * @param {State} state
 * @param {Headline["tiles"]} tiles
 */
function renderAccuracy(state, tiles) {
  const { measured } = state.answer;
  const guess = estimateShown(state);
  for (const tile of [tiles.accuracy, tiles.delta]) setClass(tile.node, "guessed", guess !== null);
  setAttribute(state.page.root, "data-estimate", guess?.accuracy ?? "");
  // Of the samples that were measured; the network as a whole only where nothing was yet.
  const dense = state.answer.measured?.dense ?? state.answer.data.dense?.accuracy;
  const busy = isMeasuring(state);
  for (const tile of [tiles.accuracy, tiles.delta]) setClass(tile.node, "old", busy);
  if (guess !== null) return renderEstimate(state, tiles, guess);
  const share = isShare(state);
  const against = isNumber(dense) ? `dense ${scoreText(dense, share)}` : "";
  if (!measured || !isNumber(measured.accuracy)) {
    setText(tiles.accuracy.value, "–");
    const none = state.answer.data.background ? "measuring …" : "not measured yet";
    setText(tiles.accuracy.under, none);
    setText(tiles.delta.value, "–");
    setText(tiles.delta.under, against);
    return;
  }
  setText(tiles.accuracy.value, scoreText(measured.accuracy, share));
  const interval = isNumber(measured.low) ? intervalText(measured.low, measured.high, share) : "";
  const known = [interval, sampleText(measured)].filter(Boolean).join(", ");
  const waits = state.answer.data.background ? "measuring …" : textOf(state.answer.data.slow);
  setText(tiles.accuracy.under, (busy && state.answer.data.slow && waits) || known);
  setAttribute(tiles.accuracy.under, "title", tiles.accuracy.under.textContent);
  const words = textOf(measured.words);
  const inWords = words !== "";
  const points = changeText(measured.delta, share);
  setClass(tiles.delta.node, "words", inWords);
  setText(tiles.delta.value, inWords ? words : isNumber(measured.delta) ? points : "–");
  const range = isNumber(measured.delta_low)
    ? `(${signedScore(measured.delta_low, share)} … ${signedScore(measured.delta_high, share)})`
    : "";
  const first = inWords && isNumber(measured.delta) ? `${points} ${range}` : range;
  setText(tiles.delta.under, [first, against].filter(Boolean).join(", "));
}

/**
 * Beside the change from dense, of a trained version, that from what its training left.
 * @param {State} state
 * @param {Headline} headline
 */
function renderStart(state, headline) {
  const start = estimateShown(state) ? null : state.answer.measured?.start;
  const share = isShare(state);
  headline.start.hidden = !start;
  if (!start || !isNumber(start.delta)) return;
  const range = isNumber(start.low) && isNumber(start.high)
    ? ` (${signedScore(start.low, share)} … ${signedScore(start.high, share)})` : "";
  setText(headline.start, `from its start: ${changeText(start.delta, share)}${range}`);
  setAttribute(headline.start, "title",
    `${headline.start.textContent}; its start: this version before anything is cut from it`);
}

/**
 * @param {State} state
 * @param {Headline} headline
 */
export function renderHeadline(state, headline) {
  const { tiles, progress, done } = headline;
  renderAccuracy(state, tiles);
  renderStart(state, headline);
  renderMeasures(state, headline);
  renderHelp(state);
  const { scene } = state.network;
  const totals = totalsNow(state);
  setText(tiles.kept.value, shareText(totals.kept, scene.dense.params));
  const about = totals.exact || !(isPooled(state) || scene.byUnit) ? "" : "≈ ";
  const count = `${about}${countText(totals.kept)} of ${countText(scene.dense.params)}`;
  setText(tiles.kept.under, count);
  const counted = scene.total_macs !== null;
  const macs = `${shortText(totals.macs)} of ${shortText(scene.dense.macs)}`;
  const left = `≈ ${shareText(totals.macs, scene.dense.macs ?? 0)}`;
  setText(tiles.macs.value, counted ? left : "unknown");
  setText(tiles.macs.under, counted ? macs : "cannot be counted here");
  setText(tiles.size.value, `≈ ${bytesText(totals.bytes)}`);
  setText(tiles.size.under, `of ${bytesText(scene.dense.bytes)}, as bitmask`);
  setAttribute(state.page.root, "data-kept", Math.round(totals.kept));
  setAttribute(state.page.root, "data-accuracy", state.answer.measured?.accuracy ?? "");
  setAttribute(state.page.root, "data-measured-seq", state.answer.measured?.seq ?? "");
  setAttribute(state.page.root, "data-seq", state.requests.seq);
  setAttribute(state.page.root, "data-unsettled", state.requests.unsettled ? "" : null);
  const work = state.answer.data.background;
  const part = clamp(work?.done ?? 0, 0, 1);
  if (progress.hidden !== !work) progress.hidden = !work;
  setAttribute(progress, "aria-label", work ? textOf(work.label) : null);
  setAttribute(progress, "aria-valuenow", work ? Math.round(part * 100) : null);
  done.style.transform = `scaleX(${part})`;
}
