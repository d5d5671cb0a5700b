// <ops-live subjects="a b" events="/v1/events">: fires `live` on itself when something it names
// has changed, so that htmx fetches the page again. One connection per browser, not per tab:
// with one per tab the seventh tab of a browser never loads over HTTP/1.1.
//
// With `only="inbox."` it hears but events whose names begin so.
//
// Not while the tab is hidden or somebody is typing in what would be replaced; then later.

const GATHER_MS = 250;

let port;
function connect(events) {
  if (port) return port;
  if (!window.SharedWorker) {
    const source = new EventSource(events);
    port = new EventTarget();
    source.onmessage = (message) => {
      port.dispatchEvent(new MessageEvent("message", { data: JSON.parse(message.data) }));
    };
    return port;
  }
  const worker = new SharedWorker(new URL("./live-worker.js", import.meta.url), { name: events });
  port = worker.port;
  port.start();
  window.addEventListener("pagehide", () => port.postMessage("leave"));
  window.addEventListener("pageshow", (event) => event.persisted && port.postMessage("join"));
  return port;
}

class Live extends HTMLElement {
  connectedCallback() {
    this.port = connect(this.getAttribute("events"));
    this.leave = new AbortController();
    const { signal } = this.leave;
    this.port.addEventListener("message", (message) => this.hear(message.data), { signal });
    document.addEventListener("visibilitychange", () => this.soon(), { signal });
    document.addEventListener("focusout", () => this.soon(), { signal });
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
    this.leave.abort();
  }

  hear(change) {
    const subjects = this.getAttribute("subjects").split(" ");
    const only = this.getAttribute("only");
    if (only && !change.gap && !change.event?.startsWith(only)) return;
    // `gap` says that changes may have been missed: then everyone looks again.
    if (!change.gap && !subjects.includes("*") && !subjects.includes(change.subject)) return;
    this.due = true;
    this.soon();
  }

  soon() {
    clearTimeout(this.timer);
    if (this.due) this.timer = setTimeout(() => this.refresh(), GATHER_MS);
  }

  refresh() {
    const target = document.querySelector(this.getAttribute("hx-target"));
    const typing = document.activeElement?.closest("input, textarea, select, .holding");
    if (document.hidden || (typing && target?.contains(typing))) return;
    this.due = false;
    this.dispatchEvent(new CustomEvent("live"));
  }
}

customElements.define("ops-live", Live);
