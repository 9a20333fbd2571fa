// A button that opens a short list of actions.

import { arrows, h, icon } from "./dom.js";

/** `items`: [[name, action], …]. Escape and a click elsewhere close it; arrow keys move. */
export function menu(id, name, items) {
  const list = h("div", { class: "menu", role: "menu", id: `${id}-menu`, "aria-labelledby": id, hidden: true },
    items.map(([label, action]) => h("button", { type: "button", role: "menuitem", tabindex: -1, onclick: () => { close(); action(); } }, label)));
  const button = h("button", {
    type: "button", id, class: "opens", "aria-haspopup": "menu", "aria-expanded": "false", "aria-controls": `${id}-menu`,
    onclick: () => (list.hidden ? open() : close()),
  }, name, icon("down"));
  const root = h("div", { class: "menu-root" }, button, list);
  arrows(list, "[role=menuitem]");

  function open() {
    list.hidden = false;
    button.setAttribute("aria-expanded", "true");
    list.firstElementChild.focus();
    document.addEventListener("pointerdown", away);
  }

  function shut() {
    list.hidden = true;
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", away);
  }

  function close() {
    if (list.hidden) return;
    shut();
    button.focus();
  }

  function away(event) {
    if (!root.contains(event.target)) shut();
  }

  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || list.hidden) return;
    event.stopPropagation();
    close();
  });
  root.addEventListener("focusout", (event) => {
    if (!list.hidden && event.relatedTarget && !root.contains(event.relatedTarget)) shut();
  });
  return root;
}
