// What does the board do when data, a hand or the clock moves it?

import { newAnswer, newNetwork, receive } from "./answers.js";
import { buildChart, renderChart } from "./chart.js";
import { readPalette } from "./colours.js";
import { cutNow } from "./counts.js";
import { make, makePopover, setAttribute, setClass, setText } from "./dom.js";
import { newHand } from "./hand.js";
import { buildHeadline, renderHeadline } from "./headline.js";
import { link, tellMap } from "./link.js";
import { buildPictures, renderPictures } from "./pictures.js";
import { dropPlaying, newPlan } from "./plan.js";
import { command, goOnWaiting, isAhead, newRequests, stopWaiting } from "./requests.js";
import { focusLayer } from "./row.js";
import { buildBoard, renderBoard } from "./rows.js";
import { newThumbnails } from "./thumbnails.js";
import { buildToolbar, renderToolbar, undoKeys } from "./toolbar.js";
import { newView } from "./view.js";
import { isNumber, NO_SCENE, textOf } from "./wire.js";

/** @import { Component, Page, Request, State, Status } from "./types.d.ts" */

const boards = new WeakMap();

/** @param {HTMLElement} parent */
function newState(parent) {
  const root = make("div", { class: "board", "data-testid": "board" });
  parent.append(root);
  /** @type {State} */
  const state = {
    network: newNetwork(),
    answer: newAnswer(),
    plan: newPlan(),
    requests: newRequests(),
    view: newView(),
    hand: newHand(),
    thumbnails: newThumbnails(),
    page: newPage(root),
    redraw: () => render(state),
    send: (/** @type {Request} */ request) =>
      state.page.component?.setStateValue("request", request),
  };
  state.page.keys = (event) => undoKeys(state, event);
  buildPage(state);
  return state;
}

/**
 * @param {HTMLElement} root
 * @returns {Page}
 */
function newPage(root) {
  return {
    root,
    helpBox: makePopover(root, "explains"),
    menuBox: makePopover(root, "menu"),
    component: null,
    call: null,
    keys: () => {},
    palette: readPalette(root),
    failed: "",
    parts: /** @type {any} */ (null), // made next, of the state that this is part of
    observer: new ResizeObserver(() => root.dispatchEvent(new CustomEvent("refresh"))),
  };
}

/** @param {State} state */
function buildPage(state) {
  const { page } = state;
  page.parts = buildParts(state);
  page.root.append(page.parts.skeleton, page.parts.body);
  page.root.addEventListener("refresh", () => state.redraw());
}

/** @param {State} state */
export function buildParts(state) {
  const headline = buildHeadline(state);
  const bar = buildToolbar(state);
  const rows = buildBoard(state);
  const chart = buildChart(state);
  const pictures = buildPictures(state);
  const status = buildStatus(state);
  const left = make("section", { class: "what-moves", "aria-label": "layers" }, bar.node,
    bar.locked, rows.scroll);
  const body = make("div", { class: "body" }, headline.node,
    make("div", { class: "halves" }, left,
      make("div", { class: "right" }, chart.node, pictures.node)), status.node);
  const says = make("p");
  const skeleton = make("div", { class: "skeleton", role: "status" },
    make("div", { class: "ghost strip" }), make("div", { class: "halves" },
      make("div", { class: "ghost" }), make("div", { class: "ghost" })), says);
  return { headline, bar, rows, chart, pictures, status, body, skeleton, says };
}

/** @param {State} state */
export function buildStatus(state) {
  const message = make("span", { class: "message", role: "status" });
  const back = make("button", { type: "button", class: "small", "data-testid": "undo-change",
    hidden: "", title: "undo this change of the plan (Ctrl+Z)", onclick: () =>
      command(state, "undo") }, "undo");
  const work = make("span", { class: "work" });
  const stop = make("button", { type: "button", class: "small", "data-testid": "cancel",
    hidden: "", title: "stop this; what was measured until now is kept", onclick: () =>
      command(state, "cancel") }, "cancel");
  const again = make("button", { type: "button", class: "small", "data-testid": "measure",
    hidden: "", title: "measure this plan on all validation samples", onclick: () =>
      command(state, "measure") }, "measure");
  const node = make("div", { class: "status" },
    make("span", { class: "told" }, message, back),
    make("span", { class: "at-work" }, work, stop, again));
  return { node, message, back, work, stop, again };
}

