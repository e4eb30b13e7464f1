// What is left of the network?

function makeTile(state, topic, label, testid) {
  const value = make("div", { class: "value", "data-testid": testid }, "–");
  const under = make("div", { class: "under" });
  const title = make("span", {}, label);
  const name = make("div", { class: "label" }, title, helpButton(state, topic, label));
  const node = make("div", { class: `tile ${topic}` }, name, value, under);
  return { node, title, value, under };
}

function buildHeadline(state) {
  const tiles = {
    accuracy: makeTile(state, "accuracy", "accuracy", "accuracy"),
    delta: makeTile(state, "delta", "change from dense", "delta"),
    kept: makeTile(state, "kept", "parameters kept", "kept"),
    macs: makeTile(state, "macs", "MACs, ideal engine", "macs"),
    size: makeTile(state, "size", "size estimate", "size"),
  };
  const busy = make("span", { class: "busy" }, "measuring …");
  tiles.accuracy.node.firstChild.append(busy);
  const done = make("div", { class: "done" });
  const progress = make("div", { class: "progress", role: "progressbar", "aria-valuemin": 0,
    "aria-valuemax": 100, hidden: "" }, done);
  const nodes = Object.values(tiles).map((tile) => tile.node);
  const measures = make("span", { "data-testid": "measures" });
  const caution = make("strong", { class: "caution", "data-testid": "caution" });
  const line = make("div", { class: "measures" }, caution, measures);
  const node = make("section", { class: "headline", "aria-label": "what is left" }, ...nodes,
    line, progress);
  return { node, tiles, busy, line, measures, caution, progress, done };
}

function intervalText(low, high, share = true) {
  if (!share) return `${scoreText(low, false)} – ${scoreText(high, false)}`;
  return `${percentText(low)} – ${percentText(high)} %`;
}

// Whether the score is a share of what is right, told in per cent and points.
const isShare = (state) => state.data?.task?.share !== false;

function sampleText(measured) {
  if (!isNumber(measured.n)) return "";
  const whole = measured.full || measured.n === measured.of;
  if (whole) return `measured on all ${countText(measured.n)}`;
  const of = isNumber(measured.of) ? ` of ${countText(measured.of)}` : "";
  return `measured on ${countText(measured.n)}${of}`;
}

function renderMeasures(state, headline) {
  const task = state.data?.task;
  setText(headline.tiles.accuracy.title, textOf(task?.word) || "accuracy");
  const later = state.data?.slow && !state.data.background;
  setText(headline.busy, later ? "measured on release" : "measuring …");
  setText(headline.measures, textOf(state.measured?.measures));
  setClass(headline.measures, "old", isMeasuring(state));
  setText(headline.caution, textOf(task?.note));
  headline.caution.hidden = !task?.note;
  headline.line.hidden = headline.measures.textContent + headline.caution.textContent === "";
}

// Drawn as an estimate until the measurement is there.
function renderEstimate(state, tiles, { accuracy, low, high, words, dense }) {
  const share = isShare(state);
  setText(tiles.accuracy.value, `≈ ${scoreText(accuracy, share)}`);
  setText(tiles.accuracy.under, `${intervalText(low, high, share)}, estimated`);
  setAttribute(tiles.accuracy.under, "title",
    `${words}; ${textOf(state.data?.slow) || "measuring …"}`);
  setClass(tiles.delta.node, "words", false);
  setText(tiles.delta.value, isNumber(dense) ? `≈ ${changeText(accuracy - dense, share)}` : "–");
  setText(tiles.delta.under, isNumber(dense)
    ? `estimated, dense ${scoreText(dense, share)}` : "estimated");
}

