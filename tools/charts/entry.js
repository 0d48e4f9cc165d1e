// What the report page draws with: lines, points, hand-drawn shapes (bands, bars, the worker timeline), axes and tooltips, as SVG. The heat matrix is HTML.
import { init, use } from "echarts/core";
import { CustomChart, LineChart, ScatterChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";

use([CustomChart, LineChart, ScatterChart, GridComponent, TooltipComponent, SVGRenderer]);

globalThis.parfetchCharts = { init };
