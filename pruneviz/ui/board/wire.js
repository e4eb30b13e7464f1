// What has Python sent, with whatever is damaged left out?

import { clamp, STEPS, STOPS } from "./numbers.js";

/**
 * @import { Allocation, Chain, Curve, Histogram, Layer, Link, Method, Picture, Raw, Scene,
 *   Sensitivity, Settled, Shares, Table } from "./types.d.ts"
 */

export const RANK_CUT = -1; // ranks of what was pinned by hand, as Python gives them
export const RANK_KEPT = 2 ** 31 - 1;
export const RANK_STAYS = 2 ** 30; // ... of what is in no ranking
const LEAST_WORST = 0.05; // the vertical scale of the curves never shows less than five points

/**
 * @param {unknown} x
 * @returns {x is number}
 */
export function isNumber(x) {
  return typeof x === "number" && Number.isFinite(x);
}

/** @param {unknown} x */
export function textOf(x) {
  return typeof x === "string" ? x : x == null ? "" : String(x);
}

/**
 * @template K
 * @param {unknown} text
 * @param {new (buffer: ArrayBuffer) => K} Kind
 */
export function unpack(text, Kind) {
  if (typeof text !== "string" || text === "") return null;
  let raw;
  try {
    raw = atob(text);
  } catch {
    return null;
  }
  const bytes = new Uint8Array(raw.length - (raw.length % 4));
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = raw.charCodeAt(i);
  return new Kind(bytes.buffer);
}

/**
 * @param {unknown} text
 * @returns {Float32Array | null}
 */
export function readTable(text) {
  const table = unpack(text, Float32Array);
  return table && table.length === STEPS + 1 ? table : null;
}

/**
 * @param {unknown} text
 * @returns {Int32Array | null}
 */
function readReach(text) {
  const table = unpack(text, Int32Array);
  return table && table.length === STOPS + 1 ? table : null;
}

/**
 * @param {Raw} raw
 * @returns {Histogram | null}
 */
export function readHistogram(raw) {
  if (!raw || !isNumber(raw.lo) || !isNumber(raw.hi) || !Array.isArray(raw.counts)) return null;
  const counts = raw.counts.map((/** @type {unknown} */ n) => (isNumber(n) ? Math.max(0, n) : 0));
  return counts.length > 0 ? { lo: raw.lo, hi: raw.hi, log: Boolean(raw.log), counts } : null;
}

/**
 * @param {Raw} raw
 * @param {string} name
 * @returns {Chain}
 */
function readChain(raw, name) {
  const names = Array.isArray(raw.members) ? raw.members.map(textOf).filter(Boolean) : [];
  const share = (/** @type {unknown} */ x) => (isNumber(x) ? clamp(x, 0, 1) : 0);
  const inputs = Array.isArray(raw.inputs) ? raw.inputs.filter(Array.isArray) : [];
  return {
    lead: raw.group ? textOf(raw.group) : name,
    members: names.includes(name) ? names : [name],
    masksOnly: raw.removable === false,
    why: textOf(raw.why),
    word: textOf(raw.word),
    rows: isNumber(raw.rows) ? share(raw.rows) : 1,
    inputs: inputs.map((/** @type {unknown[]} */ [group, part]) => [textOf(group), share(part)]),
  };
}

/**
 * @param {Raw} raw
 * @returns {Layer}
 */
function readLayer(raw) {
  const size = (/** @type {unknown} */ x) => (isNumber(x) && x > 0 ? x : 0);
  return {
    name: raw.name,
    kind: textOf(raw.kind),
    shape: textOf(raw.shape),
    block: textOf(raw.block), label: textOf(raw.label) || raw.name,
    follows: raw.follows === true, place: isNumber(raw.place) ? raw.place : null,
    items: size(raw.items),
    item_params: size(raw.item_params),
    weights: size(raw.weights),
    weight_bytes: size(raw.weight_bytes),
    macs: size(raw.macs),
    snap: isNumber(raw.snap) ? raw.snap : null,
    disabled: raw.disabled ? textOf(raw.disabled) : size(raw.items) ? null : "nothing to cut here",
    reach: readReach(raw.reach),
    pool: typeof raw.pool === "string" ? raw.pool : null,
    ...readChain(raw, raw.name),
  };
}

