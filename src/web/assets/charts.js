// Draws the charts; the tables below them have the same numbers.
{
  const charts = document.getElementById("charts");
  const plots = charts ? [...charts.querySelectorAll(".plot")] : [];
  const drawn = new Map();

  const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];
  const bytes = (value) => {
    let unit = 0;
    for (; value >= 1024 && unit < UNITS.length - 1; unit++) value /= 1024;
    return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
  };
  const FORMS = {
    bytes,
    seconds: (value) => `${Math.round(value * 1000)} ms`,
    count: (value) => (Math.round(value * 10) / 10).toLocaleString("en"),
  };
  // Bytes are counted in powers of two, and so are the steps of their axis.
  const BYTE_STEPS = Array.from({ length: 50 }, (_, i) => 2 ** i);

  // In UTC, as all other times of these pages. By the length of a step: what most ticks say, and what
  // the first of a year, month or day says.
  const TIME_TICKS = [
    [86_400, "{MM}-{DD}", "\n{YYYY}", null, null, null, null, null, 1],
    [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  ];
  const tzDate = (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC");

  /** A colour of the style sheet, as the present scheme has it. */
  const colour = (name) => {
    const probe = document.createElement("span");
    probe.className = `ink-${name}`;
    document.body.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };

  const draw = (plot, data) => {
    drawn.get(plot)?.destroy();
    plot.hidden = false;
    const form = FORMS[plot.dataset.unit];
    const show = (_, value) => value === null || value === undefined ? "–" : form(value);
    const axis = {
      stroke: colour("faint"),
      grid: { stroke: colour("line"), width: 1 },
      ticks: { stroke: colour("line"), width: 1 },
    };
    const series = plot.dataset.series.split(" ");
    const labels = JSON.parse(plot.dataset.labels);
    const options = {
      width: plot.clientWidth,
      height: 220,
      tzDate,
      cursor: { sync: { key: "charts" }, y: false },
      scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
      axes: [{ ...axis, values: TIME_TICKS }, {
        ...axis,
        size: 70,
        values: (_, ticks) => ticks.map(form),
        ...(plot.dataset.unit === "bytes" ? { incrs: BYTE_STEPS } : {}),
      }],
      series: [
        { label: "UTC", value: "{YYYY}-{MM}-{DD} {HH}:{mm}" },
        ...series.map((_, i) => ({
          label: labels[i],
          stroke: colour(`line-${i}`),
          width: 2,
          points: { show: false },
          value: show,
        })),
      ],
    };
    const columns = series.map((name) => data.series[name]);
    drawn.set(plot, new uPlot(options, [data.times, ...columns], plot));
    plot.nextElementSibling.open = false;
  };

  const begin = async () => {
    const response = await fetch(charts.dataset.source);
    if (!response.ok) return;
    const data = await response.json();
    const drawAll = () => plots.forEach((plot) => draw(plot, data));
    drawAll();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
    new ResizeObserver(() => {
      for (const [plot, chart] of drawn) {
        if (chart.width !== plot.clientWidth) {
          chart.setSize({ width: plot.clientWidth, height: chart.height });
        }
      }
    }).observe(charts);
  };
  if (plots.length > 0) begin();
}
