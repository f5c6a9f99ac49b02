// Forms of the fields of accounts: how each is shown, read and checked. A field has the name that the API calls it by, so what the
// server finds wrong is said at the field itself.
import { byId, fill, h } from './shared/dom.js';
import { hasText, setTexts, t } from './shared/i18n.js';
import { texts } from './change-texts.js';
import { nanosOf, dollarsOf } from './money.js';

setTexts(texts);

// Readers give null for what they do not understand.
const moneyIf = (isGood) => (text) => {
  const nanos = nanosOf(text);
  return nanos !== null && isGood(nanos) ? dollarsOf(nanos) : null;
};
const money = moneyIf((nanos) => nanos >= 0n);
const positive = moneyIf((nanos) => nanos > 0n);
const numberIf = (pattern, most) => (text) => (pattern.test(text) && Number(text) <= most ? Number(text) : null);
const count = numberIf(/^\d{1,13}$/, 1e12);
const textIf = (pattern) => (text) => (pattern.test(text) ? text : null);
const email = textIf(/^[^\s@]+@[^\s@]+$/);
const wordsOf = (text) => text.split(/[\s,，]+/).filter(Boolean);
const words = (text) => wordsOf(text).join(' ');

/** Lines such as `gpt-4o rpm=30 tpm=90000`. */
function modelLimits(text) {
  const limits = {};
  for (const line of text.split('\n').filter((each) => each.trim())) {
    const [model, ...rest] = wordsOf(line);
    const pairs = rest.map((each) => /^([rt]p[mhd])=(\d{1,13})$/i.exec(each));
    if (!pairs.length || pairs.includes(null)) return null;
    limits[model] = Object.fromEntries(pairs.map(([, what, value]) => [what.toLowerCase(), Number(value)]));
  }
  return limits;
}

function linesOf(limits) {
  return Object.entries(limits).map(([model, each]) => [model, ...Object.entries(each).map((pair) => pair.join('='))].join(' ')).join('\n');
}

const amount = { read: money, wrong: 'wrongMoney', blank: 0, inputmode: 'decimal' };
const limit = { read: count, wrong: 'wrongCount', blank: 0, inputmode: 'numeric' };
const list = { read: words, tag: 'textarea', spellcheck: 'false', dir: 'ltr' };

/** `wrong`: the text that says what is wanted; `blank`: what an emptied field means in a form that changes an account. */
const fields = {
  Name: { read: textIf(/^(?=.*[a-z])[\w-]{4,63}$/i), wrong: 'wrongName', spellcheck: 'false' },
  Email: { read: email, wrong: 'wrongEmail' }, BillingEmail: { read: email, wrong: 'wrongEmail', blank: '' },
  Alias: { read: (text) => text, blank: '', dir: 'auto' },
  CreditGranted: { ...amount, read: positive, wrong: 'wrongSomeMoney' }, Rates: { ...amount, read: positive, wrong: 'wrongRate' },
  Days: { read: numberIf(/^[1-9]\d{0,2}$/, 365), wrong: 'wrongDays', inputmode: 'numeric' },
  HardLimit: amount, SoftLimit: amount, RPM: limit, RPH: limit, RPD: limit, TPM: limit, TPH: limit, TPD: limit, Concurrency: limit,
  ModelLimits: { ...list, read: modelLimits, wrong: 'wrongModelLimits', blank: {}, print: linesOf },
  AllowIPs: list, DenyIPs: list, AllowModels: list, DenyModels: list, Resources: { ...list, blank: '*' },
  AbortPolicy: { read: (text) => text, options: ['cancel', 'drain'], tag: 'select' },
};

function makeField(formId, spec) {
  const name = spec.replace('!', '');
  const { tag = 'input', options = [], inputmode, spellcheck, dir } = fields[name];
  const id = `${formId}-${name}`;
  return h('div', { class: tag === 'textarea' ? 'field long' : 'field' },
    h('label', { for: id, 'data-t': `field_${name}` }),
    h(tag, { id, name, required: spec.endsWith('!'), autocomplete: 'off', 'aria-describedby': `${id}-hint ${id}-fault`, inputmode, spellcheck, dir },
      options.map((value) => h('option', { value, 'data-t': `option_${value}` }))),
    hasText(`hint_${name}`) ? h('p', { class: 'hint', id: `${id}-hint`, 'data-t': `hint_${name}` }) : null,
    h('p', { class: 'fault', id: `${id}-fault`, hidden: true }));
}

