// The few words that scripts add to a page.

const texts = {
  en: {
    copy: 'Copy',
    copied: 'Copied',
    copyFailed: 'Not copied',
    code: 'Code',
    table: 'Table',
    themes: { system: 'System', light: 'Light', dark: 'Dark' },
    hint: 'Type one or more words.',
    loading: 'Loading the index…',
    failed: 'The index could not be loaded. Reload the page to try again.',
    nothing: (words) => `Nothing found for “${words}”.`,
    found: (count) => (count === 1 ? '1 section found.' : `${count} sections found.`),
  },
  zh: {
    copy: '复制',
    copied: '已复制',
    copyFailed: '未能复制',
    code: '代码',
    table: '表格',
    themes: { system: '跟随系统', light: '浅色', dark: '深色' },
    hint: '输入一个或多个词。',
    loading: '正在载入索引…',
    failed: '索引载入失败，请刷新页面重试。',
    nothing: (words) => `没有找到“${words}”。`,
    found: (count) => `找到 ${count} 节。`,
  },
};

export const language = document.documentElement.lang.startsWith('zh') ? 'zh' : 'en';
export const text = texts[language];
