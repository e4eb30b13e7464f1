// How is a figure of Python's read, and dressed for the page?

import { cssRgb } from "./colours.js";
import { textOf } from "./wire.js";

/** @import { Figure, Mark, Palette, Raw, Size, TradeOff } from "./types.d.ts" */

/** @type {Record<string, string>} */
const SYMBOLS = { star: "star", "x-thin": "cross", square: "square", diamond: "diamond",
  "star-diamond": "diamond",
  "triangle-down": "down", "triangle-up": "up" };

/**
 * @param {Raw} raw
 * @returns {TradeOff | null}
 */
export function readChart(raw) {
  let figure;
  try {
    figure = JSON.parse(textOf(raw.figure));
  } catch {
    return null;
  }
  if (!Array.isArray(figure?.data) || typeof figure.layout !== "object") return null;
  const keys = Array.isArray(raw.keys) ? raw.keys.map(textOf) : [];
  return { figure, keys, words: textOf(raw.words) };
}

/**
 * What stands in the legend: each trace and shape that has a name, with how it is drawn.
 * @param {Figure} figure
 * @returns {Mark[]}
 */
export function marksOf({ data, layout }) {
  const traces = data.map(({ name, type, mode, marker, line }) => {
    const look = line ?? marker;
    const kind = type === "bar" ? (marker.pattern ? "hatch" : "square")
      : isPredicted({ line }) ? "dashes"
        : mode === "lines" ? (line.width > 2 ? "thick" : "thin")
          : SYMBOLS[marker.symbol] ?? "point";
    return { name, kind, colour: look.color ?? look.line.color };
  });
  const shapes = (layout.shapes ?? []).map((/** @type {Raw} */ { name, line }) =>
    ({ name, kind: "dots", colour: line.color }));
  const empty = new Set(data.filter((x) => !x.x?.length && !x.x?.bdata).map((x) => x.name));
  return [...traces, ...shapes].filter((mark) => !empty.has(mark.name));
}

const LETTER = 6.2; // pixels, of 12 px letters in the mean
const BELOW = 50; // pixels of a chart's height that its axes cannot have

/**
 * A title in two lines where it is longer than its axis.
 * @param {string} title
 * @param {number} room in pixels
 */
export function brokenTitle(title, room) {
  const spaces = [...title.matchAll(/ /g)].map((space) => space.index);
  if (title.length * LETTER <= room || spaces.length === 0) return title;
  const far = (/** @type {number} */ place) => Math.abs(2 * place - title.length);
  const middle = spaces.reduce((best, place) => (far(place) < far(best) ? place : best));
  return `${title.slice(0, middle)}<br>${title.slice(middle + 1)}`;
}

/**
 * The figure in the colours and letters of the page, at the size of its box; the legend is the
 * board's own, which takes less room.
 * @param {Figure} figure
 * @param {Palette} palette
 * @param {Size} size
 * @param {string} model whose zoom stays
 * @param {string} family of letters
 */
export function dressed(figure, palette, size, model, family) {
  const clear = "rgba(0, 0, 0, 0)";
  const ink = cssRgb(palette.ink);
  const { xaxis = {}, yaxis = {} } = figure.layout;
  const title = textOf(yaxis.title?.text);
  const written = brokenTitle(title, size.height - BELOW);
  const axis = (/** @type {Raw} */ of, /** @type {number} */ standoff) => ({ ...of,
    gridcolor: cssRgb(palette.ink, 0.14), zeroline: false, linecolor: ink, tickcolor: ink,
    title: { ...of.title, standoff, font: { size: 12 } } });
  const layout = { ...figure.layout, ...size, paper_bgcolor: clear, plot_bgcolor: clear,
    font: { color: ink, size: 12, family }, dragmode: "zoom", showlegend: false,
    margin: { l: written === title ? 50 : 64, r: 10, t: 10, b: 40 },
    uirevision: `${model} ${title}`,
    hoverlabel: { ...figure.layout.hoverlabel, bgcolor: cssRgb(palette.paper), bordercolor: ink,
      font: { color: ink, family } },
    xaxis: axis(xaxis, 2),
    yaxis: axis(title ? { ...yaxis, title: { ...yaxis.title, text: written } } : yaxis, 4) };
  return { data: structuredClone(figure.data), layout: structuredClone(layout) };
}

/**
 * Whether nobody measured what a trace shows.
 * @param {Raw} trace
 */
function isPredicted({ line }) {
  return line?.dash === "dash";
}

const REACH = 16; // pixels from a click to the plan that is meant

/**
 * The position of the plan whose point is nearest, -1 where none is near: a control or a line may
 * lie between. One that was measured comes before all that are predicted.
 * @param {Raw[]} traces as Plotly has read them
 * @param {Raw} across axis of Plotly
 * @param {Raw} up axis of Plotly
 * @param {number} x
 * @param {number} y
 */
export function nearestPlan(traces, across, up, x, y) {
  let [nearest, place] = [REACH, -1];
  const clickable = traces.filter((each) => each.customdata);
  const measured = clickable.filter((each) => !isPredicted(each));
  for (const trace of [...measured, ...clickable.filter(isPredicted)]) {
    if (isPredicted(trace) && place >= 0) break;
    trace.customdata.forEach((/** @type {number} */ plan, /** @type {number} */ i) => {
      const right = across._offset + across.d2p(trace.x[i]) - x;
      const far = Math.hypot(right, up._offset + up.d2p(trace.y[i]) - y);
      if (far < nearest) [nearest, place] = [far, plan];
    });
  }
  return place;
}
