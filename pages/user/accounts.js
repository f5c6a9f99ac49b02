// The accounts below the caller's: loaded page by page, and brought up to date from the answers to changes, because listing all
// again costs a fee.
import { parentOf } from './tree.js';

const pageSize = 1000;
export const limitNames = ['RPM', 'RPH', 'RPD', 'TPM', 'TPH', 'TPD', 'Concurrency'];

/** The caller's own account, in the names that rows have. */
function ownRow(info) {
  return {
    ID: info.id, DNA: info.dna, Level: info.level, Name: info.name, Alias: info.alias, BillingEmail: info.billing_email, Rates: info.rates,
    Balance: info.balance, CreditUsed: info.credit_used, Child: info.child, Cards: info.credit_balance,
    ...Object.fromEntries(limitNames.map((each) => [each, info[each.toLowerCase()]])),
  };
}

export class Accounts {
  constructor(api) {
    Object.assign(this, { api, own: null, mayManage: false, onChange: () => {} });
    this.forget('children');
  }

  forget(scope) {
    Object.assign(this, { scope, rows: new Map(), nextPage: 1, isComplete: false });
  }

  get isRoot() {
    return this.own.Level === 0;
  }

  async loadOwn(options) {
    const [info, status] = await Promise.all(['x_user/info', 'x-user-status'].map((each) => this.api.get(`/dashboard/${each}`, {}, options)));
    this.own = ownRow(info);
    // In dollars: what this account pays, and the least that the service asks for.
    Object.assign(this, { fees: info.fees, minimums: info.minimums, mayManage: status.manage });
    if (this.own.Child === 0) this.isComplete = true;
    this.onChange();
  }

  /** How many `scope` has, as far as it is known by now: each row tells how many are below it. */
  expected(scope = this.scope) {
    const inner = scope === 'all' ? [...this.rows.values()] : [];
    return inner.reduce((sum, row) => sum + row.Child, this.own.Child);
  }

  /** Calls that listing takes at least, each of which costs the fee. */
  callsFor(scope) {
    return Math.max(1, Math.ceil(this.expected(scope) / pageSize));
  }

  /** Lists `scope` from the start, or goes on with what was broken off. */
  async load(scope, { signal, onProgress }) {
    if (scope !== this.scope || this.isComplete) this.forget(scope);
    await this.loadOwn({ signal });
    while (!this.isComplete) {
      onProgress({ loaded: this.rows.size, expected: this.expected() });
      const page = await this.api.get(scope === 'all' ? '/x-dna' : '/x-users', { page: this.nextPage, size: pageSize }, { signal });
      for (const row of page) this.rows.set(row.ID, row);
      this.nextPage += 1;
      this.isComplete = page.length < pageSize || this.rows.size >= this.expected();
    }
    // The fee was paid out of it.
    if (!this.isRoot) await this.loadOwn({ signal });
    this.onChange();
  }

  /** One account as it is now, by id, name or e-mail address, free of charge; undefined: there is none such. */
  async look(who, signal) {
    const field = typeof who === 'number' ? 'id' : who.includes('@') ? 'email' : 'name';
    const [row] = await this.api.get('/x-dna', { [field]: who, size: 1 }, { signal });
    if (row && this.rows.has(row.ID)) this.rows.set(row.ID, row);
    return row;
  }

  /** Those that are loaded, by name and e-mail address in small letters. */
  byName() {
    return new Map([...this.rows.values()].flatMap((row) => [[row.Name.toLowerCase(), row], [row.Email.toLowerCase(), row]]));
  }

  /** The account above; undefined where it has not been loaded. */
  above(row) {
    const id = parentOf(row);
    return id === this.own.ID ? this.own : this.rows.get(id);
  }

  /** Takes in the answer to a change. */
  apply({ Action: action, Parent: parent, User: user }) {
    this.merge(parent.ID, parent);
    if (action === 'delete') this.rows.delete(user.ID);
    else if (action === 'update') this.merge(user.ID, { Name: user.Name, ...user.Updates });
    else if (this.scope === 'all' || parentOf(user.Updates) === this.own.ID) this.rows.set(user.ID, user.Updates);
    this.onChange();
  }

  merge(id, fields) {
    if (id === this.own.ID) Object.assign(this.own, fields);
    const row = this.rows.get(id);
    if (row) this.rows.set(id, { ...row, ...fields });
  }
}
