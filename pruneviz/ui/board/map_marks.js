// How are the marks and arrows of the map drawn?

import { setAttribute } from "./dom.js";

/** @import { MapMark, MapPoint, MapTitle } from "./types.d.ts" */

const HEIGHT = 38; // pixels, of a mark
const JOIN = 13; // ... half of a sum
const TITLE = 18;
const ROUND = ["sum", "product"];
// Colours apart from each other and from the scale; the groups after them are dashed.
const GROUPS = ["#d1495b", "#8f5bd0", "#c77d0a", "#3b8f3b", "#c04fa5", "#5f6f8f"];

/**
 * @param {string} tag
 * @param {Record<string, unknown>} attributes
 * @param {...Node} children
 */
export function svg(tag, attributes, ...children) {
  const outer = document.createElement("template");
  outer.innerHTML = `<svg><${tag}></${tag}></svg>`;
  const whole = /** @type {SVGElement} */ (outer.content.firstElementChild);
  const node = tag === "svg" ? whole : /** @type {SVGElement} */ (whole.firstElementChild);
  if (tag === "svg") node.replaceChildren();
  for (const [name, value] of Object.entries(attributes)) setAttribute(node, name, value);
  node.append(...children);
  return node;
}

/**
 * @param {number} group
 * @returns {Record<string, unknown>}
 */
export function groupStroke(group) {
  if (group < 0) return { stroke: null, dashes: null };
  const dashes = ["", "6 3", "2 3"][Math.floor(group / GROUPS.length) % 3];
  return { stroke: GROUPS[group % GROUPS.length], dashes: dashes || null };
}

/**
 * A smooth line through the places, level at each of them.
 * @param {MapPoint[]} way
 */
export function pathOf(way) {
  const [[x, y], ...rest] = way;
  let path = `M${x} ${y}`;
  let [px, py] = [x, y];
  for (const [nx, ny] of rest) {
    const middle = (px + nx) / 2;
    path += py === ny ? `H${nx}` : `C${middle} ${py} ${middle} ${ny} ${nx} ${ny}`;
    [px, py] = [nx, ny];
  }
  return path;
}

/**
 * The way as it is seen, from the edge of one mark to the edge of the other.
 * @param {MapPoint[]} way
 * @param {number} from half the width of the first mark
 * @param {number} to half the width of the last
 * @returns {MapPoint[]}
 */
export function trim(way, from, to) {
  const [first, last] = [way[0], way[way.length - 1]];
  const side = Math.sign(way[1][0] - first[0]) || 1;
  const end = Math.sign(last[0] - way[way.length - 2][0]) || 1;
  return [[first[0] + side * from, first[1]], ...way.slice(1, -1), [last[0] - end * to, last[1]]];
}

/**
 * The line and its head.
 * @param {MapPoint[]} way
 */
export function buildArrow(way) {
  const [x, y] = way[way.length - 1];
  const side = Math.sign(x - way[way.length - 2][0]) || 1;
  return [svg("path", { class: "arrow", d: pathOf(way) }),
    svg("path", { class: "head", d: `M${x - side * 8} ${y - 4}L${x} ${y}l${-side * 8} 4Z` })];
}

/** @param {MapMark} mark */
export function halfWidth(mark) {
  return ROUND.includes(mark.kind) ? JOIN : mark.width / 2;
}

/** @param {MapMark} mark */
export function buildMark(mark) {
  const half = halfWidth(mark);
  const round = ROUND.includes(mark.kind);
  const shape = round ? svg("circle", { r: JOIN, class: "shape" })
    : svg("rect", { x: -half, y: -HEIGHT / 2, width: 2 * half, height: HEIGHT, rx: 5,
      class: "shape" });
  const behind = mark.kind !== "block" ? [] : [svg("rect", { x: -half + 4, y: -HEIGHT / 2 - 4,
    width: 2 * half, height: HEIGHT, rx: 5, class: "behind" })];
  const name = svg("text", { class: "label", y: mark.layers.length > 0 ? -3 : 4 });
  name.textContent = shortened(mark.label, round ? 3 : (2 * half - 10) / 6.4);
  const value = svg("text", { class: "value", y: 12 });
  const title = svg("title", {});
  const node = svg("g", { class: `mark ${mark.kind.replaceAll(" ", "-")}`, tabindex: -1,
    transform: `translate(${mark.x} ${mark.y})`, "data-name": mark.name,
    role: mark.layers.length > 0 || mark.kind === "block" ? "button" : "img" },
  ...behind, shape, name, value, title);
  return { node, shape, value, title };
}

/** @param {MapTitle} title */
export function buildTitle(title) {
  const y = title.row * TITLE + 13;
  const [left, right] = [title.from, title.to];
  const text = svg("text", { x: left + 4, y, class: "title" });
  text.textContent = `− ${shortened(title.label, (right - left) / 6.4)}`;
  const about = svg("title", {});
  about.textContent = `fold ${title.name}`;
  return svg("g", { class: "open", role: "button", tabindex: 0, "aria-label": `fold ${title.name}`,
    "data-name": title.name },
  svg("rect", { x: left, y: y - 13, width: right - left, height: TITLE, class: "hit" }),
  svg("path", { d: `M${left} ${y + 4}H${right}`, class: "line" }), text, about);
}

/**
 * @param {string} text
 * @param {number} most letters
 */
function shortened(text, most) {
  return text.length <= most ? text : `${text.slice(0, Math.max(1, Math.floor(most) - 1))}…`;
}
