// Numbers, times and names as a person reads them. Unknown is an en dash, never zero.

export const UNKNOWN = "–";

const whole = new Intl.NumberFormat("en");
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/** 1234 → "1,234". */
export const count = (value) => (isNumber(value) ? whole.format(value) : UNKNOWN);

/** Milliseconds: 0.42 → "0.4 ms", 118 → "118 ms", 2345 → "2.35 s", 75000 → "1 min 15 s". */
export function ms(value) {
  if (!isNumber(value)) return UNKNOWN;
  if (value < 0) return `−${ms(-value)}`;
  if (value < 10) return `${Number(value.toFixed(1))} ms`;
  if (value < 999.5) return `${Math.round(value)} ms`;
  if (value < 60_000) return `${(value / 1000).toFixed(value < 10_000 ? 2 : 1)} s`;
  return `${Math.floor(value / 60_000)} min ${Math.round((value % 60_000) / 1000)} s`;
}

/** Dollars with the digits that matter: 0.00012 → "$0.00012"; 0 is "$0". */
export function dollars(value) {
  if (!isNumber(value)) return UNKNOWN;
  if (value === 0) return "$0";
  if (value >= 1) return `$${value.toFixed(2)}`;
  const digits = Math.min(12, Math.max(6, 1 - Math.floor(Math.log10(Math.abs(value)))));
  return `$${value.toFixed(digits).replace(/0+$/, "")}`;
}

/** A difference with its sign, in the notation of `format`; nothing where a side is unknown. */
export function delta(before, after, format) {
  if (!isNumber(before) || !isNumber(after)) return "";
  const by = after - before;
  if (by === 0) return "=";
  const share = before ? ` (${by > 0 ? "+" : "−"}${Math.abs(Math.round((by / before) * 100))} %)` : "";
  return `${by > 0 ? "+" : "−"}${format(Math.abs(by))}${share}`;
}

/** How long ago a time in unix seconds was: "now", "4 min", "3 h", "2 d". */
export function ago(seconds, now = Date.now() / 1000) {
  const gone = Math.max(0, now - seconds);
  if (gone < 45) return "now";
  if (gone < 3600) return `${Math.max(1, Math.round(gone / 60))} min`;
  return gone < 86_400 ? `${Math.round(gone / 3600)} h` : `${Math.round(gone / 86_400)} d`;
}

/** Unix seconds as a local date and time. */
export const clock = (seconds) => new Date(seconds * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });

/** 1 → "1 call", 2 → "2 calls". */
export const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

/** A value as text: text as it is, anything else as indented JSON. */
export const asText = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2) ?? "");

/** What a run answered: the output of a chain's result, the result of everything else. */
export function answerOf(run) {
  const { kind, result } = run;
  return kind === "chain" && result && typeof result === "object" && "outputs" in result ? result.output : result;
}

/** The last part of an id: "app.summarize" → "summarize". */
export const shortName = (id) => String(id).split(".").at(-1);
