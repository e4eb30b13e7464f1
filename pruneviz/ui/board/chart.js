// What did it cost?

import { totalsNow } from "./counts.js";
import { helpButton, make, radioGroup, setAttribute, setText, showRadios } from "./dom.js";
import { isShare } from "./estimate.js";
import { dressed, marksOf, nearestPlan } from "./figure.js";
import { chartWords, isOn, placeOn, presentNow, trailNow } from "./present.js";
import { buildPlayback, renderPlayback } from "./playback.js";
import { buildPoints, listenToPoints, renderPoints } from "./points.js";
import { plotly } from "./program.js";
import { command, enqueue } from "./requests.js";
import { allowLoss, chooseMeasure } from "./view.js";
import { textOf } from "./wire.js";

/** @import { Axis, Chart, Plot, Plotly, State } from "./types.d.ts" */

const MEASURES = [
  { id: "accuracy", text: "accuracy" },
  { id: "loss", text: "loss" },
  { id: "layers", text: "by layer" },
];

/** What moves under the thumb, above Plotly's picture. */
function buildOver() {
  const over = make("div", { class: "over", "aria-hidden": "true" });
  over.innerHTML = '<svg><polyline class="trail" /><g class="now" data-testid="present"><g '
    + 'class="rise"><path class="interval" /><circle class="dot" r="5" /></g></g></svg>';
  const [trail, now, rise, interval] = [".trail", ".now", ".rise", ".interval"].map((each) =>
    /** @type {Element} */ (over.querySelector(each)));
  return { over, trail, now, rise, interval };
}

/** @param {State} state */
export function buildChart(state) {
  const measures = radioGroup("chart", "measure", MEASURES, (id) => {
    chooseMeasure(state, id);
    enqueue(state, "need");
    state.redraw();
  });
  const lose = make("input", { type: "number", class: "number lose", min: 0, "data-testid": "lose",
    onchange: () => {
      if (!allowLoss(state, lose.valueAsNumber / (isShare(state) ? 100 : 1))) return;
      enqueue(state, "need");
      state.redraw();
    } });
  const unit = make("span", {});
  const back = make("button", { type: "button", class: "small back", "data-testid": "zoom-out",
    hidden: "", title: "show the whole chart again (or double-click it)" }, "reset zoom");
  const figure = make("div", { class: "figure", "data-testid": "tradeoff" });
  const plot = /** @type {Plot} */ (/** @type {HTMLElement} */ (figure));
  const above = buildOver();
  const none = make("div", { class: "nothing waiting" }, "loading the chart …");
  const key = make("ul", { class: "chartkey", "aria-label": "legend" });
  const words = make("div", { class: "best", "data-testid": "best" });
  const match = make("button", { type: "button", class: "small match", "data-testid": "match",
    onclick: () => command(state, "match") });
  const points = buildPoints();
  const playback = buildPlayback(state);
  const box = make("div", { class: "plotbox", role: "figure" }, plot, above.over, none, back,
    points);
  const node = make("section", { class: "cost", "aria-label": "trade-off" },
    make("div", { class: "line" }, make("h3", { class: "title" }, "Trade-off"),
      helpButton(state, "tradeoff", "the trade-off"), measures.node,
      make("label", { class: "losing" }, "lose at most ", lose, unit)),
    box, key, make("div", { class: "below" }, words, playback.node, match));
  /** @type {Chart} */
  const chart = { node, measures, lose, unit, back, plot, ...above, none, key, listed: "",
    moved: { model: "", guess: false, way: false },
    words, match, playback, box, points, axes: null, drawn: "", program: null, at: "" };
  listenToPoints(state, chart);
  back.addEventListener("click", () => resetZoom(state, chart));
  plotly().then((program) => {
    chart.program = program;
    state.redraw();
  });
  return chart;
}

/**
 * @param {State} state
 * @param {Chart} chart
 */
