// The API, asked with one key. The key goes into the Authorization header and nowhere else.
import { api as configured } from '../config.js';
import { hasText, t } from './i18n.js';

const usualLimit = 30_000;
const pageNames = /^(usage|sub|admin|docs|www)\./;

/** Where the API is: as config.js says, else beside this page's own host name. */
export function apiOrigin(place = location, setting = configured) {
  if (setting) return setting.replace(/\/+$/, '');
  const host = place.hostname;
  const isAddress = host === 'localhost' || /^[\d.]+$/.test(host) || host.startsWith('[');
  if (isAddress) return `${place.protocol}//${host}:3443`;
  const port = place.port ? `:${place.port}` : '';
  // usage.com is a domain, not the page of one.
  const domain = host.replace(pageNames, '');
  return `${place.protocol}//api.${domain.includes('.') ? domain : host}${port}`;
}

export class ApiError extends Error {
  constructor({ status = 0, code = null, message = '', param = null, retryAfter = null, isNetwork = false }) {
    super(message || code || `status ${status}`);
    Object.assign(this, { status, code, param, retryAfter, isNetwork });
    this.serverMessage = message;
  }
}

export class Api {
  #key;

  constructor(key) {
    this.#key = key;
  }

  get(path, query = {}, options = {}) {
    const given = Object.entries(query).filter(([, value]) => value != null && value !== '');
    const search = new URLSearchParams(given).toString();
    return this.#call('GET', search ? `${path}?${search}` : path, undefined, options);
  }

  post(path, body, options = {}) {
    return this.#call('POST', path, body, options);
  }

  put(path, body, options = {}) {
    return this.#call('PUT', path, body, options);
  }

  delete(path, options = {}) {
    return this.#call('DELETE', path, undefined, options);
  }

  /** options: signal, timeout (ms), idempotencyKey. A string as body is sent as text/plain. */
  async #call(method, path, body, { signal, timeout = usualLimit, idempotencyKey } = {}) {
    const headers = { Authorization: `Bearer ${this.#key}` };
    if (body !== undefined) headers['Content-Type'] = typeof body === 'string' ? 'text/plain' : 'application/json';
    if (idempotencyKey) headers['Idempotency-Key'] = idempotencyKey;
    const limit = AbortSignal.timeout(timeout);
    let response, text;
    try {
      response = await fetch(apiOrigin() + path, {
        method, headers,
        body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
        credentials: 'omit', cache: 'no-store', referrerPolicy: 'no-referrer', redirect: 'error',
      });
      text = await response.text();
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError({ isNetwork: true, code: limit.aborted ? 'timeout' : 'network' });
    }
    return read(response, text);
  }
}

function read(response, text) {
  let json = null;
  try {
    json = JSON.parse(text);
  } catch {
    if (response.ok) throw new ApiError({ status: response.status, code: 'not_json' });
  }
  if (response.ok) return json;
  const error = json?.error && typeof json.error === 'object' ? json.error : {};
  throw new ApiError({
    status: response.status, code: error.code ?? null, message: error.message ?? '', param: error.param ?? null,
    retryAfter: Number(response.headers.get('retry-after')) || null,
  });
}

/** True for what a signal ended: nobody waits for it, so nothing is to be said. */
export const isAborted = (error) => error?.name === 'AbortError';

/** What went wrong and what to do about it, in the reader's language. */
export function explain(error) {
  if (!(error instanceof ApiError)) return String(error?.message ?? error);
  const { status, code, param, retryAfter } = error;
  const wait = retryAfter ? t('error.retryIn', { count: Math.ceil(retryAfter) }) : t('error.retryLater');
  const values = { status: String(status), param, wait, message: error.serverMessage, origin: apiOrigin() };
  if (code && hasText(`error.${code}`)) return t(`error.${code}`, values);
  if (status === 429) return t('error.rate_limit_exceeded', values);
  if (param && error.serverMessage) return t('error.field', values);
  if (status === 401) return t('error.invalid_api_key', values);
  if (status === 403) return t('error.forbidden', values);
  return t(status >= 500 ? 'error.server' : 'error.other', values);
}
