// What do the board's records hold? Read by the type checker alone.

import type { FATES } from "./paint.js";
import type { buildRow } from "./row.js";
import type { buildBoard, buildBlock } from "./rows.js";
import type { buildCurve } from "./curves.js";
import type { buildHeadline } from "./headline.js";
import type { buildParts, buildStatus } from "./board.js";
import type { buildPictures } from "./pictures.js";
import type { buildToolbar } from "./toolbar.js";
import type { makeSlider } from "./sliders.js";
import type { buildPlayback } from "./playback.js";
import type { radioGroup } from "./dom.js";
import type { buildMark } from "./map_marks.js";

/** A table over a fraction 0..1, linear between its entries. */
export type Table = ArrayLike<number>;
export type Shares = Record<string, number>;
export type Locks = Record<string, string>;
/** Place of a layer (`"5"`, `"2:4,0:9"`, `"all"`) -> kept, cut, or null: given back. */
export type Places = Record<string, boolean | null>;
/** A number that may not be known. */
export type Maybe = number | null | undefined;
/** JSON, of which nothing is known yet. */
export type Raw = any;
export type Timer = ReturnType<typeof setTimeout> | null;

// ---- what Python sends

export interface Scene {
  model?: string;
  scope: string;
  granularity: string;
  item: string;
  criterion_label: string;
  total_params: number;
  /** null: they cannot be counted. */
  total_macs: number | null;
  total_bytes: number;
  /** Of the network as it was first opened. */
  dense: { params: number; macs: number | null; bytes: number };
  products: Product[];
  /** Rankings that layers share, by name. */
  pools: Map<string, { total: number; scores: Table | null }>;
  byUnit: boolean;
  layers: Layer[];
  byName: Map<string, Layer>;
}

export interface Layer extends Chain {
  name: string;
  kind: string;
  shape: string;
  block: string;
  /** What its row is called: of a block that is left out as one, the block. */
  label: string;
  /** Whether another layer's row stands for it. */
  follows: boolean;
  /** Of a block: how many others go before it; else null. */
  place: number | null;
  items: number;
  item_params: number;
  weights: number;
  weight_bytes: number;
  macs: number;
  /** Items that N:M cuts, all or none; null for other granularities. */
  snap: number | null;
  /** Why nothing can be cut here. */
  disabled: string | null;
  /** The ranking it shares with others, of Scene.pools. */
  pool: string | null;
  /** Items that go when the pool loses j/1000 of its items. */
  reach: Table | null;
}

/** With which layers does one move? */
export interface Chain {
  /** The group's name: all members have one. */
  lead: string;
  members: string[];
  masksOnly: boolean;
  why: string;
  word: string;
  /** The share of a layer's rows that goes with all units of its group. */
  rows: number;
  /** [group, share of this layer's inputs that goes with all its units] */
  inputs: [string, number][];
}

/** A product apart from those of layers; of each axis [group, share]. */
export interface Product {
  macs: number;
  axes: [string, number][][];
}

export interface Histogram {
  lo: number;
  hi: number;
  log: boolean;
  counts: number[];
}

export interface Picture {
  rows: number;
  cols: number;
  all_rows: number;
  all_cols: number;
  note: string;
  row_word: string;
  col_word: string;
  row_index: Int32Array;
  col_index: Int32Array;
  weight: Float32Array | null;
  score: Float32Array | null;
  rank: Int32Array | null;
  limit_layer: number | null;
  classes: string[];
  /** [units, classes] */
  activation: Float32Array | null;
  activation_rows: Int32Array | null;
  unit_rank: Int32Array | null;
  /** The head of each row. */
  units: Int32Array | null;
  /** The first row of each head. */
  firsts: Int32Array | null;
  scores: Table | null;
  hist: Histogram | null;
  /** What views made of it, by view and palette. */
  made: Map<string, any>;
}

