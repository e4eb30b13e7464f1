// Why are these parts of the focused layer cut?

import { byHand } from "./chain.js";
import { contextOf } from "./colours.js";
import { cutNow, rankLimit, thresholdNow } from "./counts.js";
import {
  helpButton, make, radioGroup, setAttribute, setClass, setText, showRadios,
} from "./dom.js";
import { endStroke, moveStroke, startStroke } from "./hand.js";
import { paintHistogram } from "./histogram.js";
import { inputsCut, ranksByHand } from "./marks.js";
import { makeGrid, paintGrid } from "./paint.js";
import { enqueue } from "./requests.js";
import { pictureNow } from "./store.js";
import { point, showTip } from "./tip.js";
import { buildTools, renderTools } from "./tools.js";
import { chooseKind, toggleScale } from "./view.js";
import { DRAW, missing, VIEWS } from "./views.js";
import { isNumber } from "./wire.js";
import { countText, valueText } from "./words.js";

/** @import { Drawn, Layer, Picture, Pictures, State } from "./types.d.ts" */

/** @param {State} state */
export function buildPictures(state) {
  const title = make("h3", { class: "title" });
  const what = make("span", { class: "what" });
  const views = radioGroup("picture", "view", VIEWS, (id) => {
    chooseKind(state, id);
    state.redraw();
  });
  const helps = ["heatmap", "importance", "activation"].map((topic, i) =>
    helpButton(state, topic, `the picture of ${VIEWS[i].id}`));
  const canvas = make("canvas", { class: "heatmap", role: "img", "data-testid": "heatmap",
    "data-repaints": 0 });
  const across = make("div", { class: "across" });
  const down = make("div", { class: "down" });
  const none = make("div", { class: "nothing" });
  const tip = make("div", { class: "tip", "aria-hidden": "true", hidden: "" });
  const box = make("div", { class: "box", onpointermove: (/** @type {PointerEvent} */ event) => {
    moveStroke(state, event);
    point(state, event);
  }, onpointerleave: () => point(state, null), onpointerdown: (/** @type {PointerEvent} */ event) =>
    startStroke(state, event), onpointerup: () => endStroke(state, true), onpointercancel: () =>
    endStroke(state, false) }, canvas, none);
  const hand = buildTools(state);
  const labels = make("div", { class: "classes", "aria-hidden": "true" });
  const bar = make("canvas", { class: "bar", "aria-hidden": "true" });
  const marks = make("div", { class: "marks" });
  const ramp = make("div", { class: "ramp" }, bar, marks);
  const blank = make("span", { class: "blank" }, make("i"), "cut");
  const says = make("span", { class: "says" });
  const scale = make("button", { type: "button", class: "scale", "data-testid": "scale",
    onclick: () => {
      toggleScale(state);
      const known = isNumber(state.answer.data.limit_model);
      if (state.view.scale === "model" && !known) enqueue(state, "need");
      state.redraw();
    } });
  const note = make("div", { class: "cutnote" });
  const histogram = make("canvas", { class: "histogram", role: "img", "data-testid": "histogram" });
  const histobox = make("div", { class: "histobox" }, histogram);
  const scoreTitle = make("span", {});
  const threshold = make("span", { class: "threshold" });
  const low = make("span");
  const middle = make("span");
  const high = make("span");
  const node = make("section", { class: "why", "aria-label": "the layer in focus" },
    make("div", { class: "line" }, title, what, views.node, ...helps), hand.node,
    make("div", { class: "plot" }, down, labels, box, make("div", { class: "below" }, across,
      note)),
    make("div", { class: "legend" }, ramp, blank, says,
      scale),
    make("div", { class: "line scores" }, scoreTitle, helpButton(state, "histogram", "histogram"),
      threshold),
    histobox,
    make("div", { class: "axis" }, low, middle, high), tip);
  const grid = makeGrid(canvas);
  /** @type {Drawn | null} */
  const drawn = null;
  return { node, title, what, views, helps, canvas, grid, box, across, down, none, tip,
    hand, labels, bar, ramp, marks, blank, says, scale, note, histogram, histobox, scoreTitle,
    threshold, low, middle, high, drawn, labelled: "", legended: "", repaints: 0 };
}

/**
 * @param {State} state
 * @param {Pictures} why
 */
