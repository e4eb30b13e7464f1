// How are the pieces of the page made?

import { clamp } from "./numbers.js";
import { textOf } from "./wire.js";
import { nameParts } from "./words.js";

/** @import { Choice, Radios, State } from "./types.d.ts" */

const ICONS = {
  locked: '<path d="M4.5 7V5a3.5 3.5 0 0 1 7 0v2M3 7h10v7H3z" />',
  unlocked: '<path d="M4.5 7V4.6a3.3 3.3 0 0 1 6.4-1M3 7h10v7H3z" />',
  menu: '<path d="M8 3.2v.1M8 8v.1M8 12.8v.1" stroke-width="2.6" />',
  undo: '<path d="M6 3 2.5 6.5 6 10M3 6.5h6.5a4 4 0 0 1 0 8H6" />',
  redo: '<path d="M10 3l3.5 3.5L10 10M13 6.5H6.500a4 4 0 0 0 0 8H10" />',
  grid: '<path d="M2.5 2.5H7V7H2.5zM9 2.5h4.500V7H9zM2.5 9H7v4.500H2.5zM9 9h4.500v4.500H9z" />',
  fold: '<path d="M6 3.500 10.500 8 6 12.500" />',
  chain: '<path d="M6.3 9.7 9.7 6.3M7.5 4.7 9 3.200a2.700 2.700 0 0 1 3.800 3.800L11.3 8.500'
    + 'M8.500 11.300 7 12.800A2.700 2.700 0 0 1 3.200 9L4.700 7.500" />',
  warn: '<path d="M8 2 15 14H1zM8 6.500v3.500M8 12v.1" />',
};

/**
 * make("button", { class: "x", onclick: f }, child, ...): attributes, handlers and texts.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null | undefined)} children
 */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else setAttribute(node, name, value);
  }
  node.append(...children.flatMap((child) => child ?? []));
  return node;
}

/** @param {keyof typeof ICONS} name */
export function icon(name) {
  const box = make("span", { class: "icon", "aria-hidden": "true" });
  box.innerHTML = `<svg viewBox="0 0 16 16">${ICONS[name]}</svg>`;
  return box;
}

/**
 * Writes only what differs: sixty rows are gone through at each move of a thumb.
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * @param {Element} node
 * @param {string} name
 * @param {unknown} value
 */
