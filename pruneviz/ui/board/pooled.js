// How does a whole layer look on few pixels, and what of it is cut?

import { divergingColours, packRgb, sequentialColours } from "./colours.js";
import { readHistogram, readTable, textOf, unpack, isNumber } from "./wire.js";

/** @import { Palette, Pooled, PooledLine, Raw, Thumbnail } from "./types.d.ts" */

export const CODES = 65533; // a rank in a pool of more items than that is told in so many steps
const STAYS = 65535; // the code of what is in no ranking, or kept by hand; 0: cut by hand
const UNKNOWN = -32768; // the value that is no number
export const PARTS = { shown: 0, blank: 1, cut: 2, cutByHand: 3 };
// The pixels of a cell in the order in which they go blank: evenly, as far as nine can.
/** @type {Record<number, number[]>} */
const ORDER = { 1: [0], 3: [0, 5, 2, 7, 4, 6, 3, 8, 1] };
const HATCH = 4; // pixels from one line to the next in what is cut

/**
 * @param {unknown} text
 * @param {number} size
 */
function readCodes(text, size) {
  const codes = unpack(text, Uint16Array);
  return codes && size > 0 && codes.length >= size ? codes.subarray(0, size) : null;
}

/**
 * @param {Raw} raw
 * @returns {Pooled | null}
 */
export function readPooled(raw) {
  const whole = (/** @type {unknown} */ x) => (isNumber(x) && x > 0 ? Math.floor(x) : 0);
  const [rows, cols, depth] = [raw?.rows, raw?.cols, raw?.depth].map(whole);
  const values = unpack(raw?.values, Int16Array);
  if (!values || values.length < rows * cols || rows * cols === 0 || !ORDER[depth]) return null;
  const lines = Array.isArray(raw.lines) ? raw.lines : [];
  return {
    rows,
    cols,
    depth,
    down: whole(raw.down) || 1,
    across: whole(raw.across) || 1,
    limit: isNumber(raw.limit) ? raw.limit : 0,
    values: values.subarray(0, rows * cols),
    codes: readCodes(raw.codes, rows * cols * depth * depth),
    lines: lines.flatMap((/** @type {Raw} */ line) => {
      const codes = readCodes(line?.codes, (line?.across ? cols : rows) * depth);
      return codes ? [{ group: textOf(line.group), across: Boolean(line.across), codes }] : [];
    }),
    made: new Map(),
  };
}

/**
 * @param {Raw} raw
 * @returns {Thumbnail}
 */
export function readThumbnail(raw) {
  return { why: textOf(raw?.why), matrix: readPooled(raw?.matrix),
    activation: readPooled(raw?.activation), scores: readTable(raw?.scores),
    hist: readHistogram(raw?.hist) };
}

/**
 * The code below which what is told in codes is cut, when ranks below `limit` of `total` are.
 * @param {number} limit
 * @param {number} total
 */
export function codeLimit(limit, total) {
  return 1 + limit * (total > CODES ? CODES / total : 1);
}

/**
 * @param {PooledLine[]} lines
 * @param {number} size
 * @param {(group: string) => number} limitOf
 */
function lineParts(lines, size, limitOf) {
  const parts = new Uint8Array(size);
  for (const { group, codes } of lines) {
    const limit = limitOf(group);
    for (let i = 0; i < size; i += 1) {
      if (codes[i] === 0) parts[i] = PARTS.cutByHand;
      else if (codes[i] < limit && parts[i] === PARTS.shown) parts[i] = PARTS.cut;
    }
  }
  return parts;
}

/**
 * What becomes of each pixel of the cells, row by row: PARTS. A cell goes blank pixel by pixel as
 * its members are cut, the first with the first of them, the last with the last.
 * @param {Pooled} image
 * @param {(group: string) => number} limitOf the code below which units of a group are cut
 * @param {number} own the code below which weights of this layer are
 */