const makeFields = (id, specs) => h('div', { class: 'fields' }, specs.split(' ').map((each) => makeField(id, each)));

/**
 * A form with a title, fields ('Name! Days'; `!`: needed), more fields to unfold, by the text that they are under, and a button.
 * `submit` is called instead of sending it anywhere.
 */
export function makeForm(id, { title = id, heading = 'h3', needs = '', folded = {}, button = 'save', kind = '', submit }) {
  const send = (event) => {
    event.preventDefault();
    submit();
  };
  return h('form', { id, class: 'card stack', novalidate: true, on: { submit: send } },
    h(heading, { id: `${id}-title`, tabindex: '-1', 'data-t': title }),
    needs && makeFields(id, needs),
    Object.entries(folded).map(([text, more]) => h('details', {}, h('summary', { 'data-t': text }), makeFields(id, more))),
    h('p', { class: 'preview muted' }),
    h('div', { class: 'row' }, h('button', { class: `button ${kind}`, 'data-t': button })),
    h('p', { class: 'notice bad form-fault', role: 'alert', hidden: true }), h('p', { class: 'form-status', role: 'status' }));
}

export const say = (form, ...content) => fill(form.querySelector('.form-status'), content);
export const preview = (form, facts) => fill(form.querySelector('.preview'), facts.flatMap((each) => [each, ' ']));

const namesOf = (form) => [...form.elements].map((each) => each.name).filter((each) => each in fields);

/** As it is typed: no grouping, no exponent. */
export const textOf = (value) => (typeof value === 'number' ? value.toFixed(9).replace(/\.?0+$/, '') : value);

/** Shows `row` in the fields; given what they showed before, only in those that nobody has typed into since. */
export function show(form, row, before) {
  for (const name of namesOf(form)) {
    const textIn = (from) => (name in from ? (fields[name].print ?? textOf)(from[name]) : '');
    const control = form.elements[name];
    if (!before || control.value === textIn(before)) control.value = textIn(row);
  }
}

/** Says what is wrong at the field, or of the whole form where it has no such field. */
export function showFault(form, name, text) {
  const control = form.elements.namedItem(name === 'RateLimit' ? 'RPM' : name ?? '');
  const place = control && byId(`${control.id}-fault`);
  fill(place ?? form.querySelector('.form-fault'), text).hidden = false;
  if (!place) return;
  control.setAttribute('aria-invalid', 'true');
  const closed = control.closest('details:not([open])');
  if (closed) closed.open = true;
  form.querySelector('[aria-invalid]').focus();
}

export function clearFaults(form) {
  for (const each of form.querySelectorAll('.fault, .form-fault')) each.hidden = true;
  for (const each of form.querySelectorAll('[aria-invalid]')) each.removeAttribute('aria-invalid');
  say(form);
}

/** What is filled in, by name; null where something is wrong, which is then said. Blank fields are left out, or with `blanks` mean something. */
export function read(form, { blanks = false } = {}) {
  clearFaults(form);
  const values = {};
  const wrong = [];
  for (const name of namesOf(form)) {
    const { read: parse, blank } = fields[name];
    const control = form.elements[name];
    const text = control.value.trim();
    if (text) values[name] = parse(text);
    else if (control.required) wrong.push([name, 'wrongBlank']);
    else if (blanks && blank !== undefined) values[name] = blank;
    if (values[name] === null) wrong.push([name, fields[name].wrong]);
  }
  for (const [name, text] of wrong) showFault(form, name, t(text));
  return wrong.length ? null : values;
}

/** What is filled in otherwise than `row` has it; null, and said, where something is wrong or nothing changed. */
export function changesOf(form, row) {
  const changed = Object.entries(read(form, { blanks: true }) ?? {}).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(row[name]));
  if (changed.length) return Object.fromEntries(changed);
  if (!form.querySelector('[aria-invalid]')) say(form, t('nothingChanged'));
  return null;
}
