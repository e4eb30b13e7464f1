// By what does the bulk slider share out?

const EVENLY = "uniform";

function buildSharing(state) {
  const select = make("select", { class: "target sharing", "data-testid": "allocation",
    "aria-label": "share out by", onchange: () => {
      state.method = select.value;
      state.complaint = "";
      enqueue(state, "need");
      render(state);
    } });
  return select;
}

// Why it must be uniform, or "".
function sharingReason(state) {
  if (isGlobal(state)) return "one threshold for all layers shares out by itself";
  if (state.target !== "all") {
    return "other ways to share out hold for all unlocked layers: choose these on the left";
  }
  return "";
}

// Layer -> its levels at each target; null where all layers get the same.
function sharedTables(state) {
  const { allocation: told } = state;
  const method = state.method || EVENLY;
  if (method === EVENLY || sharingReason(state) !== "" || told?.method !== method) return null;
  return told.layers.size > 0 ? told.layers : null;
}

// The levels that were asked for have not come yet.
function isSharing(state) {
  const asked = (state.method || EVENLY) !== EVENLY && sharingReason(state) === "";
  return asked && state.allocation?.method !== state.method;
}

function sharedLevel(tables, name, share) {
  const table = tables.get(name);
  return table ? Math.round(interpolate(table, share) * 1e4) / 1e4 : null;
}

// What a handle asked for `share` asks of a layer; one that has no table stays.
function levelFor(state, handle, name, share) {
  const tables = handle.shares ? sharedTables(state) : null;
  if (tables === null) return share;
  return sharedLevel(tables, name, share) ?? askedOf(state, name);
}

// The share from which on no layer loses more: the last unit of each stays.
function fullShare(tables) {
  let most = 0;
  for (const table of tables.values()) {
    let k = table.length - 1;
    while (k > 0 && table[k - 1] === table[k]) k -= 1;
    most = Math.max(most, k / (table.length - 1));
  }
  return most;
}

// Where the bulk slider was put, while all layers still stand where it put them.
function sharedShare(state, handle) {
  const tables = handle.shares ? sharedTables(state) : null;
  if (tables === null || state.share === null) return null;
  const stands = handle.names.every((name) => {
    const level = sharedLevel(tables, name, state.share);
    return level === null || Math.abs(level - askedOf(state, name)) < 1e-6;
  });
  return stands ? Math.min(state.share, fullShare(tables)) : null;
}

function renderSharing(state, select) {
  const methods = state.sensitivity?.methods ?? [];
  const told = state.allocation;
  const reason = sharingReason(state);
  if (reason === "" && told?.method === state.method && told.words !== "") {
    state.method = EVENLY; // what was asked for cannot be
    state.complaint = told.words;
  }
  const chosen = methods.find((x) => x.name === state.method);
  if (chosen?.whyNot) state.method = EVENLY;
  const key = JSON.stringify(methods);
  if (state.listedMethods !== key) {
    state.listedMethods = key;
    select.replaceChildren(...methods.map((x) => make("option", { value: x.name,
      disabled: x.whyNot ? "" : null, title: x.whyNot || x.says }, `by ${x.label}`)));
  }
  select.hidden = methods.length === 0;
  select.disabled = reason !== "";
  const value = (reason === "" && state.method) || EVENLY;
  if (select.value !== value) select.value = value;
  const shut = methods.filter((x) => x.whyNot).map((x) => `${x.label}: ${x.whyNot}`);
  const says = methods.find((x) => x.name === value)?.says ?? "";
  setAttribute(select, "title", reason || [says, ...shut].filter(Boolean).join("\n"));
}
