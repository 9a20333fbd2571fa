// The left side of the work: what is to run, and with what. Reads the draft, writes the draft, and makes a request of it.

import { copy, fill, h, icon, markInvalid } from "./dom.js";
import { jsonEditor, textEditor } from "./editor.js";
import { field } from "./fields.js";
import { highlightTemplate, variables } from "./highlight.js";

const NOUNS = { function: "Function", prompt: "Prompt", chain: "Chain", agent: "Agent" };

export class Form {
  /** `actions`: run(request), stop(). */
  constructor(root, drafts, actions) {
    Object.assign(this, { root, drafts, actions, target: null, fields: [], event: null, drawn: null });
  }

  /** Show a target, unless it is shown already as it is. What was typed stays. */
  show(kind, target, models, { gone = false } = {}) {
    const drawn = JSON.stringify([kind, target, models, gone]);
    if (drawn === this.drawn) return;
    const focused = this.root.contains(document.activeElement) ? document.activeElement.id : null;
    if (target.id !== this.target?.id) this.forgotten = null;
    Object.assign(this, { kind, target, models, drawn, gone });
    this.draw();
    if (focused) document.getElementById(focused)?.focus();
  }

  draw() {
    const { kind, target } = this;
    const draft = this.draft();
    this.fields = [];
    this.runButton = h("button", { type: "button", class: "primary", id: "run", onclick: () => this.submit() });
    fill(this.root,
      h("header", { class: "form-head" }, this.title(), this.gone && h("p", { class: "notice" }, "This is no longer in the project's code."),
        target.doc && h("p", { class: "doc" }, target.doc), settings(target.settings), steps(target.steps)),
      h("div", { class: "form-body" },
        "template" in target && this.templates(draft),
        kind === "function" ? this.eventEditor(draft) : this.inputs(draft),
        this.options(draft)),
      h("footer", { class: "form-foot" }, this.runButton,
        h("button", { type: "button", class: "plain", onclick: () => this.reset() }, this.forgotten ? "Undo reset" : "Reset")));
    this.setRunning(this.running);
  }

  draft() {
    return this.drafts.get(this.kind, this.target.id);
  }

  keep(changes) {
    this.typed();
    this.drafts.put(this.kind, this.target.id, changes);
  }

  typed() {
    this.forgotten = null;
    const button = this.root.querySelector(".form-foot .plain");
    if (button) button.textContent = "Reset";
  }

  title() {
    const { kind, target } = this;
    const place = target.file ? `${target.file}:${target.line}` : target.id;
    return [
      h("div", { class: "title" }, h("h1", {}, target.name), h("span", { class: "kind" }, NOUNS[kind])),
      h("button", { type: "button", class: "place", title: "Copy the place", onclick: () => copy(place, place) }, place),
    ];
  }

  templates(draft) {
    const { target } = this;
    return h("div", { class: "group" },
      this.text("template", "Template", target.template, draft.template, () => this.redrawInputs()),
      this.text("system", "System", target.system, draft.system, () => this.redrawInputs()));
  }

  /** A text of the code that can be edited here: it says when it differs, and goes back. */
  text(name, label, own, edited, after) {
    const id = `edit-${name}`;
    const mark = h("span", { class: "edited" }, "edited");
    const back = h("button", { type: "button", class: "link", onclick: () => { editor.set(own ?? ""); changed(own ?? ""); } }, "Undo the edit");
    const changed = (text) => {
      const differs = text !== (own ?? "");
      mark.hidden = back.hidden = !differs;
      this.keep({ [name]: differs ? text : null });
      after();
    };
    const editor = textEditor({
      id, value: edited ?? own ?? "", mono: true, highlight: highlightTemplate, onInput: changed,
      placeholder: name === "system" ? "No system message" : null,
    });
    mark.hidden = back.hidden = edited === null || edited === (own ?? "");
    return h("div", { class: "field" },
      h("div", { class: "field-head" }, h("label", { for: id }, label), mark, back), editor.root);
  }

  inputs(draft) {
    this.inputsRoot = h("div", { class: "group", role: "group", "aria-label": "Inputs" });
    this.drawInputs(draft);
    return this.inputsRoot;
  }

  /** The inputs of the code; where its texts are edited, without those that are used no more, with those that are new. */
  listed(draft) {
    const { target } = this;
    const known = target.inputs ?? [];
    if (draft.template === null && draft.system === null) return known;
    const used = (...texts) => variables(texts.filter(Boolean).join(" "));
    const [before, now] = [used(target.template, target.system), used(draft.template ?? target.template, draft.system ?? target.system)];
    const kept = known.filter(({ name }) => now.includes(name) || !before.includes(name));
    const added = now.filter((name) => !known.some((one) => one.name === name));
    return [...kept, ...added.map((name) => ({ name, type: "string", required: true, default: null, choices: null, description: "Added by your edit." }))];
  }

  drawInputs(draft) {
    const listed = this.listed(draft);
    this.names = listed.map((input) => input.name).join();
    this.fields = listed.map((input) => field(input, draft.inputs[input.name], () => this.keepInputs()));
    fill(this.inputsRoot, h("h2", {}, "Inputs"),
      this.fields.length ? this.fields.map((one) => one.root) : h("p", { class: "muted" }, "It takes none."));
  }

  redrawInputs() {
    const draft = this.draft();
    if (this.listed(draft).map((input) => input.name).join() !== this.names) this.drawInputs(draft);
  }

