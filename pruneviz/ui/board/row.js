// How does one layer stand in the list, and what is done there?

import { chainWords, handWords, isTogether } from "./chain.js";
import { cutNow } from "./counts.js";
import { alongNote, buildCurve, renderCurve } from "./curves.js";
import {
  icon, iconButton, make, nameButton, opensPopover, setAttribute, setClass, setText,
} from "./dom.js";
import { pointAt } from "./hand.js";
import { rowMenu } from "./menu.js";
import { askedOf, isPooled, isLocked, isMovable } from "./plan.js";
import { enqueue } from "./requests.js";
import { handleSlider, holdOrFree, setAndSettle, showSlider } from "./sliders.js";
import { makeThumbnail, watchThumbnail } from "./thumbnails.js";
import { complain, lookAt, lookLater, tick } from "./view.js";
import { textOf } from "./wire.js";
import { countText, fieldText, percentText } from "./words.js";

/** @import { BlockRow, Layer, LayerRow, Row, Rows, Slider, State, Timer } from "./types.d.ts" */

const THUMBNAIL = { width: 96, height: 42 }; // pixels

/** The signs of a row that say what it belongs to. */
function buildSigns() {
  const chain = make("span", { class: "chain", role: "img", hidden: "" }, icon("chain"));
  const only = make("span", { class: "only", tabindex: 0, hidden: "" }, "masks only");
  return { chain, only };
}

/**
 * @param {State} state
 * @param {LayerRow} row
 */
function renderSigns(state, row) {
  const { layer, chain, only, node } = row;
  const words = chainWords(layer);
  chain.hidden = words === "";
  setAttribute(chain, "aria-label", words || null);
  setAttribute(chain, "title", words || null);
  only.hidden = !layer.masksOnly || Boolean(layer.disabled);
  const why = layer.why ? `masked, but not removed: ${layer.why}` : null;
  setAttribute(only, "title", why);
  setAttribute(only, "aria-label", why && `masks only: ${why}`);
  setClass(node, "together", isTogether(state, layer));
}

/**
 * @param {State} state
 * @param {Layer} layer
 */
export function buildRow(state, layer) {
  const { name } = layer;
  const handle = { kind: "layer", names: [name] };
  const slider = handleSlider(state, name, name, () => handle);
  slider.field.dataset.testid = `number-${name}`;
  const box = make("input", { type: "checkbox", "aria-label": `tick ${name}`,
    "data-testid": `tick-${name}`, onchange: () => {
      tick(state, name, box.checked);
      state.redraw();
    } });
  const lock = make("button", { type: "button", class: "plain lock", "data-testid":
    `lock-${name}`, onclick: () => holdOrFree(state, name) });
  const { title, what } = buildNames(state, layer);
  const count = make("div", { class: "count", "data-testid": `kept-${name}` });
  const note = make("div", { class: "note" });
  const signs = buildSigns();
  const curve = buildCurve();
  const warn = make("span", { class: "warn", hidden: "", role: "img" }, icon("warn"));
  const thumbnail = makeThumbnail(name, THUMBNAIL);
  thumbnail.dataset.testid = `thumbnail-${name}`;
  const menu = iconButton("menu", `more for ${name}`, { "data-testid": `menu-${name}` });
  opensPopover(menu, state.page.menuBox, () => rowMenu(state, layer));
  const flip = layer.word === "block" ? buildSwitch(state, layer) : null;
  const named = make("div", { class: "named" }, title, signs.chain);
  const node = make("div", { class: "row", role: "group", "aria-label": name, "data-testid":
    `row-${name}`, onpointerdown: () => focusLayer(state, name), onfocusin: () =>
    focusSoon(state, name) }, box, lock, make("div", { class: "at-name" }, named, what),
  thumbnail, curve.node, ...(flip ? [flip] : withField(slider)), count,
  warn, menu, make("div", { class: "noted" }, curve.rank, note, signs.only));
  watchThumbnail(state, node, name, thumbnail);
  return { node, kind: /** @type {"layer"} */ ("layer"), layer, handle, slider, flip, tick: box,
    lock, count, note, warn, title, curve, ...signs };
}

/** @param {Slider} slider */
function withField(slider) {
  return [slider.range, make("label", { class: "percent" }, slider.field, "%")];
}

/**
 * What a row is called, and what it is: of a block which layers it holds.
 * @param {State} state
 * @param {Layer} layer
 */
function buildNames(state, layer) {
  const title = nameButton(layer.label, () => focusLayer(state, layer.name));
  const block = layer.word === "block";
  const says = block ? layer.members.map((x) => x.split(".").at(-1)).join(" + ")
    : `${layer.kind} ${layer.shape}`;
  const what = make("div", { class: "what", title: block ? layer.members.join(", ") : says }, says);
  return { title, what };
}

/**
 * A block is kept or left out.
 * @param {State} state
 * @param {Layer} layer
 */