/** A matrix on few pixels; of each cell the value that is largest by magnitude. */
export interface Pooled {
  rows: number;
  cols: number;
  /** Pixels of the side of a cell. */
  depth: number;
  /** Members of a cell, down and across. */
  down: number;
  across: number;
  limit: number;
  /** In 32767ths of the limit. */
  values: Int16Array;
  /** Of each cell depth × depth ranks as codes, rising; null: none for each weight. */
  codes: Uint16Array | null;
  lines: PooledLine[];
  made: Map<string, any>;
}

/** Ranks of whole rows (or columns) as codes: units of a group. */
export interface PooledLine {
  group: string;
  across: boolean;
  codes: Uint16Array;
}

export interface Thumbnail {
  /** Why there is none. */
  why: string;
  matrix: Pooled | null;
  activation: Pooled | null;
  scores: Table | null;
  hist: Histogram | null;
}

export interface Points {
  x: number[];
  delta: number[];
  low: number[];
  high: number[];
}

export interface Curve {
  words: string;
  noOp: string;
  points: Points | null;
  knee: number | null;
  certain: number | null;
}

/** From the damage of each layer to the accuracy of the whole plan. */
export interface Link {
  damage: Table;
  accuracy: Table;
  missedAt: Table;
  missed: Table;
  words: string;
  least: number;
  most: number;
  tables: Map<string, Table>;
}

export interface Method {
  name: string;
  label: string;
  says: string;
  whyNot: string;
}

export interface Sensitivity {
  layers: Map<string, Curve>;
  worst: number;
  lose: number;
  words: string;
  estimate: Link | null;
  methods: Method[];
}

export interface Allocation {
  method: string;
  words: string;
  layers: Map<string, Table>;
}

/** The plan that Python answered last. */
export interface Settled {
  seq: number;
  step: number;
  sparsity: Shares;
  locked: Locks;
  cut: Record<string, number>;
  warnings: Record<string, unknown>;
  by_hand?: Record<string, unknown>;
  inputs_cut: { layer: string; bits: Int32Array } | null;
  kept_params?: unknown;
  kept_macs?: unknown;
}

export interface Measured {
  accuracy?: number;
  loss?: number;
  low?: number;
  high?: number;
  delta?: number;
  delta_low?: number;
  delta_high?: number;
  dense?: number;
  /** Of a trained version: the change from what its training left. */
  start?: { delta?: number; low?: number; high?: number } | null;
  n?: number;
  of?: number;
  full?: boolean;
  stale?: boolean;
  seq?: number;
  words?: string;
  measures?: string;
}

export interface Data {
  scene?: Raw;
  scene_id?: string;
  picture?: Raw;
  picture_id?: string;
  sensitivity?: Raw;
  sensitivity_id?: string;
  allocation?: Raw;
  allocation_id?: string;
  chart?: Raw;
  chart_id?: string;
  measure?: string;
  method?: string;
  focus?: string;
  settled?: Raw;
  measured?: Measured | null;
  dense?: { accuracy?: number } | null;
  /** Whether the network is a trained version of the dense one. */
  version?: boolean;
  task?: { share?: boolean; word?: string; note?: string } | null;
  slow?: string | null;
  background?: { label?: string; done?: number | null } | null;
  /** Seconds until there may be news; null where none will come by itself. */
  look?: number | null;
  can?: { undo?: boolean; redo?: boolean; measure?: boolean };
  help?: Record<string, Record<string, string>>;
  limit_model?: number | null;
  message?: string;
  /** Whether the message tells of a change of plan that can be undone. */
  undoes?: boolean;
  thumbnails?: {
    activity?: boolean;
    /** Layer -> what is pinned in it; "" -> in all. */
    pins?: Record<string, string>;
    /** Id -> a thumbnail. */
    pictures?: Record<string, Raw>;
  };
}

// ---- the records of the state; each is written in one file alone

/** What is to be pruned (answers.js). */
export interface Network {
  scene: Scene;
  sceneId: string;
  /** Layer -> id of its picture in this scene. */
  pictureIds: Map<string, string>;
  sensitivity: Sensitivity | null;
  sensitivityId: string;
  allocation: Allocation | null;
  allocationId: string;
  chart: TradeOff | null;
  chartId: string;
}

/** What Python said last (answers.js). */
export interface Answer {
  data: Data;
  settled: Settled | null;
  measured: Measured | null;
  /** What was named, never came and was asked for. */
  needed: Set<string>;
  trail: Trail;
}

