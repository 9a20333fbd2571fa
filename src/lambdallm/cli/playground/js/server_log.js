// The log of all functions at the foot of the page: the last line, and on demand the last thousand.

import { fill, h, icon } from "./dom.js";
import { logLine } from "./details.js";
import { plural, shortName } from "./format.js";
import { LogTail } from "./log_tail.js";

const MOST = 1000;

export class ServerLog {
  constructor(root) {
    this.lines = 0;
    this.list = h("ol", { class: "log", tabindex: 0, "aria-label": "Lines of the log" });
    this.last = h("span", { class: "last" }, "Nothing was printed yet.");
    this.number = h("span", { class: "count" });
    this.button = h("button", { type: "button", class: "log-toggle", "aria-expanded": "false", "aria-controls": "server-log-body", onclick: () => this.toggle() },
      icon("right"), "Log", this.number, this.last);
    this.body = h("div", { id: "server-log-body", class: "log-body", hidden: true }, this.list);
    this.tail = new LogTail(this.list, MOST, drawLine, () => this.drawn());
    fill(root, this.button, this.body);
  }

  toggle() {
    this.body.hidden = !this.body.hidden;
    this.button.setAttribute("aria-expanded", String(!this.body.hidden));
    this.last.hidden = !this.body.hidden;
    this.body.scrollTop = this.body.scrollHeight;
  }

  add(entry) {
    this.lines += 1;
    this.newest = entry;
    this.atEnd = this.tail.waiting.length ? this.atEnd : this.body.scrollHeight - this.body.scrollTop - this.body.clientHeight < 40;
    this.tail.add(entry);
  }

  drawn() {
    this.number.textContent = plural(this.lines, "line");
    this.last.textContent = this.newest.line;
    if (this.atEnd) this.body.scrollTop = this.body.scrollHeight;
  }
}

function drawLine(entry) {
  const item = logLine(entry);
  if (entry.function) item.prepend(h("span", { class: "source" }, shortName(entry.function)));
  return item;
}
