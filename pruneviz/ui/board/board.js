// What does the board do when data, a hand or the clock moves it?

const boards = new WeakMap();

function newState(parent) {
  return {
    parent,
    component: null,
    data: null,
    scene: null,
    sceneId: "",
    pictureIds: new Map(), // layer -> id of its picture in this scene
    settled: null,
    measured: null,
    sparsity: {},
    locked: {},
    focus: "",
    sentFocus: "",
    seq: 0,
    planSeq: 0,
    flight: null,
    queue: [],
    touched: new Set(),
    needed: new Set(),
    unsettled: false,
    dragging: null,
    ticked: new Set(),
    open: new Set(),
    target: "all",
    searchText: "",
    search: readSearch(""),
    view: "weights",
    tool: "look",
    stroke: null,
    complaint: "",
    scale: "layer",
    sensitivity: null,
    sensitivityId: "",
    allocation: null,
    allocationId: "",
    method: "",
    share: null, // where the bulk slider was put last
    pointer: null,
    palette: null,
    helpButtons: [],
  };
}

function buildToolbar(state) {
  const search = make("input", { type: "search", class: "search", placeholder: "find, or /regex/",
    "aria-label": "find layers by name or /regular expression/", "data-testid": "search",
    oninput: () => {
      state.searchText = search.value.trim();
      state.search = readSearch(search.value);
      render(state);
    } });
  const target = make("select", { class: "target", "aria-label": "layers the bulk slider moves",
    "data-testid": "target", onchange: () => {
      state.target = target.value;
      render(state);
    } });
  const sharing = buildSharing(state);
  const handle = () => ({ kind: "master", names: targetNames(state), shares: true });
  const master = handleSlider(state, "all chosen layers", "", handle);
  master.range.dataset.testid = "master";
  master.field.dataset.testid = "master-number";
  const reset = make("button", { type: "button", class: "action", "data-testid": "reset", title:
    "set every unlocked layer to 0 %", onclick: () => {
    const names = state.scene.layers.map((x) => x.name);
    setAndSettle(state, { kind: "master", names }, 0);
  } }, "reset all");
  const undo = iconButton("undo", "undo (Ctrl+Z)", { "data-testid": "undo", onclick: () =>
    command(state, "undo") });
  const redo = iconButton("redo", "redo (Ctrl+Shift+Z)", { "data-testid": "redo", onclick: () =>
    command(state, "redo") });
  const node = make("div", { class: "toolbar" }, search, target, sharing,
    master.range,
    make("label", { class: "percent" }, master.field, "%"), helpButton(state, "master",
      "the bulk slider"), reset, undo, redo);
  return { node, search, target, sharing, master, handle, undo, redo, reset };
}

function renderToolbar(state, bar) {
  const choices = targetChoices(state);
  const global = isGlobal(state);
  const listed = global ? [["all", "one threshold for all"]] : choices;
  const key = listed.join("\n");
  if (bar.listed !== key) {
    bar.listed = key;
    const options = listed.map(([id, label]) => make("option", { value: id }, label));
    bar.target.replaceChildren(...options);
  }
  if (!choices.some(([id]) => id === state.target)) state.target = "all";
  bar.target.disabled = global;
  const value = global ? "all" : state.target;
  if (bar.target.value !== value) bar.target.value = value;
  renderSharing(state, bar.sharing);
  const handle = bar.handle();
  const none = handle.names.length === 0 || isSharing(state);
  showSlider(bar.master, none ? 0 : shareOf(state, handle), none);
  const values = new Set(handle.names.map((name) => askedOf(state, name)));
  const mixed = !global && values.size > 1 && sharedShare(state, handle) === null;
  setClass(bar.node, "mixed", mixed);
  const moves = sharedTables(state) ? `, shared out ${bar.sharing.selectedOptions[0]?.text}` : "";
  const many = handle.names.length;
  setAttribute(bar.master.range, "title", isSharing(state) ? "its levels are being computed"
    : none ? "no layer is chosen" : mixed ? `mixed: on average over ${many} layers`
      : `moves ${many} layers${moves}`);
  const can = state.data?.can ?? {};
  bar.undo.disabled = !can.undo && !state.unsettled && !isAhead(state);
  bar.redo.disabled = !can.redo;
  setClass(bar.search, "wrong", state.search.wrong);
  setAttribute(bar.search, "aria-invalid", state.search.wrong ? "true" : null);
}

