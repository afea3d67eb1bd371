// The page of the grid: an ARIA grid that draws only the rows that are seen. Its names come from rows.js.

const ROW = 28; // pixels; the style sheet has the same
const SPARE = 6; // rows drawn above and below what is seen

let grids = 0;

function make(tag, attributes = {}, text = "") {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text) node.textContent = text;
  return node;
}

class View {
  constructor(model, el) {
    this.model = model;
    this.rows = new Rows(model);
    this.id = `s50grid${++grids}`;
    this.filters = {};
    this.search = "";
    this.sorted = { column: null, direction: 1 };
    this.active = 0;
    this.chooses = Boolean(model.get("include_title"));
    el.classList.add("s50-grid");
    el.dataset.lmSuppressShortcuts = "true";
    this.build(el);
    this.refresh();
  }

  build(el) {
    this.bar = make("div", { class: "s50-bar" });
    this.find = make("input", { type: "search", placeholder: "Search all columns", "aria-label": `Search ${this.model.get("label")}` });
    this.find.addEventListener("input", () => this.later(() => { this.search = this.find.value; }));
    this.bar.append(this.find);
    if (this.chooses) this.bar.append(this.button("all", () => this.include_shown(true)), this.button("none", () => this.include_shown(false)));
    this.bar.append(this.button("clear", () => this.clear()));
    this.clear_button.textContent = "Clear filters";
    this.grid = make("div", { class: "s50-scroll", role: "grid", tabindex: "0", "aria-label": this.model.get("label"), "aria-multiselectable": "true" });
    this.head = make("div", { role: "rowgroup", class: "s50-head" });
    this.body = make("div", { role: "rowgroup", class: "s50-body" });
    this.grid.append(this.head, this.body);
    this.status = make("p", { class: "s50-status", role: "status", "aria-live": "polite" });
    this.said = make("span");
    this.counted = make("span");
    this.status.append(this.counted, this.said);
    this.sums = make("div", { class: "s50-sums" });
    this.lost = make("p", { class: "s50-lost", role: "alert" });
    el.append(this.bar, this.grid, this.status, this.sums, this.lost);
    this.grid.addEventListener("scroll", () => requestAnimationFrame(() => this.draw()));
    this.grid.addEventListener("keydown", (event) => this.key(event));
    this.body.addEventListener("click", (event) => this.click(event));
    new ResizeObserver(() => this.draw()).observe(this.grid);
    this.build_head();
  }

  button(name, act) {
    const node = make("button", { type: "button", class: "s50-button" });
    node.addEventListener("click", act);
    this[`${name}_button`] = node;
    return node;
  }

  build_head() {
    const box = this.chooses ? Math.max(12, this.model.get("include_title").length + 6) : 0;
    const widths = this.rows.columns.map((column) => column.grow ? `minmax(${column.width}ch, 1fr)` : `${column.width}ch`);
    const width = this.rows.columns.reduce((sum, column) => sum + column.width, box);
    this.grid.style.setProperty("--s50-columns", [...(box ? [`${box}ch`] : []), ...widths].join(" "));
    this.grid.style.setProperty("--s50-width", `${width}ch`);
    this.grid.style.setProperty("--s50-height", `${Math.min(this.model.get("height"), Math.max(this.rows.size, 3)) * ROW}px`);
    const titles = make("div", { role: "row", class: "s50-row s50-titles", "aria-rowindex": "1" });
    const fields = make("div", { role: "row", class: "s50-row s50-filters", "aria-rowindex": "2" });
    if (this.chooses) {
      this.box = make("input", { type: "checkbox", "aria-label": `${this.model.get("include_title")} the rows shown` });
      this.box.addEventListener("change", () => this.include_shown(this.box.checked));
      const cell = make("div", { role: "columnheader", class: "s50-cell" });
      const label = make("label");
      label.append(this.box, ` ${this.model.get("include_title")}`);
      cell.append(label);
      titles.append(cell);
      fields.append(make("div", { role: "gridcell", class: "s50-cell" }));
    }
    for (const column of this.rows.columns) {
      titles.append(this.title(column));
      const cell = make("div", { role: "gridcell", class: "s50-cell" });
      cell.append(this.field(column));
      fields.append(cell);
    }
    this.head.replaceChildren(titles, fields);
    this.show_sort();
  }

  title(column) {
    const cell = make("div", { role: "columnheader", class: `s50-cell s50-${column.kind}`, "aria-sort": "none" });
    const button = make("button", { type: "button" }, column.title);
    button.addEventListener("click", () => this.sort(column));
    cell.dataset.name = column.name;
    cell.append(button);
    return cell;
  }

