// What the server tells: the project and its load errors, the runs, and whether it can be reached at all.

import { getProject, getRuns, watch } from "./api.js";
import { $, fill, h, tell } from "./dom.js";
import { errorCard } from "./errors.js";

export class Connection {
  /** `heard`: project(project), runs(list), run(run), log(entry). */
  constructor(heard) {
    Object.assign(this, { heard, loaded: false, lost: false });
  }

  /** Load everything, then listen for as long as the page is open. */
  async open() {
    await this.load();
    watch({
      onOpen: () => this.found(),
      onLost: () => this.miss("lambdallm dev can’t be reached. What you typed stays; the page goes on when it is back."),
      onProject: () => this.loadProject(), onRun: this.heard.run, onLog: this.heard.log,
    });
  }

  load() {
    return Promise.all([this.loadProject(), this.loadRuns()]);
  }

  async loadProject() {
    try {
      const project = await getProject();
      const again = this.loaded;
      this.loaded = true;
      showError(project.error);
      this.heard.project(project);
      if (again) tell(project.error ? "The code changed, and can’t be loaded" : "Code reloaded");
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
    if (this.lost) this.load();
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