function buildSwitch(state, layer) {
  const { name } = layer;
  return make("button", { type: "button", class: "switch", role: "switch", "data-testid":
    `switch-${name}`, "aria-label": `keep ${layer.label}`, onclick: () => setAndSettle(state,
    { kind: "layer", names: [name] }, askedOf(state, name) > 0.5 ? 0 : 1) });
}

/**
 * @param {State} state
 * @param {string} name
 */
export function focusLayer(state, name) {
  if (!lookAt(state, name)) return;
  pointAt(state, null);
  complain(state, "");
  enqueue(state, "focus");
  state.redraw();
}

/**
 * By keyboard one passes through rows: the picture follows when one stays.
 * @param {State} state
 * @param {string} name
 */
function focusSoon(state, name) {
  lookLater(state, 150, () => focusLayer(state, name));
}

/**
 * @param {State} state
 * @param {Layer} layer
 * @param {number} cut
 */
export function rowNote(state, layer, cut) {
  const note = plainNote(state, layer, cut);
  return { ...note, text: [handWords(state, layer), note.text].filter(Boolean).join(" · ") };
}

/**
 * @param {State} state
 * @param {Layer} layer
 * @param {number} cut
 */
function plainNote(state, layer, cut) {
  const warning = state.answer.settled?.warnings?.[layer.name];
  if (layer.disabled) return { text: layer.disabled, tone: "" };
  if (warning) return { text: textOf(warning), tone: "bad" };
  const got = layer.items > 0 ? cut / layer.items : 0;
  const asked = askedOf(state, layer.name);
  if (isLocked(state, layer.name)) {
    return { text: ["locked", textOf(state.plan.locked[layer.name])].filter(Boolean).join(": "),
      tone: "" };
  }
  if (!isPooled(state) && Math.abs(got - asked) >= 0.005) {
    return { text: `asked ${fieldText(asked)} % · got ${percentText(got, 0)} %`, tone: "" };
  }
  return { text: "", tone: "" };
}

/**
 * @param {State} state
 * @param {LayerRow} row
 */
export function renderRow(state, row) {
  const { layer } = row;
  const { name } = layer;
  const cut = cutNow(state, layer);
  const locked = isLocked(state, name);
  const still = !isMovable(state, layer);
  const asShown = isPooled(state) ? cut / (layer.items || 1) : askedOf(state, name);
  const note = rowNote(state, layer, cut);
  const key = [cut, asShown, locked, note.text, note.tone, state.plan.locked[name],
    state.network.scene.item,
    state.view.ticked.has(name), state.view.focus === name, row.slider.isHeld(), layer.items,
    layer.lead, layer.members.length, layer.masksOnly, layer.why, layer.word,
    isTogether(state, layer), state.network.sensitivityId,
    row.slider.range.value, row.slider.field.value].join("|"); // the last two: what stands there
  if (row.key === key) return;
  row.key = key;
  const share = layer.disabled ? 0 : asShown;
  showSlider(row.slider, share, still, alongNote(state, layer, share));
  if (row.flip) {
    setAttribute(row.flip, "aria-checked", String(cut === 0));
    setText(row.flip, cut === 0 ? "kept" : "left out");
    row.flip.disabled = still || isPooled(state);
  }
  renderCurve(state, row, share);
  const { granularity } = state.network.scene;
  const none = ["head", "block"].includes(granularity) && layer.word !== granularity;
  const [left, of] = [layer.items - cut, layer.items].map(countText);
  setText(row.count, none ? `no ${granularity}` + (granularity === "head" ? "s" : "")
    : `${left} / ${of}`);
  const all = `${left} of ${of} ${state.network.scene.item}s kept`;
  setAttribute(row.count, "title", none ? null : all);
  renderSigns(state, row);
  setText(row.note, note.text);
  setAttribute(row.note, "title", note.text || null);
  setClass(row.note, "bad", note.tone === "bad");
  row.warn.hidden = note.tone !== "bad";
  setAttribute(row.warn, "title", note.tone === "bad" ? note.text : null);
  setAttribute(row.warn, "aria-label", note.tone === "bad" ? note.text : null);
  const reason = textOf(state.plan.locked[name]);
  const label = locked ? `unlock ${name}${reason ? ` (${reason})` : ""}` : `lock ${name}`;
  if (row.lock.getAttribute("aria-pressed") !== String(locked)) {
    row.lock.replaceChildren(icon(locked ? "locked" : "unlocked"));
    setAttribute(row.lock, "aria-pressed", String(locked));
  }
  setAttribute(row.lock, "title", label);
  setAttribute(row.lock, "aria-label", `lock ${name}`);
  row.lock.disabled = Boolean(layer.disabled);
  const ticked = state.view.ticked.has(name);
  if (row.tick.checked !== ticked) row.tick.checked = ticked;
  setClass(row.node, "focused", state.view.focus === name);
  setAttribute(row.title, "aria-current", state.view.focus === name ? "true" : null);
  setClass(row.node, "still", still);
  setClass(row.node, "disabled", Boolean(layer.disabled));
}
