// The answer of a run: as it streams, as text, as Markdown or as JSON, with what went wrong above it.

import { fill, h } from "./dom.js";
import { errorCard } from "./errors.js";
import { answerOf, plural } from "./format.js";
import { codeBlock } from "./highlight.js";
import { markdown } from "./markdown.js";
import { StreamView } from "./stream.js";

const KEY = "lambdallm:markdown";

/** The panel of a run in flight; pieces that come are added with `add`. */
export class LiveOutput {
  constructor(live) {
    this.stream = new StreamView(live.text);
    this.wait = h("p", { class: "muted waiting" }, "Waiting for the first piece…");
    this.wait.hidden = live.pieces > 0;
    this.root = h("div", { class: "output live" }, this.wait, this.stream.root);
  }

  add(text) {
    this.wait.hidden = true;
    this.stream.append(text);
  }
}

/** The panel of a run that has ended. `kept` is the stream as it was drawn, where that is what the answer is. */
export function output(run, kept = null) {
  const body = h("div", { class: "output" });
  const draw = () => fill(body, run.error && errorCard(run.error), answer(run, kept, draw), steps(run));
  draw();
  return body;
}

function answer(run, kept, redraw) {
  const result = answerOf(run);
  if (result === null || result === undefined) return run.error ? null : h("p", { class: "empty" }, run.status === 204 ? "No content." : "The answer is null.");
  if (typeof result !== "string") return codeBlock(result, "Answer");
  if (!result) return h("p", { class: "empty" }, "The answer is an empty text.");
  const drawn = wantsMarkdown() ? markdown(result) : null;
  return [
    run.error && h("p", { class: "muted" }, `What came before: ${plural(result.length, "character")}.`),
    looksMarked(result) && toggle(redraw),
    drawn ? h("div", { class: "markdown" }, drawn) : (kept ?? new StreamView(result)).root];
}

/** What each step of a chain gave, folded away below the answer. */
function steps(run) {
  if (answerOf(run) === run.result) return null;
  const outputs = Object.entries(run.result.outputs ?? {});
  return outputs.length > 0 && h("div", { class: "outputs" }, h("h3", {}, "Outputs of the steps"),
    outputs.map(([name, value]) => h("details", {}, h("summary", {}, name), codeBlock(value, `Output of ${name}`))));
}

function looksMarked(text) {
  return wantsMarkdown() || /(^|\n)(#{1,6} |[-*] |\d+\. |```|> |\|.*\|)|\*\*\S|`\S/.test(text.slice(0, 20_000));
}

function toggle(redraw) {
  const choice = (name, wanted) => h("button", {
    type: "button", "aria-pressed": String(wantsMarkdown() === wanted),
    onclick: () => { remember(wanted); redraw(); },
  }, name);
  return h("div", { class: "segments", role: "group", "aria-label": "Show the answer as" }, choice("Text", false), choice("Markdown", true));
}

let wanted = null;

function wantsMarkdown() {
  if (wanted === null) {
    try {
      wanted = localStorage.getItem(KEY) === "true";
    } catch {
      wanted = false;
    }
  }
  return wanted;
}

function remember(value) {
  wanted = value;
  try {
    localStorage.setItem(KEY, String(value));
  } catch { /* it lasts as long as the page */ }
}
