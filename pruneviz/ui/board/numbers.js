// Which numbers follow from a sparsity, exactly as Python computes them?

const STEPS = 256; // every table of the contract has one entry for j/256, j = 0..256

// Python's round(): ties go to the even neighbour.
function roundHalfEven(x) {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

function clamp(x, low, high) {
  return Math.min(high, Math.max(low, x));
}

// How many items a layer loses when asked for this sparsity by itself; what was cut and kept
// by hand bounds it.
function cutCount(layer, sparsity, [cut, keep]) {
  const asked = sparsity * layer.items;
  if (layer.snap != null) return asked < layer.snap / 2 ? 0 : layer.snap;
  return clamp(roundHalfEven(asked), cut, layer.items - keep);
}

// The value of a table at a fraction 0..1, linear between its entries.
function interpolate(table, fraction) {
  const last = table.length - 1;
  const place = clamp(fraction, 0, 1) * last;
  const low = Math.min(Math.floor(place), last);
  const high = Math.min(low + 1, last);
  return table[low] + (table[high] - table[low]) * (place - low);
}

// The fraction at which a rising table reaches a value. Where the table is flat many do:
// the one nearest to `near` is taken, so that nothing moves that need not move.
function invert(table, value, near) {
  const last = table.length - 1;
  let first = 0;
  while (first <= last && table[first] < value) first += 1;
  let final = last;
  while (final >= 0 && table[final] > value) final -= 1;
  if (first > last) return 1;
  if (final < 0) return 0;
  if (first <= final) return clamp(near, first / last, final / last);
  const rise = table[first] - table[final];
  return (final + (rise > 0 ? (value - table[final]) / rise : 0)) / last;
}

function addTables(tables) {
  const sum = new Float64Array(STEPS + 1);
  for (const table of tables) for (let j = 0; j <= STEPS; j += 1) sum[j] += table[j];
  return sum;
}

// The score that parts the cut items from the kept ones; null when nothing is cut.
function thresholdAt(scores, total, cut) {
  if (!scores || cut <= 0 || total <= 0) return null;
  if (cut >= total) return Infinity;
  return interpolate(scores, total > 1 ? (cut - 0.5) / (total - 1) : 0);
}

// Bytes of one layer, of which this share is left, as a bitmask with the kept values, where that
// is smaller.
function layerBytes(layer, left) {
  const dense = layer.weights * layer.weight_bytes;
  return Math.min(dense, dense * left + layer.weights / 8);
}

// The share of a product apart from those of layers (of attention, say) that is left; gone: group
// -> share of its units.
function productLeft(product, gone) {
  let left = 1;
  for (const axis of product.axes) {
    let lost = 0;
    for (const [group, share] of axis) lost += share * (gone.get(group) ?? 0);
    left *= Math.max(0, 1 - lost);
  }
  return left;
}

// What is left of the network when these many items of each layer are cut. The units of a
// group go once, with the inputs that they were to other layers; where rows and inputs of a
// layer both go, they cross.
function remaining(scene, cutOf) {
  let kept = scene.total_params;
  let macs = scene.total_macs;
  let bytes = scene.total_bytes;
  const gone = new Map(); // group -> share of its units
  for (const layer of scene.layers) {
    const cut = layer.items > 0 ? cutOf(layer) : 0;
    if (cut <= 0 || gone.has(layer.lead)) continue;
    gone.set(layer.lead, cut / layer.items);
    kept -= cut * layer.item_params;
  }
  for (const layer of scene.layers) {
    const rows = layer.rows * (gone.get(layer.lead) ?? 0);
    let inputs = 0;
    for (const [group, share] of layer.inputs) inputs += share * (gone.get(group) ?? 0);
    if (rows + inputs <= 0) continue;
    const left = (1 - rows) * Math.max(0, 1 - inputs);
    kept += layer.weights * rows * inputs;
    macs -= layer.macs * (1 - left);
    bytes += layerBytes(layer, left) - layer.weights * layer.weight_bytes;
  }
  for (const product of scene.products) macs -= product.macs * (1 - productLeft(product, gone));
  return { kept: Math.max(0, kept), macs: Math.max(0, macs), bytes: Math.max(0, bytes) };
}

// ---- words for numbers

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const MINUS = "\u2212";

function countText(n) {
  return Number.isFinite(n) ? whole.format(n).replace("-", MINUS) : "–";
}

// 0.5034 -> "50.3"; the sign % is the caller's.
function percentText(fraction, digits = 1) {
  if (!Number.isFinite(fraction)) return "–";
  const text = (fraction * 100).toFixed(digits).replace("-", MINUS);
  return /^\u22120(\.0*)?$/.test(text) ? text.slice(1) : text;
}

// A score: "50.3 %" where it is a share, else as it is: "0.503".
function scoreText(score, share = true) {
  if (share) return `${percentText(score)} %`;
  if (!Number.isFinite(score)) return "–";
  const tiny = Math.abs(score) >= 5e-5 && Math.abs(score) < 5e-4;
  return score.toFixed(tiny ? 4 : 3).replace("-", MINUS);
}

// A change of it: "−1.2 points" of a share, else "−0.012".
function changeText(delta, share = true) {
  return share ? `${signedPoints(delta)} points` : signedScore(delta, share);
}

// So much of it, without a sign: "1 point", "0.01".
function lossText(lose, share = true) {
  if (!share) return String(lose);
  const points = percentText(lose, 0);
  return `${points} point${points === "1" ? "" : "s"}`;
}

function signedScore(delta, share = true) {
  if (share) return signedPoints(delta);
  return `${delta > 0 ? "+" : ""}${scoreText(delta, false)}`;
}

// The same for a field one types into: no idle zeros ("50", "33.3").
function fieldText(fraction) {
  return Number.isFinite(fraction) ? String(Math.round(fraction * 1000) / 10) : "";
}

// "53", "53 %", "53,5" -> 0.535; null when it is no number.
function readPercent(text) {
  const clean = String(text).replace("%", "").replace(",", ".").trim();
  if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(clean)) return null;
  return clamp(Number(clean) / 100, 0, 1);
}

