// Speed against price: every cell a point, the cells that no other beats joined and numbered.

const frontSeries = (front) => ({
  type: "custom", silent: true, z: 2, tooltip: { show: false }, data: front.length > 1 ? [[0, 0]] : [],
  renderItem: (params, api) => {
    const points = [];
    front.forEach((point, i) => {
      const at = api.coord([Math.log10(point.usd), point.mb_s]);
      if (i > 0) points.push([at[0], points[points.length - 1][1]]);
      points.push(at);
    });
    return { type: "polyline", silent: true, shape: { points }, style: { stroke: colour("ink2"), fill: "none", lineWidth: 1.2, lineDash: [3, 3] } };
  },
});

const frontName = (point) => `${point.front} · ${point.short}`;
const frontNames = (front) => ({
  type: "custom", silent: true, z: 6, tooltip: { show: false }, data: front.length ? [[0, 0]] : [],
  renderItem: (params, api) => {
    const { x, y, width, height } = params.coordSys;
    const at = front.map((point) => api.coord([Math.log10(point.usd), point.mb_s]));
    const taken = at.map(([px, py]) => ({ x: px - 6, y: py - 6, w: 12, h: 12 }));
    const wanted = front.map((point, i) => ({
      at: [at[i]],
      // The name where only the way here is; the number, if need be, anywhere.
      texts: [...(width > 520 ? [[frontName(point), ["topLeft", "left"]]] : []),
        [String(point.front), ["topLeft", "left", "top", "right", "bottomRight", "bottom"]]],
    }));
    return drawLabels(placeLabels(wanted.reverse(), { x, y: y - 8, w: width, h: height + 8 }, taken), colour("ink"));
  },
});

const drawPrice = (spec, width) => {
  const logs = spec.points.map((point) => Math.log10(point.usd));
  const room = Math.max(0.08, (Math.max(...logs) - Math.min(...logs)) * 0.06);
  const high = Math.max(...logs) + room;
  const front = spec.points.filter((point) => point.front).sort((a, b) => a.front - b.front);
  // The names of the cheapest cells stand to the left of their points: so much of the width is theirs.
  const share = width > 600 && front.length ? Math.min(0.3, (widthOf(frontName(front[0])) + 24) / width) : 0;
  const low = Math.min(Math.min(...logs) - room, (Math.min(...logs) - share * high) / (1 - share));
  const yAxis = rateAxis(Math.max(...spec.points.map((point) => point.mb_s)));
  const styles = [...new Set(spec.points.map((point) => point.style))];
  const scatter = (style, best) => ({
    type: "scatter", z: best ? 4 : 3, symbol: SYMBOLS[style], symbolSize: best ? 12 : 7,
    itemStyle: { color: colour(style), opacity: best ? 1 : 0.5 }, emphasis: { disabled: true },
    data: spec.points.filter((point) => point.style === style && Boolean(point.front) === best)
      .map((point) => ({ value: [Math.log10(point.usd), point.mb_s], point })),
  });
  return {
    animation: false,
    grid: { left: widthOf(plain(yAxis.max)) + 14, right: 22, top: 10, bottom: 44 },
    xAxis: logAxis([low, high], width / 60, `${spec.x_name || "dollars per TB"} (log scale)`, (value) => "$" + plain(value)),
    yAxis,
    tooltip: {
      ...tooltip("item"),
      formatter: ({ data }) => tip(data.point.label, [["MB/s", number(data.point.mb_s), data.point.style], ["$ per TB", "$" + number(data.point.usd)]]),
    },
    series: [...styles.flatMap((style) => [scatter(style, false), scatter(style, true)]), frontSeries(front), frontNames(front)],
  };
};
