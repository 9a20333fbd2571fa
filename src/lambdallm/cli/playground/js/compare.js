// Two runs side by side: figures with their differences, what was asked differently, and the answers with changes marked.

import { diffWords } from "./diff.js";
import { fill, h, icon } from "./dom.js";
import { answerOf, asText, clock, count, delta, dollars, ms, UNKNOWN } from "./format.js";
import { status } from "./result.js";

const sum = (run, name) => (run.calls ? run.calls.reduce((total, call) => total + (call[name] ?? 0), 0) : null);
const first = (run) => {
  const known = (run.calls ?? []).map((call) => call.first_token_ms).filter((at) => typeof at === "number");
  return known.length ? Math.min(...known) : run.report?.first_byte_ms;
};

const models = (run) => [...new Set((run.calls ?? []).map((call) => [call.provider, call.model].filter(Boolean).join("/")))].join(", ") || run.model || UNKNOWN;

const FIGURES = [
  ["Duration", (run) => run.report?.duration_ms, ms], ["First token", first, ms],
  ["Tokens in", (run) => run.tokens_in, count], ["of them cached", (run) => sum(run, "cached_tokens"), count],
  ["Tokens out", (run) => run.tokens_out, count], ["of them reasoning", (run) => sum(run, "reasoning_tokens"), count],
  ["Cost", (run) => run.cost_usd, dollars], ["Model calls", (run) => run.calls?.length, count],
  ["Cold start", (run) => run.report?.init_ms, ms],
];

/** Draw the comparison into `root`. `actions`: open(run), swap(), close(), replay(run), ownTemplate(run). */
export function compare(root, a, b, actions) {
  fill(root,
    h("header", { class: "compare-head" }, h("h1", {}, "Comparison"),
      h("div", { class: "actions" },
        h("button", { type: "button", id: "swap", onclick: actions.swap }, icon("swap"), "Swap"),
        h("button", { type: "button", id: "close-compare", onclick: actions.close }, icon("close"), "Close"))),
    h("div", { class: "compare-body" },
      figures(a, b, actions), asked(a, b, actions.ownTemplate),
      h("section", { class: "detail", "aria-labelledby": "answers" }, h("h2", { id: "answers" }, "Answers"), sides(answer(a), answer(b), "The answers are the same."))));
}

const answer = (run) => (run.error ? `${run.error.errorType}: ${run.error.errorMessage}\n\n` : "") + asText(answerOf(run) ?? "");

function figures(a, b, actions) {
  const rows = FIGURES.map(([name, read, format]) => [name, read(a), read(b), format]).filter(([, one, other]) => one || other);
  return h("div", { class: "scrolls", tabindex: 0, role: "group", "aria-label": "Figures" }, h("table", { class: "figures-table" },
    h("caption", { class: "hidden" }, "Figures of both runs and their difference"),
    h("thead", {}, h("tr", {}, h("td"), h("th", { scope: "col" }, runHead("A", a, actions)), h("th", { scope: "col" }, runHead("B", b, actions)), h("th", { scope: "col", class: "right" }, "B against A"))),
    h("tbody", {},
      h("tr", {}, h("th", { scope: "row" }, "Model"), h("td", {}, models(a)), h("td", {}, models(b)), h("td", { class: "right same" }, models(a) === models(b) ? "=" : "another")),
      rows.map(([name, one, other, format]) => h("tr", {}, h("th", { scope: "row" }, name),
      h("td", {}, format(one ?? null)), h("td", {}, format(other ?? null)), difference(one, other, format))))));
}

function difference(one, other, format) {
  const text = delta(one, other, format);
  const kind = !text || text === "=" ? "same" : other < one ? "less" : "more";
  return h("td", { class: `right ${kind}` }, text || UNKNOWN);
}

function runHead(letter, run, actions) {
  const badge = status(run);
  return h("div", { class: "run-head" },
    h("span", { class: "letter" }, letter),
    h("button", { type: "button", class: "link", title: clock(run.begun), onclick: () => actions.open(run) }, `${run.run} ${run.id}`),
    h("span", { class: `status ${badge.kind}` }, icon(badge.icon), badge.text),
    h("button", { type: "button", class: "link", onclick: () => actions.replay(run) }, "Edit"));
}

const system = (run) => (run.calls?.[0]?.messages ?? []).filter((one) => one.role === "system").flatMap((one) => one.parts.map((part) => part.text ?? "")).join("\n");
const prompt = (run) => (run.calls?.[0]?.messages ?? []).filter((one) => one.role === "user").slice(0, 1).flatMap((one) => one.parts.map((part) => part.text ?? "")).join("\n");

const ASKED = [
  ["Template", (run, own) => run.template ?? own(run)], ["System", (run) => run.system ?? system(run)],
  ["Inputs", (run) => (run.kind === "function" ? "" : asText(run.inputs ?? {}))], ["Event", (run) => (run.kind === "function" ? asText(run.event) : "")], ["What the model read", prompt],
];

/** What was asked differently: only that is shown. */
function asked(a, b, own) {
  const differing = ASKED.map(([name, read]) => [name, read(a, own), read(b, own)]).filter(([, one, other]) => one !== other);
  if (!differing.length) return h("p", { class: "muted" }, "Both were asked the same.");
  return differing.map(([name, one, other]) => h("section", { class: "detail" }, h("h2", {}, name), sides(one, other)));
}

function sides(one, other, same = null) {
  if (same && one === other) return [h("p", { class: "muted" }, same), h("div", { class: "side-text" }, one)];
  const parts = diffWords(one, other);
  return h("div", { class: "sides" }, side("A", parts, "gone", "del"), side("B", parts, "new", "ins"));
}

function side(letter, parts, kind, tag) {
  const shown = parts.filter(([one]) => one === "same" || one === kind);
  const nodes = shown.map(([one, text]) => (one === kind ? h(tag, {}, text) : text));
  return h("div", { class: "side-text", role: "group", "aria-label": letter }, nodes.length ? nodes : h("span", { class: "muted" }, "nothing"));
}
