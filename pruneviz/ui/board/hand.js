// What does a hand do on the picture of the focused layer?

const RANK_CUT = -1; // ranks of what was pinned by hand, as Python gives them
const RANK_KEPT = 2 ** 31 - 1;
const RANK_STAYS = 2 ** 30; // ... of what is in no ranking
const STROKE = 4096; // places that one stroke may touch

// Why nothing can be cut or kept by hand here, or "".
function toolReason(state, layer) {
  if (!layer) return "no layer is in focus";
  if (layer.snap !== null || /:/.test(textOf(state.scene.granularity))) {
    return `${state.scene.granularity} says how many weights stay: none is pinned by hand`;
  }
  if (layer.disabled) return layer.disabled;
  if (isLocked(state, layer.name)) {
    return `${layer.name} is locked: unlock it to cut or keep by hand`;
  }
  return "";
}

function toolNow(state, layer) {
  return state.tool !== "look" && toolReason(state, layer) === "" ? state.tool : "look";
}

function unitWord(state, layer, picture) {
  return picture?.units ? "head" : layer.word || picture?.row_word || "row";
}

// The drawn cells between two corners, both included: of units in the view of activations.
function strokeArea(state, stroke) {
  const sorted = (a, b) => (a < b ? [a, b] : [b, a]);
  const [top, bottom] = sorted(stroke.from.row, stroke.to.row);
  const [left, right] = sorted(stroke.from.col, stroke.to.col);
  return state.view === "activations"
    ? { top: left, bottom: right, left: 0, right: Infinity }
    : { top, bottom, left, right };
}

// { place: kept } of a stroke: whole units, or a block where weights are cut one by one.
function strokePlaces(state, picture, stroke) {
  const { top, bottom, left, right } = strokeArea(state, stroke);
  const rows = picture.row_index;
  const kept = stroke.frees ? null : stroke.tool === "keep";
  if (!state.scene.byUnit) {
    const from = left < picture.cols ? picture.col_index[left] : 0;
    const to = right < picture.cols ? picture.col_index[right] + 1 : picture.all_cols;
    return { [`${rows[top]}:${rows[bottom] + 1},${from}:${to}`]: kept };
  }
  const places = {};
  if (picture.units) {
    for (let r = top; r <= bottom; r += 1) {
      const first = picture.firsts?.[picture.units[r]];
      if (first !== undefined) places[first] = kept;
    }
    return places;
  }
  for (let row = rows[top]; row <= rows[bottom]; row += 1) places[row] = kept;
  return places;
}

// A second click with the same tool gives the unit back.
function freesAt(picture, drawn, tool, cell) {
  const rank = drawn.rank?.[cell.index];
  return rank === (tool === "cut" ? RANK_CUT : RANK_KEPT);
}

function cellUnder(state, event) {
  const why = state.view_;
  const from = why.canvas.getBoundingClientRect();
  const inside = (x, most) => clamp(x, 0, Math.max(0, most - 0.01));
  const x = event.clientX - from.left;
  const y = event.clientY - from.top;
  const held = state.stroke !== null; // a stroke goes on beside the picture
  return held ? cellAt(why.grid, inside(x, from.width), inside(y, from.height))
    : cellAt(why.grid, x, y);
}

function startStroke(state, event) {
  const layer = state.scene?.byName.get(state.focus);
  const tool = layer ? toolNow(state, layer) : "look";
  const picture = pictureNow(state);
  const { drawn } = state.view_;
  if (event.button !== 0 || tool === "look" || !picture || !drawn) return;
  const cell = cellUnder(state, event);
  if (!cell) return;
  event.preventDefault();
  state.view_.box.setPointerCapture(event.pointerId);
  state.complaint = "";
  const frees = freesAt(picture, drawn, tool, cell);
  state.stroke = { layer: layer.name, tool, from: cell, to: cell, frees };
  render(state);
}

