// What can be moved, layer by layer?

const FOLD_FROM = 40; // a network with more layers folds by block
const REST = 120; // ms without a move after which rows out of sight are drawn too

function buildBoard(state) {
  const list = make("div", { class: "rows" });
  const empty = make("p", { class: "none", hidden: "" }, "No layer is called that.");
  const kept = make("span", { class: "at-kept" });
  const says = make("span", {});
  const scale = { says, node: make("span", { class: "scale-of", hidden: "",
    "data-testid": "curve-scale" }, says,
  helpButton(state, "curve", "the curve in a track")) };
  const sparsity = make("span", { class: "at-slider" }, "sparsity",
    helpButton(state, "asked", "sparsity"), scale.node);
  const head = make("div", { class: "row head" },
    make("span", { class: "at-lock" }, helpButton(state, "lock", "a lock")),
    make("span", { class: "at-name" }, "layer"), sparsity, kept);
  const scroll = make("div", { class: "scroll" }, head, list, empty);
  const near = new Map(); // the node of a row -> its row; those far from sight are drawn later
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const row = near.get(entry.target);
      if (row) row.far = !entry.isIntersecting;
      if (row?.stale && !row.far) renderOne(state, row);
    }
  }, { root: scroll, rootMargin: "300px 0px" });
  return { scroll, list, empty, kept, scale, near, watch, rows: [], shape: "", rest: null };
}

// A slider wired to a handle: { kind, names }.
function handleSlider(state, label, testid, handle) {
  return makeSlider(label, testid, {
    moves: (share) => {
      const changed = moveHandle(state, handle(), share);
      if (changed) enqueue(state, "drag");
      render(state);
    },
    settles: (soon) => {
      if (soon) settleSoon(state);
      else settleNow(state);
      render(state);
    },
    starts: () => {
      const all = isGlobal(state) ? state.scene.layers.map((x) => x.name) : handle().names;
      state.dragging = { moves: withMembers(state, all) };
    },
    ends: () => {
      state.dragging = null;
    },
  });
}

function buildRow(state, layer) {
  const { name } = layer;
  const handle = { kind: "layer", names: [name] };
  const slider = handleSlider(state, name, name, () => handle);
  slider.field.dataset.testid = `number-${name}`;
  const tick = make("input", { type: "checkbox", "aria-label": `tick ${name}`,
    "data-testid": `tick-${name}`, onchange: () => {
      if (tick.checked) state.ticked.add(name);
      else state.ticked.delete(name);
      if (tick.checked && !isGlobal(state)) state.target = "ticked";
      if (state.ticked.size === 0 && state.target === "ticked") state.target = "all";
      render(state);
    } });
  const lock = make("button", { type: "button", class: "plain lock", "data-testid":
    `lock-${name}`, onclick: () => toggleLock(state, name) });
  const title = make("button", { type: "button", class: "name", title: name, onclick: () =>
    focusLayer(state, name) }, make("bdi", {}, name));
  const what = make("div", { class: "what", title: `${layer.kind} ${layer.shape}` },
    `${layer.kind} ${layer.shape}`);
  const count = make("div", { class: "count", "data-testid": `kept-${name}` });
  const note = make("div", { class: "note" });
  const signs = buildSigns();
  const curve = buildCurve();
  const warn = make("span", { class: "warn", hidden: "", role: "img" }, icon("warn"));
  const menu = iconButton("menu", `more for ${name}`, { "data-testid": `menu-${name}` });
  opensPopover(menu, state.menuBox, () => rowMenu(state, layer));
  const named = make("div", { class: "named" }, title, signs.chain);
  const node = make("div", { class: "row", role: "group", "aria-label": name, "data-testid":
    `row-${name}`, onpointerdown: () => focusLayer(state, name), onfocusin: () =>
    focusSoon(state, name) }, tick, lock, make("div", { class: "at-name" }, named, what),
  curve.node, slider.range, make("label", { class: "percent" }, slider.field, "%"), count, warn, menu,
  make("div", { class: "noted" }, curve.rank, note, signs.only));
  return { node, kind: "layer", layer, handle, slider, tick, lock, count, note, warn, title,
    curve, ...signs };
}

