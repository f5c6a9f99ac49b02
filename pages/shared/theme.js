// A classic script in <head>: the stored theme and language count before the first paint.
(function () {
  try {
    var theme = localStorage.getItem('theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
    var language = localStorage.getItem('language') || navigator.language;
    document.documentElement.lang = /^zh/i.test(language) ? 'zh-CN' : 'en';
  } catch (blocked) {
    // Storage may be forbidden; the system's theme counts then.
  }
})();
