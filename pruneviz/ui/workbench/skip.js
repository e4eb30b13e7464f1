// How does the keyboard get from the top of the page to the first slider?

const SLIDER = '[data-testid^="slider-"]:enabled';

/** The board draws in a shadow root, which no link can name. */
function firstSlider() {
    const roots = [...document.querySelectorAll("*")].map(each => each.shadowRoot);
    const found = roots.map(root => root?.querySelector(SLIDER)).find(Boolean);
    return /** @type {HTMLElement | undefined} */ (found ?? undefined);
}

/** @param {{ parentElement: ShadowRoot }} component */
export default function ({ parentElement }) {
    const link = /** @type {HTMLElement} */ (parentElement.querySelector("button"));
    link.onclick = () => firstSlider()?.focus();
}
