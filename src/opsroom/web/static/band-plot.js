// <ops-band-plot>: draws the JSON it holds with uPlot: an estimate, its interval, and the
// dotted lines the interval is held against. Until then, and without scripts, the server's own
// picture inside it shows. Draws into a shadow root, so that htmx may morph the page around it.

const SCRIPT = new URL("./vendor/uplot-1.6.32.iife.min.js", import.meta.url);
const HEIGHT = 260;

// What of uPlot's style sheet a plot without legend and title needs; and our readout.
const STYLE = `
:host { display: block; position: relative; }
.uplot, .uplot *, .uplot *::before, .uplot *::after { box-sizing: border-box; }
.uplot { width: min-content; }
.u-wrap { position: relative; user-select: none; }
.u-over, .u-under { position: absolute; }
.u-under { overflow: hidden; }
.uplot canvas { display: block; position: relative; width: 100%; height: 100%; }
.u-axis { position: absolute; }
.u-select { position: absolute; pointer-events: none; background: color-mix(in srgb, var(--accent) 15%, transparent); }
.u-cursor-x, .u-cursor-y { position: absolute; left: 0; top: 0; pointer-events: none; }
.u-hz .u-cursor-x { height: 100%; border-right: 1px dashed var(--edge); }
.u-cursor-pt { position: absolute; top: 0; left: 0; border-radius: 50%; border: 0 solid; pointer-events: none; background-clip: padding-box !important; }
.u-off { display: none; }
output { position: absolute; right: 10px; top: 6px; padding: 2px 8px; border-radius: 6px; background: var(--panel); border: 1px solid var(--line); color: var(--ink); font-size: .83rem; font-variant-numeric: tabular-nums; }
output:empty { display: none; }
`;

let library;
function uPlotScript() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = SCRIPT;
    script.onload = () => resolve(window.uPlot);
    script.onerror = reject;
    document.head.append(script);
  });
  return library;
}

function signed(value, digits) {
  if (value == null) return "–";
  const text = Math.abs(value).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return /[1-9]/.test(text) ? `${value < 0 ? "−" : "+"}${text}` : text;
}

/** The later part of the band: the first looks are so wide that they would flatten the rest. */
function span(data) {
  const settled = Math.floor(data.x.length / 5);
  const values = [
    ...data.low.slice(settled), ...data.high.slice(settled), ...data.estimate.slice(settled),
    ...data.limits.map((limit) => limit.value),
  ].filter((value) => value != null);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const margin = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  return [low - margin, high + margin];
}

class BandPlot extends HTMLElement {
  async connectedCallback() {
    const uPlot = await uPlotScript();
    if (!this.isConnected) return;
    if (!this.shadowRoot) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
    }
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    const draw = () => this.draw(uPlot);
    this.size = new ResizeObserver(() => this.plot?.setSize({ width: this.clientWidth, height: HEIGHT }));
    this.change = new MutationObserver(draw);
    this.theme = new MutationObserver(draw);
    draw();
    this.size.observe(this);
    this.change.observe(this, { subtree: true, childList: true, characterData: true });
    this.theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    this.dark.addEventListener("change", draw);
    this.redraw = draw;
  }

  disconnectedCallback() {
    for (const observer of [this.size, this.change, this.theme]) observer?.disconnect();
    this.dark?.removeEventListener("change", this.redraw);
    this.plot?.destroy();
    this.plot = undefined;
  }

  colour(name) {
    // light-dark() resolves only in a used property, so ask for one.
    const probe = document.createElement("span");
    probe.style.color = `var(--${name})`;
    this.shadowRoot.append(probe);
    const colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
  }

  draw(uPlot) {
    const data = JSON.parse(this.querySelector("script").textContent);
    const [ink, line, accent, bad, edge] = ["soft", "line", "accent", "bad", "edge"].map((name) => this.colour(name));
    const font = `12px ${getComputedStyle(this).fontFamily}`;
    const axis = { stroke: ink, font, labelFont: font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
    const wash = accent.replace(/^rgb\((.*)\)$/, "rgba($1, 0.17)");
    this.plot?.destroy();
    const frame = document.createElement("div");
    frame.setAttribute("role", "img");
    frame.setAttribute("aria-label", this.getAttribute("label"));
    const readout = document.createElement("output");
    readout.setAttribute("aria-hidden", "true");
    this.shadowRoot.replaceChildren(frame, readout);

    const lines = (plot) => {
      const { ctx } = plot;
      const { left, width } = plot.bbox;
      const across = (value, colour, dash) => {
        const y = Math.round(plot.valToPos(value, "y", true)) + 0.5;
        ctx.save();
        ctx.strokeStyle = colour;
        ctx.lineWidth = (dash.length ? 1.5 : 1) * devicePixelRatio;
        ctx.setLineDash(dash.map((part) => part * devicePixelRatio));
        ctx.beginPath();
        ctx.moveTo(left, y);
        ctx.lineTo(left + width, y);
        ctx.stroke();
        ctx.restore();
      };
      if (plot.scales.y.min < 0 && plot.scales.y.max > 0) across(0, edge, []);
      for (const limit of data.limits) across(limit.value, bad, [5, 4]);
    };
    const read = (plot) => {
      const at = plot.cursor.idx;
      const number = (column) => signed(data[column][at], data.digits + 1);
      readout.textContent = at == null ? ""
        : `${data.xLabel} ${data.x[at].toLocaleString("en")}: ${number("estimate")} [${number("low")}, ${number("high")}] ${data.unit}`;
    };
    this.plot = new uPlot({
      width: this.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false } },
      scales: { x: { time: false }, y: { range: () => span(data) } },
      axes: [
        { ...axis, label: data.xLabel, labelSize: 20, labelGap: 0, size: 26, gap: 4 },
        { ...axis, size: 46, gap: 4, values: (_, values) => values.map((value) => signed(value, value % 1 ? data.digits : 0)) },
      ],
      series: [
        {},
        { stroke: wash, width: 1, points: { show: false } },
        { stroke: wash, width: 1, points: { show: false } },
        { stroke: accent, width: 2, points: { show: false } },
      ],
      bands: [{ series: [2, 1], fill: wash }],
      hooks: { draw: [lines], setCursor: [read] },
    }, [data.x, data.low, data.high, data.estimate], frame);
  }
}

customElements.define("ops-band-plot", BandPlot);