  keepInputs() {
    const typed = Object.fromEntries(this.fields.map((one) => [one.name, one.text()]));
    this.keep({ inputs: { ...this.draft().inputs, ...typed } });
  }

  eventEditor(draft) {
    const samples = this.target.samples ?? [];
    const first = samples.length ? JSON.stringify(samples[0].event, null, 2) : "{}";
    this.event = jsonEditor({ id: "event", label: "Event, JSON", value: draft.event ?? first, onInput: (event) => this.keep({ event }) });
    const choose = h("select", { class: "control small", "aria-label": "Sample events", onchange: () => this.sample(choose) },
      h("option", { value: "" }, "Samples…"), samples.map((one, at) => h("option", { value: at }, one.name)));
    return h("div", { class: "group event" },
      h("div", { class: "field-head" }, h("h2", {}, "Event"), samples.length > 0 && choose,
        h("button", { type: "button", class: "link", onclick: () => this.event.format() }, "Format")),
      this.event.root);
  }

  sample(choose) {
    if (choose.value === "") return;
    this.event.set(JSON.stringify(this.target.samples[Number(choose.value)].event, null, 2));
    this.keep({ event: this.event.text() });
    choose.value = "";
  }

  options(draft) {
    const own = this.target.model ?? this.target.settings?.model;
    this.model = h("input", {
      id: "model", class: "control", list: "models", value: draft.model, autocomplete: "off", spellcheck: "false",
      placeholder: own ? `${own} (the code's)` : "the code's own", oninput: () => this.keep({ model: this.model.value }),
    });
    const numbers = this.kind === "function" ? [] : [
      this.numberOption("temperature", "Temperature", draft.temperature, this.target.temperature, (text) => ({ temperature: text })),
      this.numberOption("max-tokens", "Max. tokens", draft.maxTokens, this.target.max_tokens, (text) => ({ maxTokens: text }))];
    return h("div", { class: "options" },
        h("div", { class: "field" }, h("label", { for: "model" }, "Model"), this.model,
          h("datalist", { id: "models" }, this.models.map((name) => h("option", { value: name })))),
      numbers);
  }

  numberOption(id, label, value, own, change) {
    const control = h("input", { id, class: "control", inputmode: "decimal", value, autocomplete: "off", placeholder: own ?? "the code's own", oninput: () => this.keep(change(control.value)) });
    return h("div", { class: "field" }, h("label", { for: id }, label), control);
  }

  /** Forget what was typed; once more brings it back, until something is typed. */
  reset() {
    const before = this.draft();
    this.drafts.clear(this.kind, this.target.id);
    const back = this.forgotten;
    if (back) this.keep(back);
    this.forgotten = back ? null : before;
    this.draw();
  }

  /** Take over a draft that came from elsewhere: a run that is sent again. */
  redraw() {
    if (this.target) this.draw();
  }

  /** The request that the fields make, or null where one is wrong: that one then has the focus. */
  request() {
    const draft = this.draft();
    const model = draft.model.trim() || null;
    if (this.kind === "function") {
      const { value, error } = this.event.get();
      if (error) { this.event.show(); return null; }
      return { kind: this.kind, id: this.target.id, event: value, model };
    }
    const read = this.fields.map((one) => [one, one.get()]);
    const wrong = read.find(([, { error }]) => error);
    if (wrong) { wrong[0].focus(); return null; }
    const inputs = Object.fromEntries(read.filter(([, { value }]) => value !== undefined).map(([one, { value }]) => [one.name, value]));
    const numbers = this.numbers(draft);
    return numbers && { kind: this.kind, id: this.target.id, inputs, model, template: draft.template, system: draft.system, ...numbers };
  }

  numbers(draft) {
    const made = {};
    for (const [name, id, text] of [["temperature", "temperature", draft.temperature], ["max_tokens", "max-tokens", draft.maxTokens]]) {
      made[name] = text.trim() ? Number(text) : null;
      const control = document.getElementById(id);
      const wrong = Number.isNaN(made[name]) || (name === "max_tokens" && made[name] !== null && !Number.isInteger(made[name]));
      markInvalid(control, wrong);
      if (wrong) { control.focus(); return null; }
    }
    return made;
  }

  submit() {
    if (this.running) return this.actions.stop();
    const request = this.target && this.request();
    if (request) this.actions.run(request);
  }

  setRunning(running) {
    this.running = running;
    if (!this.runButton) return;
    this.runButton.classList.toggle("stop", Boolean(running));
    fill(this.runButton, icon(running ? "stop" : "play"), running ? "Stop" : "Run", h("kbd", {}, running ? "Esc" : MODIFIER));
  }
}

const MODIFIER = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘ ↵" : "Ctrl ↵";

function settings(given) {
  const known = Object.entries(given ?? {}).filter(([, value]) => value !== null);
  if (!known.length) return null;
  return h("dl", { class: "settings" }, known.map(([name, value]) => h("div", {}, h("dt", {}, name.replaceAll("_", " ")),
    h("dd", {}, typeof value === "string" ? value : JSON.stringify(value)))));
}

function steps(listed) {
  if (!listed?.length) return null;
  return h("ol", { class: "steps", "aria-label": "Steps" }, listed.map((step) => h("li", {},
    h("span", {}, step.name), step.kind !== "step" && h("span", { class: "kind" }, step.kind), steps(step.children))));
}
