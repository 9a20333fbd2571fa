// What the server tells: the project and its load errors, the runs, and whether it can be reached at all.

import { getProject, getRuns, watch } from "./api.js";
import { $, fill, h, tell } from "./dom.js";
import { errorCard } from "./errors.js";

const HIDDEN_MS = 1000;

export class Connection {
  /** `heard`: project(project), runs(list), run(run), log(entry). */
  constructor(heard) {
    Object.assign(this, { heard, loaded: false, lost: false });
  }

  /** Load everything, then listen for as long as the page is open. */
  async open() {
    document.addEventListener("visibilitychange", () => this.look());
    await this.load();
    this.listen();
    this.look();
  }

  listen() {
    this.source = watch({
      onOpen: () => this.found(),
      onLost: () => this.miss("lambdallm dev can’t be reached. What you typed stays; the page goes on when it is back."),
      onProject: () => this.loadProject(), onRun: this.heard.run, onLog: this.heard.log,
    });
  }

  /** A tab that nobody sees gives its connection back: a browser has six for all tabs of a server. */
  look() {
    clearTimeout(this.timer);
    if (document.visibilityState === "hidden") this.timer = setTimeout(() => this.pause(), HIDDEN_MS);
    else if (this.source?.readyState === EventSource.CLOSED) this.listen();
  }

  pause() {
    this.source?.close();
    this.lost = true;
    $("connection").textContent = "Paused";
  }

  load(given) {
    return Promise.all([this.loadProject(given), this.loadRuns()]);
  }

  async loadProject({ quiet = false } = {}) {
    try {
      const project = await getProject();
      const again = this.loaded;
      this.loaded = true;
      showError(project.error);
      this.heard.project(project);
      if (again && !quiet) tell(project.error ? "The code changed, and can’t be loaded" : "Code reloaded");
    } catch (error) {
      this.miss(error.message);
    }
  }

  async loadRuns() {
    try {
      this.heard.runs(await getRuns());
    } catch (error) {
      this.miss(error.message);
    }
  }

  found() {
    showConnection(true);
    if (this.lost) this.load({ quiet: true });
    this.lost = false;
  }

  miss(message) {
    this.lost = true;
    showConnection(false);
    $("banner").hidden = false;
    fill($("banner"), h("p", {}, message));
  }
}

function showConnection(live) {
  $("connection").textContent = live ? "Live" : "Reconnecting…";
  $("connection").classList.toggle("lost", !live);
}

function showError(error) {
  $("banner").hidden = !error;
  if (!error) return;
  fill($("banner"), h("details", { open: true },
    h("summary", {}, "The project can’t be loaded. What is below is what was last known; it is read again when you save."), errorCard(error)));
}
