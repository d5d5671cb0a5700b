// The start of every page's scripts: loads a custom element's file when the page has one, and
// gives keys to what the page says about itself. Pages work without any of it.

import { openKeys, openPalette, places } from "./palette.js";

const root = document.documentElement;
root.classList.add("js");

const ELEMENTS = {
  "ops-band-plot": "./band-plot.js",
  "ops-live": "./live.js",
  "ops-hold-button": "./hold-button.js",
  "ops-waterfall": "./waterfall.js",
};

function load(within) {
  for (const [name, file] of Object.entries(ELEMENTS)) {
    if (!customElements.get(name) && within.querySelector(name)) import(file);
  }
}

const THEMES = ["", "light", "dark"];
function nextTheme() {
  const theme = THEMES[(THEMES.indexOf(root.dataset.theme ?? "") + 1) % THEMES.length];
  if (theme) root.dataset.theme = theme;
  else delete root.dataset.theme;
  document.cookie = `opsroom_theme=${theme}; path=/; max-age=${theme ? 31536000 : 0}; samesite=lax`;
  nameTheme();
}
function nameTheme() {
  const words = { light: "Light", dark: "Dark" }[root.dataset.theme] ?? "System";
  for (const button of document.querySelectorAll("[data-ops-theme]")) {
    button.textContent = `Theme: ${words.toLowerCase()}`;
  }
}

const TYPING = "input, textarea, select, [contenteditable]";
let going = 0;

function pressed(event) {
  const letter = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return event.shiftKey && letter !== "?" ? `shift+${letter}` : letter;
}

function byKey(key) {
  const fitting = [...document.querySelectorAll("[data-key]")];
  return fitting.find((node) => node.dataset.key === key && !node.disabled && node.offsetParent);
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
  if (event.target.closest(TYPING) || document.querySelector("dialog[open]")) return;
  const key = pressed(event);
  if (going && Date.now() - going < 1500) {
    going = 0;
    const place = places().find((item) => item.go === key);
    if (place) location.assign(place.href);
    return;
  }
  const target = byKey(key);
  if (target) {
    event.preventDefault();
    target.focus();
    // A button that wants to be held takes the key itself.
    if (!target.closest("ops-hold-button")) target.click();
  } else if (key === "g") {
    going = Date.now();
  } else if (key === "/") {
    event.preventDefault();
    const search = document.querySelector("main input[type=search]");
    if (search) search.focus();
    else openPalette();
  } else if (key === ".") {
    event.preventDefault();
    openPalette({ onlyActions: true });
  } else if (key === "?") {
    event.preventDefault();
    openKeys();
  }
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-ops-palette]")) openPalette();
  else if (event.target.closest("[data-ops-keys]")) openKeys();
  else if (event.target.closest("[data-ops-theme]")) nextTheme();
});

document.addEventListener("htmx:after:swap", () => load(document));
load(document);
nameTheme();
