// Throughput against workers or sizes: lines with their intervals, from zero.

// Pixels by which the lines of a panel stand beside each other, so that their intervals can be told apart; all of them within this share of a place.
const DODGE = 5;
const WITHIN = 0.7;
// Where each line stands beside the middle of its place, in places.
const dodges = (spec, width) => {
  const step = Math.min((DODGE * spec.x.length) / Math.max(width, 1), WITHIN / spec.lines.length);
  return spec.lines.map((_, i) => (i - (spec.lines.length - 1) / 2) * step);
};

// An interval is a bar with ends, where it is longer than the mark of its median.
const barSeries = (line, shift) => {
  const ink = colour(line.style);
  const places = line.points.flatMap((point, place) => (point && point[1] !== null ? [place] : []));
  return {
    type: "custom", silent: true, z: 2, tooltip: { show: false }, data: places.map((place) => [place + shift, line.points[place][0]]),
    renderItem: (params, api) => {
      const place = places[params.dataIndex];
      const [x, low] = api.coord([place + shift, line.points[place][1]]);
      const high = api.coord([place + shift, line.points[place][2]])[1];
      const stroke = (x1, y1, x2, y2) => ({ type: "line", shape: { x1, y1, x2, y2 }, style: { stroke: ink, lineWidth: 1.2 } });
      const ends = low - high < 10 ? [] : [stroke(x, low, x, high), stroke(x - 2, low, x + 2, low), stroke(x - 2, high, x + 2, high)];
      return { type: "group", silent: true, children: ends };
    },
  };
};

const lineSeries = (line, shift) => ({
  type: "line", name: line.label, z: line.named ? 3 : 4, connectNulls: true,
  data: line.points.map((point, place) => [place + shift, point ? point[0] : null]),
  symbol: SYMBOLS[line.style], symbolSize: line.named ? 6 : 7, showSymbol: true, showAllSymbol: true,
  lineStyle: { color: colour(line.style), width: line.named ? 1.5 : 2, type: DASHES[line.style] },
  itemStyle: { color: colour(line.style), borderColor: colour("bg"), borderWidth: 1 },
  emphasis: { disabled: true },
});

// Names of grey lines, written beside the last of their points where there is room; the legend has all of them.
const nameSeries = (lines, shifts) => {
  const named = lines.filter((line) => line.named);
  return {
    type: "custom", silent: true, z: 5, tooltip: { show: false }, data: named.length ? [[0, 0]] : [],
    renderItem: (params, api) => {
      const { x, y, width, height } = params.coordSys;
      const pointsOf = (line) => line.points.flatMap((point, place) => (point ? [api.coord([place + shifts[lines.indexOf(line)], point[0]])] : []));
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

const drawLines = (spec, width) => {
  const highest = Math.max(...spec.lines.flatMap((line) => line.points.filter(Boolean).map((point) => Math.max(point[0], point[2] ?? 0))));
  const yAxis = rateAxis(highest);
  const rows = Math.max(...spec.x.map((place) => place.split("\n").length));
  const left = widthOf(plain(yAxis.max)) + 14;
  const right = 14;
  const shifts = dodges(spec, width - left - right);
  const places = spec.x.map((_, place) => place);
  const write = (place) => spec.x[Math.round(place)].replace(/^\d{4,}$/, (digits) => plain(Number(digits)));
  // Every label that has room, the first and the last always: they are wide where counts are large.
  const widest = Math.max(...places.map((place) => Math.max(...write(place).split("\n").map(widthOf)))) + 8;
  const every = Math.ceil((widest * spec.x.length) / Math.max(width - left - right, 1));
  const ticks = places.filter((place) => place % every === 0);
  return {
    animation: false,
    grid: { left, right, top: 10, bottom: 28 + 16 * rows },
    xAxis: axis({
      type: "value", min: -0.5, max: spec.x.length - 0.5, name: spec.x_name, nameGap: 12 + 16 * rows, interval: 1,
      axisTick: { show: false, customValues: ticks }, axisLabel: { customValues: ticks, formatter: write },
    }),
    yAxis,
    tooltip: {
      ...tooltip("axis"),
      formatter: (found) => {
        const place = Math.round(found[0]?.value?.[0] ?? 0);
        const rows = spec.lines.filter((line) => line.points[place]).map((line) => {
          const [median, low, high] = line.points[place];
          return [line.label, number(median) + (low === null ? "" : ` (${number(low)} to ${number(high)})`), line.style];
        });
        return tip(spec.titles[place], rows);
      },
    },
    series: [...spec.lines.map((line, i) => barSeries(line, shifts[i])), ...spec.lines.map((line, i) => lineSeries(line, shifts[i])), nameSeries(spec.lines, shifts)],
  };
};
