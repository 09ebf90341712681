import { evaluate, Series } from './metric-math';
import { Widget } from './sample-dashboard';
import { EPOCHS, syntheticMetric } from './synthetic-builds';

/** Pixels of a column and a row of the dashboard. */
const COLUMN = 40;
const ROW = 36;
const COLORS = ['#1f77b4', '#ff7f0e', '#2ca02c', '#d62728', '#9467bd', '#8c564b'];

interface RowOptions {
  readonly id?: string;
  readonly label?: string;
  readonly expression?: string;
  readonly visible?: boolean;
}

interface Line {
  readonly label: string;
  readonly values: Series;
}

/** Draws a dashboard, from its own definition and invented values, the way CloudWatch lays it out. */
export function drawDashboard(widgets: Widget[]): string {
  const width = Math.max(...widgets.map((widget) => widget.x + widget.width)) * COLUMN;
  const height = Math.max(...widgets.map((widget) => widget.y + widget.height)) * ROW;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11" fill="#333">`,
    `<rect width="${width}" height="${height}" fill="#f2f3f3"/>`,
    ...widgets.map(drawWidget),
    '</svg>',
    '',
  ].join('\n');
}

function drawWidget({ x, y, width, height, properties }: Widget): string {
  const [w, h] = [width * COLUMN - 8, height * ROW - 8];
  const plot = { left: 52, top: 30, width: w - 66, height: h - 90 };
  const lines = linesOf(properties.metrics);
  const limits = properties.annotations?.horizontal ?? [];
  const top = niceAbove(Math.max(1, ...lines.flatMap(({ values }) => values.map((value) => value ?? 0)), ...limits.map(({ value }) => value)));
  const toX = (day: number) => plot.left + (day / (EPOCHS.length - 1)) * plot.width;
  const toY = (value: number) => plot.top + plot.height * (1 - value / top);
  const across = (value: number, stroke: string) => `<path d="M${plot.left} ${round(toY(value))}h${plot.width}" stroke="${stroke}"/>`;
  const dayMark = (day: number, anchor: string) => text(toX(day), plot.top + plot.height + 15, dayOf(EPOCHS[day]), `text-anchor="${anchor}"`);
  return [
    `<g transform="translate(${x * COLUMN + 4} ${y * ROW + 4})">`,
    `<rect width="${w}" height="${h}" rx="4" fill="#fff" stroke="#d5dbdb"/>`,
    text(12, 19, properties.title, 'font-size="13" font-weight="bold"'),
    ...[0, top / 2, top].map((value) => across(value, '#eaeded') + text(plot.left - 6, toY(value) + 4, short(value), 'text-anchor="end"')),
    dayMark(0, 'start') + dayMark(30, 'middle') + dayMark(60, 'middle') + dayMark(EPOCHS.length - 1, 'end'),
    ...limits.map(({ value, label = '' }) => across(value, '#d62728') + text(plot.left + 4, toY(value) + 13, label, 'fill="#d62728"')),
    ...lines.map(({ values }, index) => drawLine(values, COLORS[index % COLORS.length], toX, toY)),
    drawLegend(lines, w, h),
    '</g>',
  ].join('\n');
}

/** Points where there are few values, as those of builds: the line between them stands for nothing. */
function drawLine(values: Series, color: string, toX: (index: number) => number, toY: (value: number) => number): string {
  const points = values.flatMap((value, index) => (value === undefined ? [] : [`${round(toX(index))} ${round(toY(value))}`]));
  const isSparse = points.length < EPOCHS.length / 2;
  const line = `<path d="M${points.join('L')}" fill="none" stroke="${color}" stroke-width="1.5"${isSparse ? ' stroke-opacity="0.25"' : ''}/>`;
  const dots = points.map((point) => `M${point}h0`).join('');
  return isSparse ? `${line}<path d="${dots}" stroke="${color}" stroke-width="6" stroke-linecap="round"/>` : line;
}

/** In as many rows as it takes. */
function drawLegend(lines: Line[], width: number, height: number): string {
  let [x, y] = [14, height - (lines.length > 4 ? 36 : 20)];
  return lines.map(({ label }, index) => {
    const room = 24 + 6.8 * label.length;
    if (x + room > width) {
      [x, y] = [14, y + 16];
    }
    const entry = `<rect x="${round(x)}" y="${y}" width="10" height="10" fill="${COLORS[index % COLORS.length]}"/>${text(x + 14, y + 9, label)}`;
    x += room;
    return entry;
  }).join('');
}

/** The visible lines of a widget. A metric is `[namespace, name, dimension, value, options]`, an expression `[options]`. */
function linesOf(metrics: unknown[][]): Line[] {
  const rows = metrics.map((row) => {
    const options = row[row.length - 1] as RowOptions;
    return { options, values: options.expression === undefined ? syntheticMetric(String(row[1]), String(row[3])) : undefined };
  });
  const byId = Object.fromEntries(rows.flatMap(({ options, values }) => (options.id && values ? [[options.id, values]] : [])));
  return rows.filter(({ options }) => options.visible !== false).map(({ options, values }) => ({
    label: options.label ?? '', values: values ?? evaluate(options.expression!, byId, EPOCHS),
  }));
}

function niceAbove(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 3, 4, 5, 6, 8, 10].map((factor) => factor * unit).find((candidate) => candidate >= value)!;
}

function short(value: number): string {
  const [unit, name] = value >= 1e9 ? [1e9, 'G'] : value >= 1e6 ? [1e6, 'M'] : [1, ''];
  return `${Number((value / unit).toFixed(1))}${name}`;
}

function dayOf(epoch: number): string {
  return new Date(epoch * 1_000).toISOString().slice(5, 10);
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${round(x)}" y="${round(y)}"${attributes && ` ${attributes}`}>${content.replace(/&/g, '&amp;').replace(/</g, '&lt;')}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
