// What this page knows of the accounts below the caller's: loaded page by page, and brought up to date from the answers to changes,
// because listing all again costs a fee.
import { parentOf } from './tree.js';

const pageSize = 1000;

/** The caller's own account, in the names that rows have. */
function ownRow(info) {
  return {
    ID: info.id, DNA: info.dna, Level: info.level, Name: info.name, Alias: info.alias, Email: info.email,
    BillingEmail: info.billing_email, Rates: info.rates, Balance: info.balance, CreditUsed: info.credit_used, Child: info.child,
    HardLimit: info.hard_limit, SoftLimit: info.soft_limit, RPM: info.rpm, RPH: info.rph, RPD: info.rpd, TPM: info.tpm,
    TPH: info.tph, TPD: info.tpd, Concurrency: info.concurrency, Status: info.status, PartialKey: info.partial_key,
    Cards: info.credit_balance ?? [],
  };
}

export class Accounts extends EventTarget {
  constructor(api) {
    super();
    this.api = api;
    this.own = null;
    /** Whether its balance lets it manage others. */
    this.mayManage = false;
    this.forgetList();
  }

  forgetList() {
    this.rows = new Map();
    this.scope = 'children';
    this.nextPage = 1;
    this.isComplete = false;
  }

  get isRoot() {
    return this.own.Level === 0;
  }

  changed() {
    this.dispatchEvent(new Event('change'));
  }

  async loadOwn(signal) {
    const [info, status] = await Promise.all([
      this.api.get('/dashboard/x_user/info', undefined, { signal }),
      this.api.get('/dashboard/x-user-status', undefined, { signal }),
    ]);
    this.own = ownRow(info);
    this.mayManage = status.manage === true;
    if (this.own.Child === 0) this.isComplete = true;
    this.changed();
  }

  /** How many rows `scope` has, as far as it is known by now: each row tells how many are below it. */
  expected(scope = this.scope) {
    let count = this.own.Child;
    if (scope === 'all') for (const row of this.rows.values()) count += row.Child;
    return count;
  }

  /** Calls that listing `scope` takes at least, each of which costs the fee. */
  pagesOf(scope) {
    return Math.max(1, Math.ceil(this.expected(scope) / pageSize));
  }

  /** Starts a listing anew, or goes on with one that was broken off. */
  async load(scope, { again = false, signal, onProgress = () => {} } = {}) {
    if (again || scope !== this.scope) {
      this.forgetList();
      this.scope = scope;
    }
    // What it says of how many there are must be of now.
    await this.loadOwn(signal);
    while (!this.isComplete) {
      onProgress({ loaded: this.rows.size, expected: this.expected() });
      const path = scope === 'all' ? '/x-dna' : '/x-users';
      const page = await this.api.get(path, { page: this.nextPage, size: pageSize }, { signal });
      for (const row of page) this.rows.set(row.ID, row);
      this.nextPage += 1;
      this.isComplete = page.length < pageSize || this.rows.size >= this.expected();
    }
    // The fee has been paid out of it.
    if (!this.isRoot) await this.loadOwn(signal);
    this.changed();
  }

  /** One account as it stands now, by id, name or e-mail address, free of charge; undefined: there is none such. */
  async look(who, signal) {
    const field = typeof who === 'number' ? 'id' : who.includes('@') ? 'email' : 'name';
    const [row] = await this.api.get('/x-dna', { [field]: who, size: 1 }, { signal });
    if (row && this.rows.has(row.ID)) this.rows.set(row.ID, row);
    return row;
  }

  /** The loaded account of this name or e-mail address, whatever its case. */
  named(who) {
    if (!this.names || this.names.rows !== this.rows || this.names.size !== this.rows.size) {
      this.names = { rows: this.rows, size: this.rows.size, byName: new Map() };
      for (const row of this.rows.values()) {
        this.names.byName.set(row.Name.toLowerCase(), row.ID);
        this.names.byName.set(row.Email.toLowerCase(), row.ID);
      }
    }
    return this.rows.get(this.names.byName.get(who.toLowerCase()));
  }

  /** The account above `row`; undefined where it has not been loaded. */
  parentOf(row) {
    const id = parentOf(row);
    return id === this.own.ID ? this.own : this.rows.get(id);
  }

  /** Takes in the answer to a change. */
  apply(answer) {
    const { Action: action, Parent: parent, User: user } = answer;
    if (parent) this.merge(parent.ID, parent);
    this.names = null;
    if (action === 'add' && this.belongs(user.Updates)) this.rows.set(user.ID, { ...user.Updates, SecretKey: '***' });
    if (action === 'update') this.merge(user.ID, { Name: user.Name, ...user.Updates });
    if (action === 'delete') this.rows.delete(user.ID);
    this.changed();
  }

  belongs(row) {
    return parentOf(row) === this.own.ID || this.scope === 'all';
  }

  /** In a new object: what was kept of the old one by others is of the old one. */
  merge(id, fields) {
    if (id === this.own.ID) this.own = { ...this.own, ...fields };
    const row = this.rows.get(id);
    if (row) this.rows.set(id, { ...row, ...fields });
  }
}
