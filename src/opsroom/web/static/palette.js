// Two dialogs: go anywhere (Ctrl+K), and which keys there are (?). Both read what the page
// offers: its places, and whatever carries `data-key`. All text is set as text.

/** Where one can go: {title, href, go, group}, from the page itself. */
export function places() {
  return JSON.parse(document.getElementById("ops-places")?.textContent ?? "[]");
}

const make = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
};

function dialog(label) {
  const node = make("dialog", { "aria-label": label });
  node.addEventListener("close", () => node.remove());
  node.addEventListener("click", (event) => {
    if (event.target === node) node.close();
  });
  document.body.append(node);
  return node;
}

const spoken = (node) => {
  const copy = node.cloneNode(true);
  for (const part of copy.querySelectorAll("kbd, .sr")) part.remove();
  return copy.textContent.trim();
};

function actions() {
  return [...document.querySelectorAll("main [data-key]")]
    .filter((node) => !node.disabled && node.offsetParent)
    .map((node) => ({ title: spoken(node), group: "On this page", key: node.dataset.key, node }));
}

const cap = (key) => key.replace("shift+", "⇧").toUpperCase();

/** Every word typed must begin somewhere in the choice; earlier hits come first. */
function rank(choice, typed) {
  const text = `${choice.title} ${choice.group}`.toLowerCase();
  let score = 0;
  for (const word of typed.toLowerCase().split(/\s+/).filter(Boolean)) {
    const at = text.indexOf(word);
    if (at < 0) return -1;
    score += at;
  }
  return score;
}

/** Everything, or only what can be done on this page. What changes things stands last. */
export function openPalette({ onlyActions = false } = {}) {
  if (document.querySelector("dialog[open]")) return;
  const choices = [
    ...(onlyActions ? [] : places().map((place) => ({ ...place, key: place.go && `g ${place.go}` }))),
    ...actions(),
  ];
  const box = dialog("Go to");
  const input = make("input", {
    type: "search", role: "combobox", "aria-expanded": "true", "aria-controls": "ops-choices",
    "aria-label": "Go to a place, or do something on this page", placeholder: "Go to…",
    autocomplete: "off", spellcheck: "false",
  });
  const list = make("ul", { class: "choices", role: "listbox", id: "ops-choices", "aria-label": "Choices" });
  box.append(make("div", { class: "dialog-head" }, input), list);
  let shown = [];
  let chosen = 0;

  const choose = (index) => {
    chosen = (index + shown.length) % Math.max(shown.length, 1);
    [...list.children].forEach((node, i) => node.setAttribute("aria-selected", String(i === chosen)));
    const node = list.children[chosen];
    input.setAttribute("aria-activedescendant", node?.id ?? "");
    node?.scrollIntoView({ block: "nearest" });
  };
  const go = (choice) => {
    box.close();
    if (choice.href) location.assign(choice.href);
    else if (choice.node.closest("ops-hold-button")) choice.node.focus();
    else choice.node.click();
  };
  const show = () => {
    shown = choices
      .map((choice) => ({ choice, score: rank(choice, input.value) }))
      .filter(({ score }) => score >= 0)
      .sort((a, b) => a.score - b.score)
      .map(({ choice }) => choice);
    if (!input.value) shown = choices;
    list.replaceChildren(...shown.map((choice, i) => {
      const node = make("li", { role: "option", id: `ops-choice-${i}` },
        make("span", {}, choice.title),
        make("span", { class: "note" }, choice.group, " ", choice.key ? make("kbd", {}, cap(choice.key)) : ""));
      node.addEventListener("click", () => go(choice));
      return node;
    }));
    choose(0);
  };
  input.addEventListener("input", show);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen - 1);
    else if (event.key === "Enter" && shown[chosen]) go(shown[chosen]);
    else return;
    event.preventDefault();
  });
  show();
  box.showModal();
}

export function openKeys() {
  if (document.querySelector("dialog[open]")) return;
  const box = dialog("Keys");
  const close = make("button", { type: "button", class: "quiet small" }, "Close");
  close.addEventListener("click", () => box.close());
  const rows = [
    ["Ctrl K", "Go anywhere"],
    ["/", "Search"],
    [".", "What can be done on this page"],
    ...actions().map((action) => [cap(action.key), action.title]),
    ...places().filter((place) => place.go).map((place) => [`g ${place.go}`, place.title]),
    ["?", "This list"],
  ];
  const body = make("tbody", {}, ...rows.map(([key, title]) => make("tr", {},
    make("td", { class: "tight" }, ...key.split(" ").flatMap((part) => [make("kbd", {}, part), " "])),
    make("td", {}, title))));
  const region = make("div", { class: "keys", tabindex: "0", role: "region", "aria-label": "List of keys" },
    make("table", {}, body));
  box.append(make("div", { class: "dialog-head" }, make("h2", {}, "Keys"), close), region);
  box.showModal();
}
