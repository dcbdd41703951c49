// The two plots, in the colours of the page.

import uPlot from "./vendor/uplot/uPlot.esm.js";
import { whole } from "./board.js";

const HEIGHT = 220;
const BINS = 20;

// Canvases take no CSS variables: let an element resolve them.
function colour(variable) {
  const probe = document.createElement("i");
  probe.style.color = `var(${variable})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

class Plot {
  #plot = null;
  data = null;

  constructor(target) {
    this.target = target;
    new ResizeObserver(() => {
      if (this.#plot && this.#plot.width !== target.clientWidth && target.clientWidth) {
        this.#plot.setSize({ width: target.clientWidth, height: HEIGHT });
      }
    }).observe(target);
    addEventListener("themechange", () => this.draw());
  }

  set(data) {
    this.data = data;
    if (this.#plot) this.#plot.setData(data);
    else this.draw();
  }

  draw() {
    this.#plot?.destroy();
    this.#plot = null;
    if (!this.data || !this.target.clientWidth) return;
    const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    this.#plot = new uPlot({
      width: this.target.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      ...this.options(axis, colour("--accent")),
    }, this.data, this.target);
  }
}

export class Histogram extends Plot {
  options(axis, accent) {
    return {
      scales: { x: { time: false, range: [0, 100] }, y: { range: (_, least, most) => [0, Math.max(1, most * 1.08)] } },
      axes: [axis, { ...axis, size: 46, values: (_, splits) => splits.map((n) => (n % 1 ? "" : whole.format(n))) }],
      series: [{}, { stroke: accent, fill: accent, width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.86], align: 0 }) }],
    };
  }

  // Returns what the plot shows, in words.
  show(entries) {
    const counts = new Array(BINS).fill(0);
    const width = 100 / BINS;
    for (const entry of entries) counts[Math.min(BINS - 1, Math.floor(entry.total_score / width))] += 1;
    this.set([counts.map((_, at) => (at + 0.5) * width), counts]);
    if (!entries.length) return "No scores yet.";
    const scores = entries.map((entry) => entry.total_score).sort((a, b) => a - b);
    const middle = (scores[(scores.length - 1) >> 1] + scores[scores.length >> 1]) / 2;
    return `${whole.format(scores.length)} scores, from ${scores[0].toFixed(2)} to ${scores.at(-1).toFixed(2)}; half of them lie above ${middle.toFixed(2)}.`;
  }
}

export class Ranks extends Plot {
  options(axis, accent) {
    return {
      scales: {
        x: { time: true, range: (_, first, last) => (first === last ? [first - 30, last + 30] : [first, last]) },
        // The first rank is on top.
        y: { dir: -1, range: (_, best, worst) => [Math.max(0, best - 1), worst + 1] },
      },
      axes: [{ ...axis, space: 70 }, { ...axis, size: 46, values: (_, splits) => splits.map((n) => (n % 1 || n < 1 ? "" : whole.format(n))) }],
      series: [{}, { stroke: accent, width: 2, points: { show: true, size: 7, fill: accent }, paths: uPlot.paths.stepped({ align: 1 }) }],
    };
  }
}