export function renderChart(state, chart) {
  showRadios(chart.measures, state.view.measure);
  const share = isShare(state);
  const task = state.answer.data.task;
  setText(chart.measures.buttons[0], share ? "accuracy" : "score");
  setAttribute(chart.measures.buttons[0], "title", textOf(task?.word) || "accuracy");
  setText(chart.unit, share ? "points" : "");
  setAttribute(chart.lose, "step", share ? 0.5 : 0.005);
  setAttribute(chart.lose, "aria-label", "loss allowed");
  const allowed = String(Math.round(state.view.lose * (share ? 1e4 : 1e6)) / (share ? 100 : 1e6));
  if (!chart.lose.matches(":focus") && chart.lose.value !== allowed) chart.lose.value = allowed;
  setText(chart.words, state.network.chart?.words ?? "");
  setAttribute(chart.words, "title", chart.words.textContent || null);
  renderMatch(state, chart);
  renderPlayback(state, chart.playback);
  renderKey(state, chart);
  drawFigure(state, chart);
  placePresent(state, chart);
  setAttribute(chart.box, "aria-label", chartWords(state, state.network.chart?.keys.length ?? 0));
}

/**
 * One click cuts whole units in place of single weights, or the reverse, at equal parameters left.
 * @param {State} state
 * @param {Chart} chart
 */
function renderMatch(state, chart) {
  const { scene } = state.network;
  const other = scene.byUnit ? "single weights" : "whole units";
  const whole = totalsNow(state).kept >= scene.total_params;
  setText(chart.match, `match ${other}`);
  chart.match.disabled = whole;
  setAttribute(chart.match, "title", whole ? "cut something first"
    : `cut ${other} instead until as many parameters are left, and see both as points`);
}

/**
 * Those above Plotly's picture that this network has had: one that came and went under a moving
 * thumb would make the legend flicker.
 * @param {State} state
 * @param {Chart} chart
 */
function movingMarks(state, chart) {
  const model = textOf(state.network.scene.model);
  if (chart.moved.model !== model) chart.moved = { model, guess: false, way: false };
  const { moved } = chart;
  moved.guess ||= presentNow(state).kind === "estimated";
  moved.way ||= trailNow(state).length > 1;
  const marks = [{ name: "now", kind: "now" },
    ...(moved.guess ? [{ name: "now, estimated", kind: "guess" }] : []),
    ...(moved.way ? [{ name: "on the way here", kind: "way" }] : [])];
  const any = (state.network.chart?.keys.length ?? 0) > 0;
  return any ? marks.map((mark) => ({ ...mark, colour: "" })) : [];
}

/**
 * Every mark of the chart, and those that move above it.
 * @param {State} state
 * @param {Chart} chart
 */
function renderKey(state, chart) {
  if (!state.network.chart) return;
  const moving = movingMarks(state, chart);
  const listed = `${state.network.chartId}|${moving.map((mark) => mark.kind).join()}`;
  if (chart.listed === listed) return;
  chart.listed = listed;
  const marks = [...moving, ...marksOf(state.network.chart.figure)];
  chart.key.replaceChildren(...marks.map(({ name, kind, colour }) => make("li", {},
    make("i", { class: kind, style: colour && `--mark: ${colour}` }), name)));
}

/**
 * Plotly draws what stands, where that or its size or colours have changed.
 * @param {State} state
 * @param {Chart} chart
 */
function drawFigure(state, chart) {
  const { program, plot, box } = chart;
  const told = state.network.chart;
  const size = { width: box.clientWidth, height: box.clientHeight };
  if (program === null || told === null || size.width < 60 || size.height < 60) return;
  const { palette } = state.page;
  const drawn = [state.network.chartId, palette.id, size.width, size.height].join();
  if (chart.drawn === drawn) return;
  const fresh = chart.drawn === "";
  chart.drawn = drawn;
  const { data, layout } = dressed(told.figure, palette, size,
    textOf(state.network.scene.model), getComputedStyle(box).fontFamily);
  const options = { displayModeBar: false, doubleClick: "reset", responsive: false };
  program.react(plot, data, layout, options).then(() => {
    if (fresh) listen(state, chart, program);
    chart.none.hidden = true;
    takeAxes(state, chart);
  }).catch(console.error);
}

/**
 * @param {State} state
 * @param {Chart} chart
 * @param {Plotly} program
 */
