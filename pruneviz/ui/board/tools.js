// With which tools does a hand work on the picture?

import { byHand } from "./chain.js";
import { make, radioGroup, setAttribute, setText, showRadios } from "./dom.js";
import { pinNow } from "./hand.js";
import { freesAt, toolNow, toolReason, unitWord } from "./marks.js";
import { pictureNow } from "./store.js";
import { chooseTool, complain } from "./view.js";
import { countText } from "./words.js";

/** @import { Cell, Drawn, Layer, Picture, State } from "./types.d.ts" */

const TOOLS = [
  { id: "look", text: "look", says: "clicks on the picture change nothing" },
  { id: "cut", text: "cut", says: "click or brush on the picture: cut by hand" },
  { id: "keep", text: "keep", says: "click or brush on the picture: keep by hand" },
];

/** @param {State} state */
export function buildTools(state) {
  const group = radioGroup("what a click on the picture does", "tool", TOOLS, (id) => {
    chooseTool(state, id);
    state.redraw();
  });
  const field = make("input", { type: "text", inputmode: "numeric", class: "number unit",
    autocomplete: "off", "data-testid": "unit-number", "data-typed": "yes" });
  const act = (/** @type {string} */ id, /** @type {string} */ label,
    /** @type {boolean | null} */ kept) => make("button", { type: "button", class: "small",
    "aria-label": `${label} by hand`, "data-testid": `unit-${id}`, onclick: () =>
      pinTyped(state, field, kept) }, label);
  const acts = [act("cut", "Cut", false), act("keep", "Keep", true), act("unpin", "Unpin", null)];
  const cut = make("span", { class: "mark" });
  const keep = make("span", { class: "mark" });
  const marks = make("span", { class: "handmarks", "data-testid": "by-hand" },
    make("i", { class: "cut" }), cut, make("i", { class: "keep" }), keep);
  const all = make("button", { type: "button", class: "small", "data-testid": "unpin-all",
    title: "let the criterion decide again in all of this layer", onclick: () => {
      pinNow(state, { all: null });
      state.redraw();
    } }, "unpin all");
  const node = make("div", { class: "line tools" }, group.node, field, ...acts, marks, all);
  return { node, group, field, acts, marks, cut, keep, all };
}

/**
 * @param {State} state
 * @param {HTMLInputElement} field
 * @param {boolean | null} kept
 */
function pinTyped(state, field, kept) {
  const picture = pictureNow(state);
  const layer = state.network.scene.byName.get(state.view.focus);
  if (!picture || !layer) return;
  const most = (picture.firsts ? picture.firsts.length : picture.all_rows) - 1;
  const typed = field.value.trim();
  const number = /^\d+$/.test(typed) ? Number(typed) : -1;
  const wrong = number < 0 || number > most;
  setAttribute(field, "aria-invalid", wrong ? "true" : null);
  complain(state, wrong
    ? `${unitWord(state, layer, picture)} must be a number from 0 to ${countText(most)}.` : "");
  if (!wrong) pinNow(state, { [picture.firsts ? picture.firsts[number] : number]: kept });
  state.redraw();
}

/**
 * @param {State} state
 * @param {Layer | undefined} layer
 * @param {Picture | null} picture
 */
export function renderTools(state, layer, picture) {
  const { hand, box } = state.page.parts.pictures;
  const { group, field, acts, marks, cut, keep, all } = hand;
  const reason = toolReason(state, layer);
  const tool = layer ? toolNow(state, layer) : "look";
  showRadios(group, tool, (id) => (id === "look" ? "" : reason));
  setAttribute(box, "data-tool", tool);
  const word = layer ? unitWord(state, layer, picture) : "unit";
  setAttribute(field, "placeholder", word);
  setAttribute(field, "aria-label", `number of a ${word} to cut or keep by hand`);
  for (const control of [field, ...acts]) {
    const off = reason !== "" || !picture;
    if (control.disabled !== off) control.disabled = off;
    setAttribute(control, "title", reason || null);
  }
  const [gone, held] = layer ? byHand(state, layer) : [0, 0];
  marks.hidden = gone + held === 0;
  all.hidden = gone + held === 0;
  all.disabled = reason !== "";
  setText(cut, countText(gone));
  setText(keep, countText(held));
  const says = `by hand: ${countText(gone)} cut, ${countText(held)} kept`;
  setAttribute(marks, "title", says);
  setAttribute(marks, "aria-label", says);
  setAttribute(marks, "role", "img");
}

/**
 * What a click would do, for the words under the pointer.
 * @param {State} state
 * @param {Layer} layer
 * @param {Picture} picture
 * @param {Drawn} drawn
 * @param {Cell} cell
 */
export function toolWords(state, layer, picture, drawn, cell) {
  const tool = toolNow(state, layer);
  if (tool === "look") return [];
  const frees = freesAt(picture, drawn, tool, cell);
  const what = state.network.scene.byUnit ? unitWord(state, layer, picture) : "weight";
  return [frees ? `click: let the criterion decide on this ${what}`
    : `click: ${tool} this ${what} by hand`];
}
