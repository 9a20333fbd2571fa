// What can be chosen by name: the targets and runs to go to, and the run to compare with.

import { tell } from "./dom.js";
import { ago, answerOf, asText, ms, shortName } from "./format.js";
import { choose } from "./palette.js";
import { status } from "./result.js";
import { GROUPS } from "./side.js";

const MOST_RUNS = 100;

/** Let the reader go to a target or a run; `go` takes a place. */
export function chooseAny(project, runs, go) {
  const targets = GROUPS.flatMap(([key, kind, group]) => (project[key] ?? []).map((target) => ({
    title: target.name, note: `${kind} · ${target.file}:${target.line}`, group, act: () => go({ view: "target", kind, id: target.id, run: null }),
  })));
  const ended = runs.filter((run) => run.run !== null && !run.running).slice(0, MOST_RUNS);
  choose("Go to a function, prompt, chain, agent or run", [...targets, ...ended.map((run) => runItem(run, go))]);
}

/** Let the reader choose the run to compare with: those of the same target first, the one before as the first of all. */
export function chooseOther(run, runs, go) {
  const others = runs.filter((one) => one.run !== run.run && one.run !== null && !one.running);
  const near = (one) => one.kind === run.kind && one.id === run.id;
  const before = others.filter((one) => near(one) && one.begun <= run.begun);
  const sorted = [...before, ...others.filter((one) => near(one) && !before.includes(one)), ...others.filter((one) => !near(one))];
  if (!sorted.length) return tell("There is no other run to compare with yet");
  return choose(`Compare ${run.run} with…`, sorted.map((one) => ({
    ...runItem(one, go), group: near(one) ? `Runs of ${shortName(run.id)}` : "Other runs",
    act: () => go({ view: "compare", a: one.run, b: run.run }),
  })));
}

function runItem(run, go) {
  const facts = [status(run).text, run.model, ms(run.report?.duration_ms), ago(run.begun), excerpt(answerOf(run))];
  return {
    title: `${run.run} ${shortName(run.id)}`, note: facts.filter(Boolean).join(" · "), group: "Runs",
    act: () => go({ view: "target", kind: run.kind, id: run.id, run: run.run }),
  };
}

const excerpt = (value) => (value === null || value === undefined ? "" : asText(value).replace(/\s+/g, " ").slice(0, 60));
