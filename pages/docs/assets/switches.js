// Language and theme, both remembered.

import { byId, element } from './elements.js';
import { remember } from './store.js';
import { language, text } from './texts.js';

function startLanguage() {
  const link = byId('language');
  link.addEventListener('click', () => {
    remember('language', language === 'en' ? 'zh' : 'en');
    // Headings have the same anchors in both languages.
    link.hash = location.hash;
  });
}

/** The system's theme is what counts when none is chosen. */
function startTheme() {
  const select = byId('theme');
  for (const [name, title] of Object.entries(text.themes)) select.append(element('option', { value: name }, title));
  select.value = document.documentElement.dataset.theme ?? 'system';
  select.addEventListener('change', () => {
    if (select.value === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = select.value;
    remember('theme', select.value === 'system' ? null : select.value);
  });
  select.hidden = false;
}

export function startSwitches() {
  startLanguage();
  startTheme();
}