/**
 * How large the network was when it was first opened; a version may have lost units since.
 * @param {Raw} raw
 * @returns {Scene["dense"]}
 */
function readDense(raw) {
  const number = (/** @type {"params" | "macs" | "bytes"} */ name) =>
    [raw.dense?.[name], raw[`total_${name}`]].find(isNumber);
  return { params: number("params") ?? 0, macs: number("macs") ?? null,
    bytes: number("bytes") ?? 0 };
}

/**
 * @param {Raw} raw
 * @returns {Scene}
 */
export function readScene(raw) {
  const given = Array.isArray(raw.layers) ? raw.layers : [];
  /** @type {Layer[]} */
  const layers = given.filter((/** @type {Raw} */ x) => typeof x?.name === "string").map(readLayer);
  return {
    ...raw,
    item: textOf(raw.item) || "weight",
    criterion_label: textOf(raw.criterion_label) || textOf(raw.criterion) || "score",
    total_params: isNumber(raw.total_params) ? raw.total_params : 0,
    total_macs: isNumber(raw.total_macs) ? raw.total_macs : null, // null: cannot be counted
    total_bytes: isNumber(raw.total_bytes) ? raw.total_bytes : 0,
    dense: readDense(raw),
    products: Array.isArray(raw.products) ? raw.products : [],
    pools: new Map(Object.entries(raw.pools ?? {}).map(([name, pool]) => [name, {
      total: isNumber(pool?.total) ? pool.total : 0, scores: readTable(pool?.scores) }])),
    byUnit: ["neuron", "head", "block"].includes(raw.granularity),
    layers,
    byName: new Map(layers.map((layer) => [layer.name, layer])),
  };
}

export const NO_SCENE = readScene({}); // until Python has sent one

/**
 * The decimals that were sent as 32 bits: else 1.95 points would round up here, and down in Python.
 * @param {Float32Array} row
 */
function shortest(row) {
  return Array.from(row, (value) => Number(value.toPrecision(7)));
}

/**
 * @param {Raw} raw
 * @returns {Curve}
 */
export function readCurve(raw) {
  const rows = ["x", "delta", "low", "high"].flatMap((name) =>
    unpack(raw?.[name], Float32Array) ?? []);
  const drawn = rows.length === 4 && rows.every((row) => row.length === rows[0].length);
  const [x, delta, low, high] = rows.map((row) => [0, ...shortest(row)]);
  const place = (/** @type {unknown} */ value) => (isNumber(value) ? clamp(value, 0, 1) : null);
  return {
    words: textOf(raw?.words),
    noOp: textOf(raw?.no_op),
    points: drawn ? { x, delta, low, high } : null,
    knee: place(raw?.knee),
    certain: place(raw?.certain),
  };
}

/**
 * @param {Raw} raw
 * @returns {Link | null}
 */
export function readEstimate(raw) {
  const [damage, accuracy, missedAt, missed] = ["damage", "accuracy", "missed_at", "missed"].map(
    (name) => unpack(raw?.[name], Float32Array) ?? []);
  if (damage.length === 0 || damage.length !== accuracy.length) return null;
  if (missedAt.length === 0 || missedAt.length !== missed.length) return null;
  const [least, most] = Array.isArray(raw.bounds) ? raw.bounds : [];
  return { damage, accuracy, missedAt, missed, words: textOf(raw.words),
    least: isNumber(least) ? least : -Infinity, most: isNumber(most) ? most : Infinity,
    tables: levelsOf(raw.tables) };
}

/**
 * @param {unknown} text
 * @returns {Float32Array | null}
 */
function readLevels(text) {
  const table = unpack(text, Float32Array);
  return table && table.length > 1 ? table : null;
}

/**
 * The tables of those layers that have one.
 * @param {Raw} raw
 * @returns {Map<string, Table>}
 */
