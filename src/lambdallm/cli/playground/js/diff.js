// What differs between two texts, by words: Myers' shortest edit script, bounded so that any two texts take little time.

const MOST_EDITS = 1000;
const WORD = /\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu;

/** [[kind, text], …] with kind "same", "gone" (of the first text) or "new" (of the second). */
export function diffWords(before, after) {
  const a = before.match(WORD) ?? [];
  const b = after.match(WORD) ?? [];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const middle = edits(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  return joined([["same", a.slice(0, head).join("")], ...middle, ["same", a.slice(a.length - tail).join("")]]);
}

function edits(a, b) {
  if (!a.length || !b.length) return [["gone", a.join("")], ["new", b.join("")]];
  const trace = forward(a, b);
  return trace ? backward(a, b, trace) : [["gone", a.join("")], ["new", b.join("")]];
}

/** The furthest reaching path of every number of edits; null when the texts have too little in common. */
function forward(a, b) {
  const most = Math.min(a.length + b.length, MOST_EDITS);
  let reach = new Map([[1, 0]]);
  const trace = [];
  for (let d = 0; d <= most; d += 1) {
    trace.push(new Map(reach));
    for (let k = -d; k <= d; k += 2) {
      let x = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1)) ? reach.get(k + 1) : reach.get(k - 1) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      reach.set(k, x);
      if (x >= a.length && x - k >= b.length) return trace;
    }
  }
  return null;
}

function backward(a, b, trace) {
  const found = [];
  let [x, y] = [a.length, b.length];
  for (let d = trace.length - 1; d >= 0; d -= 1) {
    const reach = trace[d];
    const k = x - y;
    const down = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
    const fromX = down ? reach.get(k + 1) : reach.get(k - 1);
    const fromY = fromX - (down ? k + 1 : k - 1);
    while (x > fromX && y > fromY && x > 0 && y > 0) { x -= 1; y -= 1; found.push(["same", a[x]]); }
    if (d > 0) found.push(down ? ["new", b[fromY]] : ["gone", a[fromX]]);
    [x, y] = [fromX, fromY];
  }
  return found.reverse();
}

/** Neighbours of one kind as one; a space between two changes counts as changed, for whole phrases read better. */
function joined(parts) {
  const out = [];
  let [gone, fresh] = ["", ""];
  const settle = () => {
    if (gone) out.push(["gone", gone]);
    if (fresh) out.push(["new", fresh]);
    [gone, fresh] = ["", ""];
  };
  const listed = parts.filter(([, text]) => text);
  listed.forEach(([kind, text], at) => {
    const between = kind === "same" && (gone || fresh) && !text.trim() && (listed[at + 1]?.[0] ?? "same") !== "same";
    if (kind === "gone" || between) gone += text;
    if (kind === "new" || between) fresh += text;
    if (kind !== "same" || between) return;
    settle();
    if (out.at(-1)?.[0] === "same") out.at(-1)[1] += text;
    else out.push(["same", text]);
  });
  settle();
  return out;
}
