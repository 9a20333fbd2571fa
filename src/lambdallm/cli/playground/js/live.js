// A run in flight: what the server has said of it so far, for whoever shows it.

import { startRun, stopRun } from "./api.js";

const PATIENCE_MS = 3000;

export class LiveRun {
  /** `heard`: begin(), piece(text), log(entry), end(run). */
  constructor(request, heard) {
    Object.assign(this, request, { request, heard, run: null, running: true, begun: Date.now() / 1000, text: "", pieces: 0, first_ms: null, log: [] });
    this.started = performance.now();
    this.aborter = new AbortController();
  }

  get elapsed() {
    return performance.now() - this.started;
  }

  /** Run to the end. However it ends, `heard.end` gets a RUN. */
  async go() {
    try {
      for await (const [name, data] of startRun(this.request, this.aborter.signal)) {
        if (name === "end") return this.finish(data);
        this.take(name, data);
      }
      this.finish(this.broken("The connection ended before the run did. Did lambdallm dev stop?"));
    } catch (error) {
      this.finish(this.broken(error.name === "AbortError" ? "Stopped." : error.message));
    }
  }

  take(name, data) {
    if (name === "begin") {
      this.run = data.run;
      this.heard.begin();
    } else if (name === "piece") {
      this.first_ms ??= this.elapsed;
      this.text += data.text;
      this.pieces += 1;
      this.heard.piece(data.text);
    } else if (name === "log") {
      this.log.push(data);
      this.heard.log(data);
    }
  }

  finish(run) {
    this.running = false;
    this.heard.end(run);
  }

  /** End it: the server is asked first, so that it can account for what was used. */
  async stop() {
    if (this.run === null) return this.aborter.abort();
    setTimeout(() => this.running && this.aborter.abort(), PATIENCE_MS);
    try {
      await stopRun(this.run);
    } catch {
      this.aborter.abort();
    }
  }

  /** A RUN for what never came to its end. */
  broken(message) {
    return {
      ...this.request, run: this.run, begun: this.begun, status: null, headers: {}, result: this.text || null,
      streamed: this.pieces > 0, error: { errorType: "NoAnswer", errorMessage: message, stackTrace: [] }, calls: [], spans: [],
      log: this.log, tokens_in: null, tokens_out: null, cost_usd: null, report: null,
    };
  }
}
