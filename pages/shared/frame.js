// What surrounds every page. The page's HTML has, in this order: <a class="skip" href="#main" data-t="skip">, a header with
// <select id="language"> and <select id="theme">, <main id="main" tabindex="-1">, the footer.
import { byId, fill, h } from './dom.js';
import { applyTexts, language, onLanguage, setLanguage, t } from './i18n.js';
import { lasting } from './store.js';

const themes = ['system', 'light', 'dark'];

/** title: key of the text in the window's title. */
export function startFrame({ title }) {
  const languages = byId('language');
  fill(languages, h('option', { value: 'en', lang: 'en' }, 'English'), h('option', { value: 'zh', lang: 'zh-CN' }, '中文'));
  languages.value = language();
  languages.addEventListener('change', () => setLanguage(languages.value));

  const theme = byId('theme');
  theme.addEventListener('change', () => chooseTheme(theme.value));
  const write = () => {
    document.title = t(title);
    const chosen = lasting.get('theme');
    fill(theme, themes.map((each) => h('option', { value: each }, t(`theme.${each}`))));
    theme.value = themes.includes(chosen) ? chosen : 'system';
  };
  onLanguage(write);
  write();
  applyTexts(document);
}

function chooseTheme(name) {
  if (name === 'system') {
    lasting.remove('theme');
    delete document.documentElement.dataset.theme;
  } else {
    lasting.set('theme', name);
    document.documentElement.dataset.theme = name;
  }
}
