// The fields of an upstream key as a form, for loading many and for editing one or several.
import { h, worded } from '../shared/dom.js';
import { setTexts } from '../shared/i18n.js';
import { texts } from './texts.js';

setTexts(texts);

const quota = { type: 'number', min: 0, max: 1_000_000_000 };
const fields = [
  { name: 'Name', type: 'text', maxlength: 200 },
  { name: 'Provider', type: 'url', placeholder: 'https://api.openai.com' },
  { name: 'Level', type: 'number', min: 0, max: 1000 },
  { name: 'Weight', type: 'number', min: 1, max: 1000 },
  { name: 'RPM', ...quota },
  { name: 'TPM', ...quota },
  { name: 'Concurrency', ...quota },
];

/**
 * `{element, changes(), isValid()}`. Fields left empty are left as they are, but what is in `before` may be emptied: no name, the usual
 * provider.
 */
export function keyFields(prefix, before = {}) {
  const inputs = fields.map(({ name, ...attributes }) => h('input', {
    id: `${prefix}-${name}`, name, autocomplete: 'off', 'aria-describedby': `${prefix}-${name}-hint`, ...attributes,
    ...(attributes.type === 'number' && { step: 1, inputmode: 'numeric' }), value: before[name] ?? '',
  }));
  const rows = inputs.map((input) => h('div', { class: 'field' },
    worded('label', `field.${input.name}`, { for: input.id }), input,
    worded('p', `hint.${input.name}`, { class: 'hint', id: `${input.id}-hint` })));
  return {
    element: h('div', { class: 'key-fields' }, rows),
    isValid: () => inputs.every((input) => input.reportValidity()),
    changes() {
      const result = {};
      for (const input of inputs) {
        const value = input.type === 'number' ? input.valueAsNumber : input.value.trim();
        const isGiven = input.type === 'number' ? !Number.isNaN(value) : value !== '' || Boolean(before[input.name]);
        if (isGiven && value !== before[input.name]) result[input.name] = value;
      }
      return result;
    },
  };
}
