// What went wrong, told by the author's own lines: frames of libraries and of Python are there, folded away.

import { h, icon } from "./dom.js";

const LIBRARY = /site-packages|dist-packages|\/lib\/python|\/usr\/lib|[\\/]lambdallm[\\/](?:core|llm|runtime|chains|cli|middleware|transport|providers|state|aws)[\\/]|<frozen|\/var\/runtime|\/var\/lang/;

/** A card for {errorType, errorMessage, stackTrace}. */
export function errorCard(error) {
  return h("div", { class: "error-card" },
    h("p", { class: "error-title" }, icon("failed"), h("strong", {}, error.errorType || "Error")),
    h("p", { class: "error-message" }, error.errorMessage || "It says nothing."),
    stack(error.stackTrace));
}

/** The frames, innermost last, as Python prints them. */
export function stack(trace) {
  const frames = (Array.isArray(trace) ? trace : String(trace ?? "").split(/\n(?= {2}File )/)).map((line) => String(line).trimEnd()).filter((line) => line.trim());
  if (!frames.length) return null;
  return h("div", { class: "stack", role: "group", "aria-label": "Where it was raised" }, grouped(frames).map(([own, lines]) => (own
    ? lines.map((line) => h("pre", { class: "frame" }, frameNodes(line)))
    : h("details", { class: "foreign" }, h("summary", {}, `${lines.length} ${lines.length === 1 ? "frame" : "frames"} of libraries`),
      h("pre", { class: "frame" }, lines.join("\n"))))));
}

function grouped(frames) {
  const groups = [];
  for (const frame of frames) {
    const own = !LIBRARY.test(frame);
    if (groups.at(-1)?.[0] === own) groups.at(-1)[1].push(frame);
    else groups.push([own, [frame]]);
  }
  return groups;
}

/** `  File "app.py", line 3, in f` followed by the line itself: the place in bold. */
function frameNodes(frame) {
  const found = /^(\s*File )"([^"\n]+)", line (\d+)(.*)/.exec(frame);
  if (!found) return [frame];
  const [head, , file, line, where] = found;
  return [h("strong", {}, `${file}:${line}`), h("span", { class: "muted" }, where.replace(/^, in /, "  ")), frame.slice(head.length)];
}
