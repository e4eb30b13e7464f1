// How are the pieces of the page made?

const ICONS = {
  locked: '<path d="M4.5 7V5a3.5 3.5 0 0 1 7 0v2M3 7h10v7H3z" />',
  unlocked: '<path d="M4.5 7V4.6a3.3 3.3 0 0 1 6.4-1M3 7h10v7H3z" />',
  menu: '<path d="M8 3.2v.1M8 8v.1M8 12.8v.1" stroke-width="2.6" />',
  undo: '<path d="M6 3 2.5 6.5 6 10M3 6.5h6.5a4 4 0 0 1 0 8H6" />',
  redo: '<path d="M10 3l3.5 3.5L10 10M13 6.5H6.500a4 4 0 0 0 0 8H10" />',
  fold: '<path d="M6 3.500 10.500 8 6 12.500" />',
  chain: '<path d="M6.3 9.7 9.7 6.3M7.5 4.7 9 3.200a2.700 2.700 0 0 1 3.800 3.800L11.3 8.500'
    + 'M8.500 11.300 7 12.800A2.700 2.700 0 0 1 3.200 9L4.700 7.500" />',
  warn: '<path d="M8 2 15 14H1zM8 6.500v3.500M8 12v.1" />',
};

// make("button", { class: "x", onclick: f }, child, ...): attributes, handlers and texts.
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else setAttribute(node, name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

function icon(name) {
  const box = make("span", { class: "icon", "aria-hidden": "true" });
  box.innerHTML = `<svg viewBox="0 0 16 16">${ICONS[name]}</svg>`;
  return box;
}

// Writes only what differs: sixty rows are gone through at each move of a thumb.
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function setAttribute(node, name, value) {
  if (value === false || value == null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
}

function setClass(node, name, on) {
  if (node.classList.contains(name) !== on) node.classList.toggle(name, on);
}

function iconButton(name, label, attributes) {
  return make("button", { type: "button", class: "plain", title: label, "aria-label": label,
    ...attributes }, icon(name));
}

// A popover below (or, near the bottom, above) the button that opens it. The browser closes it
// by Escape or by a click elsewhere and gives the focus back.
function makePopover(root, className) {
  const box = make("div", { popover: "auto", class: `popover ${className}` });
  root.append(box);
  return box;
}

function opensPopover(button, box, fill) {
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

// The small round "?" beside a number; absent where Python gave no text.
function helpButton(state, topic, label) {
  const button = make("button", { type: "button", class: "help",
    "aria-label": `What is ${label}?`, "data-testid": `help-${topic}` }, "?");
  opensPopover(button, state.helpBox, () => {
    const help = state.data?.help?.[topic] ?? {};
    const line = (tag, name) => help[name] && make(tag, { class: name }, textOf(help[name]));
    const title = make("h3", {}, textOf(help.title) || label);
    const source = help.source && make("p", { class: "source" }, `Source: ${textOf(help.source)}`);
    const lines = [line("p", "text"), line("code", "formula"), source].filter(Boolean);
    return [title, ...(lines.length > 0 ? lines : [make("p", {}, "No explanation yet.")])];
  });
  state.helpButtons.push([topic, button]);
  return button;
}

function renderHelp(state) {
  for (const [topic, button] of state.helpButtons) {
    const known = Boolean(state.data?.help?.[topic]);
    if (button.hidden === known) button.hidden = !known;
  }
}

// A slider over 0..100 % by 0.1, with a field beside it. `moves(share)` is called while it
// moves, `settles(soon)` when it rests, `starts()`/`ends()` around a drag.
function makeSlider(label, testid, { moves, settles, starts, ends }) {
  const range = make("input", { type: "range", class: "slider", min: 0, max: 100, step: 0.1,
    "aria-label": `sparsity of ${label}`, "data-testid": testid ? `slider-${testid}` : null });
  const field = make("input", { type: "text", inputmode: "decimal", class: "number",
    autocomplete: "off", "aria-label": `sparsity of ${label} in per cent` });
  const keys = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10,
    PageDown: -10 };
  const stepBy = (event, from) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return false;
    const ends = { Home: 0, End: 1 };
    const jump = event.target === range && event.key in ends;
    if (!jump && !(event.key in keys)) return false;
    if (event.target === field && /Left|Right/.test(event.key)) return false;
    event.preventDefault();
    const share = jump ? ends[event.key] : clamp(from + keys[event.key] / 100, 0, 1);
    field.dataset.typed = "";
    moves(Math.round(share * 1000) / 1000);
    settles(true);
    return true;
  };
  let held = false;
  const release = () => {
    if (!held) return;
    held = false;
    ends();
  };
  range.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || range.disabled) return;
    held = true;
    starts();
  });
  range.addEventListener("input", () => moves(Number(range.value) / 100));
  range.addEventListener("change", () => {
    const soon = !held;
    release();
    settles(soon);
  });
  for (const name of ["pointerup", "pointercancel", "blur"]) {
    range.addEventListener(name, () => setTimeout(release));
  }
  range.addEventListener("keydown", (event) => stepBy(event, Number(range.value) / 100));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") field.dispatchEvent(new Event("change"));
    else if (event.key === "Escape") field.dataset.typed = "";
    else if (stepBy(event, readPercent(field.value) ?? 0)) return;
    else return;
    field.dispatchEvent(new CustomEvent("refresh", { bubbles: true }));
  });
  field.addEventListener("input", () => (field.dataset.typed = "yes"));
  field.addEventListener("focus", () => field.select());
  field.addEventListener("change", () => {
    if (field.dataset.typed !== "yes") return;
    field.dataset.typed = "";
    const share = readPercent(field.value);
    field.dispatchEvent(new CustomEvent("refresh", { bubbles: true }));
    if (share === null) return;
    moves(share);
    settles(false);
  });
  return { range, field, isHeld: () => held };
}

function showSlider(slider, share, disabled, says = "") {
  const { range, field } = slider;
  if (range.disabled !== disabled) range.disabled = disabled;
  if (field.disabled !== disabled) field.disabled = disabled;
  const value = fieldText(share);
  if (!slider.isHeld() && range.value !== value) range.value = value;
  range.style.setProperty("--part", slider.isHeld() ? range.value / 100 : share);
  setAttribute(range, "aria-valuetext", `${value} %${says}`);
  if (field.dataset.typed !== "yes" && field.value !== value) field.value = value;
}
