// The rows of the grid: filtered, sorted, chosen and totalled in the browser. grid.js, which draws them, is
// appended to this file, so that there is one module and no bundler.
//
// Columns arrive as one JSON of lists, the choice leaves as one bit a row. Amounts travel as text with
// four decimals and are added as whole numbers, so that no cent is lost. Nothing is fetched from anywhere.

const SIGNS = { block: "✖", refuse: "⊘", warn: "▲", note: "●" };
const WORDS = { block: "blocked", refuse: "refused", warn: "warning", note: "note" };
const TURN = 4; // bytes in front of the bits of a choice: of which rows they are
const RANK = { block: 4, refuse: 3, warn: 2, note: 1 };
// Control characters, and those that turn the direction of a line: a name must not rewrite its row.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g;
const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

const escape = (text) => text.replace(UNSAFE, " ").replace(/[&<>"']/g, (sign) => ESCAPES[sign]);
const count = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");

// In ten-thousandths, whatever number of decimals it came with.
function scaled(text) {
  const [whole, part = ""] = text.split(".");
  return BigInt(whole + part.padEnd(4, "0"));
}

function amount(value) {
  const size = value < 0n ? -value : value;
  const cents = String(size % 10000n).padStart(4, "0").replace(/0{1,2}$/, "");
  const text = `${count(size / 10000n)}.${cents}`;
  return value < 0n ? `(${text})` : text;
}

// --- what a filter means ---

const TESTS = {
  ">": (a, b) => a > b, "<": (a, b) => a < b, ">=": (a, b) => a >= b, "<=": (a, b) => a <= b, "=": (a, b) => a === b,
};

function typed_amount(text) {
  const match = /^([-(]?)\$?([\d,]+)(?:\.(\d{1,4}))?\)?$/.exec(text.trim());
  if (!match) return null;
  const value = BigInt(match[2].replace(/,/g, "") + (match[3] || "").padEnd(4, "0"));
  return match[1] ? -value : value;
}

function compare(text, read) {
  const span = text.split("..").map((part) => read(part));
  if (span.length === 2 && span.every((end) => end !== null)) return (v) => v >= span[0] && v <= span[1];
  const match = /^(>=|<=|>|<|=)(.+)$/.exec(text);
  const value = match && read(match[2]);
  return match && value !== null ? (v) => TESTS[match[1]](v, value) : null;
}

// A test of a row index, or null where the filter is empty.
function test_of(rows, column, text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return null;
  const { kind, name } = column;
  if (kind === "money") {
    const exactly = typed_amount(wanted);
    const test = compare(wanted, typed_amount) || (exactly !== null && ((v) => v === exactly));
    return test ? (i) => test(rows.money(name)[i]) : (i) => rows.text(column, i).includes(wanted);
  }
  const values = rows.lower(column);
  if (kind === "date") {
    const test = compare(wanted, (part) => part.trim() || null);
    if (test) return (i) => values[i] !== "" && test(values[i]);
  }
  if (wanted.startsWith("=")) return (i) => values[i].trim() === wanted.slice(1).trim();
  if (wanted.startsWith("!")) return (i) => !values[i].includes(wanted.slice(1).trim());
  return (i) => values[i].includes(wanted);
}

// --- the rows ---

class Rows {
  constructor(model) {
    this.model = model;
    this.load();
  }

  load() {
    this.columns = this.model.get("columns");
    this.lists = JSON.parse(new TextDecoder().decode(this.model.get("data")) || "{}");
    this.size = this.columns.length ? (this.lists[this.columns[0].name] || []).length : 0;
    this.cache = {};
    this.order = Array.from({ length: this.size }, (_, i) => i);
    this.shown = this.order;
    this.turn = this.model.get("turn");
    this.bits = new Uint8Array(this.size);
    this.load_notes();
    this.load_mask();
  }

  load_notes() {
    this.notes = JSON.parse(new TextDecoder().decode(this.model.get("notes")) || "{}");
    for (const key of Object.keys(this.cache)) if (/:(finding|search)$/.test(key)) delete this.cache[key];
  }

  load_mask() {
    const view = this.model.get("mask");
    if (view.byteLength < TURN || view.getUint32(0) !== this.turn) return; // a choice among other rows
    const bytes = new Uint8Array(view.buffer, view.byteOffset + TURN);
    for (let i = 0; i < this.size; i++) this.bits[i] = (bytes[i >> 3] >> (7 - (i & 7))) & 1;
  }

  save_mask() {
    const view = new DataView(new ArrayBuffer(TURN + Math.ceil(this.size / 8)));
    view.setUint32(0, this.turn);
    const bytes = new Uint8Array(view.buffer, TURN);
    for (let i = 0; i < this.size; i++) if (this.bits[i]) bytes[i >> 3] |= 128 >> (i & 7);
    this.model.set("mask", view);
    this.model.save_changes();
  }

  kept(key, make) {
    return (this.cache[key] ??= make());
  }

  money(name) {
    return this.kept(`${name}:money`, () => this.lists[name].map(scaled));
  }

  text(column, i) {
    if (column.kind === "finding") return this.finding(i);
    const value = this.lists[column.name][i];
    if (column.kind !== "money") return value;
    const exact = this.money(column.name)[i];
    return exact === 0n && !(column.zero && value) ? "" : amount(exact);
  }

  finding(i) {
    const note = this.notes[i];
    return note ? `${SIGNS[note[0]]} ${WORDS[note[0]]}: ${note[1]}` : "";
  }

  lower(column) {
    const tag = column.kind === "finding" ? "finding" : "lower";
    return this.kept(`${column.name}:${tag}`, () => this.order_free().map((i) => this.text(column, i).toLowerCase()));
  }

  order_free() {
    return this.kept("all", () => Array.from({ length: this.size }, (_, i) => i));
  }

  searched() {
    const texts = this.columns.map((column) => this.lower(column));
    return this.kept("all:search", () => this.order_free().map((i) => texts.map((list) => list[i]).join("\u0001")));
  }

  // Numbers inside a text sort as numbers: CW-9 stands before CW-10.
  sort_keys(column) {
    if (column.kind === "money") return this.money(column.name);
    if (column.kind === "finding") return this.order_free().map((i) => RANK[(this.notes[i] || [])[0]] || 0);
    const pad = (text) => text.replace(/\d+/g, (digits) => digits.padStart(12, "0"));
    return this.kept(`${column.name}:sort`, () => this.lower(column).map(pad));
  }

  sort(column, direction) {
    const keys = column ? this.sort_keys(column) : this.order_free();
    const by = (a, b) => (keys[a] < keys[b] ? -direction : keys[a] > keys[b] ? direction : a - b);
    this.order = [...this.order_free()].sort(by);
  }

  filter(search, filters) {
    const words = search.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const tests = this.columns.map((column) => test_of(this, column, filters[column.name] || "")).filter(Boolean);
    if (words.length) {
      const texts = this.searched();
      tests.push((i) => words.every((word) => texts[i].includes(word)));
    }
    this.shown = tests.length ? this.order.filter((i) => tests.every((test) => test(i))) : this.order;
  }

  include(indices, value) {
    for (const i of indices) this.bits[i] = value ? 1 : 0;
    this.save_mask();
  }

  included(indices) {
    let found = 0;
    for (const i of indices) found += this.bits[i];
    return found;
  }

  sum(name, indices, chosen) {
    const values = this.money(name);
    let total = 0n;
    for (const i of indices) if (!chosen || this.bits[i]) total += values[i];
    return total;
  }

  // The distinct values of a column with few of them, for a list to choose from.
  choices(column) {
    if (column.kind !== "choice") return [];
    return [...new Set(this.lists[column.name])].sort();
  }
}