  field(column) {
    const label = { "aria-label": `Filter ${column.title}` };
    const choices = this.rows.choices(column);
    if (!choices.length) {
      const hint = { money: ">100, 5..9", date: ">=2026-10", count: "" }[column.kind] ?? "contains";
      const node = make("input", { type: "text", placeholder: hint, ...label });
      node.addEventListener("input", () => this.later(() => { this.filters[column.name] = node.value; }));
      return node;
    }
    const node = make("select", label);
    node.append(make("option", { value: "" }, "all"), ...choices.map((value) => make("option", { value: `=${value}` }, value || "(none)")));
    node.addEventListener("change", () => this.later(() => { this.filters[column.name] = node.value; }));
    return node;
  }

  // One queue for all filters: a shared timer would lose the first of two quick edits.
  later(change) {
    (this.queue ??= []).push(change);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      for (const one of this.queue.splice(0)) one();
      this.active = 0;
      this.refresh();
      this.grid.scrollTop = 0;
    }, 120);
  }

  clear() {
    this.search = this.find.value = "";
    this.filters = {};
    for (const node of this.head.querySelectorAll(".s50-filters input, .s50-filters select")) node.value = "";
    this.refresh();
    this.say("All filters are cleared.");
  }

  sort(column) {
    const same = this.sorted.column === column;
    const direction = same ? -this.sorted.direction : 1;
    this.sorted = same && direction === 1 ? { column: null, direction: 1 } : { column, direction };
    this.rows.sort(this.sorted.column, this.sorted.direction);
    this.show_sort();
    this.refresh();
  }

  show_sort() {
    for (const cell of this.head.querySelectorAll("[aria-sort]")) {
      const here = this.sorted.column && cell.dataset.name === this.sorted.column.name;
      cell.setAttribute("aria-sort", !here ? "none" : this.sorted.direction === 1 ? "ascending" : "descending");
    }
  }

  include_shown(value) {
    const { shown, size } = this.rows;
    this.rows.include(shown, value);
    const hidden = size - shown.length;
    const rest = hidden ? `; the ${count(hidden)} filtered out stay as they were` : "";
    this.changed();
    this.say(`${this.model.get(value ? "include_title" : "exclude_title")}: the ${count(shown.length)} rows shown${rest}.`);
  }

  toggle(position) {
    const i = this.rows.shown[position];
    if (i === undefined || !this.chooses) return;
    this.rows.include([i], !this.rows.bits[i]);
    this.changed();
    this.say("");
  }

  changed() {
    this.draw();
    this.totals();
    this.ask();
  }

  // --- keyboard and mouse ---

  key(event) {
    if (event.target !== this.grid) return;
    const page = Math.max(1, Math.floor((this.grid.clientHeight - this.head.offsetHeight) / ROW) - 1);
    const last = this.rows.shown.length - 1;
    const to = { ArrowDown: this.active + 1, ArrowUp: this.active - 1, PageDown: this.active + page, PageUp: this.active - page, Home: 0, End: last }[event.key];
    const all = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a";
    if (to !== undefined) this.move(Math.max(0, Math.min(last, to)));
    else if (event.key === " ") this.toggle(this.active);
    else if (event.key === "Enter") this.open(this.active);
    else if (all && this.chooses) this.include_shown(!event.shiftKey);
    else if (event.key === "/") this.find.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  move(position) {
    this.active = position;
    const top = position * ROW, room = this.grid.clientHeight - this.head.offsetHeight;
    if (top < this.grid.scrollTop) this.grid.scrollTop = top;
    else if (top + ROW > this.grid.scrollTop + room) this.grid.scrollTop = top + ROW - room;
    this.draw();
  }

  open(position) {
    const i = this.rows.shown[position];
    if (i === undefined) return;
    this.active = position;
    this.model.set("current", i);
    this.model.save_changes();
    this.draw();
    this.ask();
  }

  click(event) {
    const row = event.target.closest("[data-position]");
    if (!row) return;
    const position = Number(row.dataset.position);
    if (event.target.closest(".s50-box")) {
      this.active = position;
      this.toggle(position);
      this.grid.focus({ preventScroll: true }); // the box is drawn anew: keys must not fall to the page
    } else if (!String(window.getSelection())) this.open(position);
  }

  // --- drawing ---

  refresh() {
    this.rows.filter(this.search, this.filters);
    this.active = Math.max(0, Math.min(this.active, this.rows.shown.length - 1));
    this.grid.setAttribute("aria-rowcount", this.rows.shown.length + 2);
    this.body.style.height = `${Math.max(this.rows.shown.length, 1) * ROW}px`;
    this.draw();
    this.totals();
    this.say("");
  }

  draw() {
    const first = Math.max(0, Math.floor(this.grid.scrollTop / ROW) - SPARE);
    const last = Math.min(this.rows.shown.length, first + Math.ceil(this.grid.clientHeight / ROW) + 2 * SPARE);
    let html = "";
    for (let position = first; position < last; position++) html += this.row(position);
    this.body.innerHTML = html || `<div class="s50-none" role="row"><span role="gridcell">${this.rows.size ? "No row passes the filters." : escape(this.model.get("empty"))}</span></div>`;
    if (this.active >= first && this.active < last) this.grid.setAttribute("aria-activedescendant", `${this.id}-${this.active}`);
    else this.grid.removeAttribute("aria-activedescendant");
  }

  row(position) {
    const i = this.rows.shown[position], chosen = this.rows.bits[i];
    const note = this.rows.notes[i];
    const classes = ["s50-row", this.chooses && chosen && "s50-chosen", position === this.active && "s50-active", i === this.model.get("current") && "s50-current", note && `s50-has-${note[0]}`].filter(Boolean).join(" ");
    const box = this.chooses ? `<div role="gridcell" class="s50-cell s50-box"><input type="checkbox" tabindex="-1"${chosen ? " checked" : ""} aria-label="${escape(`${this.model.get("include_title")} ${this.name(i)}`)}"></div>` : "";
    const cells = this.rows.columns.map((column) => this.cell(column, i)).join("");
    const selected = this.chooses ? ` aria-selected="${chosen ? "true" : "false"}"` : "";
    return `<div role="row" id="${this.id}-${position}" class="${classes}" data-position="${position}" aria-rowindex="${position + 3}"${selected} style="top:${position * ROW}px">${box}${cells}</div>`;
  }

  cell(column, i) {
    const text = escape(this.rows.text(column, i));
    const negative = column.kind === "money" && text.startsWith("(") ? " s50-negative" : "";
    return `<div role="gridcell" class="s50-cell s50-${column.kind}${negative}" title="${text}"><bdi>${text}</bdi></div>`;
  }

  name(i) {
    const column = this.rows.columns.find((one) => one.name === this.model.get("name_column")) || this.rows.columns[0];
    return this.rows.text(column, i);
  }

  totals() {
    const { shown, size } = this.rows, everything = this.rows.order_free();
    const chosen = this.rows.included(everything), here = this.rows.included(shown);
    this.counted.textContent = `${count(shown.length)} of ${count(size)} rows shown` + (this.chooses ? `, ${count(chosen)} of ${count(size)} ${this.model.get("included_word")}. ` : ". ");
    const filtered = shown.length !== size;
    if (this.chooses) {
      const what = filtered ? `the ${count(shown.length)} shown` : `all ${count(size)}`;
      this.all_button.textContent = `${this.model.get("include_title")} ${what}`;
      this.none_button.textContent = `${this.model.get("exclude_title")} ${what}`;
      this.box.checked = shown.length > 0 && here === shown.length;
      this.box.indeterminate = here > 0 && here < shown.length;
    }
    this.clear_button.disabled = !filtered && !this.search && !Object.values(this.filters).some(Boolean);
    this.sums.replaceChildren(...this.rows.columns.filter((column) => column.sum).map((column) => this.sum(column, filtered)));
  }

  sum(column, filtered) {
    const everything = this.rows.order_free();
    const parts = [["all rows", this.rows.sum(column.name, everything)]];
    if (filtered) parts.unshift(["rows shown", this.rows.sum(column.name, this.rows.shown)]);
    if (this.chooses) parts.unshift([this.model.get("included_word"), this.rows.sum(column.name, everything, true)]);
    const node = make("div", {}, `${column.title}: `);
    for (const [word, value] of parts) {
      const one = make("span", { class: "s50-total" }, `${word} `);
      one.append(make("b", {}, amount(value)));
      node.append(one);
    }
    return node;
  }

  say(words) {
    this.said.textContent = words;
  }

  // --- what comes from Python, and whether it still comes ---

  listen() {
    this.model.on("change:turn", () => this.reload());
    this.model.on("change:notes", () => { this.rows.load_notes(); this.refresh(); });
    this.model.on("change:mask", () => { this.rows.load_mask(); this.draw(); this.totals(); });
    this.model.on("msg:custom", (message) => message.answer && this.heard());
    this.model.on("comm_live_update", () => !this.model.comm_live && this.gone());
  }

  reload() {
    this.rows.load();
    this.rows.sort(this.sorted.column, this.sorted.direction);
    this.build_head();
    for (const node of this.head.querySelectorAll(".s50-filters input, .s50-filters select")) node.value = "";
    this.filters = {};
    this.refresh();
  }

  ask() {
    this.model.send({ ask: true });
    this.waiting ??= setTimeout(() => this.gone(), this.model.get("patience"));
  }

  heard() {
    clearTimeout(this.waiting);
    this.waiting = undefined;
    this.lost.textContent = "";
  }

  gone() {
    this.lost.textContent = "Python does not answer: it is busy, or it has gone. What you choose now may not count. If this stays, run the page again.";
  }
}

function render({ model, el }) {
  const view = new View(model, el);
  view.listen();
  return () => { clearTimeout(view.waiting); clearTimeout(view.timer); };
}

export default { render };