function buildBlock(state, block, layers) {
  const handle = { kind: "block", names: layers.map((x) => x.name) };
  const slider = handleSlider(state, `block ${block}`, `block-${block}`, () => handle);
  slider.field.dataset.testid = `number-block-${block}`;
  const count = make("div", { class: "count", "data-testid": `kept-block-${block}` });
  const fold = make("button", { type: "button", class: "name fold", title: block,
    "data-testid": `fold-${block}`, onclick: () => {
      if (state.open.has(block)) state.open.delete(block);
      else state.open.add(block);
      render(state);
    } }, icon("fold"), make("span", {}, block));
  const much = make("div", { class: "what" }, `${layers.length} layers`);
  const node = make("div", { class: "row block", role: "group", "aria-label": `block ${block}`,
    "data-testid": `row-block-${block}` }, fold, much, slider.range,
  make("label", { class: "percent" }, slider.field, "%"), count);
  return { node, kind: "block", block, layers, handle, slider, count, fold };
}

function focusLayer(state, name) {
  clearTimeout(state.focusTimer);
  if (state.focus === name) return;
  state.focus = name;
  state.pointer = null;
  state.complaint = "";
  enqueue(state, "focus");
  render(state);
}

// By keyboard one passes through rows: the picture follows when one stays.
function focusSoon(state, name) {
  clearTimeout(state.focusTimer);
  state.focusTimer = setTimeout(() => focusLayer(state, name), 150);
}

// Rows are made once per list of layers, never under a moving thumb.
function ensureRows(state, board) {
  const { layers } = state.scene;
  const shape = layers.map((x) => [x.name, x.kind, x.shape, x.block].join("|")).join("\n");
  if (shape === board.shape) {
    for (const row of board.rows) {
      if (row.kind === "layer") row.layer = state.scene.byName.get(row.layer.name);
      else row.layers = row.layers.map((x) => state.scene.byName.get(x.name));
    }
    return;
  }
  board.shape = shape;
  const folds = layers.length > FOLD_FROM;
  const rows = [];
  const blocks = new Set();
  for (const layer of layers) {
    if (folds && layer.block && !blocks.has(layer.block)) {
      blocks.add(layer.block);
      const members = layers.filter((x) => x.block === layer.block);
      rows.push(buildBlock(state, layer.block, members));
      for (const member of members) rows.push({ ...buildRow(state, member), inside: layer.block });
    } else if (!folds || !layer.block) {
      rows.push(buildRow(state, layer));
    }
  }
  board.rows = rows;
  board.list.replaceChildren(...rows.map((row) => row.node));
  board.watch.disconnect();
  board.near.clear();
  for (const row of rows) {
    board.near.set(row.node, row);
    board.watch.observe(row.node);
  }
}

function rowNote(state, layer, cut) {
  const note = plainNote(state, layer, cut);
  return { ...note, text: [handWords(state, layer), note.text].filter(Boolean).join(" · ") };
}

function plainNote(state, layer, cut) {
  const warning = state.settled?.warnings?.[layer.name];
  if (layer.disabled) return { text: layer.disabled, tone: "" };
  if (warning) return { text: textOf(warning), tone: "bad" };
  const got = layer.items > 0 ? cut / layer.items : 0;
  const asked = askedOf(state, layer.name);
  if (isLocked(state, layer.name)) {
    return { text: ["locked", textOf(state.locked[layer.name])].filter(Boolean).join(": "),
      tone: "" };
  }
  if (!isGlobal(state) && Math.abs(got - asked) >= 0.005) {
    return { text: `asked ${fieldText(asked)} % · got ${percentText(got, 0)} %`, tone: "" };
  }
  return { text: "", tone: "" };
}

