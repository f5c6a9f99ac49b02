// The table of contents shows which section is being read.

export function startContents() {
  const links = new Map([...document.querySelectorAll('aside.contents a')].map((link) => [link.hash.slice(1), link]));
  const headings = [...document.querySelectorAll('article [id]')].filter((heading) => links.has(heading.id));
  if (!headings.length) return;

  const mark = () => {
    // The last heading above the upper third is the section; before the first heading there is none.
    const line = innerHeight / 3;
    const current = headings.findLast((heading) => heading.getBoundingClientRect().top < line);
    for (const [id, link] of links) {
      if (id === current?.id) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
    }
    links.get(current?.id)?.scrollIntoView({ block: 'nearest' });
  };

  let isWaiting = false;
  addEventListener(
    'scroll',
    () => {
      if (isWaiting) return;
      isWaiting = true;
      requestAnimationFrame(() => {
        isWaiting = false;
        mark();
      });
    },
    { passive: true },
  );
  mark();
}
