// How is a number written, and read as a person types it?

import { clamp } from "./numbers.js";
import { isNumber } from "./wire.js";

/** @import { Maybe, NamePart } from "./types.d.ts" */

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const MINUS = "\u2212";

/** @param {Maybe} n */
export function countText(n) {
  return isNumber(n) ? whole.format(n).replace("-", MINUS) : "–";
}

/**
 * The pieces of a layer's name and what becomes of each where there is little room: the path before
 * the first number goes first, then the words after it; numbers and the last word tell rows apart.
 * "blocks.0.attn.q_proj" -> path "blocks.", digits "0.", word "attn.", last "q_proj"
 * @param {string} name
 * @returns {NamePart[]}
 */
export function nameParts(name) {
  const pieces = name.split(/(?<=\.)/);
  const first = pieces.findIndex((piece) => /\d/.test(piece));
  const path = first < 0 ? pieces.length - 1 : first;
  /** @type {NamePart[]} */
  const parts = path > 0 ? [{ kind: "path", text: pieces.slice(0, path).join("") }] : [];
  for (const [i, text] of pieces.slice(path).entries()) {
    const kind = /\d/.test(text) ? "digits" : path + i === pieces.length - 1 ? "last" : "word";
    const before = parts.at(-1);
    if (before && before.kind === kind) before.text += text;
    else parts.push({ kind, text });
  }
  return parts;
}

/**
 * As Python writes it on the other pages: what lies half way goes to the even figure, 98.25 to
 * "98.2".
 * @param {number} value
 * @param {number} digits
 */
export function fixedText(value, digits) {
  // Half way are only numbers with one binary place more than decimal ones.
  const tie = Math.abs((value * 2 ** (digits + 1)) % 2) === 1;
  const text = value.toFixed(digits);
  if (!tie || Number(text.at(-1)) % 2 === 0) return text;
  return (value - (Math.sign(value) * 0.5) / 10 ** digits).toFixed(digits);
}

/**
 * 0.5034 -> "50.3"; the sign % is the caller's.
 * @param {Maybe} fraction
 * @param {number} [digits]
 */
export function percentText(fraction, digits = 1) {
  if (!isNumber(fraction)) return "–";
  const text = fixedText(fraction * 100, digits).replace("-", MINUS);
  return /^\u22120(\.0*)?$/.test(text) ? text.slice(1) : text;
}

/**
 * A score: "50.3 %" where it is a share, else as it is: "0.503".
 * @param {Maybe} score
 * @param {boolean} [share]
 */
export function scoreText(score, share = true) {
  if (share) return `${percentText(score)} %`;
  if (!isNumber(score)) return "–";
  const tiny = Math.abs(score) >= 5e-5 && Math.abs(score) < 5e-4;
  return fixedText(score, tiny ? 4 : 3).replace("-", MINUS);
}

/**
 * A change of it: "−1.2 points" of a share, else "−0.012".
 * @param {Maybe} delta
 * @param {boolean} [share]
 */
export function changeText(delta, share = true) {
  return share ? `${signedPoints(delta)} points` : signedScore(delta, share);
}

/**
 * So much of it, without a sign: "1 point", "0.01".
 * @param {number} lose
 * @param {boolean} [share]
 */
export function lossText(lose, share = true) {
  if (!share) return String(lose);
  const points = percentText(lose, 0);
  return `${points} point${points === "1" ? "" : "s"}`;
}

/**
 * @param {Maybe} delta
 * @param {boolean} [share]
 */
export function signedScore(delta, share = true) {
  if (share) return signedPoints(delta);
  return `${isNumber(delta) && delta > 0 ? "+" : ""}${scoreText(delta, false)}`;
}

/**
 * The same for a field one types into: no idle zeros ("50", "33.3").
 * @param {Maybe} fraction
 */
export function fieldText(fraction) {
  return isNumber(fraction) ? String(Math.round(fraction * 1000) / 10) : "";
}

/**
 * "53", "53 %", "53,5" -> 0.535; null when it is no number.
 * @param {string} text
 */
export function readPercent(text) {
  const clean = String(text).replace("%", "").replace(",", ".").trim();
  if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(clean)) return null;
  return clamp(Number(clean) / 100, 0, 1);
}

/** @param {Maybe} fraction */
export function signedPoints(fraction) {
  if (!isNumber(fraction)) return "–";
  const text = percentText(fraction);
  return fraction > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/**
 * @param {Maybe} n
 * @param {string[]} units
 * @param {number} base
 */
function scaledText(n, units, base) {
  if (!isNumber(n)) return "–";
  let value = n;
  let unit = 0;
  while (Math.abs(value) >= base && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${fixedText(value, digits)}${units[unit]}`;
}

/** @param {Maybe} n */
export function bytesText(n) {
  return scaledText(n, [" B", " kB", " MB", " GB", " TB"], 1000);
}

/** @param {Maybe} n */
export function shortText(n) {
  return scaledText(n, ["", " k", " M", " G", " T"], 1000);
}

/**
 * A measured value of any size, three figures.
 * @param {Maybe} x
 */
export function valueText(x) {
  if (x === Infinity) return "∞";
  if (!isNumber(x)) return "–";
  if (x === 0) return "0";
  const size = Math.abs(x);
  const text = size >= 1e5 || size < 1e-3 ? x.toExponential(1) : String(Number(x.toPrecision(3)));
  return text.replace("e+", "e").replaceAll("-", MINUS);
}

/** @param {Maybe} fraction */
export function levelText(fraction) {
  return `${fieldText(fraction)} %`;
}

/**
 * @param {Maybe} low
 * @param {Maybe} high
 * @param {boolean} [share]
 */
export function intervalText(low, high, share = true) {
  if (!share) return `${scoreText(low, false)} – ${scoreText(high, false)}`;
  return `${percentText(low)} – ${percentText(high)} %`;
}

/**
 * @param {number} part
 * @param {number} total
 */
export function shareText(part, total) {
  return total > 0 ? `${percentText(part / total)} %` : "–";
}