function renderRow(state, row) {
  const { layer } = row;
  const { name } = layer;
  const cut = cutNow(state, layer);
  const locked = isLocked(state, name);
  const still = !isMovable(state, layer);
  const asShown = isGlobal(state) ? cut / (layer.items || 1) : askedOf(state, name);
  const note = rowNote(state, layer, cut);
  const key = [cut, asShown, locked, note.text, note.tone, state.locked[name], state.scene.item,
    state.ticked.has(name), state.focus === name, row.slider.isHeld(), layer.items,
    layer.lead, layer.members.length, layer.masksOnly, layer.why, layer.word,
    isTogether(state, layer), state.sensitivityId,
    row.slider.range.value, row.slider.field.value].join("|"); // the last two: what stands there
  if (row.key === key) return;
  row.key = key;
  const share = layer.disabled ? 0 : asShown;
  showSlider(row.slider, share, still, alongNote(state, layer, share));
  renderCurve(state, row, share);
  const none = state.scene.granularity === "head" && layer.word !== "head";
  const [left, of] = [layer.items - cut, layer.items].map(countText);
  setText(row.count, none ? "no heads" : `${left} / ${of}`);
  setAttribute(row.count, "title", none ? null : `${left} of ${of} ${state.scene.item}s kept`);
  renderSigns(state, row);
  setText(row.note, note.text);
  setAttribute(row.note, "title", note.text || null);
  setClass(row.note, "bad", note.tone === "bad");
  row.warn.hidden = note.tone !== "bad";
  setAttribute(row.warn, "title", note.tone === "bad" ? note.text : null);
  setAttribute(row.warn, "aria-label", note.tone === "bad" ? note.text : null);
  const reason = textOf(state.locked[name]);
  const label = locked ? `unlock ${name}${reason ? ` (${reason})` : ""}` : `lock ${name}`;
  if (row.lock.getAttribute("aria-pressed") !== String(locked)) {
    row.lock.replaceChildren(icon(locked ? "locked" : "unlocked"));
    setAttribute(row.lock, "aria-pressed", String(locked));
  }
  setAttribute(row.lock, "title", label);
  setAttribute(row.lock, "aria-label", `lock ${name}`);
  row.lock.disabled = Boolean(layer.disabled);
  const ticked = state.ticked.has(name);
  if (row.tick.checked !== ticked) row.tick.checked = ticked;
  setClass(row.node, "focused", state.focus === name);
  setAttribute(row.title, "aria-current", state.focus === name ? "true" : null);
  setClass(row.node, "still", still);
  setClass(row.node, "disabled", Boolean(layer.disabled));
}

function renderBlock(state, row) {
  let items = 0;
  let cut = 0;
  for (const layer of onceEach(row.layers)) {
    items += layer.items;
    cut += cutNow(state, layer);
  }
  const share = shareOf(state, row.handle);
  showSlider(row.slider, share, movableLayers(state, row.handle.names).length === 0);
  setText(row.count, `${countText(items - cut)} / ${countText(items)}`);
  const unfolded = state.searchText !== "" || state.open.has(row.block);
  setAttribute(row.fold, "aria-expanded", String(unfolded));
}

function renderBoard(state, board) {
  ensureRows(state, board);
  const searching = state.searchText !== "";
  let shown = 0;
  setText(board.kept, `${state.scene.item}s kept`);
  renderScale(state, board.scale);
  for (const row of board.rows) {
    const found = row.kind === "block"
      ? row.layers.some(state.search.finds)
      : state.search.finds(row.layer) && (searching || !row.inside || state.open.has(row.inside));
    if (row.node.hidden === found) row.node.hidden = !found;
    if (!found) continue;
    shown += 1;
    if (row.far) row.stale = true;
    else renderOne(state, row);
  }
  board.empty.hidden = shown > 0;
  clearTimeout(board.rest);
  board.rest = setTimeout(() => renderRest(state, board), REST);
}

function renderOne(state, row) {
  row.stale = false;
  if (row.kind === "block") renderBlock(state, row);
  else renderRow(state, row);
}

// What is out of sight follows when the hand rests: a thumb would have to wait for it.
function renderRest(state, board) {
  if (!state.scene) return;
  for (const row of board.rows) if (row.stale && !row.node.hidden) renderOne(state, row);
}
