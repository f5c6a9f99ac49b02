// The one way in which this page changes anything: ask, send once and only once, take in the answer, say what happened.
import { foreign, h } from './shared/dom.js';
import { confirmDialog, showSecret } from './shared/dialog.js';
import { explain } from './shared/api.js';
import { t } from './shared/i18n.js';
import { clearFaults, say, showFault } from './fields.js';
import { Intent, isUnsettled, pendingOf } from './intent.js';

/** An account as people know it. */
export const nameOf = (row) => [foreign(row.Name), row.Alias && [' (', foreign(row.Alias), ')']];

export const factList = (facts) => h('ul', { class: 'stack' }, facts.map((each) => h('li', {}, each)));

/** Says what went wrong at the field that the server names, else of the whole form. */
function showError(form, error, intent) {
  // The answer with a new key was lost, and the old key cannot ask for it again.
  const isKeyLost = error.status === 401 && intent.wasLost;
  const text = isKeyLost ? t('keyLost') : explain(error);
  showFault(form, error.param, isUnsettled(error) ? `${text} ${t(intent.movesMoney ? 'unsettled' : 'unsettledState')}` : text);
}

async function send(page, intent, form) {
  const options = { onWait: (seconds) => say(form, t('waiting', { count: Math.ceil(seconds) })) };
  try {
    return await intent.send(page.api, options);
  } catch (error) {
    // Of a new key today's date is asked, the server's, which may be another one here: it is only to keep slips from doing harm.
    const confirm = error.param === 'confirm' && /[\d-]+-ROTATE-\w+/.exec(error.serverMessage)?.[0];
    if (!confirm) throw error;
    return new Intent({ ...intent, body: { ...intent.body, confirm } }).send(page.api, options);
  }
}

function setBusy(form, isBusy) {
  form.setAttribute('aria-busy', isBusy);
  for (const each of form.querySelectorAll('button')) each.disabled = isBusy;
}

/** Reads what a question about money tells before it is asked: others move money, too. What `work` gives; false: it failed, which is said. */
export async function readAnew(form, work) {
  const focused = document.activeElement;
  setBusy(form, true);
  try {
    return await work();
  } catch (error) {
    showFault(form, null, explain(error));
    return false;
  } finally {
    setBusy(form, false);
    // A button that is busy loses it.
    if (document.activeElement === document.body && form.contains(focused)) focused.focus();
  }
}

/**
 * action: {text, values: what it is called, facts: what it does, button, danger, method, path, body}. Gives the answer; null: it was
 * not done. Money that was to be moved before, where that never came to an end, is sent as the same, so that it is moved once.
 */
export async function act(page, form, action) {
  clearFaults(form);
  const title = t(action.text, action.values);
  if (!await confirmDialog({ title, body: factList(action.facts), confirm: t(action.button), danger: action.danger })) return null;
  const { accounts } = page;
  const owner = accounts.own.ID;
  const intent = pendingOf(owner).find((each) => each.isReusable && each.isSameAs(action)) ?? new Intent({ ...action, owner });
  setBusy(form, true);
  try {
    const answer = await send(page, intent, form);
    if (answer.Action) accounts.apply(answer);
    say(form, t('done'));
    return answer;
  } catch (error) {
    say(form);
    showError(form, error, intent);
    return null;
  } finally {
    setBusy(form, false);
    page.showPending();
  }
}

/** The body that asks for a new key. */
export function rotation(what, more = {}) {
  const now = new Date();
  const day = [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((each) => String(each).padStart(2, '0'));
  return { ...more, confirm: `${day.join('-')}-ROTATE-${what}` };
}

/** The key in an answer, if there is one, shown once. */
export async function showKeyOf({ User: user, rotate }) {
  const secret = user?.SecretKey ?? rotate?.key;
  if (secret) await showSecret({ title: t('newKeyOf', { name: user?.Name ?? rotate.name }), secret });
}
