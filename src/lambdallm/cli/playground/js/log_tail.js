// Log lines that keep coming: gathered for one frame, and never more in a list than a person scrolls through.

import { soon } from "./stream.js";

export class LogTail {
  /** `draw(entry)` makes an item of `list`; `drawn()` is called when some were added. The newest `most` stay. */
  constructor(list, most, draw, drawn = () => {}) {
    Object.assign(this, { list, most, draw, drawn, waiting: [], frame: 0 });
  }

  /** Add a line; it is drawn with the next frame. */
  add(entry) {
    this.waiting.push(entry);
    if (this.waiting.length > 2 * this.most) this.waiting = this.waiting.slice(-this.most);
    if (!this.frame) this.frame = soon(() => this.flush());
  }

  flush() {
    this.frame = 0;
    const fresh = this.waiting.slice(-this.most);
    this.waiting = [];
    for (let over = this.list.childElementCount + fresh.length - this.most; over > 0; over -= 1) this.list.firstElementChild?.remove();
    this.list.append(...fresh.map(this.draw));
    this.drawn();
  }
}
