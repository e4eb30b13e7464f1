/** Whoever has taken or dismissed the steps in this browser never sees them again. */
const KEY = "pruneviz.welcome";

function isKnown() {
    try {
        return localStorage.getItem(KEY) === "seen";
    } catch {
        return false; // a browser that keeps nothing is new each time
    }
}

function keep() {
    try {
        localStorage.setItem(KEY, "seen");
    } catch {
        // it is asked again
    }
}

/**
 * Open the tab below the board, and bring it into sight.
 * @param {string} name
 */
function openTab(name) {
    const tabs = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[role=tab]")]);
    const tab = tabs.find(each => each.textContent?.trim() === name);
    tab?.click();
    tab?.scrollIntoView({ block: "center" });
}

/** @param {{ data: { done: string[], pays: string }, parentElement: ShadowRoot }} component */
export default function ({ data, parentElement }) {
    const root = /** @type {HTMLElement} */ (parentElement.querySelector(".welcome"));
    const place = /** @type {HTMLElement | null} */ (parentElement.host?.closest(".st-key-welcome"));
    /** @param {boolean} shown */
    const show = shown => {
        root.hidden = !shown;
        if (place) place.style.display = shown ? "" : "none";
    };
    if (!root.dataset.open) {
        root.dataset.open = isKnown() ? "no" : "yes";
        /** @type {HTMLElement} */ (root.querySelector(".dismiss")).onclick = () => {
            keep();
            show(false);
        };
        show(root.dataset.open === "yes");
        // What stands below has as much less room.
        new ResizeObserver(() => document.documentElement.style.setProperty(
            "--first-steps", `${place?.offsetHeight ?? 0}px`)).observe(place ?? root);
    }
    const pays = /** @type {HTMLElement} */ (root.querySelector(".tab"));
    pays.textContent = data.pays;
    pays.onclick = () => openTab(data.pays);
    const steps = /** @type {HTMLElement[]} */ ([...root.querySelectorAll("li")]);
    for (const step of steps) {
        step.toggleAttribute("data-done", data.done.includes(step.dataset.step ?? ""));
    }
    if (steps.every(step => step.hasAttribute("data-done"))) keep();
}
