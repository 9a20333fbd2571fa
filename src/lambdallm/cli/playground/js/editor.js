// Text fields that grow with their text and show it in colour; one of them checks JSON and points at the fault.
//
// The coloured text is a <pre> in the same grid cell as the <textarea>, which is transparent: the <pre> gives the size,
// so the two can't part, whatever the font.

import { fill, h, markInvalid } from "./dom.js";
import { highlightJson } from "./highlight.js";
import { checkJson } from "./json_check.js";

/** A text field: {root, input, get(), set(text)}. `highlight(text)` gives nodes; `onInput(text)` hears of each change. */
export function textEditor({ id, value = "", label = null, highlight = (text) => [text], onInput, mono = false, numbered = false, placeholder = null, describedBy = null }) {
  const shown = h("pre", { class: "editor-text", "aria-hidden": "true" });
  const numbers = numbered ? h("pre", { class: "editor-numbers", "aria-hidden": "true" }) : null;
  const input = h("textarea", {
    id, class: "editor-input", value, spellcheck: mono ? "false" : "true", placeholder, rows: 1, autocomplete: "off",
    autocapitalize: "off", wrap: numbered ? "off" : "soft", "aria-label": label, "aria-describedby": describedBy,
    oninput: () => { draw(); onInput?.(input.value); },
    onkeydown: numbered ? (event) => indent(event, input) : null,
  });

  function draw() {
    fill(shown, highlight(input.value), "\n");
    if (numbers) numbers.textContent = input.value.split("\n").map((_, at) => at + 1).join("\n");
  }

  draw();
  const kinds = ["editor", mono && "mono", numbered && "numbered"].filter(Boolean).join(" ");
  return {
    root: h("div", { class: kinds }, numbers, h("div", { class: "editor-cell" }, shown, input)),
    input,
    numbers,
    get: () => input.value,
    set(text) { input.value = text; draw(); },
    draw,
  };
}

/** Enter keeps the indentation, and deepens it after an opening bracket; undo still works. */
function indent(event, input) {
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const before = input.value.slice(0, input.selectionStart);
  const line = before.slice(before.lastIndexOf("\n") + 1);
  const deeper = /[[{]\s*$/.test(line) ? "  " : "";
  event.preventDefault();
  document.execCommand("insertText", false, `\n${/^\s*/.exec(line)[0]}${deeper}`);
}

/** An editor of JSON: {root, get() → {value} | {error}, text(), set(text), format()}. Empty text is `empty`. */
export function jsonEditor({ id, value, label, onInput, empty = undefined }) {
  let fault = null;
  const message = h("button", { type: "button", class: "fault", id: `${id}-fault`, hidden: true, onclick: show });
  const editor = textEditor({
    id, value, label, mono: true, numbered: true, describedBy: `${id}-fault`,
    highlight: (text) => (fault ? withFault(text, fault.offset) : highlightJson(text)),
    onInput(text) { check(); onInput?.(text); },
  });

  function read() {
    return editor.get().trim() === "" && empty !== undefined ? { value: empty } : checkJson(editor.get());
  }

  function check() {
    const next = read().error ?? null;
    const changed = fault !== next;
    fault = next;
    if (changed) editor.draw();
    message.hidden = !fault;
    message.textContent = fault ? `Line ${fault.line}, column ${fault.column}: ${fault.message}.` : "";
    markInvalid(editor.input, Boolean(fault));
  }

  function show() {
    if (!fault) return;
    editor.input.focus();
    editor.input.setSelectionRange(fault.offset, fault.offset + 1);
  }

  check();
  return {
    root: h("div", { class: "json-editor" }, editor.root, message),
    get: read,
    text: editor.get,
    show,
    set(text) { editor.set(text); check(); },
    format() {
      const { value: parsed, error } = read();
      if (error) return show();
      this.set(JSON.stringify(parsed, null, 2));
      onInput?.(editor.get());
    },
  };
}

function withFault(text, offset) {
  return [
    ...highlightJson(text.slice(0, offset)),
    h("mark", { class: "wrong" }, text.slice(offset, offset + 1).trim() ? text[offset] : " "),
    text.slice(offset + (text[offset] === "\n" ? 0 : 1)),
  ];
}