/** What is asked of each layer (plan.js). */
export interface Plan {
  sparsity: Shares;
  /** Layer -> why it is locked. */
  locked: Locks;
  /** Layers moved since the last request. */
  touched: Set<string>;
  /** By what the bulk slider shares out; "" until Python has said. */
  method: string;
  /** Where the bulk slider was put last. */
  share: number | null;
  playing: Playing | null;
  /** Whether a playback is in slow motion. */
  slowly: boolean;
}

/** A plan that is seen on its way from the whole network. */
export interface Playing {
  target: Shares;
  /** 0..1 of the way. */
  at: number;
  /** The plan's, in Python's count. */
  step: number;
  runs: boolean;
  timer: Timer;
}

/** The talk with Python (requests.js). */
export interface Requests {
  seq: number;
  /** The last request that changed the plan. */
  planSeq: number;
  flight: Flight | null;
  queue: Entry[];
  /** Keys have moved a slider and may go on. */
  unsettled: boolean;
  sentFocus: string;
  flightTimer: Timer;
  quietTimer: Timer;
  restTimer: Timer;
  lookTimer: Timer;
}

/** What one looks at and chose (view.js). */
export interface View {
  focus: string;
  focusTimer: Timer;
  ticked: Set<string>;
  /** Blocks that are unfolded. */
  open: Set<string>;
  target: string;
  searchText: string;
  search: Search;
  kind: string;
  /** All layers side by side instead of rows. */
  wall: boolean;
  tool: string;
  scale: string;
  /** What the chart shows. */
  measure: string;
  /** How much of the score may be lost. */
  lose: number;
  complaint: string;
}

/** What a hand holds (hand.js). */
export interface Hand {
  /** The layers that move with a thumb that is held. */
  thumb: string[] | null;
  stroke: Stroke | null;
  pointer: Pointer | null;
}

/** The layers in sight, drawn in small (thumbnails.js). */
export interface Thumbnails {
  spots: Map<Element, Spot>;
  watch: IntersectionObserver | null;
  frame: number | null;
  wanted: string[];
  /** The pictures that were asked for last, how often, and when they may be again. */
  asked: string;
  times: number;
  next: number;
}

export interface Spot {
  node: Element;
  name: string;
  canvas: HTMLCanvasElement;
  follow: (thumbnail: Thumbnail | null) => void;
  image: ImageData;
  seen: boolean;
  key: string;
  repaints: number;
}

/** The elements of the page (board.js). */
export interface Page {
  root: HTMLElement;
  helpBox: HTMLElement;
  menuBox: HTMLElement;
  component: Component | null;
  /** The newest of Streamlit's calls. */
  call: object | null;
  keys: (event: KeyboardEvent) => void;
  palette: Palette;
  failed: string;
  parts: Parts;
  observer: ResizeObserver;
}

export interface State {
  network: Network;
  answer: Answer;
  plan: Plan;
  requests: Requests;
  view: View;
  hand: Hand;
  thumbnails: Thumbnails;
  page: Page;
  redraw: () => void;
  send: (request: Request) => void;
}

// ---- what they are made of

export interface Search {
  finds: (layer: { name: string; kind: string }) => boolean;
  wrong: boolean;
}

/** Whatever one slider moves; shares: by the method that was chosen. */
export interface Handle {
  kind: string;
  names: string[];
  shares?: boolean;
}

export interface Pin {
  layer: string;
  places: Places;
}

export interface Entry {
  kind: string;
  pin: Pin | null;
  /** The key of a point to return to, or "". */
  point: string;
  sparsity: Shares;
  locked: string[];
  touched: Set<string>;
}

export interface Request {
  seq: number;
  kind: string;
  sparsity: Shares;
  locked: string[];
  focus: string;
  scale: string;
  allocation: string;
  measure: string;
  lose: number;
  have: Record<string, string>;
  thumbnails: string[];
  pin?: Pin;
  point?: string;
}

export interface Flight {
  request: Request;
  wait: number;
}

