"""Does the network fit on a small device?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pruneviz.allocation.devices import (
    DEVICES,
    KIB,
    WIDTHS,
    Device,
    DeviceFit,
    Need,
    budget,
    size,
    verdict,
)
from pruneviz.allocation.suggestion import Suggestion
from pruneviz.glossary import TERMS
from pruneviz.pruning.labels import label
from pruneviz.scale import SHARE, Scale
from pruneviz.storage.faults import public
from pruneviz.ui.allocate.device_fit_work import (
    DeviceFitWork,
    by_neurons,
    look_for,
    measure,
    need_of,
    take,
)
from pruneviz.ui.allocate.device_totals import totals
from pruneviz.ui.boundary import part, ticking
from pruneviz.ui.chrome import follow, heading
from pruneviz.ui.look import tight
from pruneviz.ui.session import Session, change, plan_with
from pruneviz.ui.text import plain
from pruneviz.ui.workbench import address
from pruneviz.ui.workbench.live import listen, live_words, reach
from pruneviz.ui.workbench.live import measure as measure_accuracy
from pruneviz.workbench.units import by_unit

_KEYS = {"weights": "device_weights", "flash": "device_flash", "ram": "device_ram"}
_CHOICE, _REMEMBERED = "device_choice", "devices_asked"
_TICK = 0.4
_WIDTHS = {"int8": "int8 · 1 byte", "fp16": "fp16 · 2 bytes", "fp32": "fp32 · 4 bytes"}


def main() -> None:
    """The page from top to bottom."""
    tight()
    session = address.here()
    listen(session)
    work = DeviceFitWork.of(session)
    take(work)
    heading(session, "Small devices", label(session.settled))
    weights, own = _ask()
    if session.next_change is not None:
        _wait(work, "Preparing the units …")
        return
    need = need_of(work, weights)
    if need is None:
        _size(work)
        return
    _totals(work, need, weights)
    devices = [*([own] if own else []), *DEVICES]
    st.dataframe(
        table(need, devices),
        hide_index=True,
        height="content",
        key="devices",
        row_height=32,
        column_config={
            "kind": st.column_config.TextColumn(width=160),
            "verdict": st.column_config.TextColumn(width=260),
        },
    )
    st.caption(
        "Weights and activations alone: the program, its stack and the system come on top.",
        help=TERMS["fits"].as_markdown(),
    )
    _one_device(work, need, devices, weights)
    measure_accuracy(session)


def _ask() -> tuple[str, Device | None]:
    """The width of the weights, and a budget of one's own, if it is whole."""
    values = st.session_state.setdefault(
        _REMEMBERED, {"weights": "int8", "flash": 128.0, "ram": 32.0}
    )
    for name, key in _KEYS.items():  # Streamlit forgets widgets that were not drawn
        st.session_state.setdefault(key, values[name])
    columns = st.columns([3, 2, 2, 3], vertical_alignment="bottom")
    weights = columns[0].segmented_control(
        "Weights and activations",
        list(WIDTHS),
        default=st.session_state[_KEYS["weights"]],
        key=_KEYS["weights"],
        required=True,
        format_func=_WIDTHS.__getitem__,
        help="How wide a stored number is. The sizes are exact; the accuracy is that of 32 bits. "
        "What 8 bits do to it is measured by a click.",
    )
    flash = columns[1].number_input(
        "Your flash (KiB)",
        value=st.session_state[_KEYS["flash"]],
        key=_KEYS["flash"],
        step=16.0,
        format="%.0f",
        help="What is free for weights on your own device.",
    )
    ram = columns[2].number_input(
        "Your RAM (KiB)",
        value=st.session_state[_KEYS["ram"]],
        key=_KEYS["ram"],
        step=8.0,
        format="%.0f",
        help="What is free for activations on it.",
    )
    values |= {"weights": weights, "flash": flash, "ram": ram}
    try:
        return str(weights), budget(float(flash), float(ram))
    except ValueError as error:
        st.error(plain(f"{public(error)}."))
        return str(weights), None


def _size(work: DeviceFitWork) -> None:
    if work.failed is not None and work.failed[0] == work.session.settled:
        st.error(f"What this plan takes can't be counted: {plain(work.failed[1])}")
        if st.button("Try again", key="devices-again"):
            measure(work)
            st.rerun()
        return
    if not work.running:
        measure(work).wait(_TICK)
        st.rerun()
    _wait(work, "Counting …")


def _wait(work: DeviceFitWork, words: str) -> None:
    @ticking(_TICK)
    def watch() -> None:
        job = work.job
        if work.session.next_change is not None:
            if listen(work.session) or work.session.next_change is None:
                st.rerun()
            st.progress(0.0, plain(words))
            return
        follow(job, "devices-cancel")

    watch()


