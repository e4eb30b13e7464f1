// Which layers move as one?

const MANY = 8; // names that a sign lists

function readChain(raw, name) {
  const names = Array.isArray(raw.members) ? raw.members.map(textOf).filter(Boolean) : [];
  const share = (x) => (isNumber(x) ? clamp(x, 0, 1) : 0);
  const inputs = Array.isArray(raw.inputs) ? raw.inputs : [];
  return {
    lead: raw.group ? textOf(raw.group) : name,
    members: names.includes(name) ? names : [name],
    masksOnly: raw.removable === false,
    why: textOf(raw.why),
    word: textOf(raw.word),
    rows: isNumber(raw.rows) ? share(raw.rows) : 1,
    inputs: inputs.filter(Array.isArray).map(([group, part]) => [textOf(group), share(part)]),
  };
}

// These layers with all that move with them, each once.
function withMembers(state, names) {
  const all = new Set();
  for (const name of names) {
    for (const member of state.scene.byName.get(name)?.members ?? [name]) all.add(member);
  }
  return [...all];
}

// Of each group one layer: its units are counted once.
function onceEach(layers) {
  const seen = new Map();
  for (const layer of layers) if (!seen.has(layer.lead)) seen.set(layer.lead, layer);
  return [...seen.values()];
}

function isTogether(state, layer) {
  const focus = state.scene.byName.get(state.focus);
  return layer.members.length > 1 && focus !== undefined && focus.lead === layer.lead;
}

function chainWords(layer) {
  const others = layer.members.filter((name) => name !== layer.name);
  const named = others.slice(0, MANY).join(", ");
  const more = others.length > MANY ? ` and ${others.length - MANY} more` : "";
  return others.length > 0 ? `moves together with ${named}${more}` : "";
}

// How many items of a layer were cut and kept by hand.
function byHand(state, layer) {
  const found = state.settled?.by_hand?.[layer.name];
  const size = (x) => (isNumber(x) ? clamp(x, 0, layer.items) : 0);
  return Array.isArray(found) ? found.map(size) : [0, 0];
}

function handWords(state, layer) {
  const [cut, keep] = byHand(state, layer);
  return cut + keep > 0 ? `${countText(cut + keep)} by hand` : "";
}

// A locked member holds the others too.
function toggleLock(state, name) {
  const members = state.scene.byName.get(name)?.members ?? [name];
  const locked = isLocked(state, name);
  for (const member of members) {
    if (locked) delete state.locked[member];
    else state.locked[member] ??= "";
  }
  command(state, "lock");
  render(state);
}

// The signs of a row that say what it belongs to.
function buildSigns() {
  const chain = make("span", { class: "chain", role: "img", hidden: "" }, icon("chain"));
  const only = make("span", { class: "only", tabindex: 0, hidden: "" }, "masks only");
  return { chain, only };
}

function renderSigns(state, row) {
  const { layer, chain, only, node } = row;
  const words = chainWords(layer);
  chain.hidden = words === "";
  setAttribute(chain, "aria-label", words || null);
  setAttribute(chain, "title", words || null);
  only.hidden = !layer.masksOnly || Boolean(layer.disabled);
  const why = layer.why ? `masked, but not removed: ${layer.why}` : null;
  setAttribute(only, "title", why);
  setAttribute(only, "aria-label", why && `masks only: ${why}`);
  setClass(node, "together", isTogether(state, layer));
}
