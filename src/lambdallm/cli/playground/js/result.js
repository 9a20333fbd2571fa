// The right side of the work: one run, in flight or ended, by its figures and five sides.

import { asCurl, asTest } from "./share.js";
import { conversation } from "./conversation.js";
import { details, logLine, logPanel } from "./details.js";
import { arrows, copy, fill, h, icon } from "./dom.js";
import { ago, answerOf, asText, clock, count, dollars, ms, plural, UNKNOWN } from "./format.js";
import { LogTail } from "./log_tail.js";
import { menu } from "./menu.js";
import { LiveOutput, output } from "./output.js";
import { soon } from "./stream.js";
import { timing } from "./waterfall.js";

/** [id, name] of the sides of a run, in order. */
export const TABS = [["answer", "Answer"], ["messages", "Messages"], ["timing", "Timing"], ["log", "Log"], ["details", "Details"]];

/** Of a run in flight, so many lines of its log are in the page. */
const MOST_LINES = 2000;

export class Result {
  /** `actions`: compare(run), replay(run), resend(run), goTab(tab), project(). */
  constructor(root, actions) {
    Object.assign(this, { root, actions, run: null, tab: "answer", live: null, kept: null, shownAs: null });
  }

  /** What to show before anything ran. */
  empty(content) {
    this.run = this.live = this.shownAs = null;
    fill(this.root, h("div", { class: "nothing" }, content));
  }

  /** Show a run, or one in flight; nothing is drawn again that is shown already. */
  show(run, tab, { partial = false } = {}) {
    const wanted = TABS.some(([id]) => id === tab) ? tab : "answer";
    const same = this.run === run && this.partial === partial;
    if (same && this.tab === wanted && this.shownAs === run.running) return;
    const focused = this.root.contains(document.activeElement) ? document.activeElement.id : null;
    const opened = this.root.querySelector("[aria-expanded=true]")?.id;
    Object.assign(this, { run, tab: wanted, partial, shownAs: run.running });
    this.figures = h("dl", { class: "metrics" });
    this.panel = h("div", { class: `panel panel-${wanted}`, role: "tabpanel", id: "panel", tabindex: 0, "aria-labelledby": `tab-${wanted}` });
    fill(this.root, this.head(), this.figures, this.tabs(), this.panel);
    this.drawFigures();
    this.drawPanel();
    if (focused) document.getElementById(focused)?.focus();
    if (opened) document.getElementById(opened)?.click();
  }

  head() {
    const { run } = this;
    const badge = status(run);
    return h("header", { class: "result-head" },
      h("p", { class: `status ${badge.kind}` }, icon(badge.icon), h("strong", {}, badge.text)),
      h("p", { class: "muted when", title: clock(run.begun) }, [run.run, run.running ? null : agoText(run.begun)].filter(Boolean).join(" · ")),
      run.running && h("div", { class: "actions" }, h("button", { type: "button", onclick: () => run.stop() }, icon("stop"), "Stop")),
      !run.running && run.run && h("div", { class: "actions" },
        h("button", { type: "button", id: "replay", onclick: () => this.actions.replay(run) }, run.kind === "function" ? "Edit and resend" : "Edit and run"),
        h("button", { type: "button", id: "compare-with", onclick: () => this.actions.compare(run) }, "Compare…"),
        menu("share", "Copy", this.shares())));
  }

  /** What can be taken away of a run. */
  shares() {
    const { run } = this;
    return [
      ["Answer", () => copy(asText(answerOf(run) ?? ""), "Answer")],
      ["As curl command", () => copy(asCurl(run, this.actions.project(), location.origin), "curl command")],
      ["As test", async () => copy(asTest(await this.actions.full(run)), "Test")],
      ["As JSON", async () => copy(JSON.stringify(await this.actions.full(run), null, 2), "JSON")],
    ];
  }

  drawFigures() {
    if (this.run.running && this.run.log.length) this.drawCount();
    fill(this.figures, (this.run.running ? liveFigures(this.run) : figures(this.run)).map(([name, value, note]) => h("div", {}, h("dt", {}, name),
      h("dd", {}, value, note && h("small", {}, note)))));
  }

