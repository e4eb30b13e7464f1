// Why are these parts of the focused layer cut?

const VIEWS = [
  ["weights", "Weights"],
  ["importance", "Importance"],
  ["activations", "Activations"],
];

function readPicture(raw) {
  const rows = isNumber(raw.rows) ? raw.rows : 0;
  const cols = isNumber(raw.cols) ? raw.cols : 0;
  const fits = (table, size) => (table && table.length === size && size > 0 ? table : null);
  const classes = Array.isArray(raw.classes) ? raw.classes.map(textOf) : [];
  const activationRows = unpack(raw.activation_rows, Int32Array);
  const units = activationRows ? activationRows.length : 0;
  return {
    ...raw,
    rows,
    cols,
    note: textOf(raw.note),
    row_word: textOf(raw.row_word) || "row",
    col_word: textOf(raw.col_word) || "column",
    row_index: unpack(raw.row_index, Int32Array) ?? new Int32Array(0),
    col_index: unpack(raw.col_index, Int32Array) ?? new Int32Array(0),
    weight: fits(unpack(raw.weight, Float32Array), rows * cols),
    score: fits(unpack(raw.score, Float32Array), rows * cols),
    rank: fits(unpack(raw.rank, Int32Array), rows * cols),
    classes,
    activation: fits(unpack(raw.activation, Float32Array), units * classes.length),
    activation_rows: activationRows,
    unit_rank: fits(unpack(raw.unit_rank, Int32Array), units),
    units: fits(unpack(raw.units, Int32Array), rows), // heads: the one of each row,
    firsts: unpack(raw.firsts, Int32Array), // ... and the first row of each
    scores: readTable(raw.scores),
    hist: readHistogram(raw.hist),
    coloured: new Map(),
  };
}

function buildPictures(state) {
  const title = make("h3", { class: "title" });
  const what = make("span", { class: "what" });
  const views = VIEWS.map(([id, label]) =>
    make("button", { type: "button", role: "radio", class: "segment", "data-testid": `view-${id}`,
      onclick: () => {
        state.view = id;
        render(state);
      } }, label));
  const group = make("div", { class: "segments", role: "radiogroup", "aria-label": "picture",
    onkeydown: (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: 2, ArrowUp: 2 }[event.key];
      if (!step) return;
      event.preventDefault();
      const next = (VIEWS.findIndex(([id]) => id === state.view) + step) % VIEWS.length;
      state.view = VIEWS[next][0];
      render(state);
      views[next].focus();
    } }, ...views);
  const helps = ["heatmap", "importance", "activation"].map((topic, i) =>
    helpButton(state, topic, `the picture of ${VIEWS[i][0]}`));
  const canvas = make("canvas", { class: "heatmap", role: "img", "data-testid": "heatmap",
    "data-repaints": 0 });
  const across = make("div", { class: "across" });
  const down = make("div", { class: "down" });
  const none = make("div", { class: "nothing" });
  const tip = make("div", { class: "tip", "aria-hidden": "true", hidden: "" });
  const box = make("div", { class: "box", onpointermove: (event) => {
    moveStroke(state, event);
    point(state, event);
  }, onpointerleave: () => point(state, null), onpointerdown: (event) =>
    startStroke(state, event), onpointerup: () => endStroke(state, true), onpointercancel: () =>
    endStroke(state, false) }, canvas, none);
  const hand = buildTools(state);
  const labels = make("div", { class: "classes", "aria-hidden": "true" });
  const bar = make("canvas", { class: "bar", "aria-hidden": "true" });
  const marks = make("div", { class: "marks" });
  const blank = make("span", { class: "blank" }, make("i"), "cut");
  const says = make("span", { class: "says" });
  const scale = make("button", { type: "button", class: "scale", "data-testid": "scale",
    onclick: () => {
      state.scale = state.scale === "layer" ? "model" : "layer";
      if (state.scale === "model" && !isNumber(state.data?.limit_model)) enqueue(state, "need");
      render(state);
    } });
  const note = make("div", { class: "cutnote" });
  const histogram = make("canvas", { class: "histogram", role: "img", "data-testid": "histogram" });
  const scoreTitle = make("span", {});
  const threshold = make("span", { class: "threshold" });
  const low = make("span");
  const middle = make("span");
  const high = make("span");
  const node = make("section", { class: "why", "aria-label": "the layer in focus" },
    make("div", { class: "line" }, title, what, group, ...helps), hand.node,
    make("div", { class: "plot" }, down, labels, box, make("div", { class: "below" }, across,
      note)),
    make("div", { class: "legend" }, make("div", { class: "ramp" }, bar, marks), blank, says,
      scale),
    make("div", { class: "line scores" }, scoreTitle, helpButton(state, "histogram", "histogram"),
      threshold),
    make("div", { class: "histobox" }, histogram),
    make("div", { class: "axis" }, low, middle, high), tip);
  const grid = makeGrid(canvas);
  return { node, title, what, views, helps, canvas, grid, box, across, down, none, tip,
    hand, labels, bar, marks, blank, says, scale, note, histogram, scoreTitle, threshold, low,
    middle, high };
}

function pictureNow(state) {
  const id = state.pictureIds.get(state.focus);
  return id === undefined ? null : (kept.pictures.get(id) ?? null);
}

