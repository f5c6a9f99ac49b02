// The root of the site leads to the reader's language: the one chosen before, else the browser's.
(() => {
  let language = null;
  try {
    language = localStorage.getItem('language');
  } catch {
    // Storage may be forbidden.
  }
  if (language !== 'en' && language !== 'zh') language = navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
  // Replaced, so that «back» does not lead here again.
  location.replace(`${language}/index.html`);
})();
