// Where the time of a run went: its spans as bars over one axis, with a mark where the first token came.

import { h } from "./dom.js";
import { ms } from "./format.js";

const NAMES = { init: "cold start", invoke: "invocation", model: "model", tool: "tool", step: "step" };

/** A table of spans whose last column is drawn to scale. */
export function waterfall(run) {
  const spans = run.spans ?? [];
  if (!spans.length) return h("p", { class: "empty" }, "No times were taken of this run.");
  const from = Math.min(0, ...spans.map((span) => span.begun_ms));
  const to = Math.max(from + 0.1, ...spans.map((span) => span.ended_ms ?? span.begun_ms));
  const share = (at) => `${(((at - from) / (to - from)) * 100).toFixed(3)}%`;
  return h("table", { class: "waterfall" },
    h("caption", { class: "hidden" }, "Spans of the run, in order"),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Span"), h("th", { scope: "col", class: "right" }, "Begins"),
      h("th", { scope: "col", class: "right" }, "Takes"), h("th", { scope: "col", class: "axis" }, axis(from, to, share)))),
    h("tbody", {}, spans.map((span) => row(span, run, share))));
}

function axis(from, to, share) {
  return ticks(from, to).map((at) => h("span", { class: "tick", vars: { "--at": share(at) } }, at === 0 ? "0" : tickLabel(at)));
}

const tickLabel = (at) => (Math.abs(at) >= 1000 ? `${at / 1000} s` : ms(at));

/** Round numbers that divide the time into three to seven parts. */
function ticks(from, to) {
  const rough = (to - from) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((by) => by * power).find((size) => size >= rough);
  const listed = [];
  for (let at = Math.ceil(from / step) * step; at < to - step * 0.4; at += step) listed.push(Math.round(at * 1000) / 1000);
  return listed;
}

function row(span, run, share) {
  const ended = span.ended_ms ?? span.begun_ms;
  const first = firstToken(span, run);
  const kind = NAMES[span.kind] ? span.kind : "step";
  return h("tr", { class: `span-${kind}` },
    h("th", { scope: "row", vars: { "--depth": span.depth ?? 0 } }, h("span", { class: "name" }, span.name)),
    h("td", { class: "right" }, ms(span.begun_ms)),
    h("td", { class: "right" }, span.ended_ms === null ? "unfinished" : ms(ended - span.begun_ms),
      first !== null && h("span", { class: "hidden" }, `, first token at ${ms(first)}`)),
    h("td", { class: "lane" },
      h("span", { class: `bar ${first === null ? "" : "waits"}`, vars: { "--from": share(span.begun_ms), "--to": share(ended) } }),
      first !== null && h("span", { class: "bar streams", vars: { "--from": share(first), "--to": share(ended) } }),
      first !== null && h("span", { class: "first", title: `First token at ${ms(first)}`, vars: { "--at": share(first) } })));
}

/** When the first token of a model's span came; null for other spans and for calls without a stream. */
function firstToken(span, run) {
  if (span.kind !== "model") return null;
  const near = (call) => Math.abs(call.begun_ms - span.begun_ms) < 2;
  const call = (run.calls ?? []).filter(near).sort((a, b) => Math.abs(a.begun_ms - span.begun_ms) - Math.abs(b.begun_ms - span.begun_ms))[0];
  return call?.first_token_ms ?? null;
}

/** What the bars mean, and the numbers that Lambda would put on the bill. */
export function timing(run) {
  const streamed = (run.calls ?? []).some((call) => call.first_token_ms);
  const facts = run.report ? [
    ["Cold start", run.report.init_ms === null ? "none, the environment was warm" : ms(run.report.init_ms)], ["Duration", ms(run.report.duration_ms)],
    ["Billed", ms(run.report.billed_ms)], ["First byte", ms(run.report.first_byte_ms)],
    ["Memory", run.report.max_memory_mb ? `${run.report.max_memory_mb} of ${run.report.memory_mb} MB` : "–"]] : [];
  return [
    waterfall(run),
    streamed && h("p", { class: "legend" }, h("span", { class: "swatch waits" }), "waiting for the model ", h("span", { class: "swatch first" }), "first token ", h("span", { class: "swatch streams" }), "streaming"),
    facts.length > 0 && h("dl", { class: "figures" }, facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
  ];
}