function cached(picture, key, colours) {
  if (!picture.coloured.has(key)) {
    if (picture.coloured.size > 8) picture.coloured.clear();
    picture.coloured.set(key, colours());
  }
  return picture.coloured.get(key);
}

function biggest(values) {
  let most = 0;
  for (const value of values) if (Math.abs(value) > most) most = Math.abs(value);
  return most;
}

// Every view yields { rows, cols, colours, rank, limit } with its legend; null: nothing to draw.
const DRAW = {
  weights(state, layer, picture, limit) {
    if (!picture.weight) return null;
    const whole = state.scale === "model" && isNumber(state.data?.limit_model);
    const given = whole ? state.data.limit_model : picture.limit_layer;
    const most = isNumber(given) && given > 0 ? given : biggest(picture.weight) || 1;
    const colours = cached(picture, `w${most}|${state.palette.id}`, () =>
      divergingColours(picture.weight, most, state.palette));
    return { rows: picture.rows, cols: picture.cols, colours, rank: picture.rank, limit,
      ramp: state.palette.diverging, marks: [-most, -most / 4, 0, most / 4, most].map(valueText),
      says: "dense weight, colour by √" };
  },
  importance(state, layer, picture, limit) {
    if (!picture.rank) return null;
    const total = isGlobal(state) ? state.scene.pool_total : layer.items;
    const colours = cached(picture, `i${total}${state.palette.id}`, () =>
      sequentialColours(picture.rank, 0, total - 1, state.palette));
    return { rows: picture.rows, cols: picture.cols, colours, rank: picture.rank, limit,
      ramp: state.palette.sequential, marks: ["first to go", "last to go"],
      says: isGlobal(state) ? "rank among all layers" : "rank in this layer" };
  },
  activations(state, layer, picture, limit) {
    const { activation: values, classes } = picture;
    if (!values) return null;
    const units = picture.activation_rows.length;
    const made = cached(picture, `a${state.palette.id}`, () => turned(values, units, classes.length,
      picture.unit_rank, state.palette));
    return { rows: classes.length, cols: units, ...made, limit, stretch: 9,
      says: "mean activation per class" };
  },
};

// Units lie across and classes down, as the panel is wider than high.
function turned(values, units, classes, unitRank, palette) {
  const flat = new Float32Array(values.length);
  const rank = unitRank ? new Int32Array(values.length) : null;
  for (let unit = 0; unit < units; unit += 1) {
    for (let c = 0; c < classes; c += 1) {
      flat[c * units + unit] = values[unit * classes + c];
      if (rank) rank[c * units + unit] = unitRank[unit];
    }
  }
  const most = biggest(flat) || 1;
  const signed = flat.some((x) => x < 0);
  return signed
    ? { colours: divergingColours(flat, most, palette), rank, ramp: palette.diverging,
        marks: [-most, -most / 4, 0, most / 4, most].map(valueText) }
    : { colours: sequentialColours(flat, 0, most, palette), rank, ramp: palette.sequential,
        marks: ["0", valueText(most / 2), valueText(most)] };
}

function renderPictures(state, why) {
  const layer = state.scene.byName.get(state.focus);
  setText(why.title, layer ? layer.name : "no layer in focus");
  setText(why.what, layer ? `${layer.kind} ${layer.shape}` : "");
  setAttribute(why.title, "title", layer ? `${layer.name} ${layer.kind} ${layer.shape}` : null);
  VIEWS.forEach(([id], i) => {
    setAttribute(why.views[i], "aria-checked", String(state.view === id));
    setAttribute(why.views[i], "tabindex", state.view === id ? 0 : -1);
    setClass(why.helps[i], "away", state.view !== id);
  });
  const picture = pictureNow(state);
  const limit = layer ? rankLimit(state, layer) : 0;
  const plain = layer && picture ? DRAW[state.view](state, layer, picture, limit) : null;
  const drawn = plain && { ...plain, rank: ranksByHand(state, picture, plain),
    others: inputsCut(state) };
  why.drawn = drawn;
  why.canvas.hidden = drawn === null;
  setText(why.none, drawn ? "" : missing(state, picture));
  setClass(why.none, "waiting", picture === null);
  if (drawn) {
    renderGrid(state, why, layer, picture, drawn);
  } else {
    why.grid.place = null;
    setText(why.across, "");
    setText(why.down, "");
    setText(why.says, "");
    why.marks.replaceChildren();
    why.labels.replaceChildren();
    why.labelled = "";
  }
  why.bar.hidden = drawn === null;
  why.blank.hidden = !drawn?.rank && !drawn?.others;
  renderTools(state, layer, picture);
  why.scale.hidden = drawn === null || state.view !== "weights";
  setText(why.scale, `scale: ${state.scale === "layer" ? "this layer" : "whole model"}`);
  setText(why.note, drawn && state.view !== "activations" ? picture.note : "");
  setAttribute(why.note, "title", why.note.textContent || null);
  renderScores(state, why, layer, picture);
  showTip(state, why, layer, picture);
}

function missing(state, picture) {
  if (!state.focus) return "Click a layer to see why its weights are cut.";
  if (!picture) return "loading the picture …";
  if (state.view === "activations") {
    return state.data?.slow && !picture.activation
      ? "A calibration pass records activations: choose a criterion that needs one, such as Wanda."
      : "No activations were recorded for this layer.";
  }
  return "There is no picture of this layer.";
}
