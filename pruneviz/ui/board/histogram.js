// How do the scores of a layer lie about the threshold?

import { contextOf, cssRgb } from "./colours.js";
import { clamp } from "./numbers.js";
import { sizeCanvas } from "./paint.js";

/** @import { Histogram, Palette, Size } from "./types.d.ts" */

/**
 * @param {Histogram} hist
 * @param {number} score
 */
export function histogramPlace(hist, score) {
  if (score === Infinity) return 1;
  const value = hist.log ? Math.log10(score) : score;
  if (!(score > 0) && hist.log) return 0;
  return hist.hi > hist.lo ? clamp((value - hist.lo) / (hist.hi - hist.lo), 0, 1) : 1;
}

/**
 * Bars of the scores: kept ones solid, cut ones hatched, the threshold between them.
 * @param {HTMLCanvasElement} canvas
 * @param {Histogram} hist
 * @param {number | null} threshold
 * @param {Size} box
 * @param {Palette} palette
 */
export function paintHistogram(canvas, hist, threshold, box, palette) {
  const ratio = window.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(box.width * ratio));
  const height = Math.max(1, Math.round(box.height * ratio));
  sizeCanvas(canvas, width, height, ratio);
  const context = contextOf(canvas);
  context.clearRect(0, 0, width, height);
  const edge = threshold === null ? 0 : Math.round(histogramPlace(hist, threshold) * width);
  const bars = new Path2D();
  const top = 5 * ratio;
  const most = Math.max(1, ...hist.counts);
  const step = width / hist.counts.length;
  hist.counts.forEach((count, i) => {
    if (count <= 0) return;
    const tall = Math.max(ratio, (count / most) * (height - top - ratio));
    const left = Math.round(i * step);
    bars.rect(left, height - ratio - tall, Math.round((i + 1) * step) - left - ratio, tall);
  });
  clipped(context, edge, width - edge, height, () => {
    context.fillStyle = palette.dark ? "#5b9bd0" : "#3f7cae";
    context.fill(bars);
  });
  clipped(context, 0, edge, height, () => {
    context.fillStyle = cssRgb(palette.ink, 0.1);
    context.fill(bars);
    context.clip(bars);
    context.strokeStyle = cssRgb(palette.ink, 0.5);
    context.lineWidth = ratio;
    context.beginPath();
    for (let x = -height; x < edge; x += 5 * ratio) {
      context.moveTo(x, height);
      context.lineTo(x + height, 0);
    }
    context.stroke();
  });
  context.fillStyle = cssRgb(palette.ink, 0.35);
  context.fillRect(0, height - ratio, width, ratio);
  if (threshold === null) return;
  const x = clamp(edge - ratio, 0, width - 2 * ratio);
  context.fillStyle = cssRgb(palette.ink);
  context.fillRect(x, 0, 2 * ratio, height);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} left
 * @param {number} width
 * @param {number} height
 * @param {() => void} draw
 */
function clipped(context, left, width, height, draw) {
  if (width <= 0) return;
  context.save();
  context.beginPath();
  context.rect(left, 0, width, height);
  context.clip();
  draw();
  context.restore();
}