export interface Cell {
  row: number;
  col: number;
  index: number;
}

export interface Stroke {
  layer: string;
  tool: string;
  from: Cell;
  to: Cell;
  frees: boolean;
}

/** Rows and inputs from `top` and `left` on, up to `bottom` and `right`. */
export interface Area {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** CSS pixels from the canvas (x, y) and from the section (left, top). */
export interface Pointer {
  x: number;
  y: number;
  left: number;
  top: number;
  width: number;
}

export interface Component {
  parentElement: HTMLElement;
  data: Data;
  setStateValue: (name: string, value: unknown) => void;
}

// ---- how it is drawn

export type Rgb = [number, number, number] | number[];

export interface Palette {
  id: string;
  dark: boolean;
  paper: Rgb;
  ink: Rgb;
  primary: Rgb;
  hand: Rgb;
  diverging: Uint32Array;
  sequential: Uint32Array;
}

export interface Size {
  width: number;
  height: number;
}

export interface Cells {
  rows: number;
  cols: number;
  colours: Uint32Array;
  rank: Int32Array | null;
  /** Ranks below it are cut. */
  limit: number;
  /** Cells as bits: those that go with another layer. */
  others: Int32Array | null;
  /** How many times as high as wide a cell may be. */
  stretch?: number;
}

export interface Drawn extends Cells {
  ramp: Uint32Array;
  marks: string[];
  says: string;
}

export interface Grid {
  canvas: HTMLCanvasElement;
  buffer: HTMLCanvasElement;
  image: ImageData | null;
  place: (Place & { ratio: number; rows: number; cols: number }) | null;
}

export interface Place {
  w: number;
  h: number;
  width: number;
  height: number;
}

export interface Estimate {
  accuracy: number;
  low: number;
  high: number;
  dense: number;
  words: string;
}

// ---- the chart

/** What Plotly draws; of its own form. */
export interface Figure {
  data: Raw[];
  layout: Record<string, Raw>;
}

/** A piece of a layer's name. */
export interface NamePart {
  kind: "path" | "digits" | "word" | "last";
  text: string;
}

/** What stands in the legend. */
export interface Mark {
  name: string;
  kind: string;
  colour: string;
}

export interface TradeOff {
  figure: Figure;
  /** Of the points, by position. */
  keys: string[];
  words: string;
}

/** Plotly's program, as far as it is used. */
export interface Plotly {
  react: (plot: Plot, data: Raw[], layout: Raw, options: Raw) => Promise<unknown>;
  relayout: (plot: Plot, changes: Raw) => Promise<unknown>;
  Fx: {
    hover: (plot: Plot, points: { curveNumber: number; pointNumber: number }[]) => void;
    unhover: (plot: Plot) => void;
  };
}

/** A plan on the chart that can be returned to: its trace and place there, and what it was. */
export interface ChartPlan {
  place: number;
  curve: number;
  point: number;
  x: number;
  y: number;
  words: string;
}

export interface Plot extends HTMLElement {
  on: (event: string, call: (what: { event: MouseEvent }) => void) => void;
  _fullLayout: Raw;
  _fullData: Raw[];
}

export interface Meeting {
  program: Promise<Plotly>;
  give: (program: Plotly) => void;
  begun: boolean;
}

/** Values at both ends, in pixels from the chart's corner. */
export interface Axis {
  range: number[];
  offset: number;
  length: number;
  upward: boolean;
}

export type Playback = ReturnType<typeof buildPlayback>;

export interface Chart {
  node: HTMLElement;
  measures: Radios;
  lose: HTMLInputElement;
  unit: HTMLElement;
  match: HTMLButtonElement;
  playback: Playback;
  back: HTMLElement;
  box: HTMLElement;
  points: HTMLInputElement;
  plot: Plot;
  /** Above Plotly's picture: what moves under the thumb. */
  over: HTMLElement;
  trail: Element;
  now: Element;
  rise: Element;
  interval: Element;
  none: HTMLElement;
  key: HTMLElement;
  listed: string;
  /** Whether this network's present point was ever estimated, or left a trail. */
  moved: { model: string; guess: boolean; way: boolean };
  words: HTMLElement;
  program: Plotly | null;
  axes: { x: Axis; y: Axis } | null;
  /** What Plotly has drawn, and what stands above it. */
  drawn: string;
  at: string;
}

export interface Present {
  /** measured, behind (of the plan before), estimated or none */
  kind: string;
  x: number;
  y: number | null;
  low: number | null;
  high: number | null;
}

export interface TrailPoint {
  kept: number;
  accuracy?: number;
  loss?: number;
}

export interface Trail {
  step: number;
  ended: boolean;
  points: TrailPoint[];
}

export interface Choice {
  id: string;
  text: string;
  says?: string;
}

export interface Moves {
  moves: (share: number) => void;
  settles: (soon: boolean) => void;
  starts: () => void;
  ends: () => void;
}

export type Slider = ReturnType<typeof makeSlider>;
export type Radios = ReturnType<typeof radioGroup>;
export type Toolbar = ReturnType<typeof buildToolbar>;
export type Headline = ReturnType<typeof buildHeadline>;
export type Pictures = Omit<ReturnType<typeof buildPictures>, "drawn"> & {
  /** What stands on the canvas. */
  drawn: Drawn | null;
};
export type Status = ReturnType<typeof buildStatus>;
export type Parts = Omit<ReturnType<typeof buildParts>, "pictures" | "rows"> & {
  pictures: Pictures;
  rows: Rows;
};
export interface Wall {
  node: HTMLElement;
  tiles: Tile[];
  shape: string;
}
export interface Tile {
  node: HTMLElement;
  name: string;
  slider: Slider;
  title: HTMLElement;
  count: HTMLElement;
  scores: HTMLCanvasElement;
  key: string;
}
export type Rows = Omit<ReturnType<typeof buildBoard>, "rest"> & { rest: Timer };
export type Track = Omit<ReturnType<typeof buildCurve>, "of"> & { of: Curve | null };
export type Row = LayerRow | BlockRow;
export type LayerRow = Omit<ReturnType<typeof buildRow>, "curve"> & Drawing & { curve: Track };
export type BlockRow = ReturnType<typeof buildBlock> & Drawing;

export interface Drawing {
  inside?: string;
  far?: boolean;
  stale?: boolean;
  key?: string;
}

export type Fate = (typeof FATES)[keyof typeof FATES];

// ---- the map of the network

export type MapPoint = [number, number];

/** Where the board and the map meet. */
export interface MapLink {
  board: {
    /** Share of each layer that is cut. */
    cut(): Map<string, number>;
    focus(): string;
    look(name: string): void;
  } | null;
  changed: (() => void) | null;
}

export interface MapMark {
  name: string;
  label: string;
  kind: string;
  layers: string[];
  x: number;
  y: number;
  width: number;
}

/** The line above an open block, in pixels. */
export interface MapTitle {
  name: string;
  label: string;
  from: number;
  to: number;
  row: number;
}

export interface MapFacts {
  /** lost: of the score, where half of the layer is cut alone; null: not scanned. */
  layers: Record<string, { weights: number, macs: number, lost: number | null }>;
  parameters: number;
  macs: number;
  /** Whether the score is told in per cent. */
  share: boolean;
  /** The layers of each group that are cut together. */
  groups: string[][];
}

export interface MapData extends MapFacts {
  marks: MapMark[];
  arrows: MapPoint[][];
  titles: MapTitle[];
  width: number;
  height: number;
}

export interface MapComponent {
  parentElement: HTMLElement;
  data: MapData;
  setTriggerValue(name: string, value: string): void;
}

export interface MapState {
  root: HTMLElement;
  measure: string;
  data: MapData | null;
  marks: (ReturnType<typeof buildMark> & { mark: MapMark })[];
  component: MapComponent | null;
  /** What is drawn now. */
  drawn: string;
  radios: ReturnType<typeof radioGroup>;
  low: HTMLElement;
  bar: HTMLElement;
  high: HTMLElement;
  fold: HTMLButtonElement;
  unfold: HTMLButtonElement;
  note: HTMLElement;
  scroll: HTMLElement;
}
