// Signing in with a key, the caller's own account, and which part of the page is seen.
import { byId, fill, foreign, h } from './shared/dom.js';
import { date, money, number } from './shared/format.js';
import { Api, explain } from './shared/api.js';
import { KeyChoice, findKeys } from './shared/keys.js';
import { passing } from './shared/store.js';
import { setTexts, onLanguage, applyTexts, t } from './shared/i18n.js';
import { startFrame } from './shared/frame.js';
import { Accounts } from './accounts.js';
import { ListView } from './list.js';
import { pendingOf } from './intent.js';
import { texts } from './texts.js';

const choice = new KeyChoice('user-key');
const signIn = byId('sign-in');
const parts = ['list', 'create', 'bulk', 'account', 'self'];
// Only the list is needed at first; the others come when they are asked for.
const loaders = {
  list: async () => ListView,
  create: async () => (await import('./create.js')).CreateView,
  bulk: async () => (await import('./bulk.js')).BulkView,
  account: async () => (await import('./account.js')).AccountView,
  self: async () => (await import('./self.js')).SelfView,
};
const views = {};

/** What the parts of the page share. */
const page = { api: null, accounts: null, date, showPending, changeKey };

async function viewOf(name) {
  if (views[name]) return views[name];
  const View = await loaders[name]();
  views[name] ??= new View(page);
  applyTexts(byId(`view-${name}`));
  return views[name];
}

function changeKey(key) {
  choice.set(key, choice.isRemembered);
  page.api = page.accounts.api = new Api(key);
}

function sayAtKey(text) {
  fill(byId('key-error'), text).hidden = false;
  byId('key').setAttribute('aria-invalid', 'true');
}

async function enter(key, remember) {
  const accounts = new Accounts(new Api(key));
  signIn.setAttribute('aria-busy', 'true');
  byId('key-error').hidden = true;
  byId('key').removeAttribute('aria-invalid');
  try {
    await accounts.loadOwn();
  } catch (error) {
    if (error.code === 'invalid_api_key' && key === choice.key) choice.clear();
    byId('sign-in-retry').hidden = !choice.key;
    sayAtKey(explain(error));
    return;
  } finally {
    signIn.removeAttribute('aria-busy');
  }
  choice.set(key, remember);
  Object.assign(page, { api: accounts.api, accounts });
  accounts.addEventListener('change', renderHome);
  signIn.hidden = true;
  signIn.reset();
  byId('home').hidden = false;
  renderHome();
  showPending();
  await showPart();
  if (accounts.isRoot && accounts.own.Child > 0 && accounts.mayManage) (await viewOf('list')).load(false);
}

function leave() {
  choice.clear();
  passing.remove('bulk-recharge');
  // Everything of this account goes with the document.
  location.hash = '';
  location.reload();
}

function renderHome() {
  const { accounts } = page;
  const { own } = accounts;
  const figure = (label, value) => h('div', {}, h('div', { class: 'muted small' }, t(label)), h('div', { class: 'figure' }, value));
  fill(byId('own'),
    h('div', { class: 'row between' },
      h('h2', {}, foreign(own.Name), own.Alias ? [' ', h('span', { class: 'muted' }, foreign(own.Alias))] : null),
      h('button', { class: 'button', type: 'button', id: 'leave', on: { click: leave } }, t('signOut'))),
    h('div', { class: 'figures' },
      figure('col_Balance', accounts.isRoot ? t('unlimited') : money(own.Balance)),
      figure('col_CreditUsed', money(own.CreditUsed)), figure('col_Rates', number(own.Rates)), figure('col_Child', number(own.Child))),
    accounts.mayManage ? null : h('p', { class: 'notice warn' }, t('error.insufficient_balance_for_management')));
  // Ten thousand rows are put in order only for who sees them.
  if (!byId('view-list').hidden) views.list?.renderRows({ keepPage: true });
}

/** What was begun without learning how it ended, to be finished or left. */
function showPending() {
  const { accounts, api } = page;
  fill(byId('pending'), pendingOf(accounts.own.ID).map((intent) => {
    const said = h('p', { role: 'alert' });
    const finish = async (event) => {
      event.target.disabled = true;
      try {
        const answer = await intent.send(api);
        if (answer.Action) accounts.apply(answer);
        const key = answer.User?.SecretKey ?? answer.rotate?.key;
        if (key) {
          const { showSecret } = await import('./shared/dialog.js');
          await showSecret({ title: t('newKeyOf', { name: answer.User?.Name ?? answer.rotate.name }), secret: key });
        }
        showPending();
      } catch (error) {
        fill(said, explain(error));
        event.target.disabled = false;
      }
    };
    const forget = () => {
      intent.forget();
      showPending();
    };
    return h('div', { class: 'notice warn stack' }, h('p', {}, t('pending', { what: t(intent.label, intent.values) })),
      h('div', { class: 'row' }, h('button', { class: 'button', type: 'button', on: { click: finish } }, t('pendingFinish')),
        h('button', { class: 'button quiet', type: 'button', on: { click: forget } }, t('pendingForget'))), said);
  }));
}

/** The part that the address names: #list, #create, #bulk, #self or #account-12. */
function wantedPart() {
  const [, name, id] = /^#(\w+?)(?:-(\d+))?$/.exec(location.hash) ?? [];
  return parts.includes(name) && (name !== 'account' || id) ? { name, id: Number(id) } : { name: 'list' };
}

/** Shown when it is ready: what is typed earlier would be lost. */
async function showPart() {
  if (!page.accounts) return;
  const { name, id } = wantedPart();
  let view;
  try {
    view = await viewOf(name);
  } catch {
    // Its file did not come.
    fill(byId('pending'), h('p', { class: 'notice bad' }, t('partMissing')));
    return;
  }
  if (wantedPart().name !== name) return;
  for (const each of parts) byId(`view-${each}`).hidden = each !== name;
  for (const link of document.querySelectorAll('.tabs a')) {
    if (link.hash === `#${name}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (id) view.open(id);
  else view.render();
}

signIn.addEventListener('submit', (event) => {
  event.preventDefault();
  const [key] = findKeys(byId('key').value);
  if (key) enter(key, signIn.elements.remember.checked);
  else sayAtKey(t('noKey'));
});
byId('sign-in-retry').addEventListener('click', () => enter(choice.key, choice.isRemembered));
window.addEventListener('hashchange', async () => {
  await showPart();
  document.querySelector('section[id^=view-]:not([hidden]) h2')?.focus();
});

setTexts(texts);
startFrame({ title: 'title' });
onLanguage(() => {
  if (!page.accounts) return;
  renderHome();
  showPending();
  for (const view of Object.values(views)) view.render();
});
if (choice.key) enter(choice.key, choice.isRemembered);
