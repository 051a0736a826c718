/* Draws the figures in the page's current colours, and drives the theme switch, the transcript selectors and the fingerprints. */
"use strict";

const root = document.documentElement;
const plots = JSON.parse(document.getElementById("plots").textContent);
const places = [...document.querySelectorAll("[data-plot]")];
const system = matchMedia("(prefers-color-scheme: dark)");
const WIDE = 600; // pixels: from here on, labels fit beside their rows
const config = { displaylogo: false, displayModeBar: false, responsive: true };

/* A value with every "var(--colour)" in it replaced by the colour that this variable has in the current theme. */
function resolved(value, colour) {
  if (typeof value === "string") return /^var\(--[\w-]+\)$/.test(value) ? colour(value) : value;
  if (Array.isArray(value)) return value.map((v) => resolved(v, colour));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, resolved(v, colour)]));
  }
  return value;
}

function draw() {
  const probe = document.body.appendChild(document.createElement("span"));
  const colour = (variable) => {
    probe.style.color = variable;
    return getComputedStyle(probe).color;
  };
  for (const place of places) {
    if (place.offsetWidth === 0) continue; // inside a closed <details>: drawn when it opens
    const figure = plots[place.dataset.plot];
    const { data, layout } = resolved(place.offsetWidth < WIDE ? figure.narrow : figure.wide, colour);
    place.style.minHeight = `${layout.height}px`;
    Plotly.react(place, data, layout, config);
  }
  probe.remove();
}

function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
}

const themeButton = document.getElementById("theme");
function showTheme() {
  themeButton.textContent = isDark() ? "Light" : "Dark";
  draw();
}
themeButton.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  showTheme();
});
system.addEventListener("change", showTheme);
addEventListener("resize", draw);
document.addEventListener("toggle", draw, true);

let beforePrinting;
addEventListener("beforeprint", () => {
  beforePrinting = root.dataset.theme;
  root.dataset.theme = "light";
  draw();
});
addEventListener("afterprint", () => {
  if (beforePrinting) root.dataset.theme = beforePrinting;
  else delete root.dataset.theme;
  draw();
});

const evalChoice = document.getElementById("transcript-eval");
const armChoice = document.getElementById("transcript-arm");
function showTranscripts() {
  for (const group of document.querySelectorAll(".transcripts")) group.hidden = group.dataset.eval !== evalChoice.value;
  const organism = armChoice.selectedOptions[0].dataset.organism; // what was treated stays beside what became of it
  for (const response of document.querySelectorAll(".response")) {
    const kept = response.classList.contains("before") || [armChoice.value, organism].includes(response.dataset.arm);
    response.hidden = armChoice.value !== "" && !kept;
  }
}
if (evalChoice) {
  evalChoice.addEventListener("change", showTranscripts);
  armChoice.addEventListener("change", showTranscripts);
  showTranscripts();
}

for (const button of document.querySelectorAll("button.hash")) {
  button.addEventListener("click", () => {
    const full = button.dataset.full;
    button.textContent = button.textContent === full ? full.slice(0, 10) : full;
    if (navigator.clipboard) navigator.clipboard.writeText(full).catch(() => {});
  });
}

const links = new Map([...document.querySelectorAll(".contents a")].map((a) => [a.getAttribute("href").slice(1), a]));
const watcher = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(target.id)?.setAttribute("aria-current", "true");
    }
  },
  { rootMargin: "-10% 0px -80% 0px" },
);
for (const id of links.keys()) watcher.observe(document.getElementById(id));

showTheme();
