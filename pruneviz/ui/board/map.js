// What does the map of the network show, and what follows from a click on it?

import { readPalette } from "./colours.js";
import { make, radioGroup, setAttribute, setClass, setText, showRadios } from "./dom.js";
import { link } from "./link.js";
import { buildArrow, buildMark, buildTitle, groupStroke, halfWidth, svg, trim,
} from "./map_marks.js";
import { groupOf, highestOf, layerToLookAt, markWords, MEASURES, valueOf, valueText,
} from "./map_values.js";

/** @import { MapComponent, MapPoint, MapState } from "./types.d.ts" */

const maps = new WeakMap();
const [ALL, NONE] = ["*", "-"]; // what is asked for instead of a block
/** @type {Record<string, number>} */
const WAYS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -1e9, End: 1e9 };

/**
 * @param {string} does
 * @param {() => void} onclick
 */
function allButton(does, onclick) {
  return make("button", { type: "button", class: "small", "data-testid": `map-${does}`, onclick },
    `${does} all`);
}

/**
 * @param {HTMLElement} parent
 * @returns {MapState}
 */
function newMap(parent) {
  const root = make("div", { class: "map", "data-testid": "map" });
  /** @type {MapState} */
  const map = { root, measure: "sparsity", data: null, marks: [], component: null, drawn: "",
    radios: radioGroup("colour by", "map-by", MEASURES, (id) => {
      map.measure = id;
      paint(map);
    }), low: make("span"), bar: make("span", { class: "ramp" }), high: make("span"),
    fold: allButton("fold", () => toggle(map, NONE)),
    unfold: allButton("unfold", () => toggle(map, ALL)), note: make("span", { class: "note" }),
    scroll: make("div", { class: "scroll" }) };
  root.append(make("div", { class: "line" }, make("span", {}, "colour by"), map.radios.node,
    map.low, map.bar, map.high, map.note,
    make("span", { class: "folds" }, map.fold, map.unfold)), map.scroll);
  map.scroll.addEventListener("click", (event) => act(map, event.target));
  map.scroll.addEventListener("keydown", (event) => steer(map, event));
  parent.append(root);
  return map;
}

/**
 * @param {MapState} map
 * @param {string} name
 */
function toggle(map, name) {
  map.component?.setTriggerValue("toggle", name);
}

/**
 * A click, or a key that does the same, on what is drawn.
 * @param {MapState} map
 * @param {EventTarget | null} target
 */
function act(map, target) {
  const node = target instanceof Element ? target.closest("[data-name]") : null;
  const name = node?.getAttribute("data-name") ?? "";
  if (!node) return;
  if (node.classList.contains("open")) return toggle(map, name);
  const drawn = map.marks.find((each) => each.node === node);
  if (!drawn) return;
  rove(map, drawn.node);
  const board = link().board;
  if (drawn.mark.kind === "block") toggle(map, name);
  else if (drawn.mark.layers.length > 0) board?.look(layerToLookAt(drawn.mark, board.focus()));
}

/**
 * Arrow keys go from mark to mark, Enter and the space bar click.
 * @param {MapState} map
 * @param {KeyboardEvent} event
 */
function steer(map, event) {
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    act(map, event.target);
  }
  const way = WAYS[event.key];
  const now = map.marks.findIndex((each) => each.node === event.target);
  if (!way || now < 0) return;
  event.preventDefault();
  const next = Math.min(Math.max(now + way, 0), map.marks.length - 1);
  rove(map, map.marks[next].node).focus();
}

/**
 * One mark alone is reached by Tab.
 * @param {MapState} map
 * @param {Element} to
 */
function rove(map, to) {
  for (const { node } of map.marks) setAttribute(node, "tabindex", node === to ? 0 : -1);
  return /** @type {SVGElement} */ (to);
}

/** @param {MapState} map */
function build(map) {
  const data = map.data;
  if (!data) return;
  const key = JSON.stringify([data.marks, data.arrows, data.titles]);
  if (map.drawn === key) return;
  const scope = /** @type {Document | ShadowRoot} */ (map.root.getRootNode());
  const before = scope.activeElement?.getAttribute("data-name");
  map.drawn = key;
  map.marks = data.marks.map((mark) => ({ mark, ...buildMark(mark) }));
  const half = new Map(data.marks.map((mark) => [`${mark.x} ${mark.y}`, halfWidth(mark)]));
  const at = (/** @type {MapPoint} */ [x, y]) => half.get(`${x} ${y}`) ?? 0;
  const arrows = data.arrows.flatMap((way) =>
    buildArrow(trim(way, at(way[0]), at(way[way.length - 1]))));
  const titles = data.titles.map(buildTitle);
  map.scroll.replaceChildren(svg("svg", { width: data.width, height: data.height, role: "group",
    "aria-label": "map of the network" }, ...titles, ...arrows,
  ...map.marks.map((each) => each.node)));
  const now = [...titles, ...map.marks.map((each) => each.node)].find((node) =>
    before && node.getAttribute("data-name") === before);
  const first = now ?? map.marks[0]?.node;
  if (first) rove(map, map.marks.some((each) => each.node === first) ? first : map.marks[0].node);
  if (now instanceof SVGElement) now.focus();
  bringToView(map);
}

