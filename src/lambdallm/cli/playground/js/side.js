// The left edge: what the project has to run, and the history of runs. Both are lists of links; arrow keys move in them.

import { arrows, fill, h, icon } from "./dom.js";
import { ago, clock, count, dollars, ms, shortName, UNKNOWN } from "./format.js";
import { formatPlace } from "./place.js";
import { status } from "./result.js";

export const GROUPS = [["functions", "function", "Functions"], ["prompts", "prompt", "Prompts"], ["chains", "chain", "Chains"], ["agents", "agent", "Agents"]];

/** Draw the groups of targets; `place` tells which one is shown. */
export function drawTargets(root, project, place) {
  const groups = GROUPS.filter(([key]) => project[key]?.length);
  if (!groups.length) return fill(root, h("p", { class: "empty" }, "No function or prompt was found. Decorate a function with ", h("code", {}, "@handler"), ", or assign a ", h("code", {}, "Prompt"), " to a name in your module."));
  keepingFocus(root, () => fill(root, groups.map(([key, kind, title]) => h("section", {},
    h("h2", {}, title),
    h("ul", {}, project[key].map((target) => h("li", {}, link(kind, target, place))))))));
}

function link(kind, target, place) {
  const current = place?.view === "target" && place.kind === kind && place.id === target.id;
  return h("a", { href: formatPlace({ kind, id: target.id }), class: "target", "aria-current": current ? "page" : null, title: `${target.id}, ${target.file}:${target.line}` },
    icon(kind), h("span", { class: "name" }, target.name), h("span", { class: "muted file" }, target.file));
}

/** Draw the history. `filter` is {own, toggle()}: only the runs of the target that is shown, or all. */
export function drawHistory(root, runs, place, shown, filter) {
  const mine = place?.view === "target" && filter.own;
  const listed = mine ? runs.filter((run) => run.kind === place.kind && run.id === place.id) : runs;
  const choice = (name, own) => h("button", { type: "button", id: `history-${name.toLowerCase()}`, "aria-pressed": String(filter.own === own), onclick: () => filter.set(own) }, name);
  keepingFocus(root, () => fill(root,
    h("header", { class: "side-head" }, h("h2", { id: "history-title" }, "History"),
      h("div", { class: "segments", role: "group", "aria-label": "Runs to list" }, choice("All", false), choice("This", true))),
    listed.length ? h("ul", {}, listed.map((run) => h("li", {}, runLink(run, run === shown || (run.run !== null && run.run === shown?.run)))))
      : h("p", { class: "empty" }, mine ? "No run of this yet." : "Runs appear here, those of curl and boto3 too.")));
}

function runLink(run, current) {
  const badge = status(run);
  const used = (run.tokens_in ?? 0) + (run.tokens_out ?? 0);
  const tokens = used ? `${count(used)} tok` : null;
  const cost = run.cost_usd ? dollars(run.cost_usd) : null;
  const facts = run.running ? ["running"] : [run.error?.errorType, ms(run.report?.duration_ms), tokens, cost, run.model?.split("/").at(-1), run.template && "edited"].filter((fact) => fact && fact !== UNKNOWN);
  return h("a", {
    href: formatPlace({ kind: run.kind, id: run.id, run: run.run ?? "live" }), class: `run ${run.fresh ? "fresh" : ""}`, "aria-current": current ? "true" : null,
    title: `${run.run ?? "run"} · ${run.id} · ${clock(run.begun)}`,
  },
  h("span", { class: `status ${badge.kind}` }, icon(badge.icon), h("span", { class: "hidden" }, badge.text)),
  h("span", { class: "name" }, shortName(run.id)), h("time", { class: "muted", datetime: new Date(run.begun * 1000).toISOString() }, ago(run.begun)),
  h("span", { class: "muted run-facts" }, facts.join(" · ") || badge.text));
}

/** Draw again and leave the focus where it was: on the link to the same place, or the button of the same id. */
function keepingFocus(root, draw) {
  const { activeElement: focused } = document;
  const inside = root.contains(focused) ? { href: focused.getAttribute("href"), id: focused.id } : null;
  const list = root.querySelector("ul");
  const scrolled = list?.scrollTop ?? 0;
  draw();
  if (root.querySelector("ul")) root.querySelector("ul").scrollTop = scrolled;
  if (!inside) return;
  const again = [...root.querySelectorAll("a, button")].find((one) => (inside.href ? one.getAttribute("href") === inside.href : one.id && one.id === inside.id));
  again?.focus();
}

/** Arrow keys in both lists. */
export function listKeys(side) {
  for (const list of side) arrows(list, "a");
}
