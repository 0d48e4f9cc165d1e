// Single runs: distribution of the time to first byte, throughput second by second, what each worker did when.

const drawHistogram = (spec, width) => {
  const [low, high] = spec.range.map(Math.log10);
  const yAxis = rateAxis(spec.top);
  const shape = (api, place) => {
    const [from, to, percent] = spec.bins[place];
    const [x, y] = api.coord([Math.max(low, Math.log10(from)), percent]);
    const [end, zero] = api.coord([Math.min(high, Math.log10(to)), 0]);
    return { x, y, width: Math.max(1, end - x - 1), height: zero - y };
  };
  const marks = {
    type: "custom", silent: true, z: 4, tooltip: { show: false }, data: spec.marks.length ? [[low, 0]] : [],
    renderItem: (params, api) => {
      const { x, y, width: w, height } = params.coordSys;
      const inside = spec.marks.filter(([, at]) => Math.log10(at) >= low && Math.log10(at) <= high);
      const lines = inside.map(([, at]) => {
        const [px] = api.coord([Math.log10(at), 0]);
        return { type: "line", shape: { x1: px, y1: y, x2: px, y2: y + height }, style: { stroke: colour("ink"), lineWidth: 1.2, lineDash: [2, 3] } };
      });
      const wanted = inside.map(([label, at]) => ({ at: [[api.coord([Math.log10(at), 0])[0] - 5, y + 8]], texts: [[label, ["right", "left"]]] }));
      return { type: "group", silent: true, children: [...lines, drawLabels(placeLabels(wanted, { x, y, w, h: height }, []), colour("ink"))] };
    },
  };
  return {
    animation: false,
    grid: { left: widthOf(plain(yAxis.max)) + 14, right: 22, top: 10, bottom: 44 },
    xAxis: logAxis([low, high], width / 55, "milliseconds (log scale)", plain),
    yAxis,
    tooltip: {
      ...tooltip("item"),
      formatter: ({ dataIndex }) => {
        const [from, to, percent, count] = spec.bins[dataIndex];
        return tip(`${number(from)} to ${number(to)} ms`, [["requests", plain(count), spec.style], ["share", number(percent) + " %"]]);
      },
    },
    series: [
      {
        type: "custom", z: 2, data: spec.bins.map(([from, , percent]) => [Math.log10(from), percent]),
        renderItem: (params, api) => ({ type: "rect", shape: shape(api, params.dataIndex), style: { fill: colour(spec.style), opacity: 0.85 } }),
      },
      marks,
    ],
  };
};

// Seconds apart as a clock has them, at most `most` on an axis.
const timeStep = (end, most) => {
  const clock = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];
  return end < 8 ? niceStep(end, Math.min(5, most)) : clock.find((step) => end / step <= most) ?? niceStep(end, most);
};
const timeAxis = (end, step) => axis({
  type: "value", min: 0, max: end, interval: step, name: "seconds since start", nameGap: 28,
  axisLabel: { formatter: (value) => plain(Number(value.toPrecision(6))), showMaxLabel: Math.abs(end / step - Math.round(end / step)) < 1e-6 },
});

const drawSeries = (spec, width) => {
  const longest = Math.max(...spec.lines.map((line) => line.values.length));
  const yAxis = rateAxis(Math.max(...spec.lines.flatMap((line) => line.values)));
  // Second s lasts until s + 1, so the axis ends where the last one does.
  const end = Math.max(1, longest);
  const step = timeStep(end, width / 90);
  return {
    animation: false,
    grid: { left: widthOf(plain(yAxis.max)) + 14, right: 22, top: 10, bottom: 44 },
    xAxis: timeAxis(end, step),
    yAxis,
    tooltip: {
      ...tooltip("axis"),
      formatter: (found) => {
        const second = found[0]?.dataIndex ?? 0;
        const rows = spec.lines.filter((line) => second < line.values.length).map((line) => [line.label, number(line.values[second]), line.style]);
        return tip(`second ${plain(second)}, MB/s`, rows);
      },
    },
    series: spec.lines.map((line) => ({
      type: "line", name: line.label, data: line.values.map((value, second) => [second, value]), showSymbol: longest === 1,
      lineStyle: { color: colour(line.style), width: 1.6, type: DASHES[line.style] }, itemStyle: { color: colour(line.style) }, emphasis: { disabled: true },
    })),
  };
};

const STATES = [["ok", "body"], ["ok, retried", "retried"], ["failed", "failed"]];
const timelineRows = (spec) => Math.max(...spec.fetches.map(([worker]) => worker)) + 1;

const drawTimeline = (spec, width) => {
  const rows = timelineRows(spec);
  const end = Math.max(...spec.fetches.map((fetch) => fetch[3]), 1e-3);
  const step = timeStep(end, width / 90);
  const [wait, ...solid] = ["wait", ...STATES.map(([, name]) => name)].map(colour);
  const every = Math.max(1, Math.ceil(rows / 8));
  return {
    animation: false,
    grid: { left: widthOf(plain(rows)) + 14, right: 22, top: 6, bottom: 44 },
    xAxis: timeAxis(end, step),
    yAxis: axis({ type: "category", inverse: true, data: Array.from({ length: rows }, (_, row) => plain(row)), axisLine: { show: false },
      axisLabel: { interval: (row) => row % every === 0 } }),
    tooltip: {
      ...tooltip("item"),
      formatter: ({ dataIndex }) => {
        const [worker, start, first, last, state, attempts] = spec.fetches[dataIndex];
        return tip(`worker ${worker}`, [
          ["start", number(start) + " s"], ["first byte after", first === null ? "–" : number((first - start) * 1e3) + " ms"],
          ["end", number(last) + " s"], ["attempts", plain(attempts)], ["outcome", STATES[state][0], STATES[state][1]],
        ]);
      },
    },
    series: [{
      type: "custom", clip: true, data: spec.fetches.map(([worker, start]) => [start, worker]),
      renderItem: (params, api) => {
        const [worker, start, first, last, state] = spec.fetches[params.dataIndex];
        const [x, middle] = api.coord([start, worker]);
        const height = Math.max(2, api.size([0, 1])[1] * 0.78);
        const [body] = api.coord([first ?? last, worker]);
        const [right] = api.coord([last, worker]);
        const bar = (from, to, fill) => ({ type: "rect", shape: { x: from, y: middle - height / 2, width: Math.max(0.5, to - from), height }, style: { fill } });
        // Without a first byte all of it was waiting; a failure shows as one whatever it waited for.
        const children = state === 2 ? [bar(x, right - 0.5, solid[2])] : [bar(x, body, wait), bar(body, right - 0.5, solid[state])];
        return { type: "group", children };
      },
    }],
  };
};
