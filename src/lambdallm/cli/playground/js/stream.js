// Text that grows: pieces are gathered for one frame and added to a text node, so ten thousand cost few nodes.
//
// The text is split into blocks at line breaks: only the last block is laid out again when it grows.

import { $, h } from "./dom.js";

const BLOCK = 4000;
const SAID_EVERY_MS = 1500;

export class StreamView {
  constructor(text = "") {
    this.root = h("div", { class: "stream" });
    this.waiting = [];
    this.frame = 0;
    this.put(text);
  }

  /** Add a piece; it is drawn with the next frame. */
  append(text) {
    this.waiting.push(text);
    if (!this.frame) this.frame = soon(() => this.flush());
  }

  /** Draw what waits, and stay at the end when the reader is there. */
  flush() {
    this.frame = 0;
    const scroller = this.root.closest(".panel");
    const atEnd = scroller && scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 40;
    this.put(this.waiting.join(""));
    this.waiting = [];
    if (atEnd) scroller.scrollTop = scroller.scrollHeight;
  }

  put(text) {
    let from = 0;
    for (let at = this.breakAt(text, from); at >= 0; at = this.breakAt(text, from)) {
      this.extend(text.slice(from, at));
      this.node = null;
      from = at + 1;
    }
    this.extend(text.slice(from));
  }

  /** Where the next block begins: a line break after a line that is not empty, once the block is long. */
  breakAt(text, from) {
    const room = Math.max(0, BLOCK - (this.node?.length ?? 0));
    let at = text.indexOf("\n", from + room);
    while (at > 0 && text[at - 1] === "\n") at = text.indexOf("\n", at + 1);
    return at === 0 && (!this.node || this.node.data.endsWith("\n")) ? -1 : at;
  }

  extend(text) {
    if (!this.node) {
      this.node = document.createTextNode("");
      this.root.append(h("div", {}, this.node));
    }
    if (text) this.node.appendData(text);
  }
}

/** With the next frame, or soon where the page is hidden and has no frames. */
export function soon(work) {
  let done = false;
  const once = () => { if (!done) { done = true; work(); } };
  requestAnimationFrame(once);
  return setTimeout(once, 200);
}

/** Reads a stream out to those who listen: whole sentences, not more often than they can follow. */
export class Reader {
  constructor() {
    this.rest = "";
    this.timer = 0;
    $("said").replaceChildren();
  }

  hear(text) {
    this.rest += text;
    this.timer ||= setTimeout(() => this.say(), SAID_EVERY_MS);
  }

  say(all = false) {
    clearTimeout(this.timer);
    this.timer = 0;
    const end = all ? this.rest.length : Math.max(...[". ", "! ", "? ", "\n"].map((mark) => this.rest.lastIndexOf(mark) + 1));
    if (end <= 0) return;
    const region = $("said");
    region.append(h("p", {}, this.rest.slice(0, end).trim()));
    while (region.childElementCount > 20) region.firstElementChild.remove();
    this.rest = this.rest.slice(end);
  }
}
