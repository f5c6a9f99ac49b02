// The fields of accounts: how each is shown, read and checked. A form says by `data-fields` which it has; a field has the name that
// the API calls it by, so what the server finds wrong is said at the field itself.
import { byId, fill, h } from './shared/dom.js';
import { hasText, setTexts, t } from './shared/i18n.js';
import { texts } from './change-texts.js';
import { nanosOf, dollarsOf } from './money.js';

setTexts(texts);

const rateNames = ['rpm', 'rph', 'rpd', 'tpm', 'tph', 'tpd'];

/** What a reader throws: the key of a text that says what is wrong. */
class Problem extends Error {}

/** A reader of what `parse` understands; `problem` says what is wrong with the rest. */
const reader = (problem, parse) => (text) => {
  const value = parse(text);
  if (value === null) throw new Problem(problem);
  return value;
};

const moneyIf = (isGood) => (text) => {
  const nanos = nanosOf(text);
  return nanos !== null && isGood(nanos) ? dollarsOf(nanos) : null;
};

const numberIf = (pattern, most) => (text) => (pattern.test(text) && Number(text) <= most ? Number(text) : null);

const money = reader('wrongMoney', moneyIf((nanos) => nanos >= 0n));
const someMoney = reader('wrongSomeMoney', moneyIf((nanos) => nanos > 0n));
const rate = reader('wrongRate', moneyIf((nanos) => nanos > 0n));
const count = reader('wrongCount', numberIf(/^\d{1,13}$/, 1e12));
const days = reader('wrongDays', numberIf(/^\d{1,3}(\.\d{1,9})?$/, 365));
const name = reader('wrongName', (text) => (/^(?=.*[a-z])[\w-]{4,63}$/i.test(text) ? text : null));
const email = reader('wrongEmail', (text) => (/^[^\s@]+@[^\s@]+$/.test(text) ? text : null));
const words = (text) => text.split(/[\s,，]+/).filter(Boolean).join(' ');
const plain = (text) => text;

/** Lines such as `gpt-4o rpm=30 tpm=90000`. */
const modelLimits = reader('wrongModelLimits', (text) => {
  const limits = {};
  for (const line of text.split('\n').filter((each) => each.trim())) {
    const [model, ...rest] = line.trim().split(/[\s,，]+/);
    limits[model] = {};
    for (const each of rest) {
      const [what, value] = each.split(/[=:]/);
      if (!rateNames.includes(what.toLowerCase()) || !/^\d{1,13}$/.test(value ?? '')) return null;
      limits[model][what.toLowerCase()] = Number(value);
    }
    if (!rest.length) return null;
  }
  return limits;
});

function linesOf(limits) {
  return Object.entries(limits ?? {})
    .map(([model, each]) => [model, ...Object.entries(each).map(([what, value]) => `${what}=${value}`)].join(' ')).join('\n');
}

const amount = { inputmode: 'decimal' };
const code = { autocapitalize: 'none', spellcheck: 'false', dir: 'ltr' };
const list = { read: words, attributes: code, tag: 'textarea' };
const limit = { read: count, blank: 0, attributes: { inputmode: 'numeric' } };

/** `blank` is what an emptied field means in a form that changes an account. */
const fields = {
  Name: { read: name, attributes: code }, Email: { read: email, attributes: code },
  Alias: { read: plain, blank: '', attributes: { dir: 'auto' } }, BillingEmail: { read: email, blank: '', attributes: code },
  CreditGranted: { read: someMoney, attributes: amount }, Days: { read: days, attributes: amount },
  Rates: { read: rate, attributes: amount },
  HardLimit: { read: money, blank: 0, attributes: amount }, SoftLimit: { read: money, blank: 0, attributes: amount },
  RPM: limit, RPH: limit, RPD: limit, TPM: limit, TPH: limit, TPD: limit, Concurrency: limit,
  ModelLimits: { read: modelLimits, blank: {}, print: linesOf, attributes: code, tag: 'textarea' },
  AllowIPs: list, DenyIPs: list, AllowModels: list, DenyModels: list, Resources: { ...list, blank: '*' },
  AbortPolicy: { read: plain, options: ['cancel', 'drain'], tag: 'select' },
};