function renderAccuracy(state, tiles) {
  const { measured } = state;
  const guess = estimateShown(state);
  for (const tile of [tiles.accuracy, tiles.delta]) setClass(tile.node, "guessed", guess !== null);
  setAttribute(state.root, "data-estimate", guess?.accuracy ?? "");
  // Of the samples that were measured; the network as a whole only where nothing was yet.
  const dense = state.measured?.dense ?? state.data?.dense?.accuracy;
  const busy = isMeasuring(state);
  for (const tile of [tiles.accuracy, tiles.delta]) setClass(tile.node, "old", busy);
  if (guess !== null) return renderEstimate(state, tiles, guess);
  const share = isShare(state);
  const against = isNumber(dense) ? `dense ${scoreText(dense, share)}` : "";
  if (!measured || !isNumber(measured.accuracy)) {
    setText(tiles.accuracy.value, "–");
    setText(tiles.accuracy.under, state.data?.background ? "measuring …" : "not measured yet");
    setText(tiles.delta.value, "–");
    setText(tiles.delta.under, against);
    return;
  }
  setText(tiles.accuracy.value, scoreText(measured.accuracy, share));
  const interval = isNumber(measured.low) ? intervalText(measured.low, measured.high, share) : "";
  const known = [interval, sampleText(measured)].filter(Boolean).join(", ");
  const waits = state.data?.background ? "measuring …" : textOf(state.data?.slow);
  setText(tiles.accuracy.under, (busy && state.data?.slow && waits) || known);
  setAttribute(tiles.accuracy.under, "title", tiles.accuracy.under.textContent);
  const words = textOf(measured.words);
  const inWords = words !== "" && !/\d/.test(words);
  const points = changeText(measured.delta, share);
  setClass(tiles.delta.node, "words", inWords);
  setText(tiles.delta.value, inWords ? words : isNumber(measured.delta) ? points : words || "–");
  const range = isNumber(measured.delta_low)
    ? `(${signedScore(measured.delta_low, share)} … ${signedScore(measured.delta_high, share)})`
    : "";
  const first = inWords && isNumber(measured.delta) ? `${points} ${range}` : range;
  setText(tiles.delta.under, [first, against].filter(Boolean).join(", "));
}

function shareText(part, total) {
  return total > 0 ? `${percentText(part / total)} %` : "–";
}

function renderHeadline(state, headline) {
  const { tiles, progress, done } = headline;
  renderAccuracy(state, tiles);
  renderMeasures(state, headline);
  renderHelp(state);
  const { scene } = state;
  const totals = totalsNow(state);
  setText(tiles.kept.value, shareText(totals.kept, scene.total_params));
  const about = totals.exact || !(isGlobal(state) || scene.byUnit) ? "" : "≈ ";
  const count = `${about}${countText(totals.kept)} of ${countText(scene.total_params)}`;
  setText(tiles.kept.under, count);
  const counted = scene.total_macs !== null;
  const macs = `${shortText(totals.macs)} of ${shortText(scene.total_macs)}`;
  setText(tiles.macs.value, counted ? `≈ ${shareText(totals.macs, scene.total_macs)}` : "unknown");
  setText(tiles.macs.under, counted ? macs : "cannot be counted here");
  setText(tiles.size.value, `≈ ${bytesText(totals.bytes)}`);
  setText(tiles.size.under, `of ${bytesText(scene.total_bytes)}, as bitmask`);
  setAttribute(state.root, "data-kept", Math.round(totals.kept));
  setAttribute(state.root, "data-accuracy", state.measured?.accuracy ?? "");
  setAttribute(state.root, "data-measured-seq", state.measured?.seq ?? "");
  setAttribute(state.root, "data-seq", state.seq);
  const work = state.data?.background;
  const part = isNumber(work?.done) ? clamp(work.done, 0, 1) : 0;
  if (progress.hidden !== !work) progress.hidden = !work;
  setAttribute(progress, "aria-label", work ? textOf(work.label) : null);
  setAttribute(progress, "aria-valuenow", work ? Math.round(part * 100) : null);
  done.style.transform = `scaleX(${part})`;
}
