// Speed against price: every configuration a point, those that no other beats joined, the recommended ones named.

// From each point of the front sideways to the next price, then up.
const frontPath = (front, place) => front.map(place).flatMap((at, i, all) => (i > 0 ? [[at[0], all[i - 1][1]], at] : [at]));

const frontSeries = (front, at) => ({
  type: "custom", silent: true, z: 2, tooltip: { show: false }, data: front.length > 1 ? [[0, 0]] : [],
  renderItem: (params, api) => {
    const points = [];
    points.push(...frontPath(front, (point) => api.coord(at(point))));
    return { type: "polyline", silent: true, shape: { points }, style: { stroke: colour("ink2"), fill: "none", lineWidth: 1.2, lineDash: [3, 3] } };
  },
});

// A ring around what is recommended, and its name where there is room, in fewer words where there is little; a line leads from a ring to a name that is not beside it.
const RING = 10;
const chosenSeries = (spec, front, at) => {
  const chosen = spec.points.filter((point) => point.chosen);
  return {
    type: "custom", silent: true, z: 6, tooltip: { show: false }, data: chosen.length ? [[0, 0]] : [],
    renderItem: (params, api) => {
      const { x, y, width, height } = params.coordSys;
      const place = (point) => api.coord(at(point));
      const around = ([px, py], half) => ({ x: px - half, y: py - half, w: 2 * half, h: 2 * half });
      const taken = [...spec.points.map((point) => around(place(point), 5)), ...chosen.map((point) => around(place(point), RING + 1)), ...boxesAlong(frontPath(front, place))];
      const sides = ["right", "topLeft", "left", "top", "bottomRight", "bottomLeft", "bottom"];
      const wanted = chosen.map((point) => {
        const [px, py] = place(point);
        const shifts = [[0, 0], [4, 0], [0, -6], [0, 6], [-4, 0], [12, -14], [12, 14], [0, -22], [0, 22], [24, -24], [24, 24], [0, -40], [0, 40]];
        return { at: shifts.map(([dx, dy]) => [px + dx, py + dy]), texts: [[point.chosen, sides], [point.chosen.split(":")[0], sides]] };
      });
      const labels = placeLabels(wanted, { x, y: y - 8, w: width + 12, h: height + 8 }, taken);
      const marks = chosen.flatMap((point, i) => {
        const [cx, cy] = place(point);
        const ring = { type: "circle", shape: { cx, cy, r: RING }, style: { stroke: colour("ink"), fill: "none", lineWidth: 1.6 } };
        const label = labels[i];
        if (!label) return [ring];
        const end = [Math.min(Math.max(cx, label.x), label.x + label.w), Math.min(Math.max(cy, label.y + 2), label.y + label.h - 2)];
        const away = Math.hypot(end[0] - cx, end[1] - cy);
        if (away < RING + 8) return [ring];
        const edge = [cx + ((end[0] - cx) * RING) / away, cy + ((end[1] - cy) * RING) / away];
        return [ring, { type: "line", shape: { x1: edge[0], y1: edge[1], x2: end[0], y2: end[1] }, style: { stroke: colour("ink2"), lineWidth: 1 } }];
      });
      return { type: "group", silent: true, children: [...marks, drawLabels(labels, colour("ink"))] };
    },
  };
};

// Prices that lie close together or within a few times of each other stand on a scale of dollars, wider ones on a logarithmic one.
const SPREAD = 12;

const drawPrice = (spec, width) => {
  const prices = spec.points.map((point) => point.usd);
  const [cheapest, dearest] = [Math.min(...prices), Math.max(...prices)];
  const isLog = dearest / cheapest > SPREAD;
  const at = (point) => [isLog ? Math.log10(point.usd) : point.usd, point.mb_s];
  const name = `price in dollars per ${spec.unit}`;
  const write = (value) => "$" + plain(value);
  const yAxis = rateAxis(Math.max(...spec.points.map((point) => point.mb_s)));
  const grid = { left: widthOf(plain(yAxis.max)) + 14, right: 22, top: 14, bottom: 44 };
  const xAxis = isLog
    ? logAxis([Math.log10(cheapest) - 0.08, Math.log10(dearest) + 0.08], width / 60, `${name} (log scale)`, write)
    : priceAxis([cheapest, dearest], Math.max(3, Math.min(8, Math.floor(width / 80))), name);
  const styles = [...new Set(spec.points.map((point) => point.style))];
  const isBest = (point) => point.front || Boolean(point.chosen);
  const scatter = (style, best) => ({
    type: "scatter", z: best ? 4 : 3, symbol: SYMBOLS[style], symbolSize: best ? 11 : 7,
    itemStyle: { color: colour(style), opacity: best ? 1 : 0.5 }, emphasis: { disabled: true },
    data: spec.points.filter((point) => point.style === style && isBest(point) === best).map((point) => ({ value: at(point), point })),
  });
  const front = spec.points.filter((point) => point.front).sort((a, b) => a.usd - b.usd);
  return {
    animation: false, grid, xAxis, yAxis,
    tooltip: {
      ...tooltip("item"),
      formatter: ({ data }) => tip(data.point.label, [["MB/s", number(data.point.mb_s), data.point.style], [`per ${spec.unit}`, "$" + number(data.point.usd)]]),
    },
    series: [...styles.flatMap((style) => [scatter(style, false), scatter(style, true)]), frontSeries(front, at), chosenSeries(spec, front, at)],
  };
};