function signedPoints(fraction) {
  if (!Number.isFinite(fraction)) return "–";
  const text = percentText(fraction);
  return fraction > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

function scaledText(n, units, base) {
  if (!Number.isFinite(n)) return "–";
  let value = n;
  let unit = 0;
  while (Math.abs(value) >= base && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)}${units[unit]}`;
}

function bytesText(n) {
  return scaledText(n, [" B", " kB", " MB", " GB", " TB"], 1000);
}

function shortText(n) {
  return scaledText(n, ["", " k", " M", " G", " T"], 1000);
}

// A measured value of any size, three figures.
function valueText(x) {
  if (!Number.isFinite(x)) return x === Infinity ? "∞" : "–";
  if (x === 0) return "0";
  const size = Math.abs(x);
  const text = size >= 1e5 || size < 1e-3 ? x.toExponential(1) : String(Number(x.toPrecision(3)));
  return text.replace("e+", "e").replaceAll("-", MINUS);
}

// ---- reading what Python sent

function unpack(text, Kind) {
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

// "conv" finds what contains it; "/^conv\d$/" is a regular expression.
function readSearch(text) {
  const wanted = text.trim();
  const regex = /^\/(.*?)\/?$/.exec(wanted);
  if (regex && regex[1] !== "") {
    try {
      const pattern = new RegExp(regex[1], "i");
      return { finds: (layer) => pattern.test(layer.name), wrong: false };
    } catch {
      return { finds: () => true, wrong: true };
    }
  }
  const plain = regex ? "" : wanted.toLowerCase();
  const finds = (layer) => `${layer.name} ${layer.kind}`.toLowerCase().includes(plain);
  return { finds, wrong: false };
}
