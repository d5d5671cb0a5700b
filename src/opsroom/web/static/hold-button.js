// <ops-hold-button>: the button inside must be held for 0.8 s, by pointer or by its key, before
// its form is sent. A click that nobody can hold (assistive technology) has to come twice.
// How long it was held goes along as `held_ms`; 0 without this script.

const HOLD_MS = 800;
const AGAIN_MS = 6000;

class HoldButton extends HTMLElement {
  connectedCallback() {
    this.button = this.querySelector("button");
    this.field = this.querySelector("input[name=held_ms]");
    this.status = this.querySelector("[role=status]");
    this.leave = new AbortController();
    const { signal } = this.leave;
    const on = (node, names, act) => {
      for (const name of names.split(" ")) node.addEventListener(name, act, { signal });
    };
    on(this.button, "pointerdown", (event) => event.button === 0 && this.start());
    on(this.button, "pointerup pointerleave pointercancel blur", () => this.stop());
    on(this.button, "keydown", (event) => {
      if (event.key === " " || event.key === "Enter") this.startByKey(event);
    });
    on(this.button, "click", (event) => this.clicked(event));
    on(document, "keydown", (event) => {
      const key = event.shiftKey ? `shift+${event.key.toLowerCase()}` : event.key.toLowerCase();
      const elsewhere = event.target.closest("input, textarea, select, dialog");
      if (key === this.button.dataset.key && !elsewhere && !event.ctrlKey && !event.metaKey && !event.altKey) {
        this.startByKey(event);
      }
    });
    on(document, "keyup", () => this.stop());
    on(window, "blur", () => this.stop());
  }

  disconnectedCallback() {
    this.stop();
    this.leave.abort();
  }

  startByKey(event) {
    event.preventDefault();
    if (!event.repeat) this.start();
  }

  start() {
    if (this.began || this.button.disabled) return;
    this.began = performance.now();
    this.button.classList.add("holding");
    this.timer = setTimeout(() => this.send(performance.now() - this.began), HOLD_MS);
  }

  stop() {
    if (!this.began) return;
    clearTimeout(this.timer);
    this.began = 0;
    this.ended = performance.now();
    this.button.classList.remove("holding");
  }

  clicked(event) {
    if (this.sending) return;
    event.preventDefault();
    // The click that ends a hold by pointer or key; a click by assistive technology has no hold.
    if (this.ended && performance.now() - this.ended < 50) {
      this.status.textContent = "Keep it pressed for a moment.";
      return;
    }
    if (this.armed && performance.now() - this.armed < AGAIN_MS) {
      this.send(HOLD_MS);
      return;
    }
    this.armed = performance.now();
    this.status.textContent = "Press again to confirm.";
  }

  send(held) {
    this.stop();
    this.field.value = String(Math.round(held));
    this.sending = true;
    this.button.form?.requestSubmit(this.button);
    this.sending = false;
  }
}

customElements.define("ops-hold-button", HoldButton);
