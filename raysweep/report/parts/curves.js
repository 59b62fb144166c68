// Learning curves of all trials together, and of one beside the best.
const curves = JSON.parse(document.getElementById("curves-data").textContent);
const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const GREY = "rgba(128, 140, 155, 0.55)";

// Validations and training have steps of their own; a trial without the metric has none.
function stepsOf(trial, metric) {
  return metric in trial.values ? trial.steps[metric.split("/")[0]] : [];
}

// Steps with their values, where there is one.
function pointsOf(trial, metric) {
  const points = stepsOf(trial, metric).map((step, place) => [step, trial.values[metric][place]]);
  return points.filter(([, value]) => value !== null);
}

// The curve's value at a step from its first to its last.
function valueAt(points, step) {
  const place = points.findIndex(([it]) => it >= step);
  const [after, valueAfter] = points[place];
  if (place === 0) return valueAfter;
  const [before, valueBefore] = points[place - 1];
  return valueBefore + ((step - before) / (after - before)) * (valueAfter - valueBefore);
}

function line(trial, metric, style) {
  const name = plain(trial.label);
  const steps = stepsOf(trial, metric);
  return {
    type: "scatter", mode: steps.length > 1 ? "lines" : "markers", x: steps, y: trial.values[metric],
    name, customdata: steps.map(() => trial.key), marker: { color: style.color, size: 6 }, line: style,
    hovertemplate: `${name}: %{y:.4g} at step %{x:,}<extra></extra>`,
  };
}

// All trials that have no colour of their own, as one line with gaps.
function greyLine(trials, metric) {
  const x = [], y = [], text = [], customdata = [];
  for (const trial of trials) {
    const values = trial.values[metric];
    const name = `${plain(trial.label)} (${trial.state})`;
    for (const [place, step] of stepsOf(trial, metric).entries()) {
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

// `at`: of a trial and the first and the last step of its curve, where the mark is; null: nowhere.
function marks(trials, metric, name, symbol, at) {
  const there = [];
  for (const trial of trials) {
    const points = pointsOf(trial, metric);
    const step = points.length ? at(trial, points[0][0], points.at(-1)[0]) : null;
    if (step !== null) there.push({ trial, step, value: valueAt(points, step) });
  }
  const color = there.map(({ trial }) => trial.colour ?? colour("faint"));
  const size = there.map(({ trial }) => (trial.colour ? 10 : 6));
  return {
    type: "scatter", mode: "markers", name, x: there.map(({ step }) => step), y: there.map(({ value }) => value),
    text: there.map(({ trial, step }) => `${plain(trial.label)}: ${name}, step ${step.toLocaleString("en")}`),
    customdata: there.map(({ trial }) => trial.key), hoverinfo: "text",
    marker: { symbol, size, color, line: { width: 1.5, color } }, legendrank: 2000,
  };
}

function endedAs(...states) {
  return (trial, first, last) => (states.includes(trial.state) ? last : null);
}

// Not where it lies beyond the curve's end; before its beginning, there.
function ganStart(trial, first, last) {
  if (trial.gan === null || trial.gan > last) return null;
  return Math.max(trial.gan, first);
}

// Where there is little room the legend holds the coloured trials alone, side by side.
function allCurves(metric, width) {
  const there = curves.trials.filter((trial) => stepsOf(trial, metric).length);
  const [coloured, others] = [there.filter((it) => it.colour), there.filter((it) => !it.colour)];
  const lines = coloured.map((trial, place) => ({
    ...line(trial, metric, { color: trial.colour, width: 2 }), legendrank: place,
  }));
  const isNarrow = width < NARROW;
  const longest = Math.max(0, ...coloured.map(({ label }) => label.length));
  const data = [
    ...(others.length ? [greyLine(others, metric)] : []),
    ...lines.reverse(),
    marks(there, metric, "discriminator begins", "diamond-open", ganStart),
    marks(there, metric, "stopped", "x-thin", endedAs("stopped")),
    marks(there, metric, "failed or diverged", "star-triangle-down", endedAs("failed", "diverged")),
  ].filter((trace) => trace.x.length);
  for (const trace of data) trace.showlegend = !isNarrow || lines.includes(trace);
  return {
    data,
    layout: {
      hovermode: "closest",
      margin: { l: 64, r: 24, t: 16, b: 56 },
      xaxis: { title: { text: "step" }, rangemode: "tozero" },
      yaxis: { title: { text: plain(curves.metrics[metric]) }, automargin: true },
      legend: isNarrow ? { entrywidth: 12 + 8 * longest } : {},
      showlegend: true,
    },
  };
}

// A small chart for each metric, as many beside one another as there is room for.
function trialCurves(trial, width) {
  const best = curves.trials.find((it) => it.key === trial.best && it !== trial);
  const metrics = Object.keys(curves.metrics).filter((it) => it in trial.values);
  const columns = Math.max(1, Math.min(3, Math.floor(width / 320)));
  const rows = Math.ceil(metrics.length / columns);
  const data = [], shapes = [], annotations = [];
  const layout = {
    hovermode: "closest", height: 80 + 200 * rows, margin: { l: 52, r: 12, t: 64, b: 32 }, shapes, annotations, showlegend: true,
    grid: { rows, columns, pattern: "independent", xgap: 0.14, ygap: 0.36 }, legend: { y: 1, yref: "container", yanchor: "top" },
  };
  for (const [place, metric] of metrics.entries()) {
    const end = place ? place + 1 : "";
    const shared = { xaxis: `x${end}`, yaxis: `y${end}`, showlegend: place === 0 };
    if (best && metric in best.values) {
      const style = { color: GREY, width: 2 };
      data.push({ ...line(best, metric, style), ...shared, name: `${plain(best.label)}, the best`, legendgroup: "best" });
    }
    const style = { color: colour("accent"), width: 2.5 };
    data.push({ ...line(trial, metric, style), ...shared, legendgroup: "trial" });
    layout[`xaxis${end}`] = { rangemode: "tozero", nticks: 5 };
    layout[`yaxis${end}`] = { nticks: 5 };
    annotations.push({
      text: plain(curves.metrics[metric]), xref: `x${end} domain`, yref: `y${end} domain`, x: 0, y: 1, xanchor: "left",
      yanchor: "bottom", showarrow: false,
    });
    if (trial.gan !== null && trial.gan <= stepsOf(trial, metric).at(-1)) {
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
  chart(allPlot, () => allCurves(metric.value, allPlot.clientWidth));
  metric.addEventListener("change", () => drawn.get(allPlot)());
}
