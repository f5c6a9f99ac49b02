// Signing in with a key, the caller's own account, and which part of the page is seen.
import { byId, fill, foreign, h } from './shared/dom.js';
import { money, number } from './shared/format.js';
import { Api, explain } from './shared/api.js';
import { KeyChoice, findKeys } from './shared/keys.js';
import { applyTexts, onLanguage, setTexts, t } from './shared/i18n.js';
import { startFrame } from './shared/frame.js';
import { Accounts } from './accounts.js';
import { ListView } from './list.js';
import { forgetAll, pendingOf } from './intent.js';
import { texts } from './texts.js';

const choice = new KeyChoice('user-key');
const signIn = byId('sign-in');
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
const page = {
  showPending,
  say: (text) => fill(byId('said'), text),
  /** To the list, with a word on what was done. */
  leaveWith(text) {
    page.farewell = text;
    location.hash = 'list';
  },
  changeKey(key) {
    choice.set(key, choice.isRemembered);
    page.api = page.accounts.api = new Api(key);
  },
};

async function viewOf(name) {
  const View = views[name] ? null : await loaders[name]();
  if (!views[name]) {
    views[name] = new View(page);
    applyTexts(byId(`view-${name}`));
  }
  return views[name];
}

function sayAtKey(text) {
  fill(byId('key-error'), text).hidden = !text;
  byId('key').setAttribute('aria-invalid', Boolean(text));
}

async function enter(key, remember) {
  const api = new Api(key);
  const accounts = new Accounts(api);
  sayAtKey('');
  try {
    await accounts.loadOwn();
  } catch (error) {
    if (error.code === 'invalid_api_key' && key === choice.key) choice.clear();
    byId('sign-in-retry').hidden = !choice.key;
    sayAtKey(explain(error));
    return;
  }
  choice.set(key, remember);
  Object.assign(page, { api, accounts });
  accounts.onChange = renderHome;
  signIn.hidden = true;
  signIn.reset();
  byId('home').hidden = false;
  renderHome();
  showPending();
  await showPart();
  if (accounts.isRoot && accounts.own.Child) (await viewOf('list')).load();
}

/** Everything of this account goes with the document. */
function leave() {
  choice.clear();
  clearTimeout(views.bulk?.keeping);
  forgetAll();
  location.hash = '';
  location.reload();
}

function renderHome() {
  const { accounts, accounts: { own } } = page;
  const figure = (label, value) => h('div', {}, h('div', { class: 'muted small' }, t(label)), h('div', { class: 'figure' }, value));
  fill(byId('own'),
    h('div', { class: 'row between' },
      h('h2', {}, foreign(own.Name), own.Alias && [' ', h('span', { class: 'muted' }, foreign(own.Alias))]),
      h('button', { class: 'button', type: 'button', on: { click: leave } }, t('signOut'))),
    h('div', { class: 'figures' },
      figure('col_Balance', accounts.isRoot ? t('unlimited') : money(own.Balance)), figure('col_CreditUsed', money(own.CreditUsed)),
      figure('col_Rates', number(own.Rates)), figure('col_Child', number(own.Child))),
    !accounts.mayManage && h('p', { class: 'notice warn' }, t('error.insufficient_balance_for_management')));
  // Ten thousand rows are put in order only for who sees them.
  if (views.list && !byId('view-list').hidden) views.list.renderRows({ keepPage: true });
}

/** What was begun without learning how it ended, to be finished or left. */
function showPending() {
  const button = (text, click) => h('button', { class: 'button', type: 'button', on: { click } }, t(text));
  fill(byId('pending'), pendingOf(page.accounts.own.ID).map((intent) => {
    const said = h('p', { role: 'alert' });
    const finish = async ({ target }) => {
      if (!intent.isFresh) {
        showPending();
        return;
      }
      target.disabled = true;
      try {
        const answer = await intent.send(page.api);
        if (answer.Action) page.accounts.apply(answer);
        // The answer may be one of then, and more was done since.
        if (intent.isPast) await Promise.all([page.accounts.loadOwn(), answer.User?.ID && page.accounts.look(answer.User.ID)]);
        await (await import('./action.js')).showKeyOf(answer);
        showPending();
      } catch (error) {
        fill(said, explain(error));
        target.disabled = false;
      }
    };
    const leaveIt = () => {
      intent.forget();
      showPending();
    };
    const { isFresh } = intent;
    return h('div', { class: 'notice warn stack' }, t(isFresh ? 'pending' : 'pendingOld', { what: t(intent.text, intent.values) }), ' ', !isFresh && t('tooOld'),
      h('div', { class: 'row' }, isFresh && button('pendingFinish', finish), button('pendingForget', leaveIt)), said);
  }));
}

/** The part that the address names: #list, #create, #bulk, #self or #account-12. */
function wantedPart() {
  const [, name, id] = /^#(\w+?)(?:-(\d+))?$/.exec(location.hash) ?? [];
  return name in loaders && (name !== 'account' || id) ? { name, id: Number(id) } : { name: 'list' };
}

/** Shown when it is ready: what is typed earlier would be lost. */
async function showPart() {
  if (!page.accounts) return;
  const { name, id } = wantedPart();
  page.say(page.farewell ?? '');
  page.farewell = '';
  const view = await viewOf(name).catch(() => page.say(t('partMissing')));
  if (!view || wantedPart().name !== name) return;
  for (const each of Object.keys(loaders)) byId(`view-${each}`).hidden = each !== name;
  for (const link of document.querySelectorAll('.tabs a')) link.setAttribute('aria-current', link.hash === `#${name}` && 'page');
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
