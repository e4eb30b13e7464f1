// How does somebody take a link along?

const SAID_FOR = 2000; // ms

/**
 * A page that is not served by https or from this machine has no clipboard to write to, but may
 * copy what is selected.
 * @param {HTMLInputElement} field
 */
async function copy(field) {
    field.select();
    try {
        await navigator.clipboard.writeText(field.value);
        return true;
    } catch {
        return document.execCommand("copy");
    }
}

/** @param {{ data: { link: string, label: string }, parentElement: ShadowRoot }} component */
export default function ({ data, parentElement }) {
    const field = /** @type {HTMLInputElement} */ (parentElement.querySelector("input"));
    const button = /** @type {HTMLButtonElement} */ (parentElement.querySelector("button"));
    const said = /** @type {HTMLOutputElement} */ (parentElement.querySelector("output"));
    field.value = data.link;
    field.setAttribute("aria-label", data.label);
    field.onfocus = () => field.select();
    button.setAttribute("aria-label", `Copy: ${data.label}`);
    button.onclick = async () => {
        said.textContent = await copy(field) ? "copied" : "press Ctrl+C";
        setTimeout(() => (said.textContent = ""), SAID_FOR);
    };
}