  tabs() {
    const { run } = this;
    const counts = { messages: run.calls?.length || null, log: run.log?.length || null };
    const list = h("div", { class: "tabs", role: "tablist", "aria-label": "Sides of the run" }, TABS.map(([id, name]) => h("button", {
      type: "button", role: "tab", id: `tab-${id}`, "aria-selected": String(id === this.tab), "aria-controls": "panel", tabindex: id === this.tab ? 0 : -1,
      onclick: () => this.actions.goTab(id),
    }, name, h("span", { class: "count" }, counts[id] ?? ""))));
    arrows(list, "[role=tab]", { ArrowRight: 1, ArrowLeft: -1 });
    list.addEventListener("focusin", (event) => event.target.getAttribute("aria-selected") === "false" && event.target.click());
    return list;
  }

  drawPanel() {
    fill(this.panel, this.run.running ? this.livePanel() : this.endedPanel());
  }

  livePanel() {
    if (this.tab === "answer") {
      this.live = new LiveOutput(this.run);
      this.kept = { of: this.run, stream: this.live.stream };
      return this.live.root;
    }
    this.live = null;
    if (this.tab === "log") {
      const panel = logPanel(this.run.log.slice(-MOST_LINES));
      this.tail = new LogTail(panel[1], MOST_LINES, logLine);
      return panel;
    }
    return this.tab === "details" ? details(this.run) : h("p", { class: "empty" }, "This comes when the run has ended.");
  }

  endedPanel() {
    const { run } = this;
    this.live = null;
    if (this.partial && run.cut) return h("p", { class: "empty" }, "Loading…");
    if (this.tab === "answer") return output(run, this.keptFor(run));
    if (this.tab === "log") return logPanel(run.log ?? []);
    if (this.tab === "details") return details(run);
    if (this.partial) return h("p", { class: "empty" }, "Loading…");
    return this.tab === "messages" ? conversation(run) : timing(run);
  }

  /** The stream that was drawn while the run went on, so that the end moves nothing. */
  keptFor(run) {
    const { kept } = this;
    if (kept?.of.run !== run.run || kept.of.text !== run.result) return null;
    kept.stream.flush();
    return kept.stream;
  }

  addPiece(text) {
    this.live?.add(text);
  }

  drawCount() {
    soon(() => { if (this.run?.running) this.root.querySelector("#tab-log .count").textContent = this.run.log.length; });
  }

  addLog(entry) {
    if (!this.run?.running) return;
    if (this.run.log.length === 1) this.drawCount();
    if (this.tab === "log") this.tail.add(entry);
  }
}

const agoText = (begun) => (ago(begun) === "now" ? "just now" : `${ago(begun)} ago`);

/** {kind, icon, text} of a run's state. */
export function status(run) {
  if (run.running) return { kind: "running", icon: "running", text: "Running" };
  if (run.error) return { kind: "failed", icon: "failed", text: run.status ? `${run.status} ${run.error.errorType}` : run.error.errorType || "Failed" };
  if (run.status >= 400) return { kind: "failed", icon: "failed", text: `${run.status}` };
  return { kind: "done", icon: "done", text: run.status ? `${run.status} OK` : "Done" };
}

function liveFigures(live) {
  return [["Time", ms(live.elapsed)], ["First piece", ms(live.first_ms)], ["Pieces", count(live.pieces)]];
}

function figures(run) {
  const sum = (name) => (run.calls ?? []).reduce((total, call) => total + (call[name] ?? 0), 0);
  const first = Math.min(...(run.calls ?? []).map((call) => call.first_token_ms).filter((at) => typeof at === "number"));
  const models = [...new Set((run.calls ?? []).map((call) => call.model).filter(Boolean))];
  const notes = (...pairs) => pairs.filter(([number]) => number).map(([number, name]) => `${count(number)} ${name}`).join(", ");
  const listed = [
    ["Duration", ms(run.report?.duration_ms), run.report?.init_ms ? `+ ${ms(run.report.init_ms)} cold start` : null],
    Number.isFinite(first) ? ["First token", ms(first)] : ["First byte", ms(run.report?.first_byte_ms)],
    ["Tokens in", count(run.tokens_in), notes([sum("cached_tokens"), "cached"])],
    ["Tokens out", count(run.tokens_out), notes([sum("reasoning_tokens"), "reasoning"])],
    ["Cost", dollars(run.cost_usd), run.report?.cost_usd ? `+ ${dollars(run.report.cost_usd)} Lambda` : null],
    ["Model", models.length ? models.join(", ") : run.model ?? UNKNOWN, run.calls?.length > 1 ? plural(run.calls.length, "call") : null],
  ];
  const asked = run.calls?.length > 0;
  return listed.filter(([name, value]) => (asked && name === "Cost") || (value !== UNKNOWN && (asked || value !== "0")));
}
