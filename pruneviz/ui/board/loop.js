// What is asked of Python next, with one request in flight?

const LOST_AFTER = 5000; // ms without an echo before a request counts as lost
const QUIET = 250; // ms without a further key before a keyboard change settles
const LONGEST_QUEUE = 8;
const ALONE = new Set(["undo", "redo", "pin", "cancel", "measure"]); // each is asked for by itself

function changesPlan(state, kind) {
  if (kind === "lock") return isGlobal(state);
  return ["drag", "settle", "pin", "undo", "redo"].includes(kind);
}

// Each entry keeps a copy of the screen as it was, so that a release is never mixed with the
// drag after it, and the layers changed since the entry before (`touched`), which an older
// echo may not move back.
function enqueue(state, kind, pin = null) {
  const entry = {
    kind,
    pin,
    sparsity: { ...state.sparsity },
    locked: Object.keys(state.locked),
    touched: state.touched,
  };
  state.touched = new Set();
  const last = state.queue.at(-1);
  if (last && supersedes(entry, last, state.queue.length)) {
    state.queue.pop();
    for (const name of last.touched) entry.touched.add(name);
  }
  state.queue.push(entry);
  pump(state);
}

function supersedes(entry, last, length) {
  if (ALONE.has(entry.kind) || ALONE.has(last.kind)) return false;
  if (last.kind === "drag") return entry.kind === "drag" || entry.kind === "settle";
  if (last.kind === "focus" || last.kind === "need") {
    return entry.kind !== "need";
  }
  if (last.kind !== entry.kind) return false;
  const same = last.touched.size === entry.touched.size;
  const equal = same && [...last.touched].every((name) => entry.touched.has(name));
  return entry.kind === "lock" || equal || length >= LONGEST_QUEUE;
}

function pump(state) {
  if (state.flight || state.queue.length === 0) return;
  const entry = state.queue.shift();
  state.seq += 1;
  const request = {
    seq: state.seq,
    kind: entry.kind,
    sparsity: entry.sparsity,
    locked: entry.locked,
    focus: state.focus,
    scale: state.scale,
    allocation: state.method || EVENLY,
    have: { scene: state.sceneId, picture: state.pictureIds.get(state.focus) ?? "",
      sensitivity: state.sensitivityId, allocation: state.allocationId },
    ...(entry.pin ? { pin: entry.pin } : {}),
  };
  if (changesPlan(state, entry.kind)) state.planSeq = state.seq;
  state.sentFocus = state.focus;
  state.flight = { request, wait: LOST_AFTER };
  send(state);
}

function send(state) {
  awaitEcho(state);
  state.component.setStateValue("request", state.flight.request);
}

function awaitEcho(state) {
  clearTimeout(state.flightTimer);
  const { flight } = state;
  // The same seq again: had it arrived after all, Python sees no change and just answers.
  state.flightTimer = setTimeout(() => {
    if (state.flight !== flight) return;
    flight.wait *= 2;
    send(state);
  }, flight.wait);
}

function settleSoon(state) {
  clearTimeout(state.quietTimer);
  state.quietTimer = setTimeout(() => settleNow(state), QUIET);
  state.unsettled = true;
}

function settleNow(state) {
  clearTimeout(state.quietTimer);
  state.unsettled = false;
  enqueue(state, "settle");
}

function command(state, kind, pin) {
  if (state.unsettled) settleNow(state);
  enqueue(state, kind, pin);
}

// Numbers on the screen are ahead of what Python was asked.
function isAhead(state) {
  return state.touched.size > 0 || state.queue.some((entry) => changesPlan(state, entry.kind));
}

function isMeasuring(state) {
  const { measured } = state;
  if (measured === null) return false;
  return Boolean(measured.stale) || isAhead(state) || (measured.seq ?? 0) < state.planSeq;
}