@part
def _totals(work: DeviceFitWork, need: Need, weights: str) -> None:
    session = work.session
    live_words(session, lambda: totals(work, need, weights))
    if not by_unit(session.settled):
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.info(
            "This plan cuts single weights. Zeros are stored like any other number: they shrink "
            "neither the file nor the activations. Whole neurons and filters do."
        )
        if right.button("Switch to neurons", key="devices-neurons", width="stretch"):
            _switch(session)


def _switch(session: Session) -> None:
    plan = by_neurons(session.settled)
    reach(session, plan, lambda: plan_with(session, plan), lambda session: change(session, plan))
    st.rerun()


def table(need: Need, devices: list[Device]) -> pd.DataFrame:
    """What is needed against what there is, one row a device."""
    rows = []
    for device in devices:
        fit = verdict(need, device)
        rows.append(
            {
                "device": device.name,
                "kind": device.kind,
                "verdict": f"{'✓' if fit.fits else '✗'} {fit.words}",
                "flash": "a card" if device.flash is None else size(device.flash),
                "flash used": _share(fit.flash_share),
                "RAM": size(device.ram),
                "RAM used": _share(fit.ram_share),
                "source": f"{device.source}. {device.note}".strip(". "),
            }
        )
    return pd.DataFrame(rows)


def _share(share: float | None) -> str:
    if share is None:
        return "–"
    per_cent = 100 * share
    return "< 0.1 %" if per_cent < 0.1 else f"{per_cent:,.1f} %"


@part
def _one_device(work: DeviceFitWork, need: Need, devices: list[Device], weights: str) -> None:
    names = [device.name for device in devices]
    short = [device.name for device in devices if not verdict(need, device).fits]
    if st.session_state.get(_CHOICE) not in names:
        last = st.session_state[_REMEMBERED].get("choice")
        first = short[0] if short else names[0]
        st.session_state[_CHOICE] = last if last in names else first
    left, right = st.columns([2, 5], vertical_alignment="bottom")
    choice = left.selectbox(
        "Make it fit on",
        names,
        index=names.index(st.session_state[_CHOICE]),
        key=_CHOICE,
        help=TERMS["suggestion"].as_markdown(),
    )
    st.session_state[_REMEMBERED]["choice"] = choice
    device = devices[names.index(choice)]
    fit = verdict(need, device)
    with right:
        if fit.fits:
            st.success(f"Fits {plain(device.name)}: {plain(_use_text(fit))}.")
        else:
            st.warning(plain(f"Does not fit {device.name}, {fit.words}: {_use_text(fit)}."))
    wish = (work.session.settled, device, weights)
    if work.running:
        rounds = work.rounding is not None
        _wait(work, "Measuring as int8 …" if rounds else "Looking for a plan that fits …")
    elif not fit.fits:
        _suggest(work, device, weights, wish)


def _use_text(fit: DeviceFit) -> str:
    flash = "" if fit.flash_share is None else f"{_share(fit.flash_share)} of its flash, "
    return f"{flash}{_share(fit.ram_share)} of its RAM"


def _suggest(work: DeviceFitWork, device: Device, weights: str, wish: object) -> None:
    session = work.session
    if not by_unit(session.settled):
        st.caption("Suggestions remove whole units: switch to neurons first.")
        return
    if st.button("Suggest sliders", key="devices-suggest", icon=":material/lightbulb:"):
        look_for(work, device, weights)
        st.rerun()
    if work.wish != wish:
        return
    if work.message is not None:
        st.warning(plain(work.message))
    if work.suggestion is not None:
        _show(session, work.suggestion)


def _show(session: Session, suggestion: Suggestion) -> None:
    if suggestion.plan is None:
        st.error(plain(suggestion.words))
        return
    st.markdown(plain(suggestion.words))
    st.dataframe(
        steps(suggestion, session.bench.task.scale),
        hide_index=True,
        height="content",
        key="devices-steps",
    )
    if st.button("Apply", key="devices-apply", type="primary"):
        try:
            session.settle(suggestion.plan)
        except ValueError as error:
            session.message = public(error)
        else:
            session.message = None
        st.rerun()


def steps(suggestion: Suggestion, scale: Scale = SHARE) -> pd.DataFrame:
    """The sliders of a suggestion, one row each, in the order in which they were first raised."""
    return pd.DataFrame(
        [
            {
                "slider": step.slider,
                "now": f"{100 * step.before:.0f} %",
                "suggested": f"{100 * step.after:.0f} %",
                "saves": f"{step.saved / KIB:,.1f} KiB",
                "predicted loss": scale.change_text(step.lost).removeprefix("+"),
            }
            for step in suggestion.by_slider()
        ]
    )


part(main)()
