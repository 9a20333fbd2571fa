// Text with its parts told apart: JSON and templates, as spans of text nodes.

import { h } from "./dom.js";

const LONGEST = 40_000;
const JSON_PARTS = /("(?:\\.|[^"\\])*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;
const VARIABLE = /\{\{|\}\}|\{([A-Za-z_]\w*)((?:\.\w+|\[\w+\])*)\}/g;

/** Nodes that show JSON: names, texts, numbers and words in their colours. Long text stays plain. */
export function highlightJson(text) {
  if (text.length > LONGEST) return [text];
  return parts(text, JSON_PARTS, (found) => {
    const [all, string, colon, number] = found;
    if (string && colon) return [h("span", { class: "t-name" }, string), colon];
    return [h("span", { class: string ? "t-text" : number ? "t-number" : "t-word" }, all)];
  });
}

/** Nodes that show a template with its variables marked. */
export function highlightTemplate(text) {
  if (text.length > LONGEST) return [text];
  return parts(text, VARIABLE, (found) => [found[1] ? h("span", { class: "t-variable" }, found[0]) : found[0]]);
}

/** The names of the variables of a template, in order, each once. */
export function variables(template) {
  return [...new Set([...template.matchAll(VARIABLE)].map((found) => found[1]).filter(Boolean))];
}

function parts(text, pattern, shown) {
  const nodes = [];
  let from = 0;
  for (const found of text.matchAll(pattern)) {
    if (found.index > from) nodes.push(text.slice(from, found.index));
    nodes.push(...shown(found));
    from = found.index + found[0].length;
  }
  nodes.push(text.slice(from));
  return nodes;
}

/** A block that shows a value: JSON in colour, text as it is. */
export function codeBlock(value, label) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2) ?? "";
  const nodes = typeof value === "string" ? [text] : highlightJson(text);
  return h("pre", { class: "code", tabindex: 0, role: "group", "aria-label": label }, nodes);
}