function levelsOf(raw) {
  return new Map(Object.entries(raw ?? {}).flatMap(([name, text]) => {
    const table = readLevels(text);
    return table ? [/** @type {const} */ ([name, table])] : [];
  }));
}

/**
 * @param {Raw} raw
 * @returns {Method}
 */
function readMethod(raw) {
  return { name: textOf(raw?.name), label: textOf(raw?.label), says: textOf(raw?.says),
    whyNot: textOf(raw?.why_not) };
}

/**
 * @param {Raw} raw
 * @returns {Sensitivity}
 */
export function readSensitivity(raw) {
  const layers = new Map(Object.entries(raw.layers ?? {}).map(([x, y]) => [x, readCurve(y)]));
  let worst = LEAST_WORST;
  for (const { points } of layers.values()) {
    for (const delta of points?.delta ?? []) worst = Math.max(worst, -delta);
  }
  return {
    layers,
    worst,
    lose: isNumber(raw.lose) ? raw.lose : 0.01,
    words: textOf(raw.words),
    estimate: readEstimate(raw.estimate),
    methods: Array.isArray(raw.methods) ? raw.methods.map(readMethod) : [],
  };
}

/**
 * @param {Raw} raw
 * @returns {Allocation}
 */
export function readTables(raw) {
  return { method: textOf(raw.method), words: textOf(raw.words), layers: levelsOf(raw.layers) };
}

/**
 * @param {Raw} raw
 * @returns {Picture}
 */
export function readPicture(raw) {
  const rows = isNumber(raw.rows) ? raw.rows : 0;
  const cols = isNumber(raw.cols) ? raw.cols : 0;
  /**
   * @template {{ length: number }} A
   * @param {A | null} table
   * @param {number} size
   */
  const fits = (table, size) => (table && table.length === size && size > 0 ? table : null);
  const classes = Array.isArray(raw.classes) ? raw.classes.map(textOf) : [];
  const activationRows = unpack(raw.activation_rows, Int32Array);
  const units = activationRows ? activationRows.length : 0;
  return {
    ...raw,
    rows,
    cols,
    note: textOf(raw.note),
    row_word: textOf(raw.row_word) || "row",
    col_word: textOf(raw.col_word) || "column",
    row_index: unpack(raw.row_index, Int32Array) ?? new Int32Array(0),
    col_index: unpack(raw.col_index, Int32Array) ?? new Int32Array(0),
    weight: fits(unpack(raw.weight, Float32Array), rows * cols),
    score: fits(unpack(raw.score, Float32Array), rows * cols),
    rank: fits(unpack(raw.rank, Int32Array), rows * cols),
    classes,
    activation: fits(unpack(raw.activation, Float32Array), units * classes.length),
    activation_rows: activationRows,
    unit_rank: fits(unpack(raw.unit_rank, Int32Array), units),
    units: fits(unpack(raw.units, Int32Array), rows), // heads: the one of each row,
    firsts: unpack(raw.firsts, Int32Array), // ... and the first row of each
    scores: readTable(raw.scores),
    hist: readHistogram(raw.hist),
    made: new Map(),
  };
}

/**
 * Cells as bits, of the layer they are of.
 * @param {Raw} raw
 * @returns {Settled["inputs_cut"]}
 */
function readBits(raw) {
  const bits = unpack(raw?.bits, Int32Array);
  return bits === null ? null : { layer: textOf(raw.layer), bits };
}

/**
 * @param {Raw} raw
 * @returns {Settled | null}
 */
export function readSettled(raw) {
  if (!raw || typeof raw !== "object") return null;
  /** @type {Shares} */
  const sparsity = {};
  for (const [name, value] of Object.entries(raw.sparsity ?? {})) {
    if (isNumber(value)) sparsity[name] = clamp(value, 0, 1);
  }
  return {
    ...raw,
    sparsity,
    locked: { ...(raw.locked ?? {}) },
    cut: raw.cut ?? {},
    warnings: raw.warnings ?? {},
    seq: isNumber(raw.seq) ? raw.seq : 0,
    step: isNumber(raw.step) ? raw.step : 0,
    inputs_cut: readBits(raw.inputs_cut),
  };
}
