// The keyboard: which key does what, and the dialog that tells so. Plain letters do nothing while one types.

import { h } from "./dom.js";

const COMMAND = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl";

/** [keys as shown, what they do, test of the event, works while typing]. `does` names the action. */
const KEYS = [
  [[COMMAND, "Enter"], "Run", "run", (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey), true],
  [["Esc"], "Stop the run", "stop", (event) => event.key === "Escape", true],
  [["/"], "Go to a function, prompt, chain, agent or run", "palette", (event) => event.key === "/"],
  [[COMMAND, "K"], "The same, while typing", "palette", (event) => event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey), true],
  [["E"], "Edit and resend the run that is shown", "replay", (event) => event.key === "e"],
  [["C"], "Compare the run that is shown with another", "compare", (event) => event.key === "c"],
  [["["], "Older run", "older", (event) => event.key === "["],
  [["]"], "Newer run", "newer", (event) => event.key === "]"],
  [["1"], "… to 5: the sides of a run", "tab", (event) => /^[1-5]$/.test(event.key)],
  [["Y"], "Copy the answer", "copy", (event) => event.key === "y"],
  [["I"], "To the inputs", "inputs", (event) => event.key === "i"],
  [["T"], "Light or dark", "theme", (event) => event.key === "t"],
  [["?"], "Show these keys", "help", (event) => event.key === "?"],
];

/** Call `actions[name](event)` for the keys; an action that returns false leaves the key to the browser. */
export function listen(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    const found = KEYS.find(([, , , test, whileTyping]) => test(event) && (whileTyping || (plain && !typing(event.target))));
    if (found && actions[found[2]](event) !== false) event.preventDefault();
  });
}

const typing = (target) => target.matches?.("textarea, select, [contenteditable], input:not([type=checkbox])");

/** The dialog of all keys. */
export function showKeys() {
  const dialog = h("dialog", { class: "keys", "aria-labelledby": "keys-title" },
    h("header", {}, h("h2", { id: "keys-title" }, "Keyboard"), h("button", { type: "button", onclick: () => dialog.close() }, "Close")),
    h("dl", {}, KEYS.map(([keys, does]) => h("div", {}, h("dt", {}, keys.map((key) => h("kbd", {}, key))), h("dd", {}, does)))),
    h("p", { class: "muted" }, "Arrow keys move in lists, in tabs and in menus."));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
