// Which number has a mark of the map, and how is it said?

import { isNumber } from "./wire.js";
import { countText, lossText, percentText, shortText } from "./words.js";

/** @import { MapFacts, MapMark } from "./types.d.ts" */

export const MEASURES = [
  { id: "sparsity", text: "sparsity", says: "the share of each layer's weights that is cut" },
  { id: "sensitivity", text: "sensitivity",
    says: "what is lost where half of a layer is cut and nothing else" },
  { id: "parameters", text: "parameters",
    says: "the layer's kept weights, as a share of all parameters of the dense network" },
  { id: "macs", text: "MACs",
    says: "the layer's kept multiply-accumulates, as a share of those of the dense network" },
];

/**
 * The number by which a mark is coloured, or null where there is none.
 * @param {MapMark} mark
 * @param {string} measure
 * @param {MapFacts} facts
 * @param {Map<string, number>} cut share of each layer that is cut
 */
export function valueOf(mark, measure, facts, cut) {
  const layers = mark.layers.filter((name) => Object.hasOwn(facts.layers, name));
  if (layers.length === 0) return null;
  const sum = (/** @type {(name: string) => number} */ part) =>
    layers.reduce((total, name) => total + part(name), 0);
  const kept = (/** @type {string} */ name) => 1 - (cut.get(name) ?? 0);
  const weights = (/** @type {string} */ name) => facts.layers[name].weights;
  if (measure === "sparsity") {
    return 1 - sum((name) => weights(name) * kept(name)) / Math.max(1, sum(weights));
  }
  if (measure === "sensitivity") {
    const lost = layers.map((name) => facts.layers[name].lost).filter(isNumber);
    return lost.length > 0 ? Math.max(...lost) : null;
  }
  if (measure === "parameters") {
    return sum((name) => weights(name) * kept(name)) / Math.max(1, facts.parameters);
  }
  return sum((name) => facts.layers[name].macs * kept(name)) / Math.max(1, facts.macs);
}

/**
 * The number with the strongest colour: of the dense network, so that colours fade as one cuts.
 * @param {MapMark[]} marks
 * @param {string} measure
 * @param {MapFacts} facts
 */
export function highestOf(marks, measure, facts) {
  if (measure === "sparsity") return 1;
  const dense = marks.map((mark) => valueOf(mark, measure, facts, new Map()) ?? 0);
  return Math.max(0, ...dense) || 1;
}

/**
 * @param {number | null} value
 * @param {string} measure
 * @param {boolean} share whether the score is told in per cent
 */
export function valueText(value, measure, share) {
  if (value === null) return measure === "sensitivity" ? "not scanned" : "";
  if (measure !== "sensitivity") return `${percentText(value, value > 0 && value < 0.1 ? 1 : 0)} %`;
  if (value === 0) return "no loss";
  if (share) return `−${percentText(value)} points`;
  return `−${lossText(Number(value.toPrecision(2)), false)}`;
}

/**
 * All that is known of a mark, line by line.
 * @param {MapMark} mark
 * @param {MapFacts} facts
 * @param {Map<string, number>} cut
 */
export function markWords(mark, facts, cut) {
  const lines = [mark.kind === "layer" || mark.kind === "block" ? mark.name
    : `${mark.kind}: ${mark.name}`];
  if (mark.layers.length > 1) lines.push(`${mark.layers.length} layers`);
  if (mark.layers.length === 0) return lines;
  const weights = mark.layers.reduce((n, name) => n + (facts.layers[name]?.weights ?? 0), 0);
  const macs = mark.layers.reduce((n, name) => n + (facts.layers[name]?.macs ?? 0), 0);
  const say = (/** @type {string} */ measure) =>
    valueText(valueOf(mark, measure, facts, cut), measure, facts.share);
  lines.push(`sparsity ${say("sparsity")}`,
    `${countText(weights)} weights; kept ones are ${say("parameters")} of all parameters`,
    `${shortText(macs)} MACs; kept ones are ${say("macs")} of all`,
    `half of it cut alone: ${say("sensitivity")}`);
  const others = partners(mark, facts);
  if (others.length > 0) lines.push(`cut together with ${others.join(", ")}`);
  return lines;
}

/**
 * The group of a mark by number, or -1.
 * @param {MapMark} mark
 * @param {MapFacts} facts
 */
export function groupOf(mark, facts) {
  if (mark.kind !== "layer") return -1;
  return facts.groups.findIndex((group) => mark.layers.some((name) => group.includes(name)));
}

/**
 * @param {MapMark} mark
 * @param {MapFacts} facts
 */
function partners(mark, facts) {
  const group = facts.groups[groupOf(mark, facts)] ?? [];
  return group.filter((name) => !mark.layers.includes(name));
}

/**
 * The layer that a click on a mark leads to: its first, or the one after that in focus.
 * @param {MapMark} mark
 * @param {string} focus
 */
export function layerToLookAt(mark, focus) {
  const at = mark.layers.indexOf(focus);
  return mark.layers[(at + 1) % mark.layers.length] ?? "";
}
