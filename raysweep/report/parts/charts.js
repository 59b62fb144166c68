// Draws figures in the page's own colours, in the light and in the dark.
const NARROW = 640;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function themed(layout, width) {
  const [ink, faint, grid, card] = ["ink", "faint", "grid", "card"].map(colour);
  const font = { family: "system-ui, sans-serif", size: 13, color: ink };
  const own = { ...layout, font, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)" };
  own.hoverlabel = { bgcolor: card, bordercolor: faint, font: { ...font }, align: "left" };
  for (const name of Object.keys({ xaxis: 0, yaxis: 0, ...layout }).filter((it) => /^[xy]axis/.test(it))) {
    own[name] = { gridcolor: grid, linecolor: faint, zerolinecolor: grid, tickcolor: faint, ...layout[name] };
  }
  own.legend = { orientation: "h", yanchor: "bottom", y: 1.02, x: 0, xanchor: "left", ...layout.legend };
  own.annotations = layout.annotations?.map((it) => ({ bgcolor: card, opacity: 0.9, ...it }));
  own.modebar = { bgcolor: "rgba(0,0,0,0)", color: faint, activecolor: colour("accent") };
  own.margin = { ...layout.margin, ...(width < NARROW ? { l: Math.min(layout.margin.l, 52), r: 10 } : {}) };
  return own;
}

function draw(plot, figure) {
  const config = {
    responsive: true,
    displaylogo: false,
    displayModeBar: matchMedia("(hover: none)").matches ? false : "hover",
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d", "sendChartToCloud"],
    plotlyServerURL: "",
  };
  const layout = themed(figure.layout, plot.clientWidth);
  return Plotly.react(plot, figure.data, layout, config).then(() => {
    if (plot.opensTrials) return;
    plot.opensTrials = true;
    plot.on("plotly_click", ({ points }) => {
      const key = points[0].customdata;
      if (typeof key === "string") location.hash = `trial-${key}`;
    });
  });
}

// What draws each chart anew: when the page is there, when a reader chooses, and when light turns to dark.
const drawn = new Map();

function chart(plot, make) {
  drawn.set(plot, () => draw(plot, make()));
}

for (const node of document.querySelectorAll("figure.chart")) {
  const data = node.querySelector("script[type='application/json']");
  if (!data) continue;
  const figures = JSON.parse(data.textContent);
  const choice = node.querySelector("select");
  const plot = node.querySelector(".plot");
  chart(plot, () => structuredClone(figures[choice ? choice.value : Object.keys(figures)[0]]));
  choice?.addEventListener("change", () => drawn.get(plot)());
}

async function drawAll() {
  for (const redraw of drawn.values()) {
    await redraw();
    await new Promise((done) => setTimeout(done));
  }
  document.body.dataset.drawn = drawn.size;
}

addEventListener("DOMContentLoaded", drawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