export function setAttribute(node, name, value) {
  if (value === false || value == null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
}

/**
 * @param {Element} node
 * @param {string} name
 * @param {boolean} on
 */
export function setClass(node, name, on) {
  if (node.classList.contains(name) !== on) node.classList.toggle(name, on);
}

/**
 * @param {keyof typeof ICONS} name
 * @param {string} label
 * @param {Record<string, any>} attributes
 */
export function iconButton(name, label, attributes) {
  return make("button", { type: "button", class: "plain", title: label, "aria-label": label,
    ...attributes }, icon(name));
}

/**
 * The button that is a layer's name, shortened where that tells no layers apart.
 * @param {string} name
 * @param {() => void} onclick
 */
export function nameButton(name, onclick) {
  return make("button", { type: "button", class: "name parted", title: name, "aria-label": name,
    onclick }, ...nameParts(name).map(({ kind, text }) =>
    make("span", { class: `part-${kind}` }, make("bdi", {}, text))));
}

/**
 * A popover below (or, near the bottom, above) the button that opens it. The browser closes it
 * by Escape or by a click elsewhere and gives the focus back.
 * @param {HTMLElement} root
 * @param {string} className
 */
export function makePopover(root, className) {
  const box = make("div", { popover: "auto", class: `popover ${className}` });
  root.append(box);
  return box;
}

/**
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} box
 * @param {() => Node[]} fill
 */
export function opensPopover(button, box, fill) {
  button.popoverTargetElement = box;
  button.addEventListener("click", () => {
    if (box.matches(":popover-open")) return;
    box.replaceChildren(...fill());
    const at = button.getBoundingClientRect();
    const width = box.classList.contains("menu") ? 250 : 340;
    const below = window.innerHeight - at.bottom;
    const under = below > 280 || below > at.top;
    box.style.width = `${width}px`;
    box.style.left = `${clamp(at.left - 12, 8, Math.max(8, window.innerWidth - width - 24))}px`;
    box.style.top = under ? `${at.bottom + 6}px` : "auto";
    box.style.bottom = under ? "auto" : `${window.innerHeight - at.top + 6}px`;
    box.style.maxHeight = `${(under ? below : at.top) - 24}px`;
  });
}

/**
 * The small round "?" beside a number; absent where Python gave no text.
 * @param {State} state
 * @param {string} topic
 * @param {string} label
 */
export function helpButton(state, topic, label) {
  const button = make("button", { type: "button", class: "help",
    "aria-label": `Help for ${label}`, "data-testid": `help-${topic}` }, "?");
  opensPopover(button, state.page.helpBox, () => {
    const help = state.answer.data.help?.[topic] ?? {};
    const line = (/** @type {"p" | "code"} */ tag, /** @type {string} */ name) =>
      help[name] && make(tag, { class: name }, textOf(help[name]));
    const title = make("h3", {}, textOf(help.title) || label);
    const source = help.source && make("p", { class: "source" }, `Source: ${textOf(help.source)}`);
    const lines = [line("p", "text"), line("code", "formula"), source].flatMap((x) => x || []);
    return [title, ...(lines.length > 0 ? lines : [make("p", {}, "No explanation yet.")])];
  });
  button.dataset.topic = topic;
  return button;
}

/** @param {State} state */
export function renderHelp(state) {
  for (const button of state.page.root.querySelectorAll(/** @type {"button"} */ ("button.help"))) {
    const known = Boolean(state.answer.data.help?.[button.dataset.topic ?? ""]);
    if (button.hidden === known) button.hidden = !known;
  }
}

/** @type {Record<string, number>} */
const WAYS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/**
 * The next of these choices that is open, in a circle; the same where no other is.
 * @param {boolean[]} open
 * @param {number} now
 * @param {number} way
 */
export function nextOpen(open, now, way) {
  const many = open.length;
  for (let far = 1; far <= many; far += 1) {
    const next = (now + way * far + many * far) % many;
    if (open[next]) return next;
  }
  return now;
}

/**
 * Buttons side by side of which one is chosen: the arrow keys choose, Tab passes them by.
 * @param {string} label
 * @param {string} testid
 * @param {Choice[]} choices
 * @param {(id: string) => void} choose
 */
export function radioGroup(label, testid, choices, choose) {
  const buttons = choices.map(({ id, text, says }) =>
    make("button", { type: "button", role: "radio", class: `segment ${id}`, title: says,
      "data-testid": `${testid}-${id}`, onclick: () => choose(id) }, text));
  const node = make("div", { class: "segments", role: "radiogroup", "aria-label": label,
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      const way = WAYS[event.key];
      if (!way) return;
      event.preventDefault();
      const now = buttons.findIndex((x) => x.getAttribute("aria-checked") === "true");
      const next = nextOpen(buttons.map((x) => !x.disabled), Math.max(0, now), way);
      if (next === now) return;
      choose(choices[next].id);
      buttons[next].focus();
    } }, ...buttons);
  return { node, buttons, choices };
}

/**
 * shut: why a choice cannot be chosen, or "".
 * @param {Radios} parts
 * @param {string} chosen
 * @param {(id: string) => string} [shut]
 */
export function showRadios({ buttons, choices }, chosen, shut = () => "") {
  choices.forEach(({ id, says }, i) => {
    const reason = shut(id);
    if (buttons[i].disabled !== (reason !== "")) buttons[i].disabled = reason !== "";
    setAttribute(buttons[i], "title", reason || says);
    setAttribute(buttons[i], "aria-checked", String(chosen === id));
    setAttribute(buttons[i], "tabindex", chosen === id ? 0 : -1);
  });
}
