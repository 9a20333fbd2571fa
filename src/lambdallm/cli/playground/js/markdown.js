// Markdown as models write it, made into elements of text: headings, lists, quotes, tables, code, emphasis, links.
// What is not understood stays as it was written. Links lead to http(s) alone; images are shown as links.

import { h } from "./dom.js";

const INLINE = /(`+)([^`]|[^`][\s\S]{0,2000}?[^`])\1(?!`)|\*\*(?=\S)([\s\S]{0,2000}?\S)\*\*|(?<![\w*])[*_](?=\S)([^*_\n]{0,2000}?\S)[*_](?![\w*])|!?\[([^\]\n]*)\]\(([^)\s]+)\)/g;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;

const LONGEST = 200_000;

/** Elements for a text in Markdown; null for one that is too long or nested too deep to be worth it. */
export function markdown(text) {
  if (text.length > LONGEST) return null;
  try {
    return blocks(text.replace(/\r\n?/g, "\n").split("\n"));
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function blocks(lines) {
  const made = [];
  for (let at = 0; at < lines.length;) {
    const [element, used] = block(lines, at);
    if (element) made.push(element);
    at += used;
  }
  return made;
}

function block(lines, at) {
  const line = lines[at];
  if (!line.trim()) return [null, 1];
  const fence = /^\s*(```+|~~~+)\s*([\w+#.-]*)/.exec(line);
  if (fence) return fenced(lines, at, fence);
  const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
  if (heading) return [h("p", { class: `m-h m-h${heading[1].length}`, role: "heading", "aria-level": Math.min(6, heading[1].length + 2) }, inline(heading[2])), 1];
  if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) return [h("hr"), 1];
  if (/^\s*>/.test(line)) return quote(lines, at);
  if (ITEM.test(line)) return list(lines, at);
  if (line.includes("|") && /^\s*\|?\s*:?-{2,}/.test(lines[at + 1] ?? "")) return table(lines, at);
  return paragraph(lines, at);
}

const through = (lines, at, goes) => {
  let end = at;
  while (end < lines.length && goes(lines[end], end)) end += 1;
  return end;
};

function fenced(lines, at, [, marks]) {
  const end = through(lines, at + 1, (line) => !line.trim().startsWith(marks));
  const code = h("pre", { class: "code", tabindex: 0 }, lines.slice(at + 1, end).join("\n"));
  return [code, end - at + 1];
}

function quote(lines, at) {
  const end = through(lines, at, (line) => /^\s*>/.test(line));
  return [h("blockquote", {}, blocks(lines.slice(at, end).map((line) => line.replace(/^\s*> ?/, "")))), end - at];
}

function list(lines, at) {
  const [, indent, mark] = ITEM.exec(lines[at]);
  const inside = indent.length + 1;
  const belongs = (line) => line.search(/\S/) >= inside;
  const items = [];
  let end = at;
  while (end < lines.length) {
    const found = ITEM.exec(lines[end]);
    if (!found || found[1].length >= inside || /\d/.test(found[2]) !== /\d/.test(mark)) break;
    const from = end;
    end = through(lines, end + 1, (line, index) => belongs(line) || (!line.trim() && belongs(lines[index + 1] ?? "")));
    const rest = lines.slice(from + 1, end);
    const dedent = Math.min(...rest.filter((line) => line.trim()).map((line) => line.search(/\S/)));
    const nested = rest.length ? blocks(rest.map((line) => line.slice(dedent))) : [];
    items.push(h("li", {}, inline(found[3]), nested));
    if (!lines[end]?.trim() && ITEM.test(lines[end + 1] ?? "")) end += 1;
  }
  const ordered = /\d/.test(mark);
  return [h(ordered ? "ol" : "ul", { start: ordered ? parseInt(mark, 10) : null }, items), end - at];
}

const cells = (line) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());

function table(lines, at) {
  const end = through(lines, at + 2, (line) => line.includes("|"));
  const row = (line, tag) => h("tr", {}, cells(line).map((cell) => h(tag, {}, inline(cell))));
  return [h("table", {}, h("thead", {}, row(lines[at], "th")), h("tbody", {}, lines.slice(at + 2, end).map((line) => row(line, "td")))), end - at];
}

function paragraph(lines, at) {
  const goes = (line, index) => line.trim() && (index === at || !/^\s*(```|~~~|>|#{1,6}\s)/.test(line) && !ITEM.test(line));
  const end = through(lines, at, goes);
  return [h("p", {}, inline(lines.slice(at, end).join("\n"))), end - at];
}

function inline(text) {
  const nodes = [];
  let from = 0;
  for (const found of text.matchAll(INLINE)) {
    nodes.push(text.slice(from, found.index), span(found));
    from = found.index + found[0].length;
  }
  return [...nodes, text.slice(from)];
}

function span([all, ticks, code, strong, emphasis, label, target]) {
  if (ticks) return h("code", {}, code.trim() || code);
  if (strong) return h("strong", {}, inline(strong));
  if (emphasis) return h("em", {}, inline(emphasis));
  if (!/^https?:\/\//i.test(target)) return all;
  return h("a", { href: target, target: "_blank", rel: "noopener noreferrer nofollow" }, label || target);
}
