// Where the page is, as the hash of its address: reloading, going back and sending a link keep the place.
//
//   #/prompt/app.summarize             a target
//   #/prompt/app.summarize/r7/timing   with one of its runs, and which side of it
//   #/compare/r7/r8                    two runs

const KINDS = ["function", "prompt", "chain", "agent"];

/** {view: "target", kind, id, run, tab} or {view: "compare", a, b}; null for an address that says nothing. */
export function parsePlace(hash) {
  const [first, ...rest] = hash.replace(/^#\/?/, "").split("/").map(decoded);
  if (first === "compare" && rest[0] && rest[1]) return { view: "compare", a: rest[0], b: rest[1] };
  if (!KINDS.includes(first) || !rest[0]) return null;
  return { view: "target", kind: first, id: rest[0], run: rest[1] || null, tab: rest[2] || null };
}

/** The hash of a place. */
export function formatPlace(place) {
  const parts = place.view === "compare" ? ["compare", place.a, place.b]
    : [place.kind, place.id, ...(place.run ? [place.run, ...(place.tab ? [place.tab] : [])] : [])];
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
