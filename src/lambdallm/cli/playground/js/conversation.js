// The model calls of a run as conversations: roles, text, reasoning, images, tool calls and what the tools answered.

import { copy, h } from "./dom.js";
import { asText, count, dollars, ms, plural, UNKNOWN } from "./format.js";
import { codeBlock } from "./highlight.js";

const ROLES = { system: "System", user: "User", assistant: "Assistant", tool: "Tool" };
const LONG = 600;

/** Elements for a run's calls. */
export function conversation(run) {
  if (!run.calls?.length) return [h("p", { class: "empty" }, "This run asked no model.")];
  return run.calls.map((call, at) => callSection(call, at, run.calls[at - 1], run.calls.length));
}

function callSection(call, at, before, total) {
  const messages = call.messages ?? [];
  const known = before ? shared([...(before.messages ?? []), before.answer].filter(Boolean), messages) : 0;
  return h("section", { class: "call", "aria-label": `Call ${at + 1} of ${total}` },
    callHead(call, at, total),
    (call.warnings ?? []).map((warning) => h("p", { class: "warning" }, asText(warning))),
    known > 0 && h("details", { class: "known" }, h("summary", {}, `${plural(known, "message")} as before`), messages.slice(0, known).map(message)),
    messages.slice(known).map(message),
    call.answer && message(call.answer),
    call.error && h("p", { class: "call-error" }, asText(call.error)));
}

function callHead(call, at, total) {
  return h("header", { class: "call-head" },
    h("h3", {}, total > 1 && h("span", { class: "number" }, at + 1), call.step ?? nameOf(call)),
    h("ul", { class: "facts" }, callFacts(call).map((fact) => h("li", {}, fact))));
}

const nameOf = (call) => [call.provider, call.model].filter(Boolean).join("/");

function callFacts(call) {
  const extra = (number, name) => (number ? `${count(number)} ${name}` : null);
  return [
    call.step && nameOf(call), `${count(call.tokens_in)} → ${count(call.tokens_out)} tokens`,
    extra(call.cached_tokens, "cached"), extra(call.reasoning_tokens, "reasoning"),
    call.cost_usd === null ? "cost unknown" : dollars(call.cost_usd),
    call.ended_ms === undefined || call.ended_ms === null ? null : ms(call.ended_ms - (call.begun_ms ?? 0)),
    call.finish_reason, call.attempts > 1 ? `${call.attempts} attempts` : null,
  ].filter((fact) => fact && fact !== UNKNOWN);
}

function shared(before, now) {
  let number = 0;
  while (number < before.length && number < now.length && JSON.stringify(before[number]) === JSON.stringify(now[number])) number += 1;
  return number;
}

function message(said) {
  const text = (said.parts ?? []).filter((part) => part.type === "text").map((part) => part.text).join("\n");
  return h("article", { class: `message role-${said.role in ROLES ? said.role : "other"}` },
    h("h4", {}, ROLES[said.role] ?? asText(said.role)),
    h("div", { class: "parts" }, (said.parts ?? []).map(part)),
    text && h("button", { type: "button", class: "link copy", onclick: () => copy(text, "Message") }, "Copy"));
}

function part(given) {
  return (PARTS[given.type] ?? unknown)(given);
}

const PARTS = {
  text: (given) => h("div", { class: "text" }, asText(given.text)),
  reasoning: (given) => folded("Reasoning", given.text, "reasoning"),
  tool_call: (given) => h("div", { class: "tool" }, h("p", {}, "calls ", h("code", {}, asText(given.name)), id(given)),
    codeBlock(given.arguments ?? {}, `Arguments of ${given.name}`)),
  tool_result: (given) => h("div", { class: "tool" }, h("p", {}, h("code", {}, asText(given.name ?? "tool")), " answered", id(given)),
    codeBlock(given.content ?? "", `Answer of ${given.name}`)),
  image,
  document: (given) => h("p", { class: "attachment" }, "Document ", h("code", {}, asText(given.name))),
};

const id = (given) => given.id && h("span", { class: "muted" }, ` ${given.id}`);

function unknown(given) {
  return codeBlock(given, `Part of type ${given.type}`);
}

function folded(title, text, kind) {
  const body = h("div", { class: `text ${kind}` }, asText(text));
  return h("details", { class: kind, open: asText(text).length < LONG }, h("summary", {}, title), body);
}

/** Only what the message itself carries is drawn: the page loads nothing from elsewhere. */
function image(given) {
  const inside = /^data:image\/(png|jpeg|gif|webp|avif);base64,/.test(given.url ?? "");
  if (inside) return h("img", { src: given.url, alt: `Image, ${given.media_type ?? "of the message"}`, loading: "lazy" });
  return h("p", { class: "attachment" }, `Image${given.media_type ? ` (${given.media_type})` : ""}, not loaded from `, h("code", {}, asText(given.url ?? "the provider")));
}
