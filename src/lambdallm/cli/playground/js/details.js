// What went out and what came back: status, headers, the event or the inputs, and what the function printed.

import { copy, h } from "./dom.js";
import { asText, plural } from "./format.js";
import { codeBlock } from "./highlight.js";

/** Request and response of a run. */
export function details(run) {
  const headers = Object.entries(run.headers ?? {});
  const sent = run.kind === "function" ? ["Event", run.event] : ["Inputs", run.inputs];
  return [
    h("section", { class: "detail" }, h("h3", {}, "Response"),
      h("dl", { class: "pairs" }, pair("status", run.status ?? "none"), pair("streamed", run.streamed ? "yes" : "no"),
        headers.map(([name, value]) => pair(name, Array.isArray(value) ? value.join(", ") : value)))),
    block(sent[0], sent[1]),
    run.template && block("Template, edited", run.template),
    run.system && block("System, edited", run.system),
    h("p", { class: "muted" }, "Run ", h("code", {}, run.run ?? "without an id"), run.request_id && [", request ", h("code", {}, run.request_id)]),
  ];
}

const pair = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, asText(value)));

function block(title, value) {
  const button = h("button", { type: "button", class: "link", onclick: () => copy(asText(value), title) }, "Copy");
  return h("section", { class: "detail" }, h("div", { class: "field-head" }, h("h3", {}, title), button), codeBlock(value ?? null, title));
}

const LEVELS = { DEBUG: "debug", INFO: "info", WARN: "warning", WARNING: "warning", ERROR: "error", CRITICAL: "error", FATAL: "error" };

/** One line of a log. */
export function logLine({ line, level }) {
  return h("li", { class: `level-${LEVELS[String(level).toUpperCase()] ?? "info"}` }, h("span", { class: "level" }, level ?? ""), h("span", { class: "line" }, line));
}

/** The log lines of a run, with a filter; lines that still come are added to the `<ol>`. */
export function logPanel(entries) {
  const list = h("ol", { class: "log", "aria-label": "Log lines" }, entries.map(logLine));
  const shown = h("span", { class: "muted" });
  const filter = h("input", {
    class: "control small", type: "search", placeholder: "Filter the lines", "aria-label": "Filter the lines",
    oninput: () => {
      const wanted = filter.value.toLowerCase();
      let number = 0;
      for (const item of list.children) {
        item.hidden = !item.textContent.toLowerCase().includes(wanted);
        number += item.hidden ? 0 : 1;
      }
      shown.textContent = wanted ? plural(number, "line") : "";
    },
  });
  const empty = h("p", { class: "empty when-empty" }, "The function printed nothing.");
  return [h("div", { class: "log-head" }, filter, shown), list, empty];
}
