// Throughput against workers or sizes: lines with their intervals, from zero.

// Runs of neighbouring points that have an interval: each is one band; a point alone gets a bar.
const bandRuns = (points) => {
  const runs = [];
  let run = [];
  points.forEach((point, place) => {
    if (point && point[1] !== null) run.push(place);
    if ((!point || point[1] === null || place === points.length - 1) && run.length) {
      runs.push(run);
      run = [];
    }
  });
  return runs;
};

const bandSeries = (line) => {
  const runs = bandRuns(line.points);
  const fill = colour(line.style);
  return {
    type: "custom", silent: true, z: 1, tooltip: { show: false }, data: runs.map((run) => [run[0], line.points[run[0]][1]]),
    renderItem: (params, api) => {
      const run = runs[params.dataIndex];
      const at = (place, end) => api.coord([place, line.points[place][end]]);
      if (run.length === 1) {
        const [x, low] = at(run[0], 1);
        const high = at(run[0], 2)[1];
        const bar = (x1, y1, x2, y2) => ({ type: "line", shape: { x1, y1, x2, y2 }, style: { stroke: fill, lineWidth: 1.5 } });
        return { type: "group", silent: true, children: [bar(x, low, x, high), bar(x - 4, low, x + 4, low), bar(x - 4, high, x + 4, high)] };
      }
      const outline = [...run.map((place) => at(place, 2)), ...[...run].reverse().map((place) => at(place, 1))];
      return { type: "polygon", silent: true, shape: { points: outline }, style: { fill, opacity: 0.16 } };
    },
  };
};

const lineSeries = (line) => ({
  type: "line", name: line.label, z: line.named ? 2 : 3, connectNulls: false,
  data: line.points.map((point) => (point ? point[0] : null)),
  symbol: SYMBOLS[line.style], symbolSize: line.named ? 6 : 8, showSymbol: true, showAllSymbol: true,
  lineStyle: { color: colour(line.style), width: line.named ? 1.5 : 2, type: DASHES[line.style] },
  itemStyle: { color: colour(line.style), borderColor: colour("bg"), borderWidth: 1 },
  emphasis: { disabled: true },
});

// Names of grey lines, written beside the last of their points where there is room; the legend has all of them.
const nameSeries = (lines) => {
  const named = lines.filter((line) => line.named);
  return {
    type: "custom", silent: true, z: 5, tooltip: { show: false }, data: named.length ? [[0, 0]] : [],
    renderItem: (params, api) => {
      const { x, y, width, height } = params.coordSys;
      const pointsOf = (line) => line.points.flatMap((point, place) => (point ? [api.coord([place, point[0]])] : []));
      const taken = lines.flatMap((line) => {
        const points = pointsOf(line);
        return [...boxesAlong(points), ...points.map(([px, py]) => ({ x: px - 5, y: py - 5, w: 10, h: 10 }))];
      });
      const wanted = named.map((line) => ({
        at: pointsOf(line).reverse(), texts: [[line.label, ["topLeft", "bottomLeft", "top", "bottom", "right", "left", "bottomRight"]]],
      }));
      return drawLabels(placeLabels(wanted, { x, y, w: width + 4, h: height }, taken), colour("ink2"));
    },
  };
};

const drawLines = (spec) => {
  const highest = Math.max(...spec.lines.flatMap((line) => line.points.filter(Boolean).map((point) => Math.max(point[0], point[2] ?? 0))));
  const yAxis = rateAxis(highest);
  const rows = Math.max(...spec.x.map((place) => place.split("\n").length));
  const left = widthOf(plain(yAxis.max)) + 14;
  return {
    animation: false,
    grid: { left, right: 14, top: 10, bottom: 28 + 16 * rows },
    xAxis: axis({
      type: "category", data: spec.x, boundaryGap: spec.x.length === 1, name: spec.x_name, nameGap: 12 + 16 * rows,
      axisLabel: { interval: "auto", formatter: (text) => text.replace(/^\d{4,}$/, (digits) => plain(Number(digits))) },
    }),
    yAxis,
    tooltip: {
      ...tooltip("axis"),
      formatter: (found) => {
        const place = found[0]?.dataIndex ?? 0;
        const rows = spec.lines.filter((line) => line.points[place]).map((line) => {
          const [median, low, high] = line.points[place];
          return [line.label, number(median) + (low === null ? "" : ` (${number(low)} to ${number(high)})`), line.style];
        });
        return tip(`${spec.titles[place]}: MB/s`, rows);
      },
    },
    series: [...spec.lines.map(bandSeries), ...spec.lines.map(lineSeries), nameSeries(spec.lines)],
  };
};
