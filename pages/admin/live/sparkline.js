// A line of the last values, without axes: its figures stand beside it in words, so it is hidden from screen readers.

import { svg } from '../shared/dom.js';

const width = 120;
const height = 28;
const fewest = 30;

/** Path of `values`, oldest at the left, `places` wide; null is a gap. */
function pathOf(values, places) {
  const highest = Math.max(...values.map((value) => value ?? 0), 1e-9);
  let path = '';
  let isDrawing = false;
  values.forEach((value, i) => {
    if (value !== null) {
      const x = (i / (places - 1)) * width;
      const y = height - 1 - (value / highest) * (height - 2);
      path += `${isDrawing ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
      // A single value between gaps would be a line without length, which nobody sees.
      if (!isDrawing && (values[i + 1] ?? null) === null) path += 'h1';
    }
    isDrawing = value !== null;
  });
  return path;
}

/** `{element, add(value)}` keeping the last `places` values. */
export function sparkline(places) {
  const values = [];
  const line = svg('path', { class: 'sparkline-line', 'vector-effect': 'non-scaling-stroke' });
  const element = svg('svg', { class: 'sparkline', viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  element.append(line);
  return {
    element,
    add(value) {
      values.push(Number.isFinite(value) ? value : null);
      if (values.length > places) values.shift();
      // The first minute is not squeezed into a corner.
      line.setAttribute('d', pathOf(values, Math.max(values.length, Math.min(places, fewest))));
    },
  };
}