export function renderPictures(state, why) {
  const layer = state.network.scene.byName.get(state.view.focus);
  setText(why.title, layer ? layer.name : "no layer in focus");
  setText(why.what, layer ? `${layer.kind} ${layer.shape}` : "");
  setAttribute(why.title, "title", layer ? `${layer.name} ${layer.kind} ${layer.shape}` : null);
  showRadios(why.views, state.view.kind);
  VIEWS.forEach(({ id }, i) => setClass(why.helps[i], "away", state.view.kind !== id));
  const picture = pictureNow(state);
  const limit = layer ? rankLimit(state, layer) : 0;
  const plain = layer && picture ? DRAW[state.view.kind]?.(state, layer, picture, limit) : null;
  const drawn = picture && plain && { ...plain, rank: ranksByHand(state, picture, plain),
    others: inputsCut(state) };
  why.drawn = drawn;
  why.canvas.hidden = drawn === null;
  setText(why.none, drawn ? "" : missing(state, picture));
  setClass(why.none, "waiting", picture === null);
  if (layer && picture && drawn) {
    renderGrid(state, why, layer, picture, drawn);
  } else {
    why.grid.place = null;
    setText(why.across, "");
    setText(why.down, "");
    setText(why.says, "");
    why.marks.replaceChildren();
    why.labels.replaceChildren();
    why.labelled = "";
  }
  why.bar.hidden = drawn === null;
  why.blank.hidden = !drawn?.rank && !drawn?.others;
  renderTools(state, layer, picture);
  why.scale.hidden = drawn === null || state.view.kind !== "weights";
  setText(why.scale, `scale: ${state.view.scale === "layer" ? "this layer" : "whole model"}`);
  setText(why.note, picture && drawn && state.view.kind !== "activations" ? picture.note : "");
  setAttribute(why.note, "title", why.note.textContent || null);
  renderScores(state, why, layer, picture);
  showTip(state, why, layer, picture);
}

/**
 * @param {State} state
 * @param {Pictures} why
 * @param {Layer} layer
 * @param {Picture} picture
 * @param {Drawn} drawn
 */
function renderGrid(state, why, layer, picture, drawn) {
  const byClass = state.view.kind === "activations";
  const size = `${drawn.rows}×${drawn.cols}${byClass}`;
  if (why.labelled !== `${size}${picture.classes}`) {
    why.labelled = `${size}${picture.classes}`;
    const names = byClass ? picture.classes.map((x) => make("span", { title: x }, x)) : [];
    why.labels.replaceChildren(...names);
  }
  const box = { width: why.box.clientWidth, height: why.box.clientHeight };
  if (box.width > 0 && box.height > 0) paintGrid(why.grid, drawn, box, state.page.palette);
  why.repaints += 1;
  why.canvas.dataset.repaints = String(why.repaints);
  why.labels.style.height = why.canvas.style.height;
  const real = (/** @type {number} */ shown, /** @type {number} */ all) =>
    all > shown ? `${countText(shown)} of ${countText(all)}` : countText(shown);
  const cols = byClass ? drawn.cols : real(picture.cols, picture.all_cols);
  const rows = byClass ? drawn.rows : real(picture.rows, picture.all_rows);
  setText(why.across, `${cols} ${byClass ? `${picture.row_word}s` : `${picture.col_word}s`} →`);
  setText(why.down, `${rows} ${byClass ? "classes" : `${picture.row_word}s`} →`);
  setText(why.says, drawn.says);
  setAttribute(why.ramp, "title", drawn.says);
  const cut = cutNow(state, layer);
  const many = `${countText(cut)} of ${countText(layer.items)} ${state.network.scene.item}s`;
  setAttribute(why.canvas, "aria-label",
    `${state.view.kind} of ${layer.name}: ${many} are cut and drawn blank`);
  const legend = `${state.page.palette.id}${drawn.marks}${drawn.ramp.length}`;
  if (why.legended === legend && why.marks.childElementCount > 0) return;
  why.legended = legend;
  why.marks.replaceChildren(...drawn.marks.map((x) => make("span", {}, x)));
  const context = contextOf(why.bar);
  why.bar.width = drawn.ramp.length;
  why.bar.height = 1;
  const image = context.createImageData(drawn.ramp.length, 1);
  new Uint32Array(image.data.buffer).set(drawn.ramp);
  context.putImageData(image, 0, 0);
}

/**
 * @param {State} state
 * @param {Pictures} why
 * @param {Layer | undefined} layer
 * @param {Picture | null} picture
 */
function renderScores(state, why, layer, picture) {
  const { scene } = state.network;
  const hist = layer ? (picture?.hist ?? null) : null;
  setText(why.scoreTitle, `${scene.criterion_label} scores${hist?.log ? ", log" : ""}`);
  why.histogram.hidden = hist === null;
  if (!layer || hist === null) {
    for (const node of [why.threshold, why.low, why.middle, why.high]) setText(node, "");
    return;
  }
  const cut = cutNow(state, layer);
  const threshold = thresholdNow(state, layer);
  const [pinned] = byHand(state, layer);
  const size = { width: why.histobox.clientWidth, height: why.histobox.clientHeight };
  if (size.width > 0) paintHistogram(why.histogram, hist, threshold, size, state.page.palette);
  const back = (/** @type {number} */ x) => valueText(hist.log ? 10 ** x : x);
  setText(why.low, back(hist.lo));
  setText(why.middle, back((hist.lo + hist.hi) / 2));
  setText(why.high, back(hist.hi));
  const many = `${countText(cut)} of ${countText(layer.items)} cut`;
  const none = inputsCut(state) ? "none of its own units is cut" : "nothing is cut";
  const others = pinned > 0 ? `: ${countText(pinned)} by hand, others` : ",";
  const says = threshold === null ? (cut > 0 ? `${many}, by hand` : none)
    : threshold === Infinity ? `all ${countText(layer.items)} cut`
      : `${many}${others} below ${valueText(threshold)}`;
  setText(why.threshold, says);
  setAttribute(why.histogram, "aria-label", `scores of ${layer.name}: ${says}`);
}
