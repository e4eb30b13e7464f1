// What is drawn for every cell of a picture?

import { contextOf, cssRgb, packRgb } from "./colours.js";
import { RANK_CUT, RANK_KEPT, RANK_STAYS } from "./wire.js";

/** @import { Cells, Grid, Histogram, Palette, Place, Rgb, Size } from "./types.d.ts" */

const HATCH_FROM = 6; // CSS pixels of a cell from which a cut cell carries its own mark
const LINES_FROM = 8; // ... from which cells are parted by a line

/**
 * @param {HTMLCanvasElement} canvas
 * @returns {Grid}
 */
export function makeGrid(canvas) {
  return { canvas, buffer: document.createElement("canvas"), image: null, place: null };
}

/**
 * Cells grow to fill the box, at most `stretch` times as high as wide or the reverse; they get
 * a whole number of pixels where that costs little room.
 * @param {{ rows: number, cols: number, stretch?: number }} parts
 * @param {Size} box
 * @param {number} ratio
 */
export function placeCells({ rows, cols, stretch = 5 }, box, ratio) {
  const whole = (/** @type {number} */ size) =>
    (Math.floor(size) >= 0.92 * size ? Math.floor(size) : size);
  let w = Math.min((box.width * ratio) / cols, 80 * ratio);
  let h = Math.min((box.height * ratio) / rows, 60 * ratio);
  w = whole(Math.min(w, h * stretch));
  h = whole(Math.min(h, w * stretch));
  const total = (/** @type {number} */ size, /** @type {number} */ many) =>
    Math.max(1, Math.round(size * many));
  return { w, h, width: total(w, cols), height: total(h, rows) };
}

export const FATES = { kept: 0, cut: 1, cutByHand: 2, keptByHand: 3 };

/**
 * cells: { rows, cols, colours, rank, limit, others, stretch }. A cell is cut where its rank is
 * below the limit or its input goes with another layer; a cut cell is left blank.
 * @param {Cells} parts
 */
export function fatesOf({ colours, rank, limit, others }) {
  const fates = new Uint8Array(colours.length);
  const gone = (/** @type {number} */ i) =>
    others !== null && ((others[i >> 5] >> (i & 31)) & 1) === 1;
  for (let i = 0; i < fates.length; i += 1) {
    const place = rank === null ? RANK_STAYS : rank[i];
    if (place === RANK_CUT) fates[i] = FATES.cutByHand;
    else if (place < limit || gone(i)) fates[i] = FATES.cut;
    else if (place === RANK_KEPT) fates[i] = FATES.keptByHand;
  }
  return fates;
}

/**
 * @param {Grid} grid
 * @param {Cells} cells
 * @param {Size} box
 * @param {Palette} palette
 */
export function paintGrid(grid, cells, box, palette) {
  const ratio = window.devicePixelRatio || 1;
  const place = placeCells(cells, box, ratio);
  const { canvas, buffer } = grid;
  if (buffer.width !== cells.cols || buffer.height !== cells.rows || !grid.image) {
    buffer.width = cells.cols;
    buffer.height = cells.rows;
    grid.image = contextOf(buffer).createImageData(cells.cols, cells.rows);
  }
  const pixels = new Uint32Array(grid.image.data.buffer);
  const fates = fatesOf(cells);
  const tint = palette.paper.map((x, c) => x * 0.68 + palette.hand[c] * 0.32);
  const blanks = [0, packRgb(palette.paper), packRgb(tint.map(Math.round))];
  for (let i = 0; i < pixels.length; i += 1) pixels[i] = blanks[fates[i]] || cells.colours[i];
  contextOf(buffer).putImageData(grid.image, 0, 0);
  sizeCanvas(canvas, place.width, place.height, ratio);
  const context = contextOf(canvas);
  context.imageSmoothingEnabled = false; // a cut cell is blank, or is not drawn: never a mixture
  context.drawImage(buffer, 0, 0, place.width, place.height);
  if (Math.min(place.w, place.h) >= HATCH_FROM * ratio) {
    hatchCells(context, cells, fates, place, palette, ratio);
  }
  if (Math.min(place.w, place.h) >= LINES_FROM * ratio) ruleCells(context, cells, place, palette);
  outlineKept(context, cells, fates, place, palette, ratio);
  grid.place = { ...place, ratio, rows: cells.rows, cols: cells.cols };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 * @param {number} ratio
 */
export function sizeCanvas(canvas, width, height, ratio) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  canvas.style.width = `${width / ratio}px`;
  canvas.style.height = `${height / ratio}px`;
}