/**
 * A tall map begins where the layer in focus, or else the first mark, is seen.
 * @param {MapState} map
 */
function bringToView(map) {
  const focus = link().board?.focus() ?? "";
  const seen = map.marks.find(({ mark }) => mark.layers.includes(focus)) ?? map.marks[0];
  if (!seen) return;
  const { scrollTop, clientHeight } = map.scroll;
  const within = seen.mark.y > scrollTop && seen.mark.y < scrollTop + clientHeight;
  if (!within) map.scroll.scrollTop = seen.mark.y - clientHeight / 2;
}

/** @param {MapState} map */
function paint(map) {
  const { data, measure } = map;
  if (!data) return;
  const board = link().board;
  const cut = board?.cut() ?? new Map();
  const focus = board?.focus() ?? "";
  const { sequential } = readPalette(map.root);
  const highest = highestOf(data.marks, measure, data);
  showRadios(map.radios, measure);
  for (const { mark, node, shape, value, title } of map.marks) {
    const number = valueOf(mark, measure, data, cut);
    const colour = number === null ? null
      : sequential[Math.round(255 * Math.min(1, Math.max(0, number / highest)))];
    const { stroke, dashes } = groupStroke(groupOf(mark, data));
    setAttribute(shape, "style", colour === null ? null : `fill: ${css(colour)}`);
    setAttribute(shape, "stroke", stroke);
    setAttribute(shape, "stroke-dasharray", dashes);
    setClass(node, "grouped", stroke !== null);
    setClass(node, "pale", colour !== null && brightness(colour) > 140);
    setClass(node, "deep", colour !== null && brightness(colour) <= 140);
    const focused = mark.layers.includes(focus);
    setClass(node, "focused", focused);
    setAttribute(node, "aria-current", focused ? "true" : null);
    const text = mark.layers.length > 0 ? valueText(number, measure, data.share) : "";
    setText(value, text.length * 6 > mark.width ? text.replace(" points", "") : text);
    const does = mark.kind === "block" ? ["click to unfold"] : [];
    const words = [...markWords(mark, data, cut), ...does];
    setText(title, words.join("\n"));
    setAttribute(node, "aria-label", words.join(", "));
  }
  legend(map, highest, sequential);
}

/**
 * @param {MapState} map
 * @param {number} highest
 * @param {Uint32Array} sequential
 */
function legend(map, highest, sequential) {
  const { data, measure } = map;
  if (!data) return;
  const known = data.marks.some((mark) => valueOf(mark, measure, data, new Map()) !== null);
  for (const node of [map.low, map.bar, map.high]) node.hidden = !known;
  const stops = [0, 64, 128, 192, 255].map((i) => css(sequential[i])).join(", ");
  map.bar.style.background = `linear-gradient(90deg, ${stops})`;
  setText(map.low, measure === "sensitivity" ? "no loss" : "0 %");
  setText(map.high, valueText(highest, measure, data.share));
  const scanned = measure !== "sensitivity" || known;
  const groups = data.groups.length > 0 ? "outlined alike: cut together" : "";
  setText(map.note, scanned ? groups : "Nothing was scanned yet: see the page Sensitivity.");
  map.fold.disabled = data.titles.length === 0;
  map.unfold.disabled = !data.marks.some((mark) => mark.kind === "block");
}

/** @param {number} colour */
function css(colour) {
  return `rgb(${colour & 255}, ${(colour >> 8) & 255}, ${(colour >> 16) & 255})`;
}

/** @param {number} colour */
function brightness(colour) {
  return 0.299 * (colour & 255) + 0.587 * ((colour >> 8) & 255) + 0.114 * ((colour >> 16) & 255);
}

/** @param {MapComponent} component */
export default function drawMap(component) {
  const parent = component.parentElement;
  const state = maps.get(parent) ?? newMap(parent);
  maps.set(parent, state);
  if (!state.root.isConnected) parent.append(state.root);
  state.component = component;
  state.data = component.data;
  const changed = () => paint(state);
  link().changed = changed;
  build(state);
  paint(state);
  return () => {
    if (link().changed === changed) link().changed = null;
  };
}
