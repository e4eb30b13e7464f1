// What does the plan on the screen cut?

function isNumber(x) {
  return typeof x === "number" && Number.isFinite(x);
}

function textOf(x) {
  return typeof x === "string" ? x : x == null ? "" : String(x);
}

function isGlobal(state) {
  return state.scene !== null && state.scene.scope === "global";
}

function readHistogram(raw) {
  if (!raw || !isNumber(raw.lo) || !isNumber(raw.hi) || !Array.isArray(raw.counts)) return null;
  const counts = raw.counts.map((n) => (isNumber(n) ? Math.max(0, n) : 0));
  return counts.length > 0 ? { lo: raw.lo, hi: raw.hi, log: Boolean(raw.log), counts } : null;
}

function readTable(text) {
  const table = unpack(text, Float32Array);
  return table && table.length === STEPS + 1 ? table : null;
}

function readLayer(raw) {
  const size = (x) => (isNumber(x) && x > 0 ? x : 0);
  return {
    name: raw.name,
    kind: textOf(raw.kind),
    shape: textOf(raw.shape),
    block: textOf(raw.block),
    items: size(raw.items),
    item_params: size(raw.item_params),
    weights: size(raw.weights),
    weight_bytes: size(raw.weight_bytes),
    macs: size(raw.macs),
    snap: isNumber(raw.snap) ? raw.snap : null,
    disabled: raw.disabled ? textOf(raw.disabled) : size(raw.items) ? null : "nothing to cut here",
    reach: readTable(raw.reach),
    ...readChain(raw, raw.name),
  };
}

function readScene(raw) {
  const given = Array.isArray(raw.layers) ? raw.layers : [];
  const layers = given.filter((x) => x && typeof x.name === "string").map(readLayer);
  return {
    ...raw,
    item: textOf(raw.item) || "weight",
    criterion_label: textOf(raw.criterion_label) || textOf(raw.criterion) || "score",
    total_params: isNumber(raw.total_params) ? raw.total_params : 0,
    total_macs: isNumber(raw.total_macs) ? raw.total_macs : null, // null: cannot be counted
    total_bytes: isNumber(raw.total_bytes) ? raw.total_bytes : 0,
    products: Array.isArray(raw.products) ? raw.products : [],
    pool_total: isNumber(raw.pool_total) ? raw.pool_total : 0,
    pool_scores: readTable(raw.pool_scores),
    byUnit: raw.granularity === "neuron" || raw.granularity === "head",
    layers,
    byName: new Map(layers.map((layer) => [layer.name, layer])),
  };
}

function isLocked(state, name) {
  return Object.hasOwn(state.locked, name);
}

function isMovable(state, layer) {
  return !layer.disabled && !isLocked(state, layer.name);
}

function movableLayers(state, names) {
  return names.map((name) => state.scene.byName.get(name)).filter((x) => x && isMovable(state, x));
}

function askedOf(state, name) {
  return state.sparsity[name] ?? 0;
}

// Scope global: the one share of the pool that all movable layers are asked for.
function poolShare(state) {
  const layer = state.scene.layers.find((x) => isMovable(state, x));
  return layer ? askedOf(state, layer.name) : 0;
}

function poolCut(state) {
  return roundHalfEven(poolShare(state) * state.scene.pool_total);
}

// Python has answered exactly what is on the screen for this layer.
function isAnswered(state, name) {
  const { settled } = state;
  return (
    settled !== null &&
    settled.sparsity[name] === askedOf(state, name) &&
    isNumber(settled.cut[name]) &&
    isLocked(state, name) === Object.hasOwn(settled.locked, name)
  );
}

function cutNow(state, layer) {
  if (layer.disabled) return 0;
  if (isAnswered(state, layer.name)) return clamp(state.settled.cut[layer.name], 0, layer.items);
  if (!isGlobal(state)) return cutCount(layer, askedOf(state, layer.name), byHand(state, layer));
  if (isLocked(state, layer.name) || !layer.reach) return 0;
  return clamp(Math.round(interpolate(layer.reach, poolShare(state))), 0, layer.items);
}

