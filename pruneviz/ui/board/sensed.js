// What was measured of each layer alone, and what does it foretell of the whole plan?

const LEAST_WORST = 0.05; // the vertical scale of the curves never shows less than five points

// The decimals that were sent as 32 bits: else 1.95 points would round up here, and down in Python.
function shortest(row) {
  return Array.from(row, (value) => Number(value.toPrecision(7)));
}

function readCurve(raw) {
  const rows = ["x", "delta", "low", "high"].map((name) => unpack(raw?.[name], Float32Array));
  const drawn = rows.every((row) => row !== null && row.length === rows[0].length);
  const [x, delta, low, high] = drawn ? rows.map((row) => [0, ...shortest(row)]) : [];
  const place = (value) => (isNumber(value) ? clamp(value, 0, 1) : null);
  return {
    words: textOf(raw?.words),
    noOp: textOf(raw?.no_op),
    points: drawn ? { x, delta, low, high } : null,
    knee: place(raw?.knee),
    certain: place(raw?.certain),
  };
}

function readEstimate(raw) {
  const [damage, accuracy, missedAt, missed] = ["damage", "accuracy", "missed_at", "missed"].map(
    (name) => unpack(raw?.[name], Float32Array) ?? []);
  if (damage.length === 0 || damage.length !== accuracy.length) return null;
  if (missedAt.length === 0 || missedAt.length !== missed.length) return null;
  const tables = Object.entries(raw.tables ?? {}).map(([name, x]) => [name, readLevels(x)]);
  const [least, most] = Array.isArray(raw.bounds) ? raw.bounds : [];
  return { damage, accuracy, missedAt, missed, words: textOf(raw.words),
    least: isNumber(least) ? least : -Infinity, most: isNumber(most) ? most : Infinity,
    tables: new Map(tables.filter(([, x]) => x !== null)) };
}

function readLevels(text) {
  const table = unpack(text, Float32Array);
  return table && table.length > 1 ? table : null;
}

function readMethod(raw) {
  return { name: textOf(raw?.name), label: textOf(raw?.label), says: textOf(raw?.says),
    whyNot: textOf(raw?.why_not) };
}

function readSensitivity(raw) {
  const layers = new Map(Object.entries(raw.layers ?? {}).map(([x, y]) => [x, readCurve(y)]));
  let worst = LEAST_WORST;
  for (const { points } of layers.values()) {
    for (const delta of points?.delta ?? []) worst = Math.max(worst, -delta);
  }
  return {
    layers,
    worst,
    lose: isNumber(raw.lose) ? raw.lose : 0.01,
    words: textOf(raw.words),
    estimate: readEstimate(raw.estimate),
    methods: Array.isArray(raw.methods) ? raw.methods.map(readMethod) : [],
  };
}

function readTables(raw) {
  const layers = Object.entries(raw.layers ?? {}).map(([name, x]) => [name, readLevels(x)]);
  return { method: textOf(raw.method), words: textOf(raw.words),
    layers: new Map(layers.filter(([, table]) => table !== null)) };
}

// Curves and levels are named like scenes: what the browser holds is not sent again.
function takeSensed(state) {
  const { data } = state;
  if (state.method === "") state.method = textOf(data.method);
  const read = { sensitivity: readSensitivity, allocation: readTables };
  for (const [name, reads] of Object.entries(read)) {
    const id = textOf(data[`${name}_id`]);
    const given = data[name];
    if (given && typeof given === "object" && id && !kept[name].has(id)) {
      keep(kept[name], id, reads(given));
    }
    if (id && !kept[name].has(id)) continue; // the old ones stay until they come
    state[name] = id ? kept[name].get(id) : null;
    state[`${name}Id`] = id;
  }
}

// A group has one curve, under its own name.
function ofSlider(map, layer) {
  return map?.get(layer.lead) ?? map?.get(layer.name) ?? null;
}

function curveOf(state, layer) {
  return ofSlider(state.sensitivity?.layers, layer);
}

// The value of a curve drawn through (xs, ys) by rising x; its ends beyond them.
function valueAt(xs, ys, x) {
  let right = 0;
  while (right < xs.length && xs[right] < x) right += 1;
  if (right === 0) return ys[0];
  if (right === xs.length) return ys[right - 1];
  if (xs[right] === x) return ys[right];
  const part = (x - xs[right - 1]) / (xs[right] - xs[right - 1]);
  return ys[right - 1] + part * (ys[right] - ys[right - 1]);
}

// The whole plan's accuracy from what each slider does alone, or null where none can be told.
function estimateNow(state) {
  const link = state.sensitivity?.estimate;
  if (!link) return null;
  let damage = 0;
  for (const layer of onceEach(state.scene.layers)) {
    if (layer.disabled) continue;
    const got = () => cutNow(state, layer) / layer.items;
    const level = isGlobal(state) ? got() : askedOf(state, layer.name);
    if (level <= 0) continue;
    const table = ofSlider(link.tables, layer);
    if (table === null) return null;
    damage += interpolate(table, level);
  }
  const accuracy = valueAt(link.damage, link.accuracy, damage);
  const half = valueAt(link.missedAt, link.missed, damage);
  const [low, high] = [Math.max(link.least, accuracy - half), Math.min(link.most, accuracy + half)];
  const dense = valueAt(link.damage, link.accuracy, 0);
  return Number.isFinite(accuracy) ? { accuracy, low, high, dense, words: link.words } : null;
}

// An estimate stands in the headline for as long as the measurement is behind the thumb.
function estimateShown(state) {
  const measured = isNumber(state.measured?.accuracy);
  if (measured && !isMeasuring(state)) return null;
  const whole = state.scene.layers.every((x) => x.disabled || askedOf(state, x.name) === 0);
  return whole ? null : estimateNow(state);
}
