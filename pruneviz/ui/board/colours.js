// Which colours has the page, and which has a number?

import { clamp } from "./numbers.js";

/** @import { Palette, Rgb } from "./types.d.ts" */

const SCALES = {
  light: {
    // negative end ... zero ... positive end
    diverging: ["#0a3d73", "#4a90c8", "#d3d4d3", "#e08a35", "#8a3a06"],
    sequential: ["#cde3e1", "#4c9a9c", "#0a3c4d"],
  },
  dark: {
    diverging: ["#b4dcff", "#3f86c6", "#3a3e47", "#c87a28", "#ffd6a3"],
    sequential: ["#27454d", "#45a09c", "#e2faea"],
  },
};

/** @type {CanvasRenderingContext2D | null} */
let eye = null;

/** @param {HTMLCanvasElement} canvas */
export function contextOf(canvas) {
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("this browser draws no pictures");
  return context;
}

/**
 * A colour as the browser reads it.
 * @param {string} text
 * @param {string} otherwise
 */
function rgbOf(text, otherwise) {
  eye ??= contextOf(document.createElement("canvas"));
  const context = eye;
  context.fillStyle = otherwise;
  context.fillStyle = text.trim() || otherwise;
  const found = /^#(..)(..)(..)/.exec(context.fillStyle);
  if (found) return found.slice(1).map((x) => parseInt(x, 16));
  const parts = String(context.fillStyle).match(/[\d.]+/g) ?? [0, 0, 0];
  return parts.slice(0, 3).map(Number);
}

/** @param {Rgb} rgb */
export function packRgb([r, g, b]) {
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

/**
 * @param {Rgb} rgb
 * @param {number} [alpha]
 */
export function cssRgb([r, g, b], alpha = 1) {
  return `rgba(${Math.round(r)}, ${Math.round(g)}, ${Math.round(b)}, ${alpha})`;
}

/**
 * @param {string[]} stops
 * @param {number} size
 */
function ramp(stops, size) {
  const colours = stops.map((x) => rgbOf(x, "#888888"));
  const table = new Uint32Array(size);
  for (let i = 0; i < size; i += 1) {
    const place = (i / (size - 1)) * (colours.length - 1);
    const low = Math.min(Math.floor(place), colours.length - 2);
    const part = place - low;
    const mix = (/** @type {number} */ c) =>
      Math.round(colours[low][c] * (1 - part) + colours[low + 1][c] * part);
    table[i] = packRgb([mix(0), mix(1), mix(2)]);
  }
  return table;
}

/**
 * The colours of the page as it looks now; called again when the theme changes.
 * @param {Element} element
 */
export function readPalette(element) {
  const style = getComputedStyle(element);
  const paper = rgbOf(style.getPropertyValue("--st-background-color"), "#ffffff");
  const ink = rgbOf(style.getPropertyValue("--st-text-color"), "#31333f");
  const primary = rgbOf(style.getPropertyValue("--st-primary-color"), "#2f6fb0");
  const dark = paper[0] * 0.299 + paper[1] * 0.587 + paper[2] * 0.114 < 128;
  const scales = dark ? SCALES.dark : SCALES.light;
  return {
    id: [dark, paper, ink, primary].join(),
    dark,
    paper,
    ink,
    primary,
    hand: rgbOf(dark ? "#ff8ad8" : "#b0147c", "#b0147c"),
    diverging: ramp(scales.diverging, 511),
    sequential: ramp(scales.sequential, 256),
    stops: scales,
  };
}

/**
 * Signed values: symmetric about zero, by the square root, so that small weights show.
 * @param {ArrayLike<number>} values
 * @param {number} limit
 * @param {Palette} palette
 */
export function divergingColours(values, limit, palette) {
  const out = new Uint32Array(values.length);
  const unknown = packRgb(palette.paper);
  for (let i = 0; i < values.length; i += 1) {
    const share = Math.sqrt(Math.min(1, Math.abs(values[i]) / (limit || 1)));
    const place = 255 + Math.round(255 * (values[i] < 0 ? -share : share));
    out[i] = Number.isNaN(share) ? unknown : palette.diverging[place];
  }
  return out;
}

/**
 * @param {ArrayLike<number>} values
 * @param {number} low
 * @param {number} high
 * @param {Palette} palette
 */
export function sequentialColours(values, low, high, palette) {
  const out = new Uint32Array(values.length);
  const span = high > low ? high - low : 1;
  const unknown = packRgb(palette.paper);
  for (let i = 0; i < values.length; i += 1) {
    const place = Math.round(255 * clamp((values[i] - low) / span, 0, 1));
    out[i] = Number.isNaN(place) ? unknown : palette.sequential[place];
  }
  return out;
}
