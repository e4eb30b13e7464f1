// How are a picture's cells, legend and scores put on the page?

function renderGrid(state, why, layer, picture, drawn) {
  const byClass = state.view === "activations";
  const size = `${drawn.rows}×${drawn.cols}${byClass}`;
  if (why.labelled !== `${size}${picture.classes}`) {
    why.labelled = `${size}${picture.classes}`;
    const names = byClass ? picture.classes.map((x) => make("span", { title: x }, x)) : [];
    why.labels.replaceChildren(...names);
  }
  const box = { width: why.box.clientWidth, height: why.box.clientHeight };
  if (box.width > 0 && box.height > 0) paintGrid(why.grid, drawn, box, state.palette);
  why.repaints = (why.repaints ?? 0) + 1;
  why.canvas.dataset.repaints = why.repaints;
  why.labels.style.height = why.canvas.style.height;
  const real = (shown, all) =>
    all > shown ? `${countText(shown)} of ${countText(all)}` : countText(shown);
  const cols = byClass ? drawn.cols : real(picture.cols, picture.all_cols);
  const rows = byClass ? drawn.rows : real(picture.rows, picture.all_rows);
  setText(why.across, `${cols} ${byClass ? `${picture.row_word}s` : `${picture.col_word}s`} →`);
  setText(why.down, `${rows} ${byClass ? "classes" : `${picture.row_word}s`} →`);
  setText(why.says, drawn.says);
  setAttribute(why.bar.parentElement, "title", drawn.says);
  const cut = cutNow(state, layer);
  setAttribute(why.canvas, "aria-label", `${state.view} of ${layer.name}: ${countText(cut)} of `
    + `${countText(layer.items)} ${state.scene.item}s are cut and drawn blank`);
  const legend = `${state.palette.id}${drawn.marks}${drawn.ramp.length}`;
  if (why.legended === legend && why.marks.childElementCount > 0) return;
  why.legended = legend;
  why.marks.replaceChildren(...drawn.marks.map((x) => make("span", {}, x)));
  const context = why.bar.getContext("2d");
  why.bar.width = drawn.ramp.length;
  why.bar.height = 1;
  const image = context.createImageData(drawn.ramp.length, 1);
  new Uint32Array(image.data.buffer).set(drawn.ramp);
  context.putImageData(image, 0, 0);
}

function renderScores(state, why, layer, picture) {
  const { scene } = state;
  const hist = layer ? (picture?.hist ?? null) : null;
  setText(why.scoreTitle, `${scene.criterion_label} scores${hist?.log ? ", log" : ""}`);
  why.histogram.hidden = hist === null;
  if (hist === null) {
    for (const node of [why.threshold, why.low, why.middle, why.high]) setText(node, "");
    return;
  }
  const cut = cutNow(state, layer);
  const threshold = thresholdNow(state, layer);
  const [pinned] = byHand(state, layer);
  const box = why.histogram.parentElement;
  const size = { width: box.clientWidth, height: box.clientHeight };
  if (size.width > 0) paintHistogram(why.histogram, hist, threshold, size, state.palette);
  const back = (x) => valueText(hist.log ? 10 ** x : x);
  setText(why.low, back(hist.lo));
  setText(why.middle, back((hist.lo + hist.hi) / 2));
  setText(why.high, back(hist.hi));
  const many = `${countText(cut)} of ${countText(layer.items)} cut`;
  const none = inputsCut(state) ? "none of its own units is cut" : "nothing is cut";
  const others = pinned > 0 ? `: ${countText(pinned)} by hand, others` : ",";
  const says = threshold === null ? (cut > 0 ? `${many}, by hand` : none)
    : threshold === Infinity ? `all ${countText(layer.items)} cut`
      : `${many}${others} below ${valueText(threshold)}`;
  setText(why.threshold, says);
  setAttribute(why.histogram, "aria-label", `scores of ${layer.name}: ${says}`);
}

// The pointer is kept in the state, so that its words change while a slider moves.
function point(state, event) {
  const why = state.view_;
  if (event === null) state.pointer = null;
  else {
    const from = why.canvas.getBoundingClientRect();
    const within = why.node.getBoundingClientRect();
    state.pointer = { x: event.clientX - from.left, y: event.clientY - from.top,
      left: event.clientX - within.left, top: event.clientY - within.top, width: within.width };
  }
  showTip(state, why, state.scene?.byName.get(state.focus), pictureNow(state));
}

function rankWords(state, layer, rank, limit) {
  if (rank === RANK_CUT || rank === RANK_KEPT) {
    return [rank === RANK_CUT ? "cut by hand" : "kept by hand"];
  }
  if (rank === undefined || rank === null || rank === RANK_STAYS) return [];
  const total = isGlobal(state) && isMovable(state, layer) ? state.scene.pool_total : layer.items;
  const fate = rank < limit ? "cut" : "kept";
  return [`rank ${countText(rank + 1)} of ${countText(total)}, ${fate}`];
}

function tipLines(state, layer, picture, drawn, cell) {
  if (state.view === "activations") {
    const unit = picture.activation_rows[cell.col];
    const mean = picture.activation[cell.col * picture.classes.length + cell.row];
    return [`${picture.row_word} ${unit}, class ${picture.classes[cell.row]}`,
      `mean activation ${valueText(mean)}`,
      ...rankWords(state, layer, drawn.rank?.[cell.index], drawn.limit)];
  }
  const row = picture.row_index[cell.row] ?? cell.row;
  const col = picture.col_index[cell.col] ?? cell.col;
  const unit = picture.units?.[cell.row] ?? -1;
  const head = unit >= 0 ? `head ${unit}, ` : "";
  const lines = [`${head}${picture.row_word} ${row}, ${picture.col_word} ${col}`];
  if (picture.weight) lines.push(`weight ${valueText(picture.weight[cell.index])}`);
  if (picture.score) lines.push(`score ${valueText(picture.score[cell.index])}`);
  const others = drawn.others;
  if (others && (others[cell.index >> 5] >> (cell.index & 31)) & 1) {
    lines.push("its input is cut with another layer");
  }
  return [...lines, ...rankWords(state, layer, drawn.rank?.[cell.index], drawn.limit)];
}

function showTip(state, why, layer, picture) {
  const { pointer } = state;
  const cell = pointer && why.drawn ? cellAt(why.grid, pointer.x, pointer.y) : null;
  why.tip.hidden = cell === null;
  if (cell === null) return;
  const lines = [...tipLines(state, layer, picture, why.drawn, cell),
    ...toolWords(state, layer, picture, why.drawn, cell)];
  const text = lines.join("\n");
  if (why.tip.dataset.text !== text) {
    why.tip.dataset.text = text;
    why.tip.replaceChildren(...lines.map((x) => make("div", {}, x)));
  }
  const right = pointer.left > pointer.width / 2;
  why.tip.style.left = right ? "auto" : `${pointer.left + 14}px`;
  why.tip.style.right = right ? `${pointer.width - pointer.left + 14}px` : "auto";
  why.tip.style.top = `${pointer.top + 14}px`;
}
