// The state of an upstream key in words, out of what GET /x-keys says of it.
import { hasText, locale, setTexts, t } from '../shared/i18n.js';
import { dateTime } from '../shared/format.js';
import { texts } from './texts.js';

setTexts(texts);

const day = 86_400_000;

/** Seconds matter when it is soon, the date when it is not today. */
export function clock(time) {
  const at = new Date(time);
  const distance = Math.abs(at - Date.now());
  if (Number.isNaN(at.getTime()) || distance > day / 2) return dateTime(time);
  const options = { hour: '2-digit', minute: '2-digit' };
  if (distance < 120_000) options.second = '2-digit';
  return new Intl.DateTimeFormat(locale(), options).format(at);
}

/** Upstream's code, or the daemon's, as words; codes nobody foresaw are shown with their underscores as blanks. */
export function reasonWords(code) {
  if (!code) return t('reason.unknown');
  const http = /^http_(\d+)$/.exec(code);
  if (http) return t('reason.http', { status: http[1] });
  return hasText(`reason.${code}`) ? t(`reason.${code}`) : code.replaceAll('_', ' ');
}

/**
 * What is narrowed for single models or endpoints: `cooling for M until T: reason; excluded for M: reason`. Models come from
 * clients and may hold anything, so the ends of each piece decide; null when the text is not of this form.
 */
export function limitsOf(reason) {
  const limits = reason.split(/(?<=: [a-z0-9_.-]+); (?=(?:cooling|excluded)(?: for | until |: ))/).map((piece) => {
    const found = /^(cooling|excluded)(?: for (.*?))?(?: until (\d{4}-\d\d-\d\dT[^ ]+))?: ([a-z0-9_.-]*)$/s.exec(piece);
    return found && { kind: found[1], subject: found[2] ?? '', until: found[3], reason: found[4] };
  });
  return limits.every(Boolean) ? limits : null;
}

function limitWords(limit) {
  const reason = reasonWords(limit.reason);
  const values = { subject: limit.subject, until: limit.until && clock(limit.until), reason };
  if (limit.kind === 'excluded') return t('words.excluded', values);
  return t(limit.subject ? 'words.cooling' : 'words.cooling_all', values);
}

/** One sentence for each thing that holds. */
export function sentences(key) {
  const values = {
    reason: reasonWords(key.Reason),
    since: key.Since ? clock(key.Since) : '–',
    until: key.Until ? clock(key.Until) : '',
  };
  switch (key.State) {
    case 'active': return [t('words.active')];
    case 'cooling':
    case 'excluded': {
      const limits = limitsOf(key.Reason);
      return limits ? limits.map(limitWords) : [key.Reason];
    }
    case 'resting':
    case 'exhausted': return [t(`words.${key.State}${key.Until ? '' : '_now'}`, values)];
    case 'dead': return [t('words.dead', values)];
    case 'disabled': return [t(key.Reason === 'set_by_operator' || !key.Reason ? 'words.disabled' : 'words.suspended', values)];
    default: return [`${key.State}: ${key.Reason}`];
  }
}

/** How a state is coloured; the word always stands beside the colour. */
export const tone = (state) => ({ active: 'good', dead: 'bad', exhausted: 'bad', disabled: 'idle' })[state] ?? 'warn';
