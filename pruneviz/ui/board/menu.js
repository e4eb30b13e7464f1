// What else can be done with a row?

function rowMenu(state, layer) {
  const global = isGlobal(state);
  const still = !isMovable(state, layer);
  const same = state.scene.layers.filter((x) => kindWord(x.kind) === kindWord(layer.kind));
  const choose = (label, disabled, action) =>
    make("button", { type: "button", class: "choice", disabled: disabled ? "" : null,
      onclick: () => {
        state.menuBox.hidePopover();
        action();
      } }, label);
  const share = shareOf(state, { kind: "layer", names: [layer.name] });
  const lockLabel = isLocked(state, layer.name) ? "Unlock" : "Lock at this sparsity";
  return [
    choose(global ? "Reset all layers to 0 %" : "Reset to 0 %", still, () =>
      setAndSettle(state, { kind: global ? "master" : "layer", names: [layer.name] }, 0)),
    choose(`Copy ${fieldText(share)} % to all ${same.length} ${kindWord(layer.kind)}`,
      global || same.length < 2, () =>
        setAndSettle(state, { kind: "block", names: same.map((x) => x.name) }, share)),
    choose(lockLabel, Boolean(layer.disabled), () => toggleLock(state, layer.name)),
    ...(global ? [make("p", { class: "hint" }, "One ranking over all layers: they share one "
      + "threshold and move together.")] : []),
  ];
}

function setAndSettle(state, handle, share) {
  moveHandle(state, handle, share);
  settleNow(state);
  render(state);
}
