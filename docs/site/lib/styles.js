// The stylesheet: the colours and the type of all pages, from pages/shared, then what is the documentation's own. The result stands
// alone, so that pages/docs can be served without the others.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const own = join(import.meta.dirname, '../styles/docs.css');

function tokens() {
  const shared = process.env.PROXYXAI_SHARED;
  const found = readFileSync(join(shared, 'base.css'), 'utf8').match(/^:root \{[^]*?\n(?=\n)/m);
  if (!found) throw new Error(`${shared}/base.css has no block ':root { ' with the colours`);
  return found[0];
}

export const styles = () =>
  `/* Colours and type of all pages, from pages/shared/base.css */\n${tokens()}\n${readFileSync(own, 'utf8')}`;
