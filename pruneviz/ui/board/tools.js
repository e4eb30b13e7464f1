// With which tools does a hand work on the picture?

const TOOLS = [
  ["look", "clicks on the picture change nothing"],
  ["cut", "click or brush on the picture: cut by hand"],
  ["keep", "click or brush on the picture: keep by hand"],
];

function chooseTool(state, id) {
  state.tool = id;
  state.complaint = "";
  render(state);
}

function buildTools(state) {
  const tools = TOOLS.map(([id, says]) =>
    make("button", { type: "button", role: "radio", class: `segment ${id}`, title: says,
      "data-testid": `tool-${id}`, onclick: () => chooseTool(state, id) }, id));
  const group = make("div", { class: "segments", role: "radiogroup", "aria-label":
    "what a click on the picture does", onkeydown: (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: 2, ArrowUp: 2 }[event.key];
    if (!step || tools[1].disabled) return;
    event.preventDefault();
    const now = TOOLS.findIndex(([id]) => id === state.tool);
    const next = (Math.max(0, now) + step) % TOOLS.length;
    chooseTool(state, TOOLS[next][0]);
    tools[next].focus();
  } }, ...tools);
  const field = make("input", { type: "text", inputmode: "numeric", class: "number unit",
    autocomplete: "off", "data-testid": "unit-number", "data-typed": "yes" });
  const act = (id, label, kept) => make("button", { type: "button", class: "small",
    "aria-label": `${label} by hand`, "data-testid": `unit-${id}`, onclick: () =>
      pinTyped(state, field, kept) }, label);
  const acts = [act("cut", "Cut", false), act("keep", "Keep", true), act("unpin", "Unpin", null)];
  const cut = make("span", { class: "mark" });
  const keep = make("span", { class: "mark" });
  const marks = make("span", { class: "handmarks", "data-testid": "by-hand" },
    make("i", { class: "cut" }), cut, make("i", { class: "keep" }), keep);
  const all = make("button", { type: "button", class: "small", "data-testid": "unpin-all",
    title: "give all of this layer back to the criterion", onclick: () => {
      pinNow(state, { all: null });
      render(state);
    } }, "unpin all");
  const node = make("div", { class: "line tools" }, group, field, ...acts, marks, all);
  return { node, tools, field, acts, marks, cut, keep, all };
}

function pinTyped(state, field, kept) {
  const picture = pictureNow(state);
  const layer = state.scene?.byName.get(state.focus);
  if (!picture || !layer) return;
  const most = (picture.firsts ? picture.firsts.length : picture.all_rows) - 1;
  const typed = field.value.trim();
  const number = /^\d+$/.test(typed) ? Number(typed) : -1;
  const wrong = number < 0 || number > most;
  setAttribute(field, "aria-invalid", wrong ? "true" : null);
  state.complaint = wrong
    ? `${unitWord(state, layer, picture)} must be a number from 0 to ${countText(most)}.` : "";
  if (!wrong) pinNow(state, { [picture.firsts ? picture.firsts[number] : number]: kept });
  render(state);
}

function renderTools(state, layer, picture) {
  const { tools, field, acts, marks, cut, keep, all } = state.view_.hand;
  const reason = toolReason(state, layer);
  const tool = layer ? toolNow(state, layer) : "look";
  TOOLS.forEach(([id, says], i) => {
    const off = reason !== "" && id !== "look";
    if (tools[i].disabled !== off) tools[i].disabled = off;
    setAttribute(tools[i], "title", off ? reason : says);
    setAttribute(tools[i], "aria-checked", String(tool === id));
    setAttribute(tools[i], "tabindex", tool === id ? 0 : -1);
  });
  setAttribute(state.view_.box, "data-tool", tool);
  const word = layer ? unitWord(state, layer, picture) : "unit";
  setAttribute(field, "placeholder", word);
  setAttribute(field, "aria-label", `number of a ${word} to cut or keep by hand`);
  for (const control of [field, ...acts]) {
    const off = reason !== "" || !picture;
    if (control.disabled !== off) control.disabled = off;
    setAttribute(control, "title", reason || null);
  }
  const [gone, held] = layer ? byHand(state, layer) : [0, 0];
  marks.hidden = gone + held === 0;
  all.hidden = gone + held === 0;
  all.disabled = reason !== "";
  setText(cut, countText(gone));
  setText(keep, countText(held));
  const says = `by hand: ${countText(gone)} cut, ${countText(held)} kept`;
  setAttribute(marks, "title", says);
  setAttribute(marks, "aria-label", says);
  setAttribute(marks, "role", "img");
}

// What a click would do, for the words under the pointer.
function toolWords(state, layer, picture, drawn, cell) {
  const tool = toolNow(state, layer);
  if (tool === "look") return [];
  const frees = freesAt(picture, drawn, tool, cell);
  const what = state.scene.byUnit ? unitWord(state, layer, picture) : "weight";
  return [frees ? `click: give this ${what} back` : `click: ${tool} this ${what} by hand`];
}