/** @param {State} state */
export function statusText(state) {
  if (state.page.failed) return state.page.failed;
  if (state.view.search.wrong) return "Not a regular expression yet: every layer is shown.";
  return state.view.complaint || textOf(state.answer.data.message);
}

/**
 * @param {State} state
 * @param {Status} parts
 */
function renderStatus(state, { message, back, work, stop, again }) {
  const says = statusText(state);
  setText(message, says);
  const { data } = state.answer;
  back.hidden = !data.undoes || says !== textOf(data.message) || !data.can?.undo;
  const done = data.background?.done;
  const part = isNumber(done) ? ` ${Math.round(done * 100)} %` : "";
  setText(work, data.background ? `${textOf(data.background.label)}${part}` : "");
  stop.hidden = !data.background;
  again.hidden = Boolean(data.background) || !data.can?.measure || isAhead(state)
    || state.requests.flight !== null || state.hand.thumb !== null;
}

/** @param {State} state */
function render(state) {
  const { root, parts } = state.page;
  const { scene } = state.network;
  setClass(root, "walled", state.view.wall);
  const ready = scene.layers.length > 0;
  parts.skeleton.hidden = ready;
  parts.body.hidden = !ready;
  setAttribute(root, "aria-busy", String(!ready));
  if (!ready) {
    const idle = scene === NO_SCENE ? "loading the network …"
      : "This network has no layer that could be pruned.";
    setText(parts.says, textOf(state.answer.data.message) || idle);
    return;
  }
  renderHeadline(state, parts.headline);
  renderToolbar(state, parts.bar);
  renderBoard(state, parts.rows);
  renderPictures(state, parts.pictures);
  renderChart(state, parts.chart);
  renderStatus(state, parts.status);
  tellMap();
}

/**
 * What the map may ask of the board and let it do.
 * @param {State} state
 */
function offerBoard(state) {
  link().board = {
    cut: () => new Map(state.network.scene.layers.map((layer) =>
      [layer.name, layer.items > 0 ? cutNow(state, layer) / layer.items : 0])),
    focus: () => state.view.focus,
    look: (name) => focusLayer(state, name),
  };
}

/**
 * Streamlit calls this at every change of data or theme, and may call a cleanup that belongs
 * to an older call while the board lives on: only the newest call's cleanup counts.
 * @param {Component} component
 */
export default function board(component) {
  const parent = component.parentElement;
  const state = boards.get(parent) ?? newState(parent);
  boards.set(parent, state);
  const { page } = state;
  if (!page.root.isConnected) parent.append(page.root);
  page.component = component;
  page.palette = readPalette(page.root);
  page.root.dataset.theme = page.palette.dark ? "dark" : "light";
  page.observer.observe(page.root);
  offerBoard(state);
  document.addEventListener("keydown", page.keys);
  goOnWaiting(state);
  page.failed = "";
  try {
    receive(state, component.data);
    state.redraw();
  } catch (error) {
    console.error(error);
    const why = error instanceof Error ? error.message : error;
    page.failed = `The board could not read what it was sent: ${why}`;
    setText(page.parts.status.message, page.failed);
  }
  const call = {};
  page.call = call;
  return () => {
    if (page.call !== call) return;
    page.observer.disconnect();
    document.removeEventListener("keydown", page.keys);
    clearTimeout(state.view.focusTimer ?? undefined);
    stopWaiting(state);
    dropPlaying(state);
  };
}
