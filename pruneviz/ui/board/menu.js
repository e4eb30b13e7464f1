// What else can be done with a row?

import { make } from "./dom.js";
import { inSight, kindWord, shareOf } from "./handles.js";
import { isGlobal, isLocked, isMovable } from "./plan.js";
import { holdOrFree, setAndSettle } from "./sliders.js";
import { fieldText } from "./words.js";

/** @import { Layer, State } from "./types.d.ts" */

/**
 * @param {State} state
 * @param {Layer} layer
 */
export function rowMenu(state, layer) {
  const global = isGlobal(state);
  const still = !isMovable(state, layer);
  const same = inSight(state, state.network.scene.layers).filter((x) =>
    kindWord(x.kind) === kindWord(layer.kind));
  const choose = (/** @type {string} */ label, /** @type {boolean} */ disabled,
    /** @type {() => void} */ action) =>
    make("button", { type: "button", class: "choice", disabled: disabled ? "" : null,
      onclick: () => {
        state.page.menuBox.hidePopover();
        action();
      } }, label);
  const share = shareOf(state, { kind: "layer", names: [layer.name] });
  const lockLabel = isLocked(state, layer.name) ? "Unlock" : "Lock at this sparsity";
  return [
    choose(global ? "Reset all layers to 0 %" : "Reset to 0 %", still, () =>
      setAndSettle(state, { kind: global ? "master" : "layer", names: [layer.name] }, 0)),
    choose(`Copy ${fieldText(share)} % to all ${same.length} ${kindWord(layer.kind)}`
      + (state.view.searchText ? " found" : ""),
      global || same.length < 2, () =>
        setAndSettle(state, { kind: "block", names: same.map((x) => x.name) }, share)),
    choose(lockLabel, Boolean(layer.disabled), () => holdOrFree(state, layer.name)),
    ...(global ? [make("p", { class: "hint" }, "One ranking over all layers: they share one "
      + "threshold and move together.")] : []),
  ];
}
