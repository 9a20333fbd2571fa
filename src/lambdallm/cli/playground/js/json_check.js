// Where JSON goes wrong, as line and column: browsers word their messages differently and not all say the place.

const SIMPLE = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** {value} of the text, or {error: {message, offset, line, column}} with line and column from 1. */
export function checkJson(text) {
  try {
    return { value: JSON.parse(text) };
  } catch (refused) {
    return { error: located(text, firstFault(text) ?? { message: refused.message, offset: 0 }) };
  }
}

function located(text, { message, offset }) {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { message, offset, line, column: offset - before.lastIndexOf("\n") };
}

class Fault extends Error {
  constructor(message, offset) {
    super(message);
    this.offset = offset;
  }
}

function firstFault(text) {
  try {
    new Scanner(text).document();
    return null;
  } catch (fault) {
    return fault instanceof Fault ? fault : null; // else it is nested too deep for the scanner
  }
}

class Scanner {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  document() {
    this.value();
    this.space();
    if (this.at < this.text.length) this.fail("Nothing may follow the value");
  }

  fail(message, offset = this.at) {
    throw new Fault(message, offset);
  }

  space() {
    while (" \t\n\r".includes(this.text[this.at] || "x")) this.at += 1;
  }

  value() {
    this.space();
    const first = this.text[this.at];
    if (first === "{") return this.members("}", () => this.pair());
    if (first === "[") return this.members("]", () => this.value());
    if (first === '"') return this.string();
    return this.word(first);
  }

  members(close, one) {
    this.at += 1;
    this.space();
    if (this.text[this.at] === close) { this.at += 1; return; }
    for (;;) {
      one();
      this.space();
      const next = this.text[this.at];
      if (next === undefined) this.fail(`The text ends before “${close}”`);
      if (next !== "," && next !== close) this.fail(`Expected “,” or “${close}”`);
      this.at += 1;
      if (next === close) return;
      this.space();
      if (this.text[this.at] === close) this.fail(`A comma before “${close}” is too many`, this.at);
    }
  }

  pair() {
    this.space();
    const first = this.text[this.at];
    if (first === undefined) this.fail("The text ends before “}”");
    if (first !== '"') this.fail(first === "'" ? "Names stand in double quotes" : "Expected a name in double quotes");
    this.string();
    this.space();
    if (this.text[this.at] !== ":") this.fail("Expected “:” after the name");
    this.at += 1;
    this.value();
  }

  string() {
    const begin = this.at;
    this.at += 1;
    for (;;) {
      const letter = this.text[this.at];
      if (letter === undefined) this.fail("This text is never closed", begin);
      if (letter < " ") this.fail(letter === "\n" ? "A line break in a text is written \\n" : "A control character must be escaped");
      this.at += 1;
      if (letter === '"') return;
      if (letter === "\\") this.escape();
    }
  }

  escape() {
    const letter = this.text[this.at];
    const hex = letter === "u" && /^[0-9a-fA-F]{4}$/.test(this.text.slice(this.at + 1, this.at + 5));
    if (!hex && !(letter in SIMPLE)) this.fail("A backslash begins an escape: write \\\\ for itself", this.at - 1);
    this.at += hex ? 5 : 1;
  }

  word(first) {
    const found = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/.exec(this.text.slice(this.at, this.at + 400));
    if (found) { this.at += found[0].length; return; }
    if (first === undefined) this.fail(this.at ? "The text ends where a value is expected" : "There is no value");
    if (first === "'") this.fail("Texts stand in double quotes");
    const wrong = /^[\w.+-]+/.exec(this.text.slice(this.at, this.at + 40))?.[0];
    const meant = { True: "true", False: "false", None: "null", undefined: "null", NaN: "null" }[wrong];
    this.fail(meant ? `Write ${meant} for ${wrong}` : `Expected a value, not “${wrong ?? first}”`);
  }
}
