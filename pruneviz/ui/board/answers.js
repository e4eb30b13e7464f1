// What has Python answered, and what is still missing?

import { readChart } from "./figure.js";
import { chooseMethod } from "./plan.js";
import { readThumbnail } from "./pooled.js";
import { lengthened, newTrail } from "./present.js";
import { adopt, enqueue, followFocus, lookLater, pump, sharpenAtRest } from "./requests.js";
import { allocations, pictures, scenes, sensitivities, thumbnails } from "./store.js";
import {
  isNumber, NO_SCENE, readPicture, readScene, readSensitivity, readSettled, readTables,
  textOf,
} from "./wire.js";

/** @import { Answer, Data, Network, Settled, State } from "./types.d.ts" */

/** @returns {Answer} */
export function newAnswer() {
  return { data: {}, settled: null, measured: null, needed: new Set(), trail: newTrail() };
}

/** @returns {Network} */
export function newNetwork() {
  return {
    scene: NO_SCENE,
    sceneId: "",
    pictureIds: new Map(),
    sensitivity: null,
    sensitivityId: "",
    allocation: null,
    allocationId: "",
    chart: null,
    chartId: "",
  };
}

/**
 * The newest scene, picture and plan; what was named but never came is asked for once.
 * @param {State} state
 * @param {Data} data
 */
export function receive(state, data) {
  const { answer } = state;
  answer.data = data ?? {};
  answer.measured = answer.data.measured ?? null;
  takeScene(state);
  takeCurves(state);
  takeTables(state);
  takeChart(state);
  const settled = readSettled(answer.data.settled);
  if (settled) {
    answer.settled = settled;
    adopt(state, settled);
    takeTrail(state, settled);
  }
  followFocus(state, textOf(answer.data.focus));
  takePicture(state);
  takeThumbnails(state);
  askForMissing(state);
  pump(state);
  sharpenAtRest(state);
  lookLater(state);
}

/** @param {State} state */
function takeScene(state) {
  const { network } = state;
  const { scene } = state.answer.data;
  const id = textOf(state.answer.data.scene_id);
  if (!scene && !id) network.scene = NO_SCENE;
  if (scene && typeof scene === "object") {
    network.scene = readScene(scene);
    if (id) scenes.keep(id, network.scene);
  } else if (id) {
    const known = scenes.get(id);
    if (known === null) return; // named but not here: the old one stays until it comes
    network.scene = known;
  }
  if (network.sceneId !== id) network.pictureIds.clear();
  network.sceneId = network.scene === NO_SCENE ? "" : id;
}

/**
 * Curves and levels are named like scenes: what the browser holds is not sent again.
 * @param {State} state
 */
function takeCurves(state) {
  const { network } = state;
  const { sensitivity: given, sensitivity_id: named, method } = state.answer.data;
  if (state.plan.method === "") chooseMethod(state, textOf(method));
  const id = textOf(named);
  if (isSent(given) && id && !sensitivities.has(id)) {
    sensitivities.keep(id, readSensitivity(given));
  }
  if (id && !sensitivities.has(id)) return; // the old ones stay until they come
  network.sensitivity = sensitivities.get(id);
  network.sensitivityId = id;
}

/** @param {State} state */
function takeTables(state) {
  const { network } = state;
  const { allocation: given, allocation_id: named } = state.answer.data;
  const id = textOf(named);
  if (isSent(given) && id && !allocations.has(id)) allocations.keep(id, readTables(given));
  if (id && !allocations.has(id)) return;
  network.allocation = allocations.get(id);
  network.allocationId = id;
}

/**
 * The newest alone: a point comes with every plan.
 * @param {State} state
 */
function takeChart(state) {
  const { network } = state;
  const { chart, chart_id: named } = state.answer.data;
  const read = isSent(chart) ? readChart(chart) : null;
  if (read === null) return;
  network.chart = read;
  network.chartId = textOf(named);
}

/**
 * @param {State} state
 * @param {Settled} settled
 */
function takeTrail(state, { step, seq, kept_params: kept }) {
  const { answer } = state;
  const { measured } = answer;
  if (!measured || measured.stale || measured.seq !== seq || !isNumber(kept)) return;
  const { accuracy, loss } = measured;
  if (state.plan.playing?.at === 0) answer.trail = newTrail(); // the way begins there
  answer.trail = lengthened(answer.trail, step, { kept, accuracy, loss });
}

/** @param {unknown} given */
function isSent(given) {
  return Boolean(given) && typeof given === "object";
}

/** @param {State} state */
function takePicture(state) {
  const { picture, picture_id: named, focus } = state.answer.data;
  const id = textOf(named);
  if (!id) return;
  if (isSent(picture) && !pictures.has(id)) pictures.keep(id, readPicture(picture));
  if (pictures.has(id)) state.network.pictureIds.set(textOf(focus), id);
}

/** @param {State} state */
function takeThumbnails(state) {
  for (const [id, given] of Object.entries(state.answer.data.thumbnails?.pictures ?? {})) {
    if (isSent(given) && !thumbnails.has(id)) thumbnails.keep(id, readThumbnail(given));
  }
}

/** @param {State} state */
function askForMissing(state) {
  const { needed } = state.answer;
  const { scene_id: scene, picture_id: picture } = state.answer.data;
  const { sensitivity_id: curves, allocation_id: tables, chart_id: chart } = state.answer.data;
  const lacks = [
    scene && !scenes.has(scene) ? `scene ${scene}` : "",
    picture && !pictures.has(picture) ? `picture ${picture}` : "",
    curves && !sensitivities.has(curves) ? `curves ${curves}` : "",
    tables && !allocations.has(tables) ? `tables ${tables}` : "",
    chart && chart !== state.network.chartId ? `chart ${chart}` : "",
  ].filter(Boolean);
  if (lacks.length === 0) needed.clear();
  if (lacks.every((id) => needed.has(id))) return;
  for (const id of lacks) needed.add(id);
  enqueue(state, "need");
}
