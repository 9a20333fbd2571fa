// The page: holds what is known, follows the address, and lets the parts tell one another what they need.

import { chooseAny, chooseOther } from "./choices.js";
import { compare } from "./compare.js";
import { Connection } from "./connection.js";
import { $, copy, fill, h, tell } from "./dom.js";
import { Drafts, draftOf } from "./drafts.js";
import { Form } from "./form.js";
import { answerOf, asText, ms, shortName } from "./format.js";
import { listen, showKeys } from "./keys.js";
import { LiveRun } from "./live.js";
import { formatPlace, parsePlace } from "./place.js";
import { Result, status, TABS } from "./result.js";
import { Runs } from "./runs.js";
import { ServerLog } from "./server_log.js";
import { drawHistory, drawTargets, GROUPS, listKeys } from "./side.js";
import { Reader } from "./stream.js";

let project = { name: "", functions: [], prompts: [], chains: [], agents: [], models: [], error: null };
let place = null;
let shown = null;
let loadedOnce = false;
const runs = new Runs();
const lives = new Map();
const lastKnown = new Map();
const filter = { own: false, set(own) { filter.own = own; drawSide(); } };
const drafts = new Drafts(location.host, storage());
const form = new Form($("form"), drafts, { run: start, stop: () => currentLive()?.stop() });
const result = new Result($("result"), {
  compare: (run) => compareWith(run), replay, goTab,
  project: () => project, full: (run) => (runs.isWhole(run) ? run : runs.full(run.run)),
});
const serverLog = new ServerLog($("server-log"));

function storage() {
  try {
    return globalThis.localStorage;
  } catch {
    return null;
  }
}

const keyOf = ({ kind, id }) => `${kind}:${id}`;
const currentLive = () => (place?.view === "target" ? lives.get(keyOf(place)) : null);

// ---- what is shown

/** Go to a place: the address changes, and the page with it. */
function go(to, { replace = false } = {}) {
  const hash = formatPlace(to);
  if (replace) history.replaceState(null, "", hash);
  else if (hash !== location.hash) history.pushState(null, "", hash);
  render();
}

function goTab(tab) {
  go({ ...place, run: shown?.run ?? "live", tab }, { replace: true });
}

function firstPlace() {
  const group = GROUPS.find(([key]) => project[key]?.length);
  return group ? { view: "target", kind: group[1], id: project[group[0]][0].id, run: null, tab: null } : null;
}

function render() {
  place = parsePlace(location.hash) ?? firstPlace();
  const comparing = place?.view === "compare";
  $("form").hidden = $("result").hidden = comparing;
  $("compare").hidden = !comparing;
  if (comparing) renderComparison();
  else renderTarget();
  drawSide();
}

function drawSide() {
  drawTargets($("targets"), project, place);
  drawHistory($("history"), runs.list, place, shown, filter);
}

/** The target of a place, from the code; else as it was last known, or only its name. */
function targetOf({ kind, id }) {
  const [key] = GROUPS.find(([, one]) => one === kind);
  const found = project[key]?.find((one) => one.id === id);
  if (found) lastKnown.set(keyOf({ kind, id }), found);
  return { target: found ?? lastKnown.get(keyOf({ kind, id })) ?? { id, name: shortName(id), inputs: [] }, gone: !found };
}

function renderTarget() {
  shown = null;
  document.title = ["LambdaLLM playground"].concat(project.name || []).concat(place ? shortName(place.id) : []).reverse().join(" · ");
  if (!place) {
    form.drawn = null;
    fill($("form"), h("div", { class: "nothing" }, h("h1", {}, loadedOnce ? "Nothing to run yet" : "Loading…"), loadedOnce && firstSteps()));
    return result.empty(null);
  }
  const { target, gone } = targetOf(place);
  form.setRunning(Boolean(currentLive()));
  form.show(place.kind, target, project.models ?? [], { gone: gone && loadedOnce });
  renderRun(target);
}

function renderRun(target) {
  const live = currentLive();
  const run = place.run && place.run !== "live" ? runs.find(place.run) : live ?? runs.of(place.kind, place.id)[0] ?? null;
  if (place.run && place.run !== "live" && !run) return loadRun(place.run, true);
  shown = run;
  if (!run) return result.empty(nothingRan(target));
  const partial = !run.running && !runs.isWhole(run);
  result.show(run, place.tab, { partial });
  if (partial) loadRun(run.run, false);
}

async function loadRun(id, alone) {
  if (alone) result.empty(h("p", { class: "muted" }, "Loading…"));
  try {
    await runs.full(id);
    if (!alone || place?.run === id) render();
  } catch (error) {
    if (alone) result.empty([h("h2", {}, `Run ${id} is not kept any more`), h("p", { class: "muted" }, error.message)]);
    else tell(error.message);
  }
}

function nothingRan(target) {
  const command = target.url ? `curl ${target.url}` : null;
  return [
    h("h2", {}, "No run yet"),
    h("p", { class: "muted" }, "Fill in the inputs and run it. The answer streams in here, with its messages, tokens, cost and timing."),
    command && h("p", { class: "muted" }, "Requests from elsewhere appear here too:"),
    command && h("button", { type: "button", class: "command", title: "Copy", onclick: () => copy(command, "Command") }, command),
  ];
}

function firstSteps() {
  return [h("p", { class: "muted" }, "The page follows your code: save this as app.py, and it appears."),
    h("pre", { class: "code", tabindex: 0 }, 'from lambdallm import Prompt, handler\n\nsummarize = Prompt(template="Summarize in one sentence: {text}")\n\n\n@handler\ndef lambda_handler(event, context):\n    return summarize.invoke(context, text=event["text"])\n')];
}

