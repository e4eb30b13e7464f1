// Which colour does every point of a picture get?

const HATCH_FROM = 6; // CSS pixels of a cell from which a cut cell carries its own mark
const LINES_FROM = 8; // ... from which cells are parted by a line

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

function rgbOf(text, otherwise) {
  const context = rgbOf.context ?? document.createElement("canvas").getContext("2d");
  rgbOf.context = context;
  context.fillStyle = otherwise;
  context.fillStyle = text.trim() || otherwise;
  const found = /^#(..)(..)(..)/.exec(context.fillStyle);
  if (found) return found.slice(1).map((x) => parseInt(x, 16));
  const parts = String(context.fillStyle).match(/[\d.]+/g) ?? [0, 0, 0];
  return parts.slice(0, 3).map(Number);
}

function packRgb([r, g, b]) {
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

function cssRgb([r, g, b], alpha = 1) {
  return `rgba(${Math.round(r)}, ${Math.round(g)}, ${Math.round(b)}, ${alpha})`;
}

function ramp(stops, size) {
  const colours = stops.map((x) => rgbOf(x, "#888888"));
  const table = new Uint32Array(size);
  for (let i = 0; i < size; i += 1) {
    const place = (i / (size - 1)) * (colours.length - 1);
    const low = Math.min(Math.floor(place), colours.length - 2);
    const part = place - low;
    const mix = (c) => Math.round(colours[low][c] * (1 - part) + colours[low + 1][c] * part);
    table[i] = packRgb([mix(0), mix(1), mix(2)]);
  }
  return table;
}

// The colours of the page as it looks now; called again when the theme changes.
function readPalette(element) {
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

// Signed values: symmetric about zero, by the square root, so that small weights show.
function divergingColours(values, limit, palette) {
  const out = new Uint32Array(values.length);
  const unknown = packRgb(palette.paper);
  for (let i = 0; i < values.length; i += 1) {
    const share = Math.sqrt(Math.min(1, Math.abs(values[i]) / (limit || 1)));
    const place = 255 + Math.round(255 * (values[i] < 0 ? -share : share));
    out[i] = Number.isNaN(share) ? unknown : palette.diverging[place];
  }
  return out;
}

function sequentialColours(values, low, high, palette) {
  const out = new Uint32Array(values.length);
  const span = high > low ? high - low : 1;
  const unknown = packRgb(palette.paper);
  for (let i = 0; i < values.length; i += 1) {
    const place = Math.round(255 * clamp((values[i] - low) / span, 0, 1));
    out[i] = Number.isNaN(place) ? unknown : palette.sequential[place];
  }
  return out;
}

function makeGrid(canvas) {
  return { canvas, buffer: document.createElement("canvas"), image: null, place: null };
}

// Cells grow to fill the box, at most `stretch` times as high as wide or the reverse; they get
// a whole number of pixels where that costs little room.
function placeCells({ rows, cols, stretch = 5 }, box, ratio) {
  const whole = (size) => (Math.floor(size) >= 0.92 * size ? Math.floor(size) : size);
  let w = Math.min((box.width * ratio) / cols, 80 * ratio);
  let h = Math.min((box.height * ratio) / rows, 60 * ratio);
  w = whole(Math.min(w, h * stretch));
  h = whole(Math.min(h, w * stretch));
  const total = (size, many) => Math.max(1, Math.round(size * many));
  return { w, h, width: total(w, cols), height: total(h, rows) };
}

const FATES = { kept: 0, cut: 1, cutByHand: 2, keptByHand: 3 };

// cells: { rows, cols, colours, rank, limit, others, stretch }. A cell is cut where its rank is
// below the limit or its input goes with another layer; a cut cell is left blank.
function fatesOf({ colours, rank, limit, others }) {
  const fates = new Uint8Array(colours.length);
  const gone = (i) => others !== null && ((others[i >> 5] >> (i & 31)) & 1) === 1;
  for (let i = 0; i < fates.length; i += 1) {
    const place = rank === null ? RANK_STAYS : rank[i];
    if (place === RANK_CUT) fates[i] = FATES.cutByHand;
    else if (place < limit || gone(i)) fates[i] = FATES.cut;
    else if (place === RANK_KEPT) fates[i] = FATES.keptByHand;
  }
  return fates;
}

function paintGrid(grid, cells, box, palette) {
  const ratio = window.devicePixelRatio || 1;
  const place = placeCells(cells, box, ratio);
  const { canvas, buffer } = grid;
  if (buffer.width !== cells.cols || buffer.height !== cells.rows || !grid.image) {
    buffer.width = cells.cols;
    buffer.height = cells.rows;
    grid.image = buffer.getContext("2d").createImageData(cells.cols, cells.rows);
  }
  const pixels = new Uint32Array(grid.image.data.buffer);
  const fates = fatesOf(cells);
  const tint = palette.paper.map((x, c) => x * 0.68 + palette.hand[c] * 0.32);
  const blanks = [0, packRgb(palette.paper), packRgb(tint.map(Math.round))];
  for (let i = 0; i < pixels.length; i += 1) pixels[i] = blanks[fates[i]] || cells.colours[i];
  buffer.getContext("2d").putImageData(grid.image, 0, 0);
  sizeCanvas(canvas, place.width, place.height, ratio);
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = place.w < 1 || place.h < 1;
  context.drawImage(buffer, 0, 0, place.width, place.height);
  if (Math.min(place.w, place.h) >= HATCH_FROM * ratio) {
    hatchCells(context, cells, fates, place, palette, ratio);
  }
  if (Math.min(place.w, place.h) >= LINES_FROM * ratio) ruleCells(context, cells, place, palette);
  outlineKept(context, cells, fates, place, palette, ratio);
  grid.place = { ...place, ratio, rows: cells.rows, cols: cells.cols };
}

function sizeCanvas(canvas, width, height, ratio) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  canvas.style.width = `${width / ratio}px`;
  canvas.style.height = `${height / ratio}px`;
}

// The mark of a cut cell: one thin diagonal; of one cut by hand: two that cross.
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

// A line around what was kept by hand.
function outlineKept(context, cells, fates, place, palette, ratio) {
  const { w, h } = place;
  const { rows, cols } = cells;
  const kept = (r, c) => r >= 0 && c >= 0 && r < rows && c < cols
    && fates[r * cols + c] === FATES.keptByHand;
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

function ruleCells(context, cells, place, palette) {
  context.fillStyle = cssRgb(palette.paper);
  const { w, h, width, height } = place;
  for (let c = 1; c < cells.cols; c += 1) context.fillRect(Math.round(c * w), 0, 1, height);
  for (let r = 1; r < cells.rows; r += 1) context.fillRect(0, Math.round(r * h), width, 1);
}

// Which cell lies under a point of the canvas (CSS pixels); null outside.
function cellAt(grid, x, y) {
  const { place } = grid;
  if (!place) return null;
  const col = Math.floor((x * place.ratio) / place.w);
  const row = Math.floor((y * place.ratio) / place.h);
  if (col < 0 || row < 0 || col >= place.cols || row >= place.rows) return null;
  return { row, col, index: row * place.cols + col };
}

function histogramPlace(hist, score) {
  if (score === Infinity) return 1;
  const value = hist.log ? Math.log10(score) : score;
  if (!(score > 0) && hist.log) return 0;
  return hist.hi > hist.lo ? clamp((value - hist.lo) / (hist.hi - hist.lo), 0, 1) : 1;
}

// Bars of the scores: kept ones solid, cut ones hatched, the threshold between them.
function paintHistogram(canvas, hist, threshold, box, palette) {
  const ratio = window.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(box.width * ratio));
  const height = Math.max(1, Math.round(box.height * ratio));
  sizeCanvas(canvas, width, height, ratio);
  const context = canvas.getContext("2d");
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

function clipped(context, left, width, height, draw) {
  if (width <= 0) return;
  context.save();
  context.beginPath();
  context.rect(left, 0, width, height);
  context.clip();
  draw();
  context.restore();
}
