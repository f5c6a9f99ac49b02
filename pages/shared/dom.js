// Elements from data. Text is always a text node: markup in data stays text.
import { t } from './i18n.js';

const svgNamespace = 'http://www.w3.org/2000/svg';

export const byId = (id) => document.getElementById(id);

/** h('button', {class: 'primary', on: {click}, dataset: {id}, 'aria-label': label}, ...children) */
export function h(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS(svgNamespace, tag), attributes, children);
}

/** An element with a text of the page, which follows changes of language by itself. */
export function worded(tag, key, attributes = {}) {
  return h(tag, { ...attributes, dataset: { ...attributes.dataset, t: key } }, t(key));
}

/** Text of somebody else's choice: its direction of writing stays its own, and characters that would turn it around are left out. */
export function foreign(text) {
  const shown = String(text ?? '').replace(/[\u202a-\u202e\u2066-\u2069]/g, '');
  return h('bdi', {}, shown || '–');
}

/** Replaces what is in `parent`. */
export function fill(parent, ...children) {
  parent.replaceChildren(...nodes(children));
  return parent;
}

function nodes(children) {
  return children.flat(Infinity).filter((child) => child != null && child !== false && child !== true)
    .map((child) => (child instanceof Node ? child : document.createTextNode(String(child))));
}

function furnish(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name === 'on') {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === 'dataset') {
      Object.assign(element.dataset, value);
    } else if (name === 'value') {
      element.value = value ?? '';
    } else if (name.startsWith('aria-')) {
      if (value != null) element.setAttribute(name, String(value));
    } else if (value != null && value !== false) {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  element.append(...nodes(children));
  return element;
}
