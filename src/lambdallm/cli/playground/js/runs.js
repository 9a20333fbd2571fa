// The runs that are known: the newest first, in full where that was asked for.

import { getRun } from "./api.js";

export class Runs {
  constructor() {
    this.list = [];
    this.whole = new Map();
  }

  /** Take the server's list; what is in flight here stays on top. */
  replace(listed) {
    const ids = new Set(listed.map((run) => run.run));
    this.list = [...this.list.filter((run) => run.running || (run.run === null && !ids.has(run.run))), ...listed];
  }

  /** A run that is new, or newer than what is known of it. */
  add(run, { whole = false } = {}) {
    this.list = [run, ...this.list.filter((known) => known !== run && (known.run === null || known.run !== run.run))];
    if (whole && run.run !== null) this.whole.set(run.run, run);
  }

  remove(run) {
    this.list = this.list.filter((known) => known !== run);
  }

  find(id) {
    return this.whole.get(id) ?? this.list.find((run) => run.run === id) ?? null;
  }

  isWhole(run) {
    return run.run === null || this.whole.has(run.run);
  }

  of(kind, id) {
    return this.list.filter((run) => run.kind === kind && run.id === id);
  }

  /** The run with the messages of its calls. Raises `ServerError`. */
  async full(id) {
    if (!this.whole.has(id)) this.whole.set(id, await getRun(id));
    return this.whole.get(id);
  }
}
