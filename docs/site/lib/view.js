// What the layout shows around the text of a page.

import { chapters, names, otherLanguage, texts } from './book.js';
import { outline } from './outline.js';
import { source } from './sources.js';

const linkTo = (language, name) => (name ? { url: `${name}.html`, title: source(language, name).title } : null);

export function viewOf(language, name) {
  const at = names.indexOf(name);
  return {
    language,
    name,
    texts: texts[language],
    other: { language: otherLanguage(language), tag: texts[otherLanguage(language)].tag },
    chapters: chapters.map((chapter) => ({
      title: chapter.title[language],
      pages: chapter.pages.map((each) => ({ ...linkTo(language, each), isCurrent: each === name })),
    })),
    outline: outline(language, name).filter((heading) => heading.level <= 3),
    previous: linkTo(language, names[at - 1]),
    next: linkTo(language, names[at + 1]),
  };
}