function makeField(form, fieldName, isNeeded) {
  const { tag = 'input', attributes, options = [] } = fields[fieldName];
  const id = `${form.id}-${fieldName}`;
  return h('div', { class: tag === 'textarea' ? 'field long' : 'field' },
    h('label', { for: id, 'data-t': `field_${fieldName}` }),
    h(tag, { id, name: fieldName, autocomplete: 'off', required: isNeeded, 'aria-describedby': `${id}-hint ${id}-fault`, ...attributes },
      options.map((value) => h('option', { value, 'data-t': `option_${value}` }))),
    hasText(`hint_${fieldName}`) ? h('p', { class: 'hint', id: `${id}-hint`, 'data-t': `hint_${fieldName}` }) : null,
    h('p', { class: 'fault', id: `${id}-fault`, hidden: true }));
}

/** Gives a form its fields, each `data-fields="Name! Days"` (`!`: needed), and room for what is to be said of it all. */
export function setUp(form) {
  for (const box of form.querySelectorAll('[data-fields]')) {
    for (const each of box.dataset.fields.split(' ')) box.append(makeField(form, each.replace('!', ''), each.endsWith('!')));
  }
  form.append(h('p', { class: 'notice bad form-fault', role: 'alert', hidden: true }), h('p', { class: 'form-status', role: 'status' }));
}

const namesOf = (form) => [...form.elements].map((each) => each.name).filter((each) => each in fields);

/** As it is typed: no grouping, no exponent. */
export function textOf(value) {
  return typeof value === 'number' ? value.toFixed(9).replace(/\.?0+$/, '') : String(value ?? '');
}

export function show(form, row) {
  for (const each of namesOf(form)) form.elements[each].value = (fields[each].print ?? textOf)(row[each]);
}

/** Says what is wrong at the field, or of the whole form where it has no such field. */
export function showFault(form, fieldName, text) {
  const control = form.elements.namedItem(fieldName === 'RateLimit' ? 'RPM' : fieldName ?? '');
  const place = control && byId(`${control.id}-fault`);
  fill(place ?? form.querySelector('.form-fault'), text).hidden = false;
  if (!place) return;
  control.setAttribute('aria-invalid', 'true');
  const closed = control.closest('details:not([open])');
  if (closed) closed.open = true;
}

export function clearFaults(form) {
  for (const each of form.querySelectorAll('.fault, .form-fault')) each.hidden = true;
  for (const each of form.querySelectorAll('[aria-invalid]')) each.removeAttribute('aria-invalid');
  fill(form.querySelector('.form-status'));
}

export function focusFault(form) {
  form.querySelector('[aria-invalid]')?.focus();
}

/** What is filled in, by name; null where something is wrong, which is then said at the fields. Blank fields are left out. */
export function read(form, { blanks = false } = {}) {
  clearFaults(form);
  const values = {};
  let isGood = true;
  for (const each of namesOf(form)) {
    const control = form.elements[each];
    const text = control.value.trim();
    try {
      if (text !== '') values[each] = fields[each].read(text);
      else if (control.required) throw new Problem('wrongBlank');
      else if (blanks && 'blank' in fields[each]) values[each] = fields[each].blank;
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      showFault(form, each, t(problem.message));
      isGood = false;
    }
  }
  if (isGood) return values;
  focusFault(form);
  return null;
}

/** What is filled in otherwise than `row` has it; null where something is wrong. */
export function changesOf(form, row) {
  const values = read(form, { blanks: true });
  const isOther = ([each, value]) => JSON.stringify(value) !== JSON.stringify(row[each]);
  return values && Object.fromEntries(Object.entries(values).filter(isOther));
}
