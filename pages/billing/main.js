// The page: keys of this browser on one side, the account of the chosen one on the other.
import { Account, inTurn } from './account.js';
import { AccountView } from './account-view.js';
import { KeyListView } from './key-list.js';
import { byId, fill } from './shared/dom.js';
import { confirmDialog } from './shared/dialog.js';
import { startFrame } from './shared/frame.js';
import { onLanguage, setTexts, t } from './shared/i18n.js';
import { findKeys, KeyList } from './shared/keys.js';
import { texts } from './texts.js';

const mostKeys = 1000;

setTexts(texts);
startFrame({ title: 'page.title' });

const stored = new KeyList('billing-keys');
const view = new AccountView(byId('detail'), (account) => load([account]));
const list = new KeyListView({ choose, remove });
let accounts = [];
let selected = null;

function say(text) {
  fill(byId('said'), text);
}

/** The accounts of the stored keys; those that were there already stay as they are. */
function readKeys() {
  const known = new Map(accounts.map((account) => [account.key, account]));
  const keys = stored.all();
  accounts = keys.map((key) => known.get(key) ?? new Account(key));
  byId('main').classList.toggle('no-keys', accounts.length === 0);
  if (!accounts.includes(selected)) {
    selected = accounts[0] ?? null;
    view.show(selected);
  }
  list.show(accounts, selected);
  return accounts.filter((account) => !known.has(account.key));
}

async function load(some) {
  for (const account of some) account.isLoading = true;
  list.render();
  await inTurn(some, async (account) => {
    await account.load();
    list.render();
    if (account === selected) view.show(account);
  });
}

function choose(account) {
  selected = account;
  list.show(accounts, selected);
  view.show(account);
  say(t('keys.shown', { name: account.title }));
  // Where the details are below the list, they would not be seen.
  if (byId('detail').offsetTop > byId('keys').offsetTop) byId('detail').scrollIntoView();
}

async function remove(account) {
  if (!await confirmDialog({ title: t('keys.askRemove', { name: account.title }), body: t('keys.loss'), confirm: t('remove'), danger: true })) return;
  stored.remove(account.key);
  readKeys();
  say(t('keys.removed'));
}

function addPasted(event) {
  event.preventDefault();
  const keys = findKeys(byId('pasted').value);
  const said = byId('add-found');
  if (!keys.length) {
    fill(said, t('add.nothing'));
    byId('pasted').focus();
    return;
  }
  const room = mostKeys - stored.all().length;
  const added = stored.add(keys.slice(0, Math.max(0, room)));
  byId('pasted').value = '';
  fill(said, added.length ? null : t('add.known', { count: keys.length }), keys.length > room && t('add.many', { most: mostKeys }));
  const fresh = readKeys();
  if (fresh.length) choose(fresh[0]);
  load(fresh);
}

byId('add').addEventListener('submit', addPasted);
byId('pasted').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) byId('add').requestSubmit();
});
byId('pasted').addEventListener('input', () => {
  const count = findKeys(byId('pasted').value).length;
  fill(byId('add-found'), count > 0 && t('add.found', { count }));
});
byId('refresh').addEventListener('click', () => load(accounts));
byId('clear').addEventListener('click', async () => {
  if (!await confirmDialog({ title: t('keys.askClear'), body: t('keys.loss'), confirm: t('keys.clear'), danger: true })) return;
  stored.clear();
  readKeys();
  say(t('keys.removed'));
  byId('pasted').focus();
});
stored.onChangeElsewhere(() => load(readKeys()));
onLanguage(() => {
  say('');
  list.render();
  view.render();
});

load(readKeys());
