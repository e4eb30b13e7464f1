// What moves many layers at once, or takes a move back?

import { helpButton, iconButton, make, setAttribute, setClass, setText } from "./dom.js";
import { endStroke } from "./hand.js";
import { inSight, lockedText, shareOf, targetChoices, targetNames } from "./handles.js";
import { askedOf, chooseMethod, EVENLY, isGlobal, isPooled } from "./plan.js";
import { command, enqueue, isAhead } from "./requests.js";
import { dropMethod, isSharing, sharedShare, sharedTables, sharingReason } from "./shares.js";
import { handleSlider, setAndSettle, showSlider } from "./sliders.js";
import { chooseTarget, complain, search } from "./view.js";
import { NO_SCENE } from "./wire.js";

/** @import { State, Toolbar } from "./types.d.ts" */

/** @param {State} state */
export function buildToolbar(state) {
  const find = make("input", { type: "search", class: "search", placeholder: "find, or /regex/",
    "aria-label": "find layers by name or /regular expression/", "data-testid": "search",
    oninput: () => {
      search(state, find.value);
      state.redraw();
    } });
  const target = make("select", { class: "target", "aria-label": "layers the bulk slider moves",
    "data-testid": "target", onchange: () => {
      chooseTarget(state, target.value);
      state.redraw();
    } });
  const sharing = buildSharing(state);
  const handle = () => ({ kind: "master", names: targetNames(state), shares: true });
  const master = handleSlider(state, "all chosen layers", "", handle);
  master.range.dataset.testid = "master";
  master.field.dataset.testid = "master-number";
  const reset = make("button", { type: "button", class: "action", "data-testid": "reset", title:
    "set every unlocked layer shown to 0 %", onclick: () => {
    const { layers } = state.network.scene;
    const names = (isPooled(state) ? layers : inSight(state, layers)).map((x) => x.name);
    setAndSettle(state, { kind: "master", names }, 0);
  } }, "reset all");
  const undo = iconButton("undo", "undo (Ctrl+Z)", { "data-testid": "undo", onclick: () =>
    command(state, "undo") });
  const redo = iconButton("redo", "redo (Ctrl+Shift+Z)", { "data-testid": "redo", onclick: () =>
    command(state, "redo") });
  const node = make("div", { class: "toolbar" }, find, target, sharing,
    master.range,
    make("label", { class: "percent" }, master.field, "%"), helpButton(state, "master",
      "the bulk slider"), reset, undo, redo);
  const locked = make("p", { class: "locked-layers", "data-testid": "locked-layers" });
  return { node, search: find, target, sharing, master, handle, undo, redo, reset, locked,
    listed: "", listedMethods: "" };
}

/** @param {State} state */
function buildSharing(state) {
  const select = make("select", { class: "target sharing", "data-testid": "allocation",
    "aria-label": "method of the bulk slider", onchange: () => {
      chooseMethod(state, select.value);
      complain(state, "");
      enqueue(state, "need");
      state.redraw();
    } });
  return select;
}

/**
 * @param {State} state
 * @param {Toolbar} bar
 */
function renderSharing(state, bar) {
  const select = bar.sharing;
  const methods = state.network.sensitivity?.methods ?? [];
  const reason = sharingReason(state);
  dropMethod(state);
  const key = JSON.stringify(methods);
  if (bar.listedMethods !== key) {
    bar.listedMethods = key;
    select.replaceChildren(...methods.map((x) => make("option", { value: x.name,
      disabled: x.whyNot ? "" : null, title: x.whyNot || x.says }, x.label)));
  }
  select.hidden = methods.length === 0;
  select.disabled = reason !== "";
  const value = (reason === "" && state.plan.method) || EVENLY;
  if (select.value !== value) select.value = value;
  const shut = methods.filter((x) => x.whyNot).map((x) => `${x.label}: ${x.whyNot}`);
  const says = methods.find((x) => x.name === value)?.says ?? "";
  setAttribute(select, "title", reason || [says, ...shut].filter(Boolean).join("\n"));
}

/**
 * @param {State} state
 * @param {Toolbar} bar
 */
export function renderToolbar(state, bar) {
  const choices = targetChoices(state);
  const pooled = isPooled(state);
  const one = isGlobal(state) ? "one threshold for all" : "one share for all";
  const listed = pooled ? [["all", one]] : choices;
  const key = listed.join("\n");
  if (bar.listed !== key) {
    bar.listed = key;
    const options = listed.map(([id, label]) => make("option", { value: id }, label));
    bar.target.replaceChildren(...options);
  }
  if (!choices.some(([id]) => id === state.view.target)) chooseTarget(state, "all");
  bar.target.disabled = pooled;
  const value = pooled ? "all" : state.view.target;
  if (bar.target.value !== value) bar.target.value = value;
  renderSharing(state, bar);
  const handle = bar.handle();
  const none = handle.names.length === 0 || isSharing(state);
  showSlider(bar.master, none ? 0 : shareOf(state, handle), none);
  const values = new Set(handle.names.map((name) => askedOf(state, name)));
  const mixed = !isGlobal(state) && values.size > 1 && sharedShare(state, handle) === null;
  setClass(bar.node, "mixed", mixed);
  const method = bar.sharing.selectedOptions[0]?.text;
  const moves = sharedTables(state) ? `, distributed by the method ${method}` : "";
  const many = handle.names.length;
  setAttribute(bar.master.range, "title", isSharing(state) ? "its levels are being computed"
    : none ? "no layer is chosen" : mixed ? `mixed: on average over ${many} layers`
      : `moves ${many} layers${moves}`);
  const stay = lockedText(state);
  bar.locked.hidden = stay.text === "";
  setText(bar.locked, stay.text);
  setAttribute(bar.locked, "title", stay.names || null);
  const can = state.answer.data.can ?? {};
  bar.undo.disabled = !can.undo && !state.requests.unsettled && !isAhead(state);
  bar.redo.disabled = !can.redo;
  setClass(bar.search, "wrong", state.view.search.wrong);
  setAttribute(bar.search, "aria-invalid", state.view.search.wrong ? "true" : null);
}

const TYPED = "textarea, input:not([type=checkbox], [type=radio], [type=range])";

/**
 * Whether undo means what was typed at this place; a list that is closed holds a choice.
 * @param {State} state
 * @param {EventTarget} place
 */
function isTyping({ page }, place) {
  if (!(place instanceof HTMLElement)) return false;
  if (page.root.contains(place)) return place === page.parts.bar.search
    || place.dataset.typed === "yes";
  return place.isContentEditable
    || (place.matches(TYPED) && place.getAttribute("aria-expanded") !== "false");
}

/**
 * The keys of undo and redo, wherever on the page the focus is.
 * @param {State} state
 * @param {KeyboardEvent} event
 */
export function undoKeys(state, event) {
  if (event.key === "Escape") endStroke(state, false);
  if (!(event.ctrlKey || event.metaKey) || event.altKey || state.network.scene === NO_SCENE) return;
  const key = event.key.toLowerCase();
  const kind = key === "y" || (key === "z" && event.shiftKey) ? "redo" : key === "z" ? "undo" : "";
  const { bar } = state.page.parts;
  if (!kind || isTyping(state, event.composedPath()[0])) return;
  event.preventDefault();
  event.stopPropagation();
  if (bar[kind].disabled) return;
  command(state, kind);
  state.redraw();
}
