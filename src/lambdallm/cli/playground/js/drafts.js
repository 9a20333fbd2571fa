// What was typed for each target, kept in the browser: a reload of the page or of the code loses nothing.

const EMPTY = { inputs: {}, event: null, model: "", template: null, system: null, temperature: "", maxTokens: "" };

export class Drafts {
  /** Drafts of one project; `storage` is the browser's, or null where it is refused. */
  constructor(project, storage) {
    this.prefix = `lambdallm:draft:${project}:`;
    this.storage = storage;
    this.kept = new Map();
  }

  /** The draft of a target: `inputs` by name as typed, `template` and `system` null while they are the code's own. */
  get(kind, id) {
    const key = `${kind}:${id}`;
    if (!this.kept.has(key)) this.kept.set(key, { ...EMPTY, inputs: {}, ...this.stored(key) });
    return this.kept.get(key);
  }

  /** Change some of a draft and keep it. */
  put(kind, id, changes) {
    const key = `${kind}:${id}`;
    const draft = { ...this.get(kind, id), ...changes };
    this.kept.set(key, draft);
    try {
      this.storage?.setItem(this.prefix + key, JSON.stringify(draft));
    } catch { /* storage is full: the draft lasts as long as the page */ }
    return draft;
  }

  clear(kind, id) {
    this.kept.delete(`${kind}:${id}`);
    this.storage?.removeItem(`${this.prefix}${kind}:${id}`);
  }

  stored(key) {
    try {
      return JSON.parse(this.storage?.getItem(this.prefix + key) ?? "{}");
    } catch {
      return {};
    }
  }
}

/** The draft that sends a run's input again. */
export function draftOf(run) {
  if (run.kind === "function") return { event: JSON.stringify(run.event, null, 2), model: run.model ?? "" };
  const inputs = Object.entries(run.inputs ?? {}).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value, null, 2)]);
  const typed = (value) => (value === null || value === undefined ? "" : String(value));
  return {
    inputs: Object.fromEntries(inputs), model: run.model ?? "", template: run.template ?? null, system: run.system ?? null,
    temperature: typed(run.temperature), maxTokens: typed(run.max_tokens),
  };
}
