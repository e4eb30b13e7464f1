// How does the keyboard get from plan to plan on the chart, and back to one?

import { make, setAttribute } from "./dom.js";
import { command } from "./requests.js";
import { countText, valueText } from "./words.js";

/** @import { Chart, ChartPlan, Raw, State } from "./types.d.ts" */

/**
 * The plans that a click returns to, from whole to cut; one that has two marks once.
 * @param {Raw[]} traces as Plotly has read them
 * @param {string[]} keys by position, "" where nothing leads back
 * @returns {ChartPlan[]}
 */
export function plansOn(traces, keys) {
  const plans = new Map();
  for (const trace of traces.filter((each) => each.customdata)) {
    trace.customdata.forEach((/** @type {number} */ place, /** @type {number} */ point) => {
      const [x, y] = [Number(trace.x[point]), Number(trace.y[point])];
      const words = plainText(String(trace.text?.[point] ?? ""));
      if (keys[place]) plans.set(place, { place, curve: trace.index, point, x, y, words });
    });
  }
  return [...plans.values()].sort((a, b) => b.x - a.x || a.place - b.place);
}

/**
 * A name as it was before it was written for Plotly, which reads tags and mathematics.
 * @param {string} text
 */
function plainText(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&#36;", "$")
    .replaceAll("&amp;", "&");
}

/** A slider over the chart, seen while it has the keyboard. */
export function buildPoints() {
  return make("input", { type: "range", class: "points", min: 0, step: 1, hidden: "",
    "data-testid": "points",
    "aria-label": "plans on the chart, from whole to cut; Enter returns to one" });
}

/**
 * @param {State} state
 * @param {Chart} chart
 */
export function listenToPoints(state, chart) {
  const { points, plot } = chart;
  const chosen = () => plansNow(state, chart)[points.valueAsNumber];
  const show = () => {
    const plan = chosen();
    if (!plan) return;
    setAttribute(points, "aria-valuetext",
      `${plan.words}: ${valueText(plan.y)}, ${countText(plan.x)} parameters`);
    chart.program?.Fx.hover(plot, [{ curveNumber: plan.curve, pointNumber: plan.point }]);
  };
  points.addEventListener("input", show);
  points.addEventListener("focus", show);
  points.addEventListener("blur", () => chart.program?.Fx.unhover(plot));
  points.addEventListener("keydown", (event) => {
    const plan = chosen();
    if (event.key !== "Enter" || !plan) return;
    event.preventDefault();
    command(state, "return", state.network.chart?.keys[plan.place]);
  });
}

/**
 * As many steps as there are plans.
 * @param {State} state
 * @param {Chart} chart
 */
export function renderPoints(state, chart) {
  const { points } = chart;
  const many = plansNow(state, chart).length;
  points.hidden = many === 0;
  setAttribute(points, "max", Math.max(0, many - 1));
}

/**
 * @param {State} state
 * @param {Chart} chart
 */
function plansNow(state, chart) {
  const keys = state.network.chart?.keys ?? [];
  return chart.axes === null ? [] : plansOn(chart.plot._fullData, keys);
}