async function renderComparison() {
  const { a, b } = place;
  shown = null;
  document.title = `${a} and ${b} · LambdaLLM playground`;
  try {
    const [one, other] = await Promise.all([runs.full(a), runs.full(b)]);
    if (place.a !== a || place.b !== b) return;
    compare($("compare"), one, other, {
      open: (run) => go({ view: "target", kind: run.kind, id: run.id, run: run.run }), replay,
      swap: () => go({ view: "compare", a: b, b: a }, { replace: true }),
      close: () => go({ view: "target", kind: other.kind, id: other.id, run: b }),
      ownTemplate: (run) => targetOf(run).target.template ?? "",
    });
  } catch (error) {
    fill($("compare"), h("div", { class: "nothing" }, h("h2", {}, "These runs can't be compared"), h("p", { class: "muted" }, error.message)));
  }
}

// ---- what is done

/** Run a request, and show it while it goes on. */
function start(request) {
  const key = keyOf(request);
  const reader = new Reader();
  const live = new LiveRun(request, {
    begin: () => drawSide(),
    piece(text) {
      reader.hear(text);
      if (result.run === live) result.addPiece(text);
    },
    log(entry) {
      if (result.run === live) result.addLog(entry);
    },
    end: (run) => ended(key, live, run, reader),
  });
  lives.set(key, live);
  runs.add(live);
  go({ view: "target", kind: request.kind, id: request.id, run: "live", tab: place?.tab });
  $("told").textContent = `Running ${shortName(request.id)}`;
  if (matchMedia("(max-width: 860px)").matches) $("result").scrollIntoView();
  live.go();
}

function ended(key, live, run, reader) {
  const watched = result.run === live && !$("result").hidden;
  lives.delete(key);
  runs.remove(live);
  runs.add(run, { whole: true });
  reader.say(true);
  $("told").textContent = `${status(run).text}, ${ms(run.report?.duration_ms ?? live.elapsed)}`;
  if (watched && run.run) go({ ...place, run: run.run }, { replace: true });
  else render();
}

/** Put what a run was given back into the fields. */
async function replay(run) {
  const whole = runs.isWhole(run) ? run : await runs.full(run.run).catch(() => run);
  drafts.put(run.kind, run.id, draftOf(whole));
  go({ view: "target", kind: run.kind, id: run.id, run: run.run });
  form.redraw();
  focusInputs();
}

function focusInputs() {
  $("form").querySelector(".form-body textarea, .form-body input, .form-body select")?.focus();
}

const compareWith = (run) => chooseOther(run, runs.list, go);
const goAnywhere = () => chooseAny(project, runs.list, go);

function step(by) {
  const listed = filter.own ? runs.of(place.kind, place.id) : runs.list;
  const next = listed[listed.findIndex((run) => run === shown || run.run === shown?.run) + by];
  if (!shown || !next?.run) return false;
  return go({ view: "target", kind: next.kind, id: next.id, run: next.run, tab: place.tab });
}

function themeLabel() {
  const name = document.documentElement.dataset.theme;
  $("theme").setAttribute("aria-label", `Colours: ${name}. Change`);
  $("theme").title = `Colours: ${name}`;
}

function changeTheme() {
  tell(`Colours: ${globalThis.nextTheme()}`);
  themeLabel();
}

function toggleMenu(open = !$("side").classList.contains("open")) {
  $("side").classList.toggle("open", open);
  $("menu").setAttribute("aria-expanded", String(open));
  if (open) $("side").querySelector("a")?.focus();
}

const withRun = (act) => () => (shown && !shown.running ? act(shown) : false);

listen({
  run: () => (place?.view === "target" && !currentLive() ? form.submit() : false),
  stop() {
    if ($("side").classList.contains("open")) return toggleMenu(false);
    return currentLive() ? currentLive().stop() : false;
  },
  palette: goAnywhere, replay: withRun(replay), compare: withRun(compareWith), older: () => step(1), newer: () => step(-1),
  tab: (event) => (shown ? goTab(TABS[event.key - 1][0]) : false),
  copy: withRun((run) => copy(asText(answerOf(run) ?? ""), "Answer")), inputs: () => focusInputs(), theme: changeTheme, help: showKeys,
});

// ---- what the server tells

const connection = new Connection({
  project(given) {
    project = given;
    loadedOnce = true;
    $("project-name").textContent = project.name || "LambdaLLM";
    $("project-version").textContent = project.version ? `LambdaLLM ${project.version}` : "";
    render();
  },
  runs(listed) {
    runs.replace(listed);
    render();
  },
  run(run) {
    runs.add({ ...run, fresh: true });
    if (place?.view === "compare") return drawSide();
    render();
    return tell(`${shortName(run.id)} was called: ${status(run).text}`);
  },
  log: (entry) => serverLog.add(entry),
});

addEventListener("hashchange", render);
addEventListener("popstate", render);
$("open-palette").addEventListener("click", goAnywhere);
$("theme").addEventListener("click", changeTheme);
$("help").addEventListener("click", showKeys);
$("menu").addEventListener("click", () => toggleMenu());
$("side").addEventListener("click", (event) => event.target.closest("a") && toggleMenu(false));
$("side").addEventListener("click", follow);
listKeys([$("targets"), $("history")]);
themeLabel();
setInterval(() => result.run?.running && result.drawFigures(), 200);
setInterval(drawSide, 60_000);

/** A link of the page is followed without a second drawing; with a modifier it opens elsewhere, as links do. */
function follow(event) {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(parsePlace(link.hash));
}

render();
connection.open();
