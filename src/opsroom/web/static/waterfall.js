// <ops-waterfall src base>: spans of a trace as bars over time, however many there are: only the
// rows in sight are in the page. j and k move, e goes to the next error, Enter shows the span
// beside, c copies a link to it. Without this script the table inside stays as it is.

const ROW = 24;
const SPARE = 8;

class Waterfall extends HTMLElement {
  async connectedCallback() {
    this.leave = new AbortController();
    const { signal } = this.leave;
    let found;
    try {
      const answer = await fetch(this.getAttribute("src"), { signal });
      if (!answer.ok) return;
      found = await answer.json();
    } catch {
      return; // the table stays
    }
    if (!this.isConnected) return;
    this.found = found;
    this.at = 0;
    this.folded = new Set();
    this.build();
    this.layout();
    const asked = found.id.indexOf(new URLSearchParams(location.search).get("span"));
    if (asked > 0) this.move(asked);
    this.scroller.addEventListener("scroll", () => this.draw(), { signal });
    this.scroller.addEventListener("keydown", (event) => this.key(event), { signal });
    this.list.addEventListener("click", (event) => this.clicked(event), { signal });
    new ResizeObserver(() => this.draw()).observe(this.scroller);
  }

  disconnectedCallback() {
    this.leave?.abort();
  }

  build() {
    const { found } = this;
    this.scroller = document.createElement("div");
    this.scroller.className = "falls";
    this.scroller.tabIndex = 0;
    this.scroller.setAttribute("role", "listbox");
    this.scroller.setAttribute("aria-label", `${found.id.length} spans; j and k move, e finds the next error`);
    this.list = document.createElement("div");
    this.list.className = "falls-rows";
    this.scroller.append(this.list);
    this.replaceChildren(this.scroller);
  }

  // Which rows are not folded away.
  layout() {
    const { depth, parts } = this.found;
    this.shown = [];
    for (let row = 0; row < depth.length; row += 1) {
      this.shown.push(row);
      if (this.folded.has(row)) row += parts[row];
    }
    this.list.style.height = `${this.shown.length * ROW}px`;
    this.draw();
  }

  draw() {
    const top = this.scroller.scrollTop;
    const from = Math.max(0, Math.floor(top / ROW) - SPARE);
    const to = Math.min(this.shown.length, Math.ceil((top + this.scroller.clientHeight) / ROW) + SPARE);
    const rows = [];
    for (let place = from; place < to; place += 1) rows.push(this.row(place));
    this.list.replaceChildren(...rows);
    const active = this.list.querySelector("[aria-selected=true]");
    if (active) this.scroller.setAttribute("aria-activedescendant", active.id);
    else this.scroller.removeAttribute("aria-activedescendant");
  }

  row(place) {
    const { found } = this;
    const number = this.shown[place];
    const whole = found.whole || 1;
    const made = document.createElement("div");
    made.className = `falls-row ${found.error[number] ? "bad" : found.kind[number]}`;
    made.id = `span-${found.id[number]}`;
    made.setAttribute("role", "option");
    made.setAttribute("aria-selected", String(place === this.at));
    made.dataset.place = place;
    made.style.top = `${place * ROW}px`;
    const name = document.createElement("span");
    name.className = "falls-name";
    name.style.paddingInlineStart = `${Math.min(found.depth[number], 20) * 0.75}rem`;
    const below = found.parts[number];
    const fold = below ? (this.folded.has(number) ? "▸ " : "▾ ") : "";
    const folded = this.folded.has(number) ? ` (${below} below)` : "";
    const word = found.error[number] ? "✕ " : "";
    name.textContent = `${fold}${word}${found.n[found.name[number]]}${folded}`;
    const bar = document.createElement("span");
    bar.className = "falls-bar";
    bar.style.insetInlineStart = `${40 + (found.start[number] / whole) * 48}%`;
    bar.style.width = `${Math.max((found.took[number] / whole) * 48, 0.3)}%`;
    const took = document.createElement("span");
    took.className = "falls-took";
    took.textContent = said(found.took[number]);
    made.append(name, bar, took);
    return made;
  }

  clicked(event) {
    const row = event.target.closest(".falls-row");
    if (!row) return;
    this.at = Number(row.dataset.place);
    const number = this.shown[this.at];
    if (event.offsetX < 40 && event.target.classList.contains("falls-name") && this.found.parts[number]) this.fold();
    this.show();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const acts = {
      j: () => this.move(1), ArrowDown: () => this.move(1),
      k: () => this.move(-1), ArrowUp: () => this.move(-1),
      Home: () => this.move(-this.shown.length), End: () => this.move(this.shown.length),
      PageDown: () => this.move(20), PageUp: () => this.move(-20),
      e: () => this.nextError(), Enter: () => this.show(), " ": () => this.fold(),
      c: () => navigator.clipboard?.writeText(`${location.origin}${this.address()}`),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  move(by) {
    this.at = Math.min(Math.max(this.at + by, 0), this.shown.length - 1);
    const top = this.at * ROW;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (top + ROW > scrollTop + clientHeight) this.scroller.scrollTop = top + ROW - clientHeight;
    this.draw();
  }

  nextError() {
    const { error } = this.found;
    const here = this.shown[this.at];
    const numbers = [...error.keys()].filter((number) => error[number]);
    const next = numbers.find((number) => number > here) ?? numbers[0];
    if (next === undefined) return;
    for (const folded of [...this.folded]) {
      if (folded < next && next <= folded + this.found.parts[folded]) this.folded.delete(folded);
    }
    this.layout();
    this.move(this.shown.indexOf(next) - this.at);
    this.show();
  }

  fold() {
    const number = this.shown[this.at];
    if (!this.found.parts[number]) return;
    if (!this.folded.delete(number)) this.folded.add(number);
    this.layout();
  }

  address() {
    return `${this.getAttribute("base")}?span=${this.found.id[this.shown[this.at]]}`;
  }

  // The span in full, fetched when it is asked for; only its card is taken out of its page.
  async show() {
    this.draw();
    const id = this.found.id[this.shown[this.at]];
    history.replaceState(history.state, "", this.address());
    const answer = await fetch(`${this.getAttribute("base")}/spans/${id}`, { signal: this.leave.signal }).catch(() => null);
    if (!answer?.ok || id !== this.found.id[this.shown[this.at]]) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const card = page.getElementById("span");
    if (card) document.getElementById("span")?.replaceWith(card);
  }
}

function said(micros) {
  if (micros < 1000) return `${micros} µs`;
  if (micros < 1_000_000) return `${(micros / 1000).toFixed(micros < 10_000 ? 1 : 0)} ms`;
  return `${(micros / 1_000_000).toFixed(micros < 10_000_000 ? 2 : 1)} s`;
}

customElements.define("ops-waterfall", Waterfall);