function listen(state, chart, program) {
  const { plot } = chart;
  wearStyles(plot);
  plot.on("plotly_click", ({ event }) => {
    const from = plot.getBoundingClientRect();
    const { xaxis, yaxis } = plot._fullLayout;
    const place = nearestPlan(plot._fullData, xaxis, yaxis, event.clientX - from.left,
      event.clientY - from.top);
    const point = state.network.chart?.keys[place];
    if (point) command(state, "return", point);
  });
  plot.on("plotly_relayout", () => takeAxes(state, chart));
  // Its rules for a mouse that moves or drags stand in the page, where the board cannot see them.
  chart.box.addEventListener("pointerleave", () => program.Fx.unhover(plot));
}

/**
 * Plotly writes its rules into the page's head, which no shadow root sees.
 * @param {Element} plot
 */
function wearStyles(plot) {
  const sheets = /** @type {NodeListOf<HTMLStyleElement>} */ (
    document.querySelectorAll('style[id^="plotly.js-style"]'));
  const rules = [...sheets].flatMap((x) => [...(x.sheet?.cssRules ?? [])].map((y) => y.cssText));
  plot.before(make("style", {}, rules.join("\n")));
}

/**
 * @param {any} axis of Plotly
 * @param {boolean} upward
 * @returns {Axis}
 */
function axisOf(axis, upward) {
  return { range: axis.range.map(Number), offset: axis._offset, length: axis._length, upward };
}

/**
 * @param {State} state
 * @param {Chart} chart
 */
function takeAxes(state, chart) {
  const { xaxis, yaxis } = chart.plot._fullLayout;
  const points = state.view.measure !== "layers" && xaxis.type === "linear";
  chart.axes = points ? { x: axisOf(xaxis, false), y: axisOf(yaxis, true) } : null;
  const { layout } = state.network.chart?.figure ?? {};
  const whole = (/** @type {"xaxis" | "yaxis"} */ name) => {
    const range = layout?.[name]?.range;
    const seen = chart.plot._fullLayout[name].range;
    return !range || range.every((/** @type {number} */ end, /** @type {number} */ i) =>
      Math.abs(end - seen[i]) <= 1e-6 * Math.abs(range[1] - range[0]));
  };
  chart.back.hidden = whole("xaxis") && whole("yaxis");
  chart.at = "";
  placePresent(state, chart);
  renderPoints(state, chart);
}

/**
 * @param {State} state
 * @param {Chart} chart
 */
function resetZoom(state, chart) {
  const { layout } = state.network.chart?.figure ?? {};
  if (!chart.program || !layout) return;
  const ends = (/** @type {"xaxis" | "yaxis"} */ name) => (layout[name]?.range
    ? { [`${name}.range`]: [...layout[name].range] } : { [`${name}.autorange`]: true });
  chart.program.relayout(chart.plot, { ...ends("xaxis"), ...ends("yaxis") });
}

/**
 * What moves under the thumb lies above Plotly's picture: to change that takes longer than a frame.
 * @param {State} state
 * @param {Chart} chart
 */
function placePresent(state, chart) {
  const { axes, now, rise, interval, trail, over } = chart;
  const present = presentNow(state);
  const shown = axes !== null && present.y !== null;
  if (over.hidden === shown) over.hidden = !shown;
  setAttribute(now, "data-kind", present.kind);
  if (axes === null || present.y === null) return;
  const points = trailNow(state);
  const at = JSON.stringify([present, points]);
  if (chart.at === at) return;
  chart.at = at;
  const y = placeOn(axes.y, present.y);
  now.setAttribute("style", `transform: translateX(${placeOn(axes.x, present.x).toFixed(1)}px)`);
  rise.setAttribute("style", `transform: translateY(${y.toFixed(1)}px)`);
  const [low, high] = [present.low, present.high].map((end) =>
    (end === null ? 0 : placeOn(axes.y, end) - y));
  setAttribute(interval, "d", `M0 ${low} V${high} M-5 ${low} h10 M-5 ${high} h10`);
  setAttribute(now, "data-outside", !isOn(axes.x, present.x) || !isOn(axes.y, present.y));
  setAttribute(now, "data-x", Math.round(present.x));
  setAttribute(now, "data-y", present.y);
  setAttribute(trail, "points", points.map(([kept, value]) =>
    `${placeOn(axes.x, kept).toFixed(1)},${placeOn(axes.y, value).toFixed(1)}`).join(" "));
}
