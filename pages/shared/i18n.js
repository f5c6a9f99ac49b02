// Texts in the reader's language. Slots: {name}; {count, plural, one {# key} other {# keys}}.
import { lasting } from './store.js';
import { words } from './words.js';

const listeners = new Set();
const own = { en: {}, zh: {} };
// What could turn the text around it: left out of what is put into sentences.
const turning = /[\u202a-\u202e\u2066-\u2069]/g;
const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

let current = (lasting.get('language') ?? navigator.language ?? 'en').toLowerCase().startsWith('zh') ? 'zh' : 'en';
document.documentElement.lang = locale();

/** 'en' or 'zh'. */
export function language() {
  return current;
}

/** For Intl. English follows the browser's own kind of English. */
export function locale() {
  if (current === 'zh') return 'zh-CN';
  return navigator.languages?.find((each) => /^en\b/i.test(each)) ?? 'en';
}

export function setLanguage(name) {
  current = name === 'zh' ? 'zh' : 'en';
  lasting.set('language', current);
  document.documentElement.lang = current === 'zh' ? 'zh-CN' : 'en';
  applyTexts(document);
  for (const listener of listeners) listener(current);
}

/** Calls `listener` after each change of language; what it returns ends that. */
export function onLanguage(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The page's own texts, {en: {...}, zh: {...}}, beside the common ones. */
export function setTexts(texts) {
  Object.assign(own.en, texts.en);
  Object.assign(own.zh, texts.zh);
}

export function hasText(key) {
  return key in own.en || key in words.en;
}

export function t(key, values = {}) {
  const text = own[current][key] ?? words[current][key] ?? own.en[key] ?? words.en[key] ?? key;
  return text
    .replace(/\{(\w+), plural,((?:\s*\w+ \{[^{}]*\})+)\}/g, (whole, name, forms) => plural(Number(values[name]), forms))
    .replace(/\{(\w+)\}/g, (whole, name) => (name in values ? shown(values[name]) : whole));
}

/** Fills the elements below `root` that say which text they want: data-t, data-t-label, data-t-placeholder. */
export function applyTexts(root) {
  for (const each of root.querySelectorAll('[data-t]')) each.textContent = t(each.dataset.t);
  for (const each of root.querySelectorAll('[data-t-label]')) each.setAttribute('aria-label', t(each.dataset.tLabel));
  for (const each of root.querySelectorAll('[data-t-placeholder]')) each.placeholder = t(each.dataset.tPlaceholder);
}

function plural(count, forms) {
  const wanted = new Intl.PluralRules(locale()).select(count);
  const found = Object.fromEntries([...forms.matchAll(/(\w+) \{([^{}]*)\}/g)].map(([, form, text]) => [form, text]));
  return (found[wanted] ?? found.other ?? '').replaceAll('#', new Intl.NumberFormat(locale()).format(count));
}

function shown(value) {
  if (typeof value === 'number') return new Intl.NumberFormat(locale()).format(value);
  const text = String(value ?? '').replace(turning, '');
  return rightToLeft.test(text) ? `\u2068${text}\u2069` : text;
}