function buildAll(state) {
  const root = make("div", { class: "board", "data-testid": "board" });
  state.root = root;
  state.helpBox = makePopover(root, "explains");
  state.menuBox = makePopover(root, "menu");
  state.headline = buildHeadline(state);
  state.bar = buildToolbar(state);
  state.rows = buildBoard(state);
  state.view_ = buildPictures(state);
  state.message = make("span", { class: "message", role: "status" });
  state.work = make("span", { class: "work" });
  state.stop = make("button", { type: "button", class: "small", "data-testid": "cancel", hidden: "",
    title: "stop this; what was measured until now is kept", onclick: () =>
      command(state, "cancel") }, "cancel");
  state.again = make("button", { type: "button", class: "small", "data-testid": "measure",
    hidden: "", title: "measure this plan on all validation samples", onclick: () =>
      command(state, "measure") }, "measure");
  const left = make("section", { class: "what-moves", "aria-label": "layers" }, state.bar.node,
    state.rows.scroll);
  state.body = make("div", { class: "body" }, state.headline.node,
    make("div", { class: "halves" }, left, state.view_.node),
    make("div", { class: "status" }, state.message, make("span", { class: "at-work" },
      state.work, state.stop, state.again)));
  state.skeleton = make("div", { class: "skeleton", role: "status" },
    make("div", { class: "ghost strip" }), make("div", { class: "halves" },
      make("div", { class: "ghost" }), make("div", { class: "ghost" })),
    make("p"));
  root.append(state.skeleton, state.body);
  root.addEventListener("keydown", (event) => undoKeys(state, event));
  root.addEventListener("refresh", () => render(state));
  state.parent.append(root);
  state.observer = new ResizeObserver(() => render(state));
}

function undoKeys(state, event) {
  if (event.key === "Escape") endStroke(state, false);
  if (!(event.ctrlKey || event.metaKey) || event.altKey || !state.scene) return;
  const key = event.key.toLowerCase();
  const kind = key === "y" || (key === "z" && event.shiftKey) ? "redo" : key === "z" ? "undo" : "";
  const typing = event.target === state.bar.search || event.target.dataset?.typed === "yes";
  if (!kind || typing) return;
  event.preventDefault();
  event.stopPropagation();
  if (state.bar[kind].disabled) return;
  command(state, kind);
  render(state);
}

function statusText(state) {
  if (state.failed) return state.failed;
  if (state.search.wrong) return "Not a regular expression yet: every layer is shown.";
  return state.complaint || textOf(state.data?.message);
}

function render(state) {
  const ready = state.scene !== null && state.scene.layers.length > 0;
  state.skeleton.hidden = ready;
  state.body.hidden = !ready;
  setAttribute(state.root, "aria-busy", String(!ready));
  if (!ready) {
    const idle = state.scene ? "This network has no layer that could be pruned."
      : "loading the network …";
    setText(state.skeleton.lastChild, textOf(state.data?.message) || idle);
    return;
  }
  renderHeadline(state, state.headline);
  renderToolbar(state, state.bar);
  renderBoard(state, state.rows);
  renderPictures(state, state.view_);
  setText(state.message, statusText(state));
  const work = state.data?.background;
  const done = isNumber(work?.done) ? ` ${Math.round(work.done * 100)} %` : "";
  setText(state.work, work ? `${textOf(work.label)}${done}` : "");
  state.stop.hidden = !work;
  state.again.hidden = Boolean(work) || !state.data?.can?.measure || isAhead(state)
    || state.flight !== null || state.dragging !== null;
}

// Streamlit calls this at every change of data or theme, and may call a cleanup that belongs
// to an older call while the board lives on: only the newest call's cleanup counts.
export default function board(component) {
  const parent = component.parentElement;
  let state = boards.get(parent);
  if (!state) {
    state = newState(parent);
    boards.set(parent, state);
    buildAll(state);
  }
  if (!state.root.isConnected) parent.append(state.root);
  state.component = component;
  state.palette = readPalette(state.root);
  state.root.dataset.theme = state.palette.dark ? "dark" : "light";
  state.observer.observe(state.root);
  if (state.flight && state.flightTimer === null) awaitEcho(state);
  state.failed = "";
  try {
    receive(state, component.data);
    render(state);
  } catch (error) {
    console.error(error);
    state.failed = `The board could not read what it was sent: ${error.message}`;
    setText(state.message, state.failed);
  }
  const call = {};
  state.call = call;
  return () => {
    if (state.call !== call) return;
    state.observer.disconnect();
    clearTimeout(state.flightTimer);
    clearTimeout(state.focusTimer);
    state.flightTimer = null;
  };
}
