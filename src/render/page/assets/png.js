// A chart as a picture to keep: with its title, its unit and its legend, twice as large as on the screen.

const SHAPES = { circle: "M13 6a4 4 0 1 0 8 0a4 4 0 1 0 -8 0", rect: "M13 2h8v8h-8z", triangle: "M17 1l5 9h-10z", diamond: "M17 1l5 5l-5 5l-5 -5z" };
const MARGIN = 16;

const loaded = (svg, [width, height]) => new Promise((done, failed) => {
  const copy = svg.cloneNode(true);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  const image = new Image();
  image.onload = () => done(image);
  image.onerror = failed;
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(new XMLSerializer().serializeToString(copy));
});

// Entries of the legend beside each other, as many in a line as have room; gives the lines' count.
const legendRows = (entries, width) => {
  let [x, row] = [0, 0];
  return entries.map(({ label, style }) => {
    const w = 44 + widthOf(label) + 20;
    if (x > 0 && x + w > width) [x, row] = [0, row + 1];
    const place = { label, style, x, row };
    x += w;
    return place;
  });
};

const drawLegend = (pen, rows, top) => {
  for (const { label, style, x, row } of rows) {
    const y = top + row * 20;
    pen.save();
    pen.translate(MARGIN + x, y);
    pen.strokeStyle = pen.fillStyle = colour(style);
    pen.lineWidth = 2;
    pen.setLineDash(DASHES[style] === "solid" ? [] : DASHES[style]);
    pen.beginPath();
    pen.moveTo(0, 6);
    pen.lineTo(34, 6);
    pen.stroke();
    pen.fill(new Path2D(SHAPES[SYMBOLS[style]]));
    pen.fillStyle = colour("ink2");
    pen.fillText(label, 42, 10);
    pen.restore();
  }
};

const keepAsPng = async (place) => {
  const figure = place.closest("figure");
  const svg = place.querySelector("svg");
  const size = [place.clientWidth, place.clientHeight];
  const image = await loaded(svg, size);
  const title = [...figure.querySelector("figcaption").childNodes].filter((part) => part.nodeName !== "BUTTON").map((part) => part.textContent).join("").trim();
  const lines = [...(figure.closest("section, details").querySelector(".pf-legend")?.querySelectorAll("li") ?? [])]
    .flatMap((li) => (li.querySelector("[data-pf-line]") ? [{ label: li.textContent.trim(), style: li.querySelector("[data-pf-line]").dataset.pfLine }] : []));
  const rows = figure.querySelector("[data-pf-chart]") ? legendRows(lines, size[0]) : [];
  const head = 44 + (rows.length ? (rows.at(-1).row + 1) * 20 + 6 : 0);
  const canvas = document.createElement("canvas");
  canvas.width = 2 * (size[0] + 2 * MARGIN);
  canvas.height = 2 * (head + size[1] + 2 * MARGIN);
  const pen = canvas.getContext("2d");
  pen.scale(2, 2);
  pen.fillStyle = colour("bg");
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = colour("ink");
  pen.font = "bold 14px " + FONT;
  pen.fillText(title, MARGIN, MARGIN + 12, size[0]);
  pen.font = "12px " + FONT;
  drawLegend(pen, rows, MARGIN + 22);
  pen.fillStyle = colour("ink2");
  pen.fillText(figure.querySelector(".pf-unit").textContent, MARGIN, MARGIN + head - 4);
  pen.drawImage(image, MARGIN, MARGIN + head, ...size);
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = title.replace(/[^\p{L}\p{N}.]+/gu, "-").replace(/^-|-$/g, "").toLowerCase().slice(0, 80) + ".png";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }, "image/png");
};
