// What does the component do that brings the chart's program along?

import { bring } from "./program.js";

/** @param {{ data: Uint8Array<ArrayBuffer> }} component */
export default function deliver(component) {
  bring(component.data).catch(console.error);
}