/**
 * The mark of a cut cell: one thin diagonal; of one cut by hand: two that cross.
 * @param {CanvasRenderingContext2D} context
 * @param {Cells} cells
 * @param {Uint8Array} fates
 * @param {Place} place
 * @param {Palette} palette
 * @param {number} ratio
 */
function hatchCells(context, cells, fates, place, palette, ratio) {
  const { w, h } = place;
  const inset = Math.max(2 * ratio, Math.min(w, h) * 0.28);
  const reach = Math.min(w, h) - 2 * inset;
  const inks = { [FATES.cut]: cssRgb(palette.ink, palette.dark ? 0.42 : 0.34),
    [FATES.cutByHand]: cssRgb(palette.hand, 0.9) };
  context.lineWidth = ratio;
  for (const [fate, ink] of Object.entries(inks)) {
    context.strokeStyle = ink;
    context.beginPath();
    for (let i = 0; i < fates.length; i += 1) {
      if (fates[i] !== Number(fate)) continue;
      const x = (i % cells.cols) * w + (w - reach) / 2;
      const y = Math.floor(i / cells.cols) * h + (h - reach) / 2;
      context.moveTo(x, y + reach);
      context.lineTo(x + reach, y);
      if (fates[i] !== FATES.cutByHand) continue;
      context.moveTo(x, y);
      context.lineTo(x + reach, y + reach);
    }
    context.stroke();
  }
}

/**
 * A line around what was kept by hand.
 * @param {CanvasRenderingContext2D} context
 * @param {Cells} cells
 * @param {Uint8Array} fates
 * @param {Place} place
 * @param {Palette} palette
 * @param {number} ratio
 */
function outlineKept(context, cells, fates, place, palette, ratio) {
  const { w, h } = place;
  const { rows, cols } = cells;
  const kept = (/** @type {number} */ r, /** @type {number} */ c) =>
    r >= 0 && c >= 0 && r < rows && c < cols && fates[r * cols + c] === FATES.keptByHand;
  const width = Math.max(1, Math.round(2 * ratio));
  context.fillStyle = cssRgb(palette.hand);
  for (let i = 0; i < fates.length; i += 1) {
    if (fates[i] !== FATES.keptByHand) continue;
    const r = Math.floor(i / cols);
    const c = i % cols;
    const [left, right] = [c * w, (c + 1) * w].map(Math.round);
    const [top, bottom] = [r * h, (r + 1) * h].map(Math.round);
    const across = Math.max(1, right - left);
    const down = Math.max(1, bottom - top);
    if (!kept(r - 1, c)) context.fillRect(left, top, across, width);
    if (!kept(r + 1, c)) context.fillRect(left, bottom - width, across, width);
    if (!kept(r, c - 1)) context.fillRect(left, top, width, down);
    if (!kept(r, c + 1)) context.fillRect(right - width, top, width, down);
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Cells} cells
 * @param {Place} place
 * @param {Palette} palette
 */
function ruleCells(context, cells, place, palette) {
  context.fillStyle = cssRgb(palette.paper);
  const { w, h, width, height } = place;
  for (let c = 1; c < cells.cols; c += 1) context.fillRect(Math.round(c * w), 0, 1, height);
  for (let r = 1; r < cells.rows; r += 1) context.fillRect(0, Math.round(r * h), width, 1);
}

/**
 * Which cell lies under a point of the canvas (CSS pixels); null outside.
 * @param {Grid} grid
 * @param {number} x
 * @param {number} y
 */
export function cellAt(grid, x, y) {
  const { place } = grid;
  if (!place) return null;
  const col = Math.floor((x * place.ratio) / place.w);
  const row = Math.floor((y * place.ratio) / place.h);
  if (col < 0 || row < 0 || col >= place.cols || row >= place.rows) return null;
  return { row, col, index: row * place.cols + col };
}
