// Requests of an account, newest first, page by page by the API's cursor. The API does not filter by status: what does not match is left out here, and
// how far to look for matches is bounded.
const chunk = 1000;
const mostChunks = 10;
const matches = {
  ok: (status) => status < 400,
  client: (status) => status >= 400 && status < 500,
  server: (status) => status >= 500,
};

export class RequestReader {
  #api;
  #query;
  #matches;
  #waiting = [];
  #after = null;
  #isAtEnd = false;

  /** Requests looked at so far. */
  looked = 0;

  /** filter: {model, start, end, user, status} */
  constructor(api, { status, ...query }) {
    this.#api = api;
    this.#query = query;
    this.#matches = matches[status] ?? null;
  }

  get hasMore() {
    return this.#waiting.length > 0 || !this.#isAtEnd;
  }

  /** The next `size` that match; fewer when there are no more, or when it has looked far enough for one time. */
  async next(size, signal) {
    const amount = this.#matches ? chunk : size;
    for (let turn = 0; this.#waiting.length < size && !this.#isAtEnd && turn < mostChunks; ++turn) {
      await this.#read(amount, signal);
    }
    return this.#waiting.splice(0, size);
  }

  async #read(size, signal) {
    const answer = await this.#api.get('/x-requests', { ...this.#query, size, after: this.#after }, { signal });
    this.looked += answer.data.length;
    this.#waiting.push(...(this.#matches ? answer.data.filter((row) => this.#matches(row.status)) : answer.data));
    this.#after = answer.next;
    this.#isAtEnd = !answer.has_more;
  }
}
