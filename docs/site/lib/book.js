// The order of the book, and the words around its pages.

export const languages = ['en', 'zh'];

export const chapters = [
  { title: { en: 'Introduction', zh: '入门' }, pages: ['index', 'start'] },
  { title: { en: 'Running it', zh: '部署与运维' }, pages: ['deploy', 'settings', 'keys', 'operations'] },
  { title: { en: 'Using it', zh: '使用' }, pages: ['sdk', 'apps', 'accounts'] },
  { title: { en: 'Reference', zh: '参考' }, pages: ['compatibility', 'api', 'faq', 'changelog'] },
];

export const names = chapters.flatMap((chapter) => chapter.pages);

export const texts = {
  en: {
    tag: 'en',
    own: 'English',
    skip: 'Skip to the content',
    menu: 'All pages',
    chapters: 'Pages',
    contents: 'On this page',
    search: 'Search',
    searchIn: 'Search the documentation',
    close: 'Close',
    previous: 'Previous',
    next: 'Next',
    theme: 'Theme',
    otherPage: '中文',
    anchor: 'Link to this section',
    documentation: 'documentation',
  },
  zh: {
    tag: 'zh-CN',
    own: '中文',
    skip: '跳到正文',
    menu: '全部页面',
    chapters: '页面',
    contents: '本页内容',
    search: '搜索',
    searchIn: '搜索文档',
    close: '关闭',
    previous: '上一页',
    next: '下一页',
    theme: '主题',
    otherPage: 'English',
    anchor: '指向本节的链接',
    documentation: '文档',
  },
};

export const otherLanguage = (language) => (language === 'en' ? 'zh' : 'en');
