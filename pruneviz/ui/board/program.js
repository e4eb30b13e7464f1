// Where do the board and the component that brings Plotly's program meet?

/** @import { Meeting, Plotly } from "./types.d.ts" */

const PLACE = Symbol.for("pruneviz.plotly"); // of the page: each component has modules of its own

/** @returns {Meeting} */
function meeting() {
  const page = /** @type {Record<symbol, Meeting>} */ (/** @type {unknown} */ (globalThis));
  if (!page[PLACE]) {
    /** @type {(program: Plotly) => void} */
    let give = () => {};
    /** @type {Promise<Plotly>} */
    const program = new Promise((take) => {
      give = take;
    });
    page[PLACE] = { program, give, begun: false };
  }
  return page[PLACE];
}

/**
 * Plotly's program once it is here.
 * @returns {Promise<Plotly>}
 */
export function plotly() {
  return meeting().program;
}

/**
 * Unpacks the program and runs it, once on a page.
 * @param {Uint8Array<ArrayBuffer>} packed by gzip
 */
export async function bring(packed) {
  const place = meeting();
  if (place.begun || !packed?.length) return;
  place.begun = true;
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const text = await new Response(stream).blob();
  const script = document.createElement("script");
  script.src = URL.createObjectURL(text.slice(0, text.size, "text/javascript"));
  script.addEventListener("load", () => {
    URL.revokeObjectURL(script.src);
    const page = /** @type {{ Plotly: Plotly }} */ (/** @type {unknown} */ (window));
    place.give(page.Plotly);
  });
  document.head.append(script);
}