export function partsOf(image, limitOf, own) {
  const { rows, cols, depth, codes, lines } = image;
  const wide = cols * depth;
  const many = depth * depth;
  const down = lineParts(lines.filter((x) => !x.across), rows * depth, limitOf);
  const across = lineParts(lines.filter((x) => x.across), wide, limitOf);
  const parts = new Uint8Array(rows * depth * wide);
  const places = new Int32Array(many);
  const order = ORDER[depth];
  for (let cell = 0; cell < rows * cols; cell += 1) {
    const top = Math.floor(cell / cols) * depth;
    const left = (cell % cols) * depth;
    // Otherwise neighbours that are alike would look like rows and columns that are cut.
    const shift = Math.imul(cell + 1, 0x9E3779B1) >>> 16;
    let shown = 0;
    for (let i = 0; i < many; i += 1) {
      const y = top + Math.floor(i / depth);
      const x = left + (i % depth);
      const place = y * wide + x;
      const code = codes ? codes[cell * many + order[(i + shift) % many]] : STAYS;
      places[i] = place;
      if (code === 0) parts[place] = PARTS.cutByHand;
      else parts[place] = Math.max(down[y], across[x], code < own ? PARTS.cut : PARTS.shown);
      if (parts[place] === PARTS.shown) shown += 1;
    }
    if (shown === 0) continue;
    for (const place of places) if (parts[place] === PARTS.cut) parts[place] = PARTS.blank;
  }
  return parts;
}

/**
 * The code in the middle of each cell, or null where nothing is ranked.
 * @param {Pooled} image
 * @param {string} name
 */
export function middleCodes({ rows, cols, depth, codes, lines }, name) {
  const many = depth * depth;
  const line = lines.find((x) => x.group === name && !x.across);
  if (!codes && !line) return null;
  return Uint16Array.from({ length: rows * cols }, (_, cell) => {
    if (codes) return codes[cell * many + (many >> 1)];
    return line ? line.codes[Math.floor(cell / cols) * depth + (depth >> 1)] : 0;
  });
}

/**
 * The values as they were, but for the last of their digits.
 * @param {Pooled} image
 */
function valuesOf({ values, limit }) {
  return Float32Array.from(values, (x) => (x === UNKNOWN ? NaN : (x / 32767) * limit));
}

/**
 * A colour for each cell, or null: there is nothing to draw. most: what the deepest colour stands
 * for; total: items of the ranking.
 * @param {Pooled} image
 * @param {{ kind: string, name: string, most: number, total: number }} view
 * @param {Palette} palette
 */
export function cellColours(image, { kind, name, most, total }, palette) {
  if (kind === "importance") {
    const codes = middleCodes(image, name);
    return codes && sequentialColours(codes, 1, Math.min(total, CODES), palette);
  }
  const values = valuesOf(image);
  const signed = kind === "weights" || values.some((x) => x < 0);
  return signed ? divergingColours(values, most, palette)
    : sequentialColours(values, 0, most, palette);
}

/**
 * Of each pixel of a canvas the pixel of the cells that it shows, and its cell.
 * @param {Pooled} image
 * @param {{ width: number, height: number }} size
 */
export function pixelPlaces({ rows, cols, depth }, { width, height }) {
  const places = new Uint16Array(width * height);
  const cells = new Uint16Array(width * height);
  for (let y = 0; y < height; y += 1) {
    const row = Math.floor((y * rows * depth) / height);
    for (let x = 0; x < width; x += 1) {
      const col = Math.floor((x * cols * depth) / width);
      places[y * width + x] = row * cols * depth + col;
      cells[y * width + x] = Math.floor(row / depth) * cols + Math.floor(col / depth);
    }
  }
  return { places, cells };
}

/**
 * @param {Uint32Array} pixels
 * @param {{ places: Uint16Array, cells: Uint16Array, parts: Uint8Array, colours: Uint32Array,
 *   width: number }} drawn
 * @param {Palette} palette
 */
export function fillPixels(pixels, { places, cells, parts, colours, width }, palette) {
  const mixed = (/** @type {number[]} */ ink, /** @type {number} */ part) => packRgb(
    palette.paper.map((x, c) => Math.round(x * (1 - part) + ink[c] * part)));
  const paper = packRgb(palette.paper);
  const line = mixed(palette.ink, palette.dark ? 0.42 : 0.34);
  const hand = mixed(palette.hand, 0.45);
  for (let i = 0; i < pixels.length; i += 1) {
    const part = parts[places[i]];
    if (part === PARTS.shown) {
      pixels[i] = colours[cells[i]];
    } else if (part === PARTS.cutByHand) {
      pixels[i] = hand;
    } else {
      const marked = part === PARTS.cut && (Math.floor(i / width) + i) % HATCH === 0;
      pixels[i] = marked ? line : paper;
    }
  }
}