// Python's plan arrives. Take all of it that the user has not changed since it was asked.
function adopt(state, settled) {
  const answers = state.flight && settled.seq >= state.flight.request.seq;
  if (state.flight && !answers) return;
  state.flight = null;
  clearTimeout(state.flightTimer);
  state.seq = Math.max(state.seq, settled.seq);
  const changed = new Set();
  for (const entry of state.queue) {
    for (const name of entry.touched) changed.add(name);
    for (const [name, value] of Object.entries(settled.sparsity)) {
      if (!changed.has(name)) entry.sparsity[name] = value;
    }
  }
  for (const name of state.touched) changed.add(name);
  if (state.dragging) for (const name of state.dragging.moves) changed.add(name);
  for (const [name, value] of Object.entries(settled.sparsity)) {
    if (!changed.has(name)) state.sparsity[name] = value;
  }
  if (!state.queue.some((entry) => entry.kind === "lock")) {
    state.locked = { ...settled.locked };
    for (const entry of state.queue) entry.locked = Object.keys(state.locked);
  }
}

function readSettled(raw) {
  if (!raw || typeof raw !== "object") return null;
  const sparsity = {};
  for (const [name, value] of Object.entries(raw.sparsity ?? {})) {
    if (isNumber(value)) sparsity[name] = clamp(value, 0, 1);
  }
  return {
    ...raw,
    sparsity,
    locked: { ...(raw.locked ?? {}) },
    cut: raw.cut ?? {},
    warnings: raw.warnings ?? {},
    seq: isNumber(raw.seq) ? raw.seq : 0,
    step: isNumber(raw.step) ? raw.step : 0,
  };
}

// The newest scene, picture and plan; what was named but never came is asked for once.
function receive(state, data) {
  state.data = data ?? {};
  state.measured = state.data.measured ?? null;
  takeScene(state);
  takeSensed(state);
  const settled = readSettled(state.data.settled);
  if (settled) {
    state.settled = settled;
    adopt(state, settled);
  }
  takeFocus(state);
  takePicture(state);
  askForMissing(state);
  pump(state);
}

function takeScene(state) {
  const { scene } = state.data;
  const id = state.data.scene_id || "";
  if (!scene && !id) state.scene = null;
  if (scene && typeof scene === "object") {
    state.scene = readScene(scene);
    if (id) keep(kept.scenes, id, state.scene);
  } else if (kept.scenes.has(id)) {
    state.scene = kept.scenes.get(id);
  } else if (id) {
    return; // named but not here: the old one stays until it comes
  }
  if (state.sceneId !== id) state.pictureIds.clear();
  state.sceneId = state.scene ? id : "";
}

// The browser leads the focus, except where Python moves it by itself.
function takeFocus(state) {
  const named = textOf(state.data.focus);
  const known = state.scene?.byName.has(state.focus);
  const free = state.flight === null && state.queue.length === 0;
  if (!named || (known && (!free || named === state.sentFocus))) return;
  state.focus = named;
  state.sentFocus = named;
}

function takePicture(state) {
  const { picture, picture_id: id, focus } = state.data;
  if (!id) return;
  if (picture && typeof picture === "object" && !kept.pictures.has(id)) {
    keep(kept.pictures, id, readPicture(picture));
  }
  if (kept.pictures.has(id)) state.pictureIds.set(textOf(focus), id);
}

function askForMissing(state) {
  const { scene_id: scene, picture_id: picture } = state.data;
  const { sensitivity_id: curves, allocation_id: tables } = state.data;
  const lacks = [
    scene && !kept.scenes.has(scene) ? `scene ${scene}` : "",
    picture && !kept.pictures.has(picture) ? `picture ${picture}` : "",
    curves && !kept.sensitivity.has(curves) ? `curves ${curves}` : "",
    tables && !kept.allocation.has(tables) ? `tables ${tables}` : "",
  ].filter(Boolean);
  for (const id of lacks) {
    if (state.needed.has(id)) continue;
    for (const each of lacks) state.needed.add(each);
    enqueue(state, "need");
    return;
  }
  if (lacks.length === 0) state.needed.clear();
}

// Scenes, pictures and curves outlive a remount of the component, within bounds.
const kept = { scenes: new Map(), pictures: new Map(), sensitivity: new Map(),
  allocation: new Map() };

function keep(store, id, value) {
  store.delete(id);
  store.set(id, value);
  while (store.size > (store === kept.scenes ? 4 : 24)) store.delete(store.keys().next().value);
}
