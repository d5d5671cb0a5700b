/* <opsroom-feedback token="ofb_…"></opsroom-feedback> asks a user what they think of one answer.
   It posts to `server`, or to where this script came from, and tells of it by an event
   `opsroom-feedback`. The page's CSP has to allow this script and connect-src to us. */
(() => {
  const HERE = new URL(document.currentScript?.src || location.href).origin;
  const QUESTIONS = { helpful: "Was this helpful?", accurate: "Was it right?", complete: "Was it complete?" };
  const STYLE = `:host{display:block;font:inherit;color:inherit;max-width:32rem}
form{display:grid;gap:.6rem;margin:0}fieldset{border:0;margin:0;padding:0;display:flex;gap:.5rem;align-items:center;flex-wrap:wrap}
legend{float:left;padding:0;min-width:11rem}textarea,button{font:inherit;color:inherit;background:transparent;border:1px solid;border-radius:.4rem;padding:.3rem .7rem}
textarea{width:100%;box-sizing:border-box}button{cursor:pointer;min-height:2rem;justify-self:start}button[aria-pressed=true]{background:CanvasText;color:Canvas}
button:disabled{opacity:.5;cursor:default}:focus-visible{outline:2px solid;outline-offset:2px}p{margin:0}`;

  const make = (name, attributes = {}, ...inside) => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...inside);
    return node;
  };

  class OpsroomFeedback extends HTMLElement {
    connectedCallback() {
      if (this.shadowRoot) return;
      const root = this.attachShadow({ mode: "open" });
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
      this.said = {};
      const form = make("form");
      for (const [name, question] of Object.entries(QUESTIONS)) {
        const buttons = ["Yes", "No"].map((word, place) => {
          const button = make("button", { type: "button", "aria-pressed": "false" }, word);
          button.addEventListener("click", () => {
            const on = this.said[name] !== !place;
            this.said[name] = on ? !place : null;
            buttons.forEach((one) => one.setAttribute("aria-pressed", String(on && one === button)));
          });
          return button;
        });
        form.append(make("fieldset", {}, make("legend", {}, question), ...buttons));
      }
      this.text = make("textarea", { rows: "2", maxlength: "4000", "aria-label": "Anything else?", placeholder: "Anything else?" });
      this.button = make("button", { type: "submit" }, "Send");
      this.status = make("p", { role: "status" });
      form.append(this.text, this.button, this.status);
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.send(form);
      });
      root.append(form);
    }

    async send(form) {
      const text = this.text.value.trim();
      if (!text && !Object.values(this.said).some((one) => typeof one === "boolean")) {
        this.status.textContent = "Choose an answer or write a word.";
        return;
      }
      this.button.disabled = true;
      try {
        const answer = await fetch(new URL("/v1/feedback/given", this.getAttribute("server") || HERE), {
          method: "POST",
          credentials: "omit",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ token: this.getAttribute("token") || "", ...this.said, text }),
        });
        if (!answer.ok) throw new Error(String(answer.status));
        form.replaceChildren(this.status);
        this.status.textContent = "Thank you.";
        this.dispatchEvent(new CustomEvent("opsroom-feedback", { bubbles: true, detail: { ...this.said } }));
      } catch {
        this.button.disabled = false;
        this.status.textContent = "That did not get through. Please try again later.";
      }
    }
  }

  if (!customElements.get("opsroom-feedback")) customElements.define("opsroom-feedback", OpsroomFeedback);
})();
