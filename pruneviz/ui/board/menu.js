// What else can be done with a row?

import { make } from "./dom.js";
import { inSight, kindWord, shareOf } from "./handles.js";
import { isGlobal, isLocked, isMovable, isPooled } from "./plan.js";
import { holdOrFree, setAndSettle } from "./sliders.js";
import { fieldText } from "./words.js";

/** @import { Layer, State } from "./types.d.ts" */

/** @param {State} state */
function resetText(state) {
  return isGlobal(state) ? "Reset all layers to 0 %" : "Reset the layers alike to 0 %";
}

/**
 * @param {State} state
 * @param {Layer} layer
 */
export function rowMenu(state, layer) {
  const pooled = isPooled(state);
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
    choose(pooled ? resetText(state) : "Reset to 0 %", still, () =>
      setAndSettle(state, { kind: isGlobal(state) ? "master" : "layer", names: [layer.name] }, 0)),
    choose(`Copy ${fieldText(share)} % to all ${same.length} ${kindWord(layer.kind)}`
      + (state.view.searchText ? " found" : ""),
      pooled || same.length < 2, () =>
        setAndSettle(state, { kind: "block", names: same.map((x) => x.name) }, share)),
    choose(lockLabel, Boolean(layer.disabled), () => holdOrFree(state, layer.name)),
    ...(pooled ? [make("p", { class: "hint" }, `One ranking over ${isGlobal(state) ? "all layers"
      : "the layers of this kind and shape"}: they share one threshold and move together.`)] : []),
  ];
}
