// All requests that match, as a file: read page by page, with progress, up to a bound.
import { explain, isAborted } from './shared/api.js';
import { download, toCsv } from './shared/csv.js';
import { fill, h, worded } from './shared/dom.js';
import { t } from './shared/i18n.js';
import { RequestReader } from './request-reader.js';

const pageSize = 1000;
export const mostRows = 100_000;
const columns = ['time', 'user', 'model', 'path', 'status', 'attempts', 'prompt_tokens', 'cached_tokens', 'completion_tokens', 'cost',
  'duration_ms', 'first_byte_ms', 'stream', 'estimated', 'request_id'];

export class Export {
  #wanted;
  #signal;
  #said = h('span', { class: 'muted small', role: 'status' });
  #button = worded('button', 'export.button', { class: 'button', type: 'button', on: { click: () => this.#run() } });
  #cancel = worded('button', 'cancel', { class: 'button', type: 'button', hidden: true, on: { click: () => this.#running?.abort() } });
  #running = null;
  #message = null;

  /** wanted(): {account, filter} of now. */
  constructor(wanted, signal) {
    this.#wanted = wanted;
    this.#signal = signal;
    this.element = h('div', { class: 'row' }, this.#said, this.#cancel, this.#button);
  }

  render() {
    fill(this.#said, this.#message?.());
  }

  async #run() {
    const { account, filter } = this.#wanted();
    const running = this.#running = new AbortController();
    this.#setRunning(true);
    try {
      await this.#write(account, new RequestReader(account.api, filter), AbortSignal.any([this.#signal, running.signal]));
    } catch (error) {
      this.#say(() => (isAborted(error) ? t('export.cancelled') : explain(error)));
    }
    this.#setRunning(false);
  }

  async #write(account, reader, signal) {
    const pieces = [];
    let count = 0;
    this.#say(() => t('export.progress', { count }));
    while (reader.hasMore && count < mostRows) {
      const rows = await reader.next(Math.min(pageSize, mostRows - count), signal);
      pieces.push(toCsv(rows.map((row) => columns.map((column) => row[column]))));
      count += rows.length;
      this.render();
    }
    if (!count) {
      this.#say(() => t('requests.empty'));
      return;
    }
    const name = `requests-${account.info.name}-${new Date().toISOString().slice(0, 10)}.csv`;
    download(name, [toCsv([columns]), ...pieces]);
    this.#say(() => (reader.hasMore ? t('export.bound', { count }) : t('export.done', { count, name })));
  }

  #say(message) {
    this.#message = message;
    this.render();
  }

  #setRunning(isRunning) {
    this.#button.disabled = isRunning;
    this.#cancel.hidden = !isRunning;
    if (isRunning) this.#cancel.focus();
    else if (document.activeElement === document.body) this.#button.focus();
  }
}