function moveStroke(state, event) {
  const { stroke } = state;
  const cell = stroke && cellUnder(state, event);
  if (!cell || cell.index === stroke.to.index) return;
  stroke.to = cell;
  stroke.frees = false; // what is brushed over is pinned
  render(state);
}

function endStroke(state, done) {
  const { stroke } = state;
  if (!stroke) return;
  state.stroke = null;
  const picture = pictureNow(state);
  if (done && picture && stroke.layer === state.focus) {
    pinNow(state, strokePlaces(state, picture, stroke));
  }
  render(state);
}

function pinNow(state, places) {
  const many = Object.keys(places).length;
  if (many > STROKE) {
    state.complaint = `One stroke may touch ${countText(STROKE)} units, not ${countText(many)}.`;
  } else if (many > 0) {
    command(state, "pin", { layer: state.focus, places });
  }
}

// What was done by hand and is not answered yet, oldest first.
function pendingPins(state, picture) {
  const sent = state.flight?.request.pin ? [state.flight.request.pin] : [];
  const pins = [...sent, ...state.queue.map((entry) => entry.pin).filter(Boolean)];
  const mine = pins.filter((pin) => pin.layer === state.focus).map((pin) => pin.places);
  const { stroke } = state;
  const now = stroke && stroke.layer === state.focus;
  return now ? [...mine, strokePlaces(state, picture, stroke)] : mine;
}

// { top, bottom, left, right } of real rows and inputs.
function placeArea(place) {
  const block = /^(\d+):(\d+),(\d+):(\d+)$/.exec(place);
  if (!block) return { top: Number(place), bottom: Number(place) + 1, left: 0, right: Infinity };
  const [top, bottom, left, right] = block.slice(1).map(Number);
  return { top, bottom, left, right };
}

// Does the unit of a drawn row belong to what one stroke pinned?
function rowTester(picture, places) {
  const units = picture.units ? new Set(places.map((x) => picture.firsts.indexOf(x.top))) : null;
  const rows = new Set(places.map((x) => x.top));
  return (r) => (units ? units.has(picture.units[r]) : rows.has(picture.row_index[r]));
}

// The ranks of a view with what the hand did since Python's last answer.
function ranksByHand(state, picture, drawn) {
  const pins = drawn.rank ? pendingPins(state, picture) : [];
  if (pins.length === 0) return drawn.rank;
  const rank = drawn.rank.slice();
  for (const pin of pins) {
    for (const kept of [null, true, false]) {
      const to = kept === null ? RANK_STAYS : kept ? RANK_KEPT : RANK_CUT;
      const names = Object.keys(pin).filter((place) => pin[place] === kept);
      if (names.length > 0) setRanks(state, picture, drawn, rank, names, to);
    }
  }
  return rank;
}

function setRanks(state, picture, drawn, rank, names, to) {
  const all = names.includes("all");
  const places = names.map(placeArea);
  const inUnit = state.scene.byUnit && !all ? rowTester(picture, places) : null;
  const turned = state.view === "activations";
  for (let i = 0; i < rank.length; i += 1) {
    const r = turned ? i % drawn.cols : Math.floor(i / drawn.cols);
    if (all) {
      if (rank[i] === RANK_CUT || rank[i] === RANK_KEPT) rank[i] = to;
    } else if (inUnit) {
      if (inUnit(r) && rank[i] !== RANK_STAYS) rank[i] = to;
    } else {
      const row = picture.row_index[r];
      const col = picture.col_index[i % drawn.cols];
      const hit = (x) => row >= x.top && row < x.bottom && col >= x.left && col < x.right;
      if (places.some(hit)) rank[i] = to;
    }
  }
}

// The drawn cells that go because of units before this layer, as bits; null: none are known.
function inputsCut(state) {
  const given = state.settled?.inputs_cut;
  if (!given || given.layer !== state.focus || state.view === "activations") return null;
  if (given.bytes === undefined) given.bytes = unpack(given.bits, Int32Array);
  return given.bytes;
}
