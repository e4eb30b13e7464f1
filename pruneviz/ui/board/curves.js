// How does the curve of a layer stand in its track?

function buildCurve() {
  const art = make("div", { class: "art" });
  art.innerHTML = '<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">'
    + '<path class="lost" /><path class="band" /><path class="mean" /></svg>';
  const [lost, band, mean] = art.querySelectorAll("path");
  const [certain, knee, at] = ["certain", "knee", "at"].map((x) => make("i", { class: x }));
  const node = make("div", { class: "curve", hidden: "" }, art, certain, knee, at);
  const rank = make("span", { class: "rank" });
  return { node, rank, lost, band, mean, certain, knee, at, key: "" };
}

const PIECES = 5; // of a straight piece of the curve, which the square root bends

// Down is lost: 0 at the track, the worst of all rows at the bottom; by the square root, so that
// a loss of one point shows.
function placeDown(delta, worst) {
  return Math.sqrt(clamp(-delta / worst, 0, 1)) * 100;
}

function drawCurve(curve, points, { knee, certain }, worst) {
  const xs = points.x.flatMap((x, i) => (i === 0 ? [x] : Array.from({ length: PIECES }, (_, k) =>
    x + (points.x[i - 1] - x) * (1 - (k + 1) / PIECES))));
  const line = (ys) => xs.map((x) =>
    `${(x * 100).toFixed(2)} ${placeDown(valueAt(points.x, ys, x), worst).toFixed(2)}`);
  const last = points.x.at(-1) * 100;
  const mean = line(points.delta);
  setAttribute(curve.mean, "d", `M${mean.join("L")}`);
  setAttribute(curve.lost, "d", `M${mean.join("L")}L${last} 0Z`);
  setAttribute(curve.band, "d", `M${line(points.low).join("L")}L${
    line(points.high).reverse().join("L")}Z`);
  putAt(curve.certain, certain, 0);
  putAt(curve.knee, knee, knee === null ? 0 : placeDown(valueAt(points.x, points.delta, knee),
    worst));
}

function putAt(mark, x, y) {
  mark.hidden = x === null;
  if (x === null) return;
  mark.style.left = `${x * 100}%`;
  mark.style.top = `${y}%`;
}

function levelText(fraction) {
  return `${fieldText(fraction)} %`;
}

// What the curve says at a level, with its interval; nothing beyond its last point. inPoints:
// whether the score is a share.
function alongWords({ points }, share, inPoints) {
  if (share > points.x.at(-1) + 1e-6) return "";
  const [delta, low, high] = [points.delta, points.low, points.high].map((ys) =>
    signedScore(valueAt(points.x, ys, share), inPoints));
  return `cut alone ${delta}${inPoints ? " points" : ""} (${low} … ${high})`;
}

function alongNote(state, layer, share) {
  const curve = curveOf(state, layer);
  const says = curve?.points ? alongWords(curve, share, isShare(state)) : "";
  return says && `, ${says}`;
}

function curveWords(state, layer, curve, share) {
  const along = share > 0 ? alongWords(curve, share, isShare(state)) : "";
  const lose = lossText(state.sensitivity.lose, isShare(state));
  return [
    `${layer.name}: ${curve.words}`,
    along && `at ${levelText(share)} ${along}`,
    curve.knee === null ? "" : `knee at ${levelText(curve.knee)}`,
    curve.certain === null ? ""
      : `from ${levelText(curve.certain)} on it surely loses more than ${lose}`,
  ].filter(Boolean).join("; ");
}

function renderCurve(state, row, share) {
  const { layer, curve: drawn, slider } = row;
  const curve = curveOf(state, layer);
  const points = curve?.points ?? null;
  const scanned = (state.sensitivity?.layers.size ?? 0) > 0;
  if (drawn.node.hidden !== (points === null)) drawn.node.hidden = points === null;
  setClass(row.node, "curved", points !== null);
  setText(drawn.rank, curve?.words || (scanned ? "not scanned" : ""));
  setAttribute(drawn.rank, "title", curve?.noOp || null);
  setClass(drawn.rank, "first", curve?.words === "most sensitive");
  if (points === null) {
    setAttribute(slider.range, "title", curve?.noOp ? `nothing could be cut: ${curve.noOp}` : null);
    return;
  }
  if (drawn.key !== state.sensitivityId || drawn.of !== curve) {
    drawn.key = state.sensitivityId;
    drawn.of = curve;
    drawCurve(drawn, points, curve, state.sensitivity.worst);
  }
  const known = share <= points.x.at(-1) + 1e-6;
  putAt(drawn.at, known ? share : null, placeDown(valueAt(points.x, points.delta, share),
    state.sensitivity.worst));
  const says = curveWords(state, layer, curve, share);
  setAttribute(slider.range, "title", says);
  setAttribute(drawn.node, "title", says);
}

// The one scale of all curves, beside the head of the column.
function renderScale(state, scale) {
  const shown = [...(state.sensitivity?.layers.values() ?? [])].some((x) => x.points !== null);
  if (scale.node.hidden === shown) scale.node.hidden = !shown;
  if (!shown) return;
  setText(scale.says, `↓ ${changeText(-state.sensitivity.worst, isShare(state))}`);
  setAttribute(scale.node, "title",
    `the curves end there below: the largest loss of all; ${state.sensitivity.words}`);
}
