// One input of a prompt, a chain or an agent as a field of its type. A field keeps what was typed, right or wrong.

import { h, markInvalid } from "./dom.js";
import { jsonEditor, textEditor } from "./editor.js";

/**
 * A field: {root, get(), text(), focus()}. `get` gives {value}, {error} or {} (left out); `text` what to remember.
 * `remembered` is what `text` gave at another time, or undefined.
 */
export function field(input, remembered, onInput) {
  const id = `input-${input.name}`;
  const made = (FIELDS[input.type] ?? FIELDS.string)(input, id, remembered ?? initial(input), onInput);
  const fault = h("p", { class: "fault", id: `${id}-said`, hidden: true });
  const root = h("div", { class: `field field-${input.type}` }, head(input, id), made.root,
    input.description && h("p", { class: "hint" }, input.description), fault);

  return {
    root,
    name: input.name,
    text: made.text,
    focus: () => made.control.focus(),
    get() {
      const read = made.get();
      const missing = input.required && !("value" in read) && !read.error;
      const error = missing ? "This is needed." : read.error;
      fault.hidden = !error || read.told;
      fault.textContent = error ?? "";
      markInvalid(made.control, Boolean(error));
      return error ? { error } : read;
    },
  };
}

function head(input, id) {
  const kind = input.type === "enum" ? "choice" : input.type;
  return h("div", { class: "field-head" },
    h("label", { for: id }, input.name),
    h("span", { class: "muted" }, input.required ? kind : `${kind}, optional`));
}

function initial(input) {
  if (input.default === null || input.default === undefined) return "";
  return typeof input.default === "string" ? input.default : JSON.stringify(input.default, null, 2);
}

const FIELDS = { string, integer: number, number, boolean, enum: choice, json };

function string(input, id, value, onInput) {
  const editor = textEditor({ id, value, onInput, describedBy: `${id}-said` });
  const absent = () => !editor.get() && !input.required;
  return {
    root: editor.root, control: editor.input, text: editor.get,
    get: () => (absent() ? {} : { value: editor.get() }),
  };
}

function number(input, id, value, onInput) {
  const control = h("input", {
    id, class: "control number", type: "text", inputmode: input.type === "integer" ? "numeric" : "decimal", value,
    autocomplete: "off", "aria-describedby": `${id}-said`, oninput: onInput,
    onkeydown: (event) => step(event, input, control, onInput),
  });
  return {
    root: control, control, text: () => control.value,
    get() {
      const typed = control.value.trim();
      if (!typed) return {};
      const value = Number(typed);
      if (!Number.isFinite(value)) return { error: `${typed} is not a number.` };
      if (input.type === "integer" && !Number.isInteger(value)) return { error: `${typed} is not a whole number.` };
      return { value };
    },
  };
}

/** The up and down keys count, as in a number field of the browser, which would hide what is wrong. */
function step(event, input, control, onInput) {
  const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
  const value = Number(control.value);
  if (!by || !Number.isFinite(value)) return;
  event.preventDefault();
  control.value = String(Number((value + by * (input.type === "integer" ? 1 : 0.1)).toFixed(10)));
  onInput();
}

function choice(input, id, value, onInput) {
  const options = (input.choices ?? []).map((one) => (typeof one === "string" ? one : JSON.stringify(one)));
  const control = h("select", { id, class: "control", "aria-describedby": `${id}-said`, onchange: onInput },
    h("option", { value: "" }, input.required ? "Choose…" : "not set"),
    options.map((one) => h("option", { value: one }, one)));
  control.value = options.includes(value) ? value : "";
  return {
    root: control, control, text: () => control.value,
    get: () => (control.value ? { value: input.choices[options.indexOf(control.value)] } : {}),
  };
}

function boolean(input, id, value, onInput) {
  return input.required ? checkbox(id, value, onInput) : choice({ ...input, choices: [true, false] }, id, value, onInput);
}

function checkbox(id, value, onInput) {
  const control = h("input", { id, type: "checkbox", class: "check", "aria-describedby": `${id}-said`, onchange: onInput });
  control.checked = value === "true";
  return { root: control, control, text: () => String(control.checked), get: () => ({ value: control.checked }) };
}

function json(input, id, value, onInput) {
  const editor = jsonEditor({ id, value, onInput });
  const control = editor.root.querySelector("textarea");
  return {
    root: editor.root, control, text: editor.text,
    get() {
      if (!editor.text().trim()) return {};
      const { value, error } = editor.get();
      return error ? { error: error.message, told: true } : { value }; // the editor tells it, with the place
    },
  };
}
