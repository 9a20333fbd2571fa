// A dialog to choose one of many by typing a part of its name.

import { fill, h } from "./dom.js";

const MOST = 60;

/**
 * Let the reader choose. `items`: [{title, note, group, act}]. The dialog closes itself before it calls `act`;
 * Escape chooses nothing.
 */
export function choose(label, items) {
  const input = h("input", {
    class: "palette-input", type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list", "aria-autocomplete": "list",
    "aria-label": label, placeholder: label, autocomplete: "off", spellcheck: "false",
  });
  const list = h("ul", { class: "palette-list", id: "palette-list", role: "listbox", "aria-label": label });
  const dialog = h("dialog", { class: "palette", "aria-label": label }, input, list);
  let found = [];
  let at = 0;

  function draw() {
    found = matching(items, input.value).slice(0, MOST);
    at = 0;
    fill(list, found.length ? found.map(option) : h("li", { class: "empty", role: "presentation" }, "Nothing has that name."));
    mark();
  }

  function option(item, index) {
    const group = item.group !== found[index - 1]?.group && item.group;
    return [
      group && h("li", { class: "palette-group", role: "presentation" }, group),
      h("li", { role: "option", id: `option-${index}`, onclick: () => take(index), onpointermove: () => { if (at !== index) { at = index; mark(); } } },
        h("span", { class: "name" }, item.title), item.note && h("span", { class: "muted" }, item.note))];
  }

  function mark() {
    const options = list.querySelectorAll("[role=option]");
    options.forEach((one, index) => one.setAttribute("aria-selected", String(index === at)));
    options[at]?.scrollIntoView({ block: "nearest" });
    if (options[at]) input.setAttribute("aria-activedescendant", options[at].id);
    else input.removeAttribute("aria-activedescendant");
  }

  function take(index) {
    dialog.close();
    found[index]?.act();
  }

  input.addEventListener("input", draw);
  dialog.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && found.length) { at = (at + by + found.length) % found.length; mark(); event.preventDefault(); }
    if (event.key === "Enter" && !event.isComposing) { event.preventDefault(); take(at); }
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  draw();
  dialog.showModal();
  input.focus();
}

/** The items whose title or note has the typed letters in order; whole parts first, the given order otherwise. */
export function matching(items, typed) {
  const wanted = typed.trim().toLowerCase();
  if (!wanted) return items;
  const scored = items.map((item, order) => [score(`${item.title} ${item.note ?? ""}`.toLowerCase(), wanted), order, item]).filter(([points]) => points > 0);
  const sorted = scored.sort((one, other) => other[0] - one[0] || one[1] - other[1]).map(([, , item]) => item);
  return sorted.map((item) => ({ ...item, group: null }));
}

function score(text, wanted) {
  const at = text.indexOf(wanted);
  if (at >= 0) return at === 0 || /\W|_/.test(text[at - 1]) ? 3 : 2;
  let from = 0;
  for (const letter of wanted) {
    from = text.indexOf(letter, from) + 1;
    if (!from) return 0;
  }
  return 1;
}
