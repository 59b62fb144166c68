// Learning curves of all trials together, and of one beside the best.
const curves = JSON.parse(document.getElementById("curves-data").textContent);
const COLOURED = curves.palette.length;
const SHORT = (metric) => metric.replace(/^val\//, "");
const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const GREY = "rgba(128, 140, 155, 0.55)";

function valuesOf(trial, metric) {
  return trial.values[metric] ?? trial.steps.map(() => null);
}

// The curve's value at a step between two validations.
function valueAt(trial, metric, step) {
  const { steps } = trial;
  const values = valuesOf(trial, metric);
  if (!steps.length || step > steps.at(-1)) return null;
  const after = steps.findIndex((it) => it >= step);
  if (after <= 0) return values[0];
  const share = (step - steps[after - 1]) / (steps[after] - steps[after - 1]);
  return values[after - 1] + share * (values[after] - values[after - 1]);
}

function line(trial, metric, style) {
  const name = plain(trial.label);
  return {
    type: "scatter", mode: trial.steps.length > 1 ? "lines" : "markers", x: trial.steps, y: valuesOf(trial, metric),
    name, customdata: trial.steps.map(() => trial.key), marker: { color: style.color, size: 6 }, line: style,
    hovertemplate: `${name}: %{y:.4g} at step %{x:,}<extra></extra>`,
  };
}

// All trials that have no colour of their own, as one line with gaps.
function greyLine(trials, metric) {
  const x = [], y = [], text = [], customdata = [];
  for (const trial of trials) {
    const values = valuesOf(trial, metric);
    const name = `${plain(trial.label)} (${trial.state})`;
    for (const [place, step] of trial.steps.entries()) {
      x.push(step); y.push(values[place]); text.push(name); customdata.push(trial.key);
    }
    x.push(null); y.push(null); text.push(""); customdata.push("");
  }
  const hovertemplate = "%{text}: %{y:.4g} at step %{x:,}<extra></extra>";
  return {
    type: "scatter", mode: "lines", x, y, text, customdata, hovertemplate,
    name: "others", line: { color: GREY, width: 1 },
  };
}

function marks(trials, metric, name, symbol, color, at) {
  const there = trials.map((trial) => [trial, at(trial)]).filter(([, step]) => step !== null);
  const values = there.map(([trial, step]) => valueAt(trial, metric, step));
  return {
    type: "scatter", mode: "markers", name, x: there.map(([, step]) => step), y: values,
    text: there.map(([trial, step]) => `${plain(trial.label)}: ${name}, step ${step.toLocaleString("en")}`),
    customdata: there.map(([trial]) => trial.key), hoverinfo: "text",
    marker: { symbol, size: 9, color, line: { width: 1.5, color } },
  };
}

function endedAs(...states) {
  return (trial) => (states.includes(trial.state) && trial.steps.length ? trial.steps.at(-1) : null);
}

// Not where it lies beyond the last validation; before the first, at that.
function ganStart(trial) {
  if (trial.gan === null || !trial.steps.length || trial.gan > trial.steps.at(-1)) return null;
  return Math.max(trial.gan, trial.steps[0]);
}

function allCurves(metric) {
  const there = curves.trials.filter((trial) => trial.steps.length);
  const coloured = there.slice(0, COLOURED);
  const lines = coloured.map((trial, place) => line(trial, metric, { color: curves.palette[place], width: 2 }));
  const others = there.slice(COLOURED);
  const data = [
    ...(others.length ? [greyLine(others, metric)] : []),
    ...lines.reverse(),
    marks(there, metric, "discriminator begins", "diamond-open", colour("ink"), ganStart),
    marks(there, metric, "stopped early", "x-thin", colour("ink"), endedAs("stopped")),
    marks(there, metric, "failed or diverged", "star-triangle-down", colour("bad"), endedAs("failed", "diverged")),
  ].filter((trace) => trace.x.length);
  return {
    data,
    layout: {
      hovermode: "closest",
      margin: { l: 64, r: 16, t: 16, b: 56 },
      xaxis: { title: { text: "step" }, rangemode: "tozero" },
      yaxis: { title: { text: SHORT(metric) }, automargin: true },
      legend: { traceorder: "reversed" },
      showlegend: true,
    },
  };
}

// A small chart for each metric, as many beside one another as there is room for.
function trialCurves(trial, width) {
  const best = curves.trials.find((it) => it.key === trial.best && it !== trial);
  const metrics = curves.metrics.filter((it) => trial.values[it]);
  const columns = Math.max(1, Math.min(3, Math.floor(width / 320)));
  const rows = Math.ceil(metrics.length / columns);
  const data = [], shapes = [];
  const layout = {
    hovermode: "closest", height: 60 + 210 * rows, margin: { l: 56, r: 12, t: 40, b: 40 }, shapes, showlegend: true,
    grid: { rows, columns, pattern: "independent", xgap: 0.18, ygap: 0.32 }, legend: { y: 1, yref: "container", yanchor: "top" },
  };
  for (const [place, metric] of metrics.entries()) {
    const end = place ? place + 1 : "";
    const shared = { xaxis: `x${end}`, yaxis: `y${end}`, showlegend: place === 0 };
    if (best?.values[metric]) data.push({ ...line(best, metric, { color: GREY, width: 2 }), ...shared, legendgroup: "best" });
    data.push({ ...line(trial, metric, { color: curves.palette[0], width: 2.5 }), ...shared, legendgroup: "trial" });
    layout[`xaxis${end}`] = { rangemode: "tozero", nticks: 5 };
    layout[`yaxis${end}`] = { title: { text: SHORT(metric), standoff: 4 }, automargin: true, nticks: 5 };
    if (trial.gan !== null && trial.gan <= trial.steps.at(-1)) {
      shapes.push({
        type: "line", xref: `x${end}`, yref: `y${end} domain`, x0: trial.gan, x1: trial.gan, y0: 0, y1: 1,
        line: { dash: "dot", width: 1, color: colour("ink") },
      });
    }
  }
  return { data, layout };
}

const allPlot = document.querySelector("#chart-curves .plot");
if (allPlot) {
  const metric = document.querySelector("#chart-curves select");
  chart(allPlot, () => allCurves(metric.value));
  metric.addEventListener("change", () => drawn.get(allPlot)());
}
