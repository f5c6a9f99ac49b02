// The one way in which this page changes anything: ask, send once and only once, take in the answer, say what happened.
import { fill, foreign, h } from './shared/dom.js';
import { confirmDialog } from './shared/dialog.js';
import { explain } from './shared/api.js';
import { t } from './shared/i18n.js';
import { clearFaults, focusFault, showFault } from './fields.js';
import { Intent, isUnsettled, pendingOf } from './intent.js';

/** An account as people know it. */
export function nameOf(row) {
  return row.Alias ? [foreign(row.Name), ' (', foreign(row.Alias), ')'] : foreign(row.Name);
}

/** What is sent: the same as before where that never came to an end, so that it is done once. */
function intentOf(page, { method = 'PUT', path, body, label, values }) {
  const owner = page.accounts.own.ID;
  return pendingOf(owner).find((each) => each.isSameAs(method, path, body)) ?? new Intent({ method, path, body, label, values, owner });
}

function setBusy(form, isBusy) {
  form.setAttribute('aria-busy', String(isBusy));
  for (const each of form.querySelectorAll('button')) each.disabled = isBusy;
}

/** Says what went wrong at the field that the server names, else at the form. */
export function showError(form, error) {
  // What the server says of a value is more than words of ours would tell.
  const isOfField = error.param && form.elements.namedItem(error.param);
  const text = isOfField && error.code === 'invalid_value' ? error.serverMessage : explain(error);
  showFault(form, error.param, isUnsettled(error) ? `${text} ${t('unsettled')}` : text);
  focusFault(form);
}

async function send(page, intent, form) {
  const say = (seconds) => fill(form.querySelector('.form-status'), t('waiting', { count: Math.ceil(seconds) }));
  try {
    return await intent.send(page.api, { onWait: say });
  } catch (error) {
    // Today's date is the server's, which may be another one here; it is asked for only to keep slips from doing harm.
    const wanted = error.param === 'confirm' && /\d{4}-\d\d-\d\d-ROTATE-\w+/.exec(error.serverMessage ?? '');
    if (!wanted) throw error;
    return new Intent({ ...intent, body: { ...intent.body, confirm: wanted[0] } }).send(page.api, { onWait: say });
  }
}

/**
 * question: {title, facts: lines of text or nodes, confirm, danger}; call: {method, path, body, label, values}, where the label is
 * the text's key that says what was meant, should it not come to an end. Gives the answer; null: it was not done.
 */
export async function act(page, form, question, call) {
  clearFaults(form);
  const body = h('ul', { class: 'stack' }, question.facts.map((each) => h('li', {}, each)));
  if (!await confirmDialog({ ...question, body })) return null;
  setBusy(form, true);
  const intent = intentOf(page, call);
  try {
    const answer = await send(page, intent, form);
    fill(form.querySelector('.form-status'), t('done'));
    if (answer.Action) page.accounts.apply(answer);
    return answer;
  } catch (error) {
    fill(form.querySelector('.form-status'));
    // The answer with the new key was lost, and the old key cannot ask for it again.
    if (error.status === 401 && intent.wasLost) showFault(form, null, t('keyLost'));
    else showError(form, error);
    return null;
  } finally {
    setBusy(form, false);
    page.showPending();
  }
}