// The rank below which the cells of the layer's picture are cut.
function rankLimit(state, layer) {
  if (!isGlobal(state)) return cutNow(state, layer);
  return isMovable(state, layer) ? poolCut(state) : 0;
}

// Of the layer in focus: its scores come with its picture.
function thresholdNow(state, layer) {
  const { scene } = state;
  if (cutNow(state, layer) <= byHand(state, layer)[0]) return null;
  if (!isGlobal(state)) {
    return thresholdAt(pictureNow(state)?.scores, layer.items, cutNow(state, layer));
  }
  if (!isMovable(state, layer)) return null;
  return thresholdAt(scene.pool_scores, scene.pool_total, poolCut(state));
}

function totalsNow(state) {
  const { scene, settled } = state;
  const totals = remaining(scene, (layer) => cutNow(state, layer));
  const exact = scene.layers.every((x) => x.disabled || isAnswered(state, x.name));
  if (exact && isNumber(settled.kept_params)) totals.kept = settled.kept_params;
  if (exact && isNumber(settled.kept_macs)) totals.macs = settled.kept_macs;
  return { ...totals, exact };
}

// A handle is whatever one slider moves: a layer, a block of layers, or the bulk target.
function shareOf(state, handle) {
  const all = handle.names.map((name) => state.scene.byName.get(name)).filter(Boolean);
  if (handle.kind === "master" && isGlobal(state)) return poolShare(state);
  if (handle.kind === "layer" && !isGlobal(state)) return askedOf(state, handle.names[0]);
  const put = sharedShare(state, handle);
  if (put !== null) return put;
  const movable = all.filter((x) => isMovable(state, x));
  const counted = movable.length > 0 ? movable : all;
  let part = 0;
  let items = 0;
  for (const layer of onceEach(counted)) {
    const asked = () => askedOf(state, layer.name) * layer.items;
    part += isGlobal(state) ? cutNow(state, layer) : asked();
    items += layer.items;
  }
  return items > 0 ? part / items : 0;
}

// Ask a handle for a sparsity. Returns whether anything changed.
function moveHandle(state, handle, share) {
  const layers = movableLayers(state, withMembers(state, handle.names));
  if (layers.length === 0) return false;
  let names = layers.map((x) => x.name);
  let value = clamp(share, 0, 1);
  if (isGlobal(state)) {
    if (handle.kind !== "master") {
      const counted = onceEach(layers);
      const items = counted.reduce((sum, x) => sum + x.items, 0);
      const table = addTables(counted.map((x) => x.reach).filter(Boolean));
      value = invert(table, value * items, poolShare(state));
    }
    names = state.scene.layers.filter((x) => isMovable(state, x)).map((x) => x.name);
  }
  let changed = false;
  if (handle.shares) state.share = value;
  for (const name of names) {
    const level = levelFor(state, handle, name, value);
    if (askedOf(state, name) === level) continue;
    state.sparsity[name] = level;
    state.touched.add(name);
    changed = true;
  }
  return changed;
}

// ---- which layers the bulk slider moves

function kindWord(kind) {
  if (/^conv/i.test(kind)) return "convolutions";
  return /^linear$/i.test(kind) ? "linear" : kind;
}

function targetChoices(state) {
  const kinds = [...new Set(state.scene.layers.map((x) => kindWord(x.kind)))].filter(Boolean);
  return [
    ["all", "all unlocked layers"],
    ...kinds.map((kind) => [`kind:${kind}`, kind === "linear" ? "linear layers" : kind]),
    ["shown", "shown by search"],
    ["ticked", "ticked layers"],
  ];
}

function targetNames(state) {
  const target = isGlobal(state) ? "all" : state.target;
  const wanted = (layer) => {
    if (target === "shown") return state.search.finds(layer);
    if (target === "ticked") return state.ticked.has(layer.name);
    return target === "all" || target === `kind:${kindWord(layer.kind)}`;
  };
  return state.scene.layers.filter((x) => wanted(x) && isMovable(state, x)).map((x) => x.name);
}
